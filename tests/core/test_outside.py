"""Nothing here calls out, no name of a file leads out of its folder, and no cell of a table is a formula."""

from __future__ import annotations

import ast
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Organization, User
from accounts.services import save_file, subject_of
from core.errors import DomainError
from core.pdf import PdfError, render_pdf
from core.uploads import clean_name
from tests.factories.certificates import make_certificate, make_course_edition
from tests.factories.lms import make_course, make_offering
from tests.lms.desk import Desk

ROOT: Final = Path(settings.BASE_DIR)
# What opens connections. The mail server is called by Django, the database by its driver.
CALLERS: Final = frozenset(
    {
        "requests",
        "urllib3",
        "httpx",
        "aiohttp",
        "socket",
        "ftplib",
        "telnetlib",
        "urllib.request",
        "http.client",
    }
)
# The program that starts the site asks whether its own server answers, on 127.0.0.1.
MAY_CALL: Final = frozenset({"config/serve.py"})


def list_modules() -> Iterator[tuple[str, ast.Module]]:
    for floor in (*settings.FLOORS, "config"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def list_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


class TestNothingIsFetched:
    def test_no_module_of_ours_can_call_out(self) -> None:
        found = {
            name: sorted(set(list_imports(tree)) & CALLERS)
            for name, tree in list_modules()
            if set(list_imports(tree)) & CALLERS
        }
        assert set(found) <= MAY_CALL, found

    @pytest.fixture
    def listener(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        """The address of a server of one's own, and whether anybody called."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)

            def was_called() -> bool:
                try:
                    server.accept()
                except BlockingIOError:
                    return False
                return True

            yield f"http://127.0.0.1:{server.getsockname()[1]}/x", was_called

    @pytest.mark.parametrize(
        "html",
        [
            '<img src="{url}">',
            '<link rel="stylesheet" href="{url}"><p>x</p>',
            "<style>@import url({url});</style><p>x</p>",
            "<style>@font-face {{ font-family: F; src: url({url}); }} p {{ font-family: F }}</style><p>x</p>",
            "<p style=\"background-image: url('{url}')\">x</p>",
        ],
    )
    def test_a_pdf_asks_for_nothing(self, html: str, listener: tuple[str, Callable[[], bool]]) -> None:
        url, was_called = listener
        with suppress(PdfError):
            render_pdf(html=f"<html><body>{html.format(url=url)}</body></html>")
        assert not was_called()

    def test_a_pdf_reads_no_file_of_the_machine(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.svg"
        secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', encoding="utf-8")
        for place in (secret.as_uri(), str(secret), "../../../../etc/passwd"):
            with pytest.raises(PdfError):
                render_pdf(html=f'<html><body><img src="{place}"></body></html>')

    def test_a_drawing_asks_for_nothing(self, listener: tuple[str, Callable[[], bool]]) -> None:
        from modules.svg import clean_svg

        url, was_called = listener
        head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 1 1">'
        for content in (
            f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{url}">]>{head}<text>&x;</text></svg>',
            f'<!DOCTYPE svg SYSTEM "{url}">{head}</svg>',
            f'{head}<image xlink:href="{url}"/><use href="{url}#a"/><style>@import url({url})</style></svg>',
        ):
            with suppress(DomainError):
                assert url not in clean_svg(content.encode(), prefix="a")
        assert not was_called()

    def test_a_credential_asks_for_no_context(self, listener: tuple[str, Callable[[], bool]]) -> None:
        from pyld.jsonld import JsonLdError

        from certificates.openbadges.loader import load_document

        url, was_called = listener
        with pytest.raises(JsonLdError):
            load_document(url)
        assert not was_called()

    def test_the_cms_looks_nothing_up(self) -> None:
        assert settings.WAGTAILEMBEDS_FINDERS == []
        assert settings.WAGTAIL_ENABLE_UPDATE_CHECK is False
        assert settings.WAGTAIL_GRAVATAR_PROVIDER_URL is None
        assert not getattr(settings, "WAGTAILLOCALIZE_MACHINE_TRANSLATOR", None)


UP: Final = (
    "../secret",
    "..\\secret",
    "/etc/passwd",
    "a/../../secret",
    "....//secret",
    ".",
    "..",
    "C:\\secret",
)


class TestPaths:
    @pytest.mark.parametrize("name", UP)
    def test_an_upload_is_named_by_us(self, name: str) -> None:
        cleaned = clean_name(f"{name}.txt", extension="txt")
        assert "/" not in cleaned
        assert "\\" not in cleaned
        assert not cleaned.startswith(".")

    @pytest.mark.django_db
    @pytest.mark.parametrize("name", UP)
    def test_and_kept_in_its_folder(self, name: str, learner: User) -> None:
        upload = SimpleUploadedFile("x.txt", b"Words.")
        upload._name = name  # type: ignore[attr-defined]
        text = save_file(subject=subject_of(learner), upload=upload)
        assert text.file is not None
        folder = Path(text.file.storage.location).resolve()
        assert Path(text.file.path).resolve().is_relative_to(folder)
        assert "secret" not in text.file.name
        assert "passwd" not in text.file.name

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        "path",
        [
            "/media/editions/{up}",
            "/media/images/{up}",
            "/media/{up}",
            "/static/{up}",
            "/documents/1/{up}",
            "/en/{up}",
        ],
    )
    @pytest.mark.parametrize(
        "up",
        [
            "../settings.py",
            "..%2f..%2fsettings.py",
            "%2e%2e/%2e%2e/manage.py",
            "..%5c..%5cmanage.py",
            "/etc/passwd",
        ],
    )
    def test_no_address_leads_up(self, visitor: Client, path: str, up: str) -> None:
        answer = visitor.get(path.format(up=up))
        assert answer.status_code in (301, 302, 400, 404)
        assert b"root:" not in answer.content
        assert b"SECRET_KEY" not in answer.content

    def test_a_pack_reads_nothing_outside_itself(self, tmp_path: Path) -> None:
        from modules.loader import PackFiles

        secret = tmp_path / "secret.svg"
        secret.write_text("<svg/>", encoding="utf-8")
        folder = tmp_path / "pack" / "files"
        folder.mkdir(parents=True)
        (folder / "link.svg").symlink_to(secret)

        class Pack:
            path = folder.parent

        files = PackFiles(Pack())  # type: ignore[arg-type]
        for name in ("../../secret.svg", str(secret), "link.svg", ".."):
            with pytest.raises(DomainError):
                files._read(name, "a place")

    def test_a_lesson_of_a_pack_is_named_by_a_short_name(self, tmp_path: Path) -> None:
        from modules.pack_reader import read_training_pack
        from tests.factories.modules import change_file, write_training_pack

        pack = write_training_pack(tmp_path / "pack")
        change_file(pack / "pack.yaml", "reading-a-rate", "../../secret")
        with pytest.raises(DomainError) as refusal:
            read_training_pack(pack)
        assert "secret" in str(refusal.value)


FORMULAS: Final = ('=HYPERLINK("https://evil.example")', "+1+1", "-2+3", "@SUM(1)", "\t=1", " =1", "＝1")


class TestTables:
    def test_every_table_guards_its_cells(self) -> None:
        """A module that writes CSV makes its cells harmless."""
        writers = {
            name: set(list_imports(tree))
            for name, tree in list_modules()
            if "csv" in set(list_imports(tree)) or "openpyxl" in set(list_imports(tree))
        }
        assert writers
        assert all("core.spreadsheets.make_harmless" in imports for imports in writers.values()), writers

    @pytest.mark.django_db
    @pytest.mark.parametrize("language", ["en", "fr"])
    def test_no_cell_of_an_export_is_a_formula(
        self,
        college: Organization,
        instructor: User,
        registrar: User,
        sign_in: Callable[[User], Client],
        language: str,
        django_user_model: Any,
    ) -> None:
        import csv

        from tests.factories.accounts import make_organization, make_role, make_user
        from tests.factories.jobs import fetch_made

        course = make_course(title="=1+1")
        desk = Desk(
            course=course, offering=make_offering(edition=course.edition, organization=college, slug="taught")
        )
        for formula in FORMULAS:
            user = make_user(name=formula)
            make_role(user=user, what="member", organization=make_organization(name=formula, name_fr=formula))
            desk.enrol(user)
        certified = make_offering(edition=make_course_edition(), organization=college, slug="certified")
        for formula in FORMULAS[:3]:
            make_certificate(user=make_user(name=formula), offering=certified, name=formula)
        teacher, checker = sign_in(instructor), sign_in(registrar)
        many = {"format": "csv", "numbers": "\n".join(FORMULAS)}
        tables = {
            "learners": fetch_made(teacher, teacher.post(f"/{language}/teach/{desk.offering.slug}/export/")),
            "cohorts": checker.get(f"/{language}/certificates/cohorts/?format=csv"),
            "many": checker.post(f"/{language}/certificates/check/many/", many),
        }
        for name, answer in tables.items():
            assert answer.status_code == 200, name
            assert answer["Content-Disposition"].startswith("attachment"), name
            text = b"".join(answer).decode("utf-8-sig")
            separator = ";" if name == "learners" and language == "fr" else ","
            rows = list(csv.reader(io.StringIO(text), delimiter=separator))
            assert len(rows) > 3, name
            assert any("HYPERLINK" in cell for row in rows for cell in row), name
            for row in rows:
                for cell in row:
                    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝")), (name, cell)
