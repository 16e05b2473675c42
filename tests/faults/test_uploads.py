"""Wherever a file comes in: broken, lying, harmful, far too large, or with no room left for it.

Each time a calm sentence in the person's language, nothing half kept (no row without its file, no file without its
row), and the words of the same form are there.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from wagtail.documents.models import Document
from wagtail.images.models import Image

from accounts.models import PersonalText, User
from accounts.services import save_file, subject_of
from assessments.models import Attempt
from core.errors import NoRoom
from core.storage import COMING, WholeFileStorage
from lms.services import begin_attempt
from tests.factories.accounts import make_user
from tests.factories.lms import make_course, make_enrolment, make_offering
from tests.faults.files import (
    DOCX,
    LAUGHS,
    MEGABYTE,
    NAMES,
    NO_PICTURES,
    NO_WORK,
    SCRIPT,
    Sent,
    files_now,
    full_disk,
    picture,
    zip_bomb,
)
from tests.lms.desk import Desk

pytestmark = pytest.mark.django_db

ROOT: Final = Path(settings.BASE_DIR)
FLOORS: Final = (*settings.FLOORS, "config")
SignIn = Callable[[User], Client]


# --- Where files come in ------------------------------------------------------------------------------------------


def list_modules(root: Path, package: str, pattern: str) -> set[str]:
    """The modules of a package that hold what is looked for."""
    looked_for = re.compile(pattern, re.MULTILINE)
    return {
        path.relative_to(root).as_posix()
        for path in (root / package).rglob("*.py")
        if not {"tests", "test", "migrations", "project_template"} & set(path.parts[len(root.parts) :])
        and looked_for.search(path.read_text(encoding="utf-8"))
    }


def test_where_files_come_in() -> None:
    """Whatever else takes a file is to be tried below."""
    ours = set().union(*(list_modules(ROOT, floor, r"\.FILES\b") for floor in FLOORS))
    # The second only asks whether there are files.
    assert ours == {"lms/views/assessed.py", "core/outage.py"}
    import wagtail
    import wagtail_localize

    theirs = set().union(
        *(
            list_modules(Path(package.__file__).parent.parent, package.__name__, r"\.FILES\b")
            for package in (wagtail, wagtail_localize)
        )
    )
    assert theirs == {
        # Pages, groups, workflows, previews and embeds, whose forms have no field for a file.
        *("wagtail/admin/views/pages/create.py", "wagtail/admin/views/pages/edit.py"),
        *("wagtail/admin/views/generic/preview.py", "wagtail/admin/views/workflows.py"),
        *(
            "wagtail/users/views/groups.py",
            "wagtail/embeds/views/chooser.py",
            "wagtail/contrib/forms/models.py",
        ),
        "wagtail_localize/components.py",
        # Pictures and documents, one's own picture, redirects and translations.
        *("wagtail/admin/views/generic/chooser.py", "wagtail/admin/views/generic/multiple_upload.py"),
        *("wagtail/admin/views/account.py", "wagtail/contrib/redirects/views.py"),
        "wagtail_localize/views/edit_translation.py",
    }


def test_no_archive_that_somebody_sent_is_opened() -> None:
    """Nothing unpacks what comes in, so that no archive can be a bomb.

    Four modules know archives: one packs pages, one writes the download of one's data, one a status list, and one reads
    a backup that its operator gives it, by lists and sizes (`tests/core/test_backup_archive.py`).
    """
    unpack = r"^\s*(import|from) (zipfile|tarfile|gzip|isal|bz2|lzma|docx|openpyxl|odf)\b|unpack_archive"
    found = set().union(*(list_modules(ROOT, floor, unpack) for floor in FLOORS))
    assert found == {
        "accounts/export.py",
        "certificates/openbadges/status_list.py",
        "core/backup/archive.py",
        "core/packing.py",
    }


# --- What a learner hands in --------------------------------------------------------------------------------------


@dataclass
class Work:
    """An assignment that a learner is working on."""

    client: Client
    path: str
    attempt: Attempt

    def send(self, *sent: Sent, text: str, language: str = "en", client_id: str = "") -> Any:
        form = {"do": "draft", "text": text, "client_id": client_id or str(uuid.uuid4())}
        return self.client.post(
            f"/{language}{self.path}", {**form, "file": [one.upload() for one in sent]} if sent else form
        )

    def kept(self) -> list[PersonalText]:
        return list(PersonalText.objects.filter(kind=PersonalText.Kind.UPLOAD).order_by("created_at"))


@pytest.fixture
def work(learner: User, sign_in: SignIn) -> Work:
    course = make_course()
    offering = make_offering(edition=course.edition)
    enrolment = make_enrolment(user=learner, offering=offering)
    desk = Desk(course=course, offering=offering)
    desk.reach_quiz(enrolment)
    desk.sit_quiz(enrolment, right=4)
    attempt = begin_attempt(
        enrolment=enrolment, step_key=course.steps["work"], attempt_id=uuid.uuid4(), language="en"
    )
    return Work(sign_in(learner), f"/learn/{enrolment.pk}/work/", attempt)


# The beginnings of what a person is told, in each language.
SAID: Final = {
    "en": ("The file is empty", "The file is larger", "The file is not of a kind", "The picture "),
    "fr": (
        "Le fichier est vide",
        "Le fichier dépasse",
        "Ce type de fichier",
        "Le fichier n’est pas",
        "L’image",
    ),
}


def test_a_file_that_is_none_is_refused_and_the_words_are_kept(work: Work) -> None:
    before = files_now()
    for number, (what, sent) in enumerate(NO_WORK.items()):
        language = ("en", "fr")[number % 2]
        words = f"My plan, {what}, {number}, {language}."
        answer = work.send(sent, text=words, language=language)
        page = answer.content.decode()
        assert answer.status_code == 400, (what, answer.status_code)
        assert words in page, what
        error = page.split('id="error_file"', 1)[1].split("</p>", 1)[0]
        assert any(said in error for said in SAID[language]), (what, error)
    assert words in work.client.get(f"/{language}{work.path}").content.decode()
    assert work.kept() == []
    assert files_now() == before


def test_one_bad_file_takes_the_good_ones_with_it(work: Work) -> None:
    before = files_now()
    good = Sent("plan.txt", b"Our plan.", "text/plain")
    answer = work.send(good, NO_WORK["50,000 × 50,000"], text="Two files.")
    assert answer.status_code == 400
    assert work.kept() == []
    assert files_now() == before
    assert work.send(good, text="One file.").status_code == 302
    assert len(files_now() - before) == len(work.kept()) == 1


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_only_shown(learner: User, name: str) -> None:
    kept = save_file(subject=subject_of(learner), upload=Sent(name, b"Our plan.", "text/html").upload())
    assert kept.file_name == NAMES[name]
    assert kept.content_type == "text/plain"
    assert kept.file.name == f"personal/{kept.pk.hex[:2]}/{kept.pk}.txt"


def test_a_document_that_is_a_bomb_is_kept_as_it_came(work: Work) -> None:
    """Nobody opens it here; whoever marks it gets what was sent, as a file, and is not shown it."""
    for number, first in enumerate(("[Content_Types].xml", "mimetype")):
        bomb = zip_bomb(first)
        assert len(bomb) < 2 * MEGABYTE
        answer = work.send(Sent(f"plan{number}.docx", bomb, DOCX), text=f"See the file, {number}.")
        # What is not known as a document is refused.
        assert answer.status_code in {302, 400}
    for text in work.kept():
        assert text.size == Path(text.file.path).stat().st_size < 2 * MEGABYTE
        shown = work.client.get(f"/en{work.path}files/{text.pk}/")
        assert shown.status_code == 200
        assert shown["Content-Disposition"].startswith("attachment")
        assert b"".join(shown.streaming_content).startswith(b"PK")


def test_the_same_form_brings_a_file_once(work: Work) -> None:
    """A double press; a repeat after a week; and after the file was taken out again it stays out."""
    before = files_now()
    key, sent = str(uuid.uuid4()), Sent("plan.txt", b"Our plan.", "text/plain")
    for _ in range(3):
        assert work.send(sent, text="With a file.", client_id=key).status_code == 302
    (kept,) = work.kept()
    assert len(files_now() - before) == 1
    form = {"remove": str(kept.pk), "client_id": str(uuid.uuid4()), "text": "With a file."}
    assert work.client.post(f"/en{work.path}", form).status_code == 302
    assert work.send(sent, text="With a file.", client_id=key).status_code == 302
    assert kept.file_name not in work.client.get(f"/en{work.path}").content.decode()
    # From a page that was loaded since, it is another file.
    assert work.send(sent, text="With a file.").status_code == 302
    assert kept.file_name in work.client.get(f"/en{work.path}").content.decode()
    assert len(work.kept()) == 2


# --- A full disk --------------------------------------------------------------------------------------------------

LARGE: Final = Sent("plan.txt", b"Our plan.\n" * 100_000, "text/plain")
# So large that Django writes it to a file of its own while it comes in.
LARGER: Final = Sent("plan.txt", b"Our plan.\n" * 400_000, "text/plain")
NO_ROOM: Final = {
    "en": "There is no room for files just now",
    "fr": "Il n’y a pas de place pour les fichiers",
}


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("quiet")
def test_no_room_for_a_file_that_is_handed_in(work: Work) -> None:
    before = files_now()
    for language, said in NO_ROOM.items():
        with full_disk(after=200_000):
            answer = work.send(LARGE, text=f"Words, {language}.", language=language)
        page = answer.content.decode()
        assert answer.status_code == 507
        assert said in page.split('id="error_file"', 1)[1].split("</p>", 1)[0]
        assert f"Words, {language}." in page
        assert f"Words, {language}." in work.client.get(f"/{language}{work.path}").content.decode()
    assert work.kept() == []
    assert files_now() == before
    # Once there is room again it is kept.
    assert work.send(LARGE, text="Again.").status_code == 302
    assert [text.size for text in work.kept()] == [len(LARGE.content)]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_room_while_a_file_comes_in(work: Work, language: str) -> None:
    work.client.raise_request_exception = False
    before = files_now()
    with full_disk(after=1_000_000):
        answer = work.send(LARGER, text="Words.", language=language)
    assert answer.status_code == 507
    assert NO_ROOM[language] in answer.content.decode()
    assert f'<html lang="{language}">' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert work.kept() == []
    assert files_now() == before


def test_a_row_that_cannot_be_written_leaves_no_file(work: Work) -> None:
    """The database refuses after the file was kept."""
    work.client.raise_request_exception = False
    before = files_now()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '53100'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON assessments_response "
            "FOR EACH ROW WHEN (NEW.value->'files' <> '[]') EXECUTE FUNCTION pg_temp.refuse()"
        )
    logging.disable(logging.CRITICAL)
    answer = work.send(Sent("plan.txt", b"Our plan.", "text/plain"), text="Words.")
    logging.disable(logging.NOTSET)
    assert answer.status_code == 503
    assert work.kept() == []
    assert files_now() == before


def test_a_file_has_its_name_when_all_of_it_is_there(tmp_path: Path) -> None:
    storage = WholeFileStorage(location=tmp_path, file_permissions_mode=0o640)
    with full_disk(after=100), pytest.raises(OSError, match="File too large"):
        storage.save("a/b.txt", ContentFile(b"x" * 1000))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert storage.save("a/b.txt", ContentFile(b"first")) == "a/b.txt"
    second = storage.save("a/b.txt", ContentFile("second"))
    assert second != "a/b.txt"
    assert {path.read_bytes() for path in (tmp_path / "a").iterdir()} == {b"first", b"second"}
    assert (tmp_path / "a" / "b.txt").stat().st_mode & 0o777 == 0o640
    assert list((tmp_path / COMING).iterdir()) == []


def test_no_room_is_told_of_as_such(learner: User, quiet: None) -> None:
    with full_disk(after=100), pytest.raises(NoRoom):
        save_file(subject=subject_of(learner), upload=Sent("a.txt", b"x" * 1000, "text/plain").upload())
    assert not PersonalText.objects.exists()


# --- In the CMS ---------------------------------------------------------------------------------------------------


@pytest.fixture
def office(sign_in: SignIn) -> Client:
    client = sign_in(make_user(is_superuser=True))
    client.raise_request_exception = False
    return client


# An address, the name of its field, and what of the answer says that it was refused.
PICTURE_PLACES: Final = {
    "/admin/images/add/": "file",
    "/admin/images/multiple/add/": "files[]",
    "/admin/images/chooser/create/": "image-chooser-upload-file",
    "/admin/account/": "avatar-avatar",
}
DOCUMENT_PLACES: Final = {
    "/admin/documents/add/": "file",
    "/admin/documents/multiple/add/": "files[]",
    "/admin/documents/chooser/create/": "document-chooser-upload-file",
}


def send_to(office: Client, path: str, field: str, sent: Sent) -> Any:
    form: dict[str, Any] = {field: sent.upload(), "title": "A title", "collection": "1"}
    prefix = field.rpartition("-")[0]
    form |= {f"{prefix}-title": "A title", f"{prefix}-collection": "1"} if prefix else {}
    return office.post(path, form, headers={"x-requested-with": "XMLHttpRequest"})


@pytest.mark.filterwarnings("ignore:Exception ignored in.*SpooledTemporaryFile")
@pytest.mark.parametrize("path", PICTURE_PLACES)
def test_no_picture_that_is_none_comes_into_the_cms(office: Client, path: str) -> None:
    before = files_now()
    for what, sent in NO_PICTURES.items():
        answer = send_to(office, path, PICTURE_PLACES[path], sent)
        assert answer.status_code < 500, (what, answer.status_code)
        assert "Traceback" not in answer.content.decode(), what
    assert not Image.objects.exists()
    assert files_now() == before
    if path == "/admin/images/multiple/add/":
        sound = send_to(office, path, PICTURE_PLACES[path], Sent("ok.png", picture(), "image/png"))
        assert sound.status_code in {200, 302}
        assert Image.objects.count() == 1, "So that the refusals are about the file."


@pytest.mark.parametrize("path", DOCUMENT_PLACES)
def test_a_document_in_the_cms_is_kept_whole_or_not_at_all(
    office: Client, path: str, quiet: None, visitor: Client
) -> None:
    before = files_now()
    field = DOCUMENT_PLACES[path]
    for sent in (
        Sent("a.exe", b"MZ", "application/pdf"),
        Sent("a.html", b"<script>alert(1)</script>", "text/html"),
        Sent("empty.pdf", b"", "application/pdf"),
        Sent("large.pdf", b"%PDF-1.7" + bytes(20 * MEGABYTE), "application/pdf"),
    ):
        answer = send_to(office, path, field, sent)
        assert answer.status_code < 500, sent.name
        assert not Document.objects.exists(), sent.name
    # Wagtail keeps the file while it writes the row, which breaks the transaction around it: here, the test's.
    with full_disk(after=200_000), transaction.atomic():
        answer = send_to(office, path, field, LARGE)
        transaction.set_rollback(True)
    assert answer.status_code == 507
    assert not Document.objects.exists()
    assert files_now() == before
    for sent in (Sent("laughs.svg", LAUGHS, "image/svg+xml"), Sent("script.svg", SCRIPT, "image/svg+xml")):
        assert send_to(office, path, field, sent).status_code in {200, 302}
        kept = Document.objects.get(title__in=["A title", sent.name])
        shown = visitor.get(kept.url)
        assert shown["Content-Disposition"].startswith("attachment")
        assert (
            "sandbox" in shown["Content-Security-Policy"] or "default-src" in shown["Content-Security-Policy"]
        )
        assert b"".join(shown.streaming_content) == sent.content
        kept.delete()


def test_a_broken_file_of_redirects_is_told_of(office: Client, quiet: None) -> None:
    for sent in (
        Sent("a.csv", b"\xff\xfe\x00\x01", "text/csv"),
        Sent("a.csv", b"", "text/csv"),
        Sent("a.tsv", b"\0" * 100, "text/csv"),
        Sent("a.exe", b"MZ", "text/csv"),
    ):
        answer = office.post("/admin/redirects/import/", {"import_file": sent.upload()})
        assert answer.status_code in {200, 302}, sent


@pytest.mark.filterwarnings("ignore:Exception ignored in.*SpooledTemporaryFile")
def test_the_same_names_in_the_cms_lead_nowhere(office: Client) -> None:
    folder = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    for name in ("../../up.png", "/etc/up.png", "a\u202e.png", "x" * 200 + ".png"):
        answer = send_to(office, "/admin/images/multiple/add/", "files[]", Sent(name, picture(), "image/png"))
        assert answer.status_code == 200, name
    for image in Image.objects.all():
        assert Path(image.file.path).resolve().is_relative_to(folder.resolve() / "original_images")
