"""From a lived-in site into an empty one, and there everything is as it was."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as live_settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django_tasks_db.models import DBTaskResult

from accounts import services
from accounts.models import AuditEntry, PersonalText, Subject, User
from accounts.services import ErasedThings
from certificates.models import Certificate, CertificateContent
from cms.backups import make as making
from config import postgres
from config.postgres import APP_ROLE, DATABASE, OWNER_ROLE, EmbeddedPostgres
from core.backup import database
from lms.models import StepProgress
from lms.projections import rebuild
from tests.cms.backups.site import (
    PLAN,
    Kept,
    read_files,
    read_manifest,
    read_rows,
    read_schema,
    read_upload,
    refuse,
    rewrite,
    run,
)


class TestRoundTrip:
    def test_everything_is_there_again_and_checks_out(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        client = Client()
        client.force_login(User.objects.get(email="lea@backup.example"), "accounts.backends.PersonBackend")
        assert Session.objects.exists()
        rows, kept, schema = read_rows(), read_files(), read_schema()
        editions = making.list_edition_digests()
        certificates = Certificate.objects.count()
        assert editions
        assert certificates >= 4
        said, warned = run("backup", tmp_path / "a.backup")
        assert "is made (" in said
        assert not warned

        empty_site()
        said, warned = run("restore", tmp_path / "a.backup")
        assert (
            "Certificates checked: 5. Signed PDFs: 10. Certificates of erased people: 0. Faults: 0." in said
        )
        assert "projections, editions, files and certificates check out" in said
        assert "no journal of erasures" in warned

        left_out = {"django_session": [], "usersessions_usersession": []}
        assert read_rows() == {**rows, **left_out}
        assert read_files() == kept
        assert read_schema() == schema
        assert making.list_edition_digests() == editions
        assert rebuild(check=True) == []
        assert Certificate.objects.count() == certificates

    @pytest.mark.long
    def test_life_goes_on_in_the_restored_site(self, backup: Path, kept: Kept) -> None:
        run("restore", backup)
        # Numbers go on, ledgers are closed, files are read, and the same backup can be made again.
        learner = Subject.objects.get(pk=kept.learner)
        last = AuditEntry.objects.latest("id").pk
        services.record_audit(actor=learner, action="test.done", subject=learner)
        assert AuditEntry.objects.latest("id").pk == last + 1
        with pytest.raises(IntegrityError, match="only ever added to"), transaction.atomic():
            database.execute("UPDATE accounts_auditentry SET action = 'other'")
        assert read_upload(PersonalText.objects.get(subject=learner, kind=PersonalText.Kind.UPLOAD)) == PLAN
        assert StepProgress.objects.exists()
        call_command("setup_site", stdout=io.StringIO())
        again = backup.with_name("b.backup")
        run("backup", again)
        before, after = read_manifest(backup), read_manifest(again)
        assert {file.name for file in before.files} == {file.name for file in after.files}
        assert before.notes["editions"] == after.notes["editions"]

    def test_the_applications_role_keeps_its_rights_and_no_more(self, backup: Path) -> None:
        if live_settings.DATABASE_APP_ROLE is None:
            pytest.skip("This server was given without a role of its own for the application.")
        run("restore", backup)
        with transaction.atomic():
            database.execute(f"SET LOCAL ROLE {database.quote(live_settings.DATABASE_APP_ROLE)}")
            assert User.objects.exists()
            with pytest.raises(Exception, match="permission denied"), transaction.atomic():
                database.execute("DELETE FROM accounts_auditentry")

    def test_it_says_what_it_does_in_french_too(self, backup: Path) -> None:
        said, _warned = run("restore", backup, check=True, language="fr")
        assert "est entière" in said
        said, warned = run("restore", backup, language="fr")
        assert "Restauration de" in said
        assert "Il n’y a pas de journal des effacements" in warned

    @pytest.mark.long
    def test_quiet_says_nothing_where_all_is_well(
        self, site: Subject, journal: Path, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        assert run("backup", tmp_path / "a.backup", quiet=True) == ("", "")
        services.append_to_journal(ErasedThings(texts=(uuid.uuid4(),)))
        empty_site()
        assert run("restore", tmp_path / "a.backup", quiet=True) == ("", "")

    def test_checking_a_backup_changes_nothing(self, backup: Path) -> None:
        before = read_rows()
        said, _warned = run("restore", backup, check=True)
        assert "is whole. Tables:" in said
        assert read_rows() == before
        assert read_files() == {}


class TestAnotherServer:
    """The operator's own commands, on a PostgreSQL of another version that is reached by its address."""

    @pytest.fixture
    def server(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
        """An older one than that of the tests, with both roles and an empty database."""
        monkeypatch.setattr(postgres, "POSTGRES_FOLDERS", {"16": "pginstall"})
        server = EmbeddedPostgres(tmp_path / "pg", throwaway=True)
        server.acquire()
        yield server
        server.release()

    @pytest.fixture
    def manage(
        self, server: EmbeddedPostgres, tmp_path: Path
    ) -> Callable[..., subprocess.CompletedProcess[str]]:
        """Runs a command as an operator does, with nothing of this process but the keys."""
        environment = {
            "PATH": os.environ["PATH"],
            "DEMO": "1",
            "DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": f"postgresql://{APP_ROLE}@/{DATABASE}?host={server.socket_folder}",
            "DATABASE_OWNER_URL": f"postgresql://{OWNER_ROLE}@/{DATABASE}?host={server.socket_folder}",
            "PUBLIC_ORIGIN": live_settings.PUBLIC_ORIGIN,
            "SECRET_KEY": live_settings.SECRET_KEY,
            "CERTIFICATE_SEALING_KEYS": live_settings.CERTIFICATE_SEALING_KEYS[0],
        }

        def run_there(*arguments: object) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "manage.py", *map(str, arguments)],
                cwd=live_settings.BASE_DIR,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )

        return run_there

    @pytest.mark.long
    def test_a_backup_goes_there_and_is_the_same_there(
        self, backup: Path, manage: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
    ) -> None:
        if database.server_version() < 170000:
            pytest.skip("The server of these tests is no newer than the other one.")
        refused = manage("restore", backup)
        assert refused.returncode == 1
        assert "this server is PostgreSQL 16" in refused.stderr

        done = manage("restore", rewrite(backup, server_version=160000))
        assert done.returncode == 0, done.stderr
        assert "Making the tables" in done.stdout
        assert "projections, editions, files and certificates check out" in done.stdout

        # As the serving role, which was given its rights.
        editions = manage("editions", "--digests")
        assert editions.stdout.splitlines() == read_manifest(backup).notes["editions"]
        assert manage("rebuild_projections", "--check").returncode == 0

        again = tmp_path / "again.backup"
        made = manage("backup", again, "--quiet")
        assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
        here, there = read_manifest(backup), read_manifest(again)
        assert there.server_major == 16
        assert {table.table: table.sha256 for table in there.tables} == {
            table.table: table.sha256 for table in here.tables
        }
        assert {file.name: file.sha256 for file in there.files} == {
            file.name: file.sha256 for file in here.files
        }
        assert there.sequences == here.sequences


class TestFindings:
    """The restore succeeds, and says with status 2 what is not as it should be."""

    def test_a_certificate_that_was_altered(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        content = CertificateContent.objects.filter(facts__isnull=False).order_by("pk").first()
        assert content is not None
        content.facts["holder_name"] = "Somebody Else"
        content.save(update_fields=["facts"])
        other = CertificateContent.objects.filter(facts__isnull=False).order_by("pk").last()
        assert other is not None
        path = Path(other.pdf_en.path)
        path.write_bytes(path.read_bytes().replace(b"/ByteRange", b"/ByteSange", 1))
        run("backup", tmp_path / "a.backup")
        empty_site()
        out, err = io.StringIO(), io.StringIO()
        with pytest.raises(CommandError, match="do not check out") as caught:
            call_command("restore", str(tmp_path / "a.backup"), language="en", stdout=out, stderr=err)
        assert caught.value.returncode == 2
        assert "its facts are not those of its digest" in err.getvalue()
        assert "its credential does not say its facts" in err.getvalue()
        assert f"its PDF {other.pdf_en.name}" in err.getvalue()
        assert Certificate.objects.count() == 5

    @pytest.mark.long
    def test_a_projection_that_was_wrong_is_mended(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        StepProgress.objects.all().delete()
        run("backup", tmp_path / "a.backup")
        empty_site()
        _said, warned = run("restore", tmp_path / "a.backup")
        assert "were not what their ledgers give, and were mended" in warned
        assert StepProgress.objects.exists()

    @pytest.mark.long
    def test_editions_that_are_not_those_of_the_list(self, backup: Path) -> None:
        notes = {**read_manifest(backup).notes, "editions": ["course somewhere 1 abc"]}
        refuse("do not check out", rewrite(backup, notes=notes), code=2)

    def test_tasks_that_wait_are_there_again(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        before = DBTaskResult.objects.count()
        run("backup", tmp_path / "a.backup")
        empty_site()
        run("restore", tmp_path / "a.backup")
        assert DBTaskResult.objects.count() == before
