"""Backing up a lived-in site and restoring it: real database, real files, real signatures."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as live_settings
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django_tasks_db.models import DBTaskResult

from accounts import services
from accounts.models import AuditEntry, Consent, Erasure, PersonalText, Subject, User
from accounts.services import ErasedThings
from certificates.models import Certificate, CertificateContent
from cms.backups import make as making
from cms.backups import restore as restoring
from config import postgres
from config.postgres import APP_ROLE, DATABASE, OWNER_ROLE, EmbeddedPostgres
from core.backup import database, files
from core.backup.archive import BackupReader, BackupWriter
from core.backup.manifest import Manifest
from lms.models import StepProgress
from lms.projections import rebuild
from tests import database as databases
from tests.factories.accounts import make_user

WORDS = "Ce que je pense de ma ville, et que personne d’autre ne lit."
PLAN = b"A plan that only its author and her instructor have read."


def run(command: str, *arguments: Any, **options: Any) -> tuple[str, str]:
    """A command of the operator's; what it said on both streams."""
    out, err = io.StringIO(), io.StringIO()
    call_command(
        command, *map(str, arguments), **{"language": "en", **options}, stdout=out, stderr=err, no_color=True
    )
    return out.getvalue(), err.getvalue()


def refuse(match: str, *arguments: Any, command: str = "restore", code: int = 1, **options: Any) -> str:
    """The command refuses with that sentence and status."""
    with pytest.raises(CommandError, match=match) as caught:
        run(command, *arguments, **options)
    assert caught.value.returncode == code
    return str(caught.value)


def read_rows() -> dict[str, list[bytes]]:
    """Every row of every table, in an order of its own."""
    tables = {
        name: columns for name, columns in database.describe_tables().items() if name in database.our_tables()
    }
    with transaction.atomic():
        return {
            name: sorted(b"".join(database.copy_out(name, columns)).splitlines())
            for name, columns in tables.items()
        }


def read_files() -> dict[str, str]:
    return {
        f"{store.alias}/{name}": hashlib.sha256((store.root / name).read_bytes()).hexdigest()
        for store in files.list_stores()
        for name, _state in files.walk(store.root)
    }


def find_words(words: bytes) -> list[str]:
    """Tables and files that hold these words."""
    return [name for name, rows in read_rows().items() if any(words in row for row in rows)] + [
        str(path)
        for store in files.list_stores()
        for path in store.root.rglob("*")
        if path.is_file() and words in path.read_bytes()
    ]


def read_schema() -> list[tuple[Any, ...]]:
    """Constraints, indexes, triggers and rights: what a restore must leave as it was."""
    return database.fetch(
        "SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace UNION ALL "
        "SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' "
        "UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal UNION ALL "
        "SELECT 'right', oid::regclass::text, relkind::text, relacl::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1, 2, 3, 4"
    )


def read_upload(text: PersonalText) -> bytes:
    with text.file.storage.open(text.file.name, "rb") as file:
        return bytes(file.read())


def wipe_files() -> None:
    for store in files.list_stores():
        shutil.rmtree(store.root, ignore_errors=True)
        store.root.mkdir(parents=True)


@pytest.fixture
def journal(settings: Any, tmp_path: Path) -> Path:
    settings.ERASURE_JOURNAL = tmp_path / "far" / "erasures.jsonl"
    return tmp_path / "far" / "erasures.jsonl"


def fill_site(seeded_template: str) -> Subject:
    """The demo with its files, and a learner with words and a file of her own."""
    databases.copy_template(template=seeded_template, name=live_settings.DATABASES["default"]["NAME"])
    wipe_files()
    databases.copy_seeded_files(seeded_template)
    # What earlier tests had left when the template was built.
    stores = files.list_stores()
    named = files.find_references(stores)
    for store in stores:
        for name, _state in list(files.walk(store.root)):
            if store.private and name not in named[store.alias]:
                store.storage.delete(name)
    learner = make_user(email="lea@backup.example", name="Léa Sauvegarde")
    subject = services.subject_of(learner)
    services.save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text=WORDS)
    services.save_file(subject=subject, upload=SimpleUploadedFile("plan.txt", PLAN))
    services.give_consent(
        subject=subject, purpose=Consent.Purpose.CERTIFICATE_PUBLIC, wording="Yes.\tTab\\ \n", language="en"
    )
    default_storage.save("images/square.svg", ContentFile(b"<svg/>"))
    return subject


@pytest.fixture
def kept_files(seeded_template: str) -> Iterator[None]:
    """Afterwards the files are those of the seeded site again, as the tests of other modules expect."""
    yield
    wipe_files()
    databases.copy_seeded_files(seeded_template)


@pytest.fixture
def site(seeded_template: str, transactional_db: None, journal: Path, kept_files: None) -> Subject:
    """A lived-in site; its learner."""
    return fill_site(seeded_template)


@pytest.fixture
def empty_site(django_db_setup: None) -> Callable[[], None]:
    """Makes the installation an empty one: what migrations make, and no files."""

    def make() -> None:
        wipe_files()
        databases.copy_template(
            template=databases.build_template(), name=live_settings.DATABASES["default"]["NAME"]
        )

    return make


@dataclass
class Kept:
    """The one backup that most tests share, and whose words are in it."""

    source: Path | None = None
    learner: uuid.UUID | None = None
    people: int = 0


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


@pytest.fixture
def backup(
    seeded_template: str,
    transactional_db: None,
    journal: Path,
    kept_files: None,
    kept: Kept,
    empty_site: Callable[[], None],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A backup of a lived-in site, before an installation that is empty."""
    if kept.source is None:
        kept.learner = fill_site(seeded_template).pk
        kept.people = User.objects.count()
        kept.source = tmp_path_factory.mktemp("kept") / "kept.backup"
        run("backup", kept.source)
        empty_site()
    wipe_files()
    return Path(shutil.copy(kept.source, tmp_path / "a.backup"))


@pytest.fixture
def live_backup(site: Subject, tmp_path: Path) -> Path:
    """A backup of the site, which goes on living."""
    run("backup", tmp_path / "a.backup")
    return tmp_path / "a.backup"


def rewrite(source: Path, *, tables: dict[str, bytes] | None = None, **changes: Any) -> Path:
    """The same backup saying something else, or with other rows, under digests that are right."""
    target = source.with_name(f"{uuid.uuid4().hex}.backup")
    with BackupReader(source) as reader, BackupWriter(target, moment=live_moment()) as writer:
        manifest = reader.verify()
        parts = []
        for table in manifest.tables:
            content = (tables or {}).get(table.table, b"".join(reader.read(table)))
            size, sha256 = writer.add(table.member, [content])
            parts.append(replace(table, size=size, sha256=sha256, rows=content.count(b"\n")))
        for file in manifest.files:
            writer.add(file.member, reader.read(file), packed=True)
        writer.finish(replace(manifest, **{"tables": tuple(parts), **changes}))
    return target


def live_moment() -> Any:
    from core import clock

    return clock.now()


def read_manifest(source: Path) -> Manifest:
    with BackupReader(source) as reader:
        return reader.verify()


class TestRoundTrip:
    def test_everything_is_there_again_and_checks_out(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        client = Client()
        client.force_login(
            User.objects.get(email="lea@backup.example"), "django.contrib.auth.backends.ModelBackend"
        )
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


class TestMaking:
    def test_what_it_says_of_itself(self, live_backup: Path) -> None:
        manifest = read_manifest(live_backup)
        assert manifest.origin == live_settings.PUBLIC_ORIGIN
        assert manifest.server_major == database.server_version() // 10_000
        assert manifest.software == live_settings.VERSION
        assert ("accounts", "0002_ledgers") in manifest.migrations
        assert manifest.notes["editions"] == making.list_edition_digests()
        assert manifest.missing == ()
        assert not {"django_session", "core_cache"} & {table.table for table in manifest.tables}
        assert live_settings.SECRET_KEY not in live_backup.read_text(encoding="latin-1")

    def test_it_is_not_overwritten_unasked(self, backup: Path) -> None:
        before = backup.read_bytes()
        refuse("is there already", backup, command="backup")
        assert backup.read_bytes() == before
        run("backup", backup, overwrite=True)
        assert backup.read_bytes() != before

    def test_words_of_nobody_are_left_out_and_said(self, site: Subject, tmp_path: Path) -> None:
        """A private file without a row is of somebody erased, or not written yet: nobody could ever erase it."""
        text = PersonalText.objects.get(subject=site, kind=PersonalText.Kind.UPLOAD)
        text.file.storage.save("personal/ab/orphan.txt", ContentFile(b"whose?"))
        said, _warned = run("backup", tmp_path / "a.backup")
        assert "1 private file belongs to no row" in said
        names = {file.name for file in read_manifest(tmp_path / "a.backup").files}
        assert text.file.name in names
        assert "images/square.svg" in names
        assert "personal/ab/orphan.txt" not in names

    def test_a_file_that_is_lost_is_said_and_hinders_nothing(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        text = PersonalText.objects.get(subject=site, kind=PersonalText.Kind.UPLOAD)
        text.file.storage.delete(text.file.name)
        _said, warned = run("backup", tmp_path / "a.backup")
        assert f"1 file that the database names is not there: private/{text.file.name}." in warned
        empty_site()
        _said, warned = run("restore", tmp_path / "a.backup")
        assert "1 file was missing already" in warned

    def test_a_table_of_another_program_is_said(self, site: Subject, tmp_path: Path) -> None:
        database.execute("CREATE TABLE of_another_program (id int)")
        _said, warned = run("backup", tmp_path / "a.backup")
        assert "of_another_program" in warned

    def test_a_database_that_waits_for_migrations_is_not_backed_up(
        self, site: Subject, tmp_path: Path, settings: Any
    ) -> None:
        settings.MIGRATION_MODULES = {"django_htmx": "tests.cms.later.migrations"}
        refuse("waits for 1 migration", tmp_path / "a.backup", command="backup")
        assert list(tmp_path.glob("*.backup")) == []

    def test_the_applications_role_is_enough(self, site: Subject, tmp_path: Path) -> None:
        if live_settings.DATABASE_APP_ROLE is None:
            pytest.skip("This server was given without a role of its own for the application.")
        rows = sum(
            table.rows for table in self.back_up_as(live_settings.DATABASE_APP_ROLE, tmp_path / "a").tables
        )
        assert rows == read_manifest_rows(tmp_path)

    def back_up_as(self, role: str, target: Path) -> Manifest:
        database.execute(f"SET ROLE {database.quote(role)}")
        try:
            run("backup", target)
        finally:
            database.execute("RESET ROLE")
        return read_manifest(target)

    def test_a_role_that_may_not_read_is_told(self, site: Subject, tmp_path: Path) -> None:
        if live_settings.DATABASE_APP_ROLE is None:
            pytest.skip("This server was given without a role of its own for the application.")
        role = database.quote(live_settings.DATABASE_APP_ROLE)
        database.execute(f"REVOKE SELECT ON accounts_user FROM {role}")
        database.execute(f"SET ROLE {role}")
        try:
            refuse("may not read the table accounts_user", tmp_path / "a", command="backup")
        finally:
            database.execute("RESET ROLE")
        assert not (tmp_path / "a").exists()


def read_manifest_rows(folder: Path) -> int:
    run("backup", folder / "owner.backup")
    return read_manifest(folder / "owner.backup").rows


class TestWhileLifeGoesOn:
    """Others write and erase, in threads with connections of their own, while the backup is made."""

    def test_database_and_files_are_of_one_moment(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        ended, faults = threading.Event(), []

        def live() -> None:
            try:
                turn = 0
                while not ended.is_set():
                    turn += 1
                    key = uuid.uuid4()
                    text = services.save_file(
                        subject=site, upload=SimpleUploadedFile("note.txt", str(key).encode())
                    )
                    PersonalText.objects.filter(pk=text.pk).update(file_name=str(key))
                    services.record_audit(actor=site, action="test.wrote", subject=site, target=text)
                    if turn % 2:
                        services.erase_text(text=PersonalText.objects.get(pk=text.pk))
            except Exception as error:
                faults.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=live) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            _said, warned = run("backup", tmp_path / "a")
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert not faults
        assert not warned
        empty_site()
        said, warned = run("restore", tmp_path / "a")
        assert "check out" in said
        assert not warned
        notes = PersonalText.objects.filter(subject=site).exclude(file="")
        for note in notes.exclude(file_name__in=["plan.txt", "note.txt"]):
            assert read_upload(note).decode() == note.file_name
        # Those erased since are erased again, file and all.
        private = {name for name in read_files() if name.startswith("private/personal/")}
        names = PersonalText.objects.exclude(file="").values_list("file", flat=True)
        assert private == {f"private/{name}" for name in names}
        assert len(private) > 1

    def test_who_is_erased_while_it_runs_does_not_come_back(
        self,
        site: Subject,
        tmp_path: Path,
        journal: Path,
        empty_site: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write_files = making._write_files

        def erase_first(*arguments: Any) -> Any:
            thread = threading.Thread(target=erase)
            thread.start()
            thread.join()
            return write_files(*arguments)

        def erase() -> None:
            try:
                services.erase_person(subject=site, requested_by=None)
            finally:
                connection.close()

        monkeypatch.setattr(making, "_write_files", erase_first)
        _said, warned = run("backup", tmp_path / "a.backup")
        # Of one moment: what was erased after it is in it, file and all.
        assert not warned
        assert read_manifest(tmp_path / "a.backup").notes["erased"] == [
            {"subject_key": str(site.pk), "requested_by": None}
        ]
        journal.unlink()
        empty_site()
        run("restore", tmp_path / "a.backup")
        assert not find_words(WORDS.encode())
        assert not find_words(PLAN)
        assert not find_words(b"lea@backup.example")

    def test_a_file_that_goes_between_the_two_looks_is_looked_for_again(
        self, site: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold, turns = making.hold_files, []

        def erase_first(stores: Any) -> Any:
            turns.append(1)
            if len(turns) == 1:
                text = PersonalText.objects.get(subject=site, kind=PersonalText.Kind.UPLOAD)
                thread = threading.Thread(target=erase, args=(text,))
                thread.start()
                thread.join()
            return hold(stores)

        def erase(text: PersonalText) -> None:
            try:
                services.erase_text(text=text)
            finally:
                connection.close()

        monkeypatch.setattr(making, "hold_files", erase_first)
        _said, warned = run("backup", tmp_path / "a.backup")
        assert not warned
        assert len(turns) == 2
        assert read_manifest(tmp_path / "a.backup").notes["erased"] == []


class TestRefusing:
    """Nothing is changed, and a sentence says why."""

    @pytest.fixture
    def untouched(self, backup: Path) -> Callable[[], None]:
        """Says afterwards that the installation is still an empty one."""
        before = read_rows(), read_schema()

        def check() -> None:
            assert (read_rows(), read_schema()) == before
            assert read_files() == {}
            assert not any(
                path.name.startswith((files.HELD, files.STAGED))
                for store in files.list_stores()
                for path in store.root.iterdir()
            )

        return check

    def test_a_damaged_byte(self, backup: Path, untouched: Callable[[], None]) -> None:
        whole = bytearray(backup.read_bytes())
        for place in (0, len(whole) // 3, len(whole) // 2, len(whole) - 200, len(whole) - 1):
            changed = bytearray(whole)
            changed[place] ^= 1
            backup.write_bytes(changed)
            refuse("is damaged|cut off", backup)
        untouched()

    def test_a_truncated_file(self, backup: Path, untouched: Callable[[], None]) -> None:
        backup.write_bytes(backup.read_bytes()[:-1000])
        refuse("its end is missing", backup)
        untouched()

    def test_no_file(self, tmp_path: Path, untouched: Callable[[], None]) -> None:
        refuse("cannot be read", tmp_path / "none")
        untouched()

    def test_an_older_server(self, backup: Path, untouched: Callable[[], None]) -> None:
        later = rewrite(backup, server_version=database.server_version() + 10_000)
        refuse("a restore goes to the same or a newer version", later)
        untouched()

    def test_a_later_version_of_the_software(self, backup: Path, untouched: Callable[[], None]) -> None:
        migrations = (*read_manifest(backup).migrations, ("lms", "9999_of_tomorrow"))
        refuse("lms.9999_of_tomorrow", rewrite(backup, migrations=migrations))
        untouched()

    def test_a_demo_where_none_is_wanted(
        self, backup: Path, untouched: Callable[[], None], settings: Any
    ) -> None:
        settings.DEMO = False
        refuse("whose password everybody knows", backup)
        untouched()

    def test_tables_that_differ(self, backup: Path, untouched: Callable[[], None]) -> None:
        tables = tuple(
            replace(table, columns=(*table.columns, ("shoe_size", "integer")))
            if table.table == "accounts_user"
            else table
            for table in read_manifest(backup).tables
        )
        changed = rewrite(backup)
        # `rewrite` computes the tables anew, so the columns are changed in the manifest's text.
        with (
            BackupReader(changed) as reader,
            BackupWriter(backup, moment=live_moment(), overwrite=True) as writer,
        ):
            manifest = reader.verify()
            for member in manifest.members.values():
                writer.add(member.member, reader.read(member))
            writer.finish(replace(manifest, tables=tables))
        refuse(r"differ \(accounts_user\)", backup)
        untouched()

    def test_rows_that_contradict_each_other(self, backup: Path, untouched: Callable[[], None]) -> None:
        """A failure in the middle of the transaction, after rows and sequences."""
        refuse(
            "The database refused: .*violates foreign key constraint",
            rewrite(backup, tables={"accounts_user": b""}),
        )
        untouched()

    def test_rows_that_are_none(self, backup: Path, untouched: Callable[[], None]) -> None:
        refuse("The database refused", rewrite(backup, tables={"accounts_user": b"no row\n"}))
        untouched()

    def test_an_unknown_erasure(
        self, backup: Path, untouched: Callable[[], None], tmp_path: Path, journal: Path
    ) -> None:
        (tmp_path / "erasures").write_text('{"text_id": "no key"}\n')
        refuse("Line 1 of .*erasures is no record", backup, erasures=tmp_path / "erasures")
        refuse("cannot be read", backup, erasures=tmp_path / "none")
        journal.parent.mkdir(exist_ok=True)
        journal.write_text("torn")
        refuse("Line 1 of .*erasures.jsonl is no record", backup)
        untouched()

    def test_the_applications_role(self, backup: Path, untouched: Callable[[], None]) -> None:
        if live_settings.DATABASE_APP_ROLE is None:
            pytest.skip("This server was given without a role of its own for the application.")
        database.execute(f"SET ROLE {database.quote(live_settings.DATABASE_APP_ROLE)}")
        try:
            refuse("does not own the tables.*DATABASE_OWNER_URL", backup)
        finally:
            database.execute("RESET ROLE")
        untouched()

    def test_other_processes(self, backup: Path, untouched: Callable[[], None]) -> None:
        parts = connection.settings_dict
        with psycopg.connect(host=parts["HOST"], user=parts["USER"], dbname=parts["NAME"]):
            refuse("1 other process uses this database", backup)
            untouched()
            run("restore", backup, ignore_connections=True)

    def test_a_full_disk(
        self, backup: Path, untouched: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "RESERVE", 1 << 60)
        refuse("MB are free", backup)
        untouched()


class TestReplacing:
    @pytest.fixture
    def name(self) -> str:
        return str(connection.settings_dict["NAME"])

    def test_an_installation_that_is_not_empty_is_left_alone(
        self, live_backup: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = read_rows(), read_files()
        refuse("is not empty", live_backup)
        monkeypatch.setattr("builtins.input", lambda prompt: "yes")
        refuse("Nothing was changed", live_backup, replace=True)
        refuse("Nothing was changed", live_backup, replace=True, confirm="another")
        assert (read_rows(), read_files()) == before

    def test_files_alone_are_enough_to_be_left_alone(self, backup: Path) -> None:
        default_storage.save("images/mine.svg", ContentFile(b"<svg/>"))
        refuse("is not empty", backup)
        assert set(read_files()) == {"default/images/mine.svg"}

    def test_the_backup_takes_the_place_of_what_came_since(
        self, site: Subject, live_backup: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = read_files()
        make_user(email="late@backup.example")
        default_storage.save("images/late.svg", ContentFile(b"<svg/>"))
        monkeypatch.setattr("builtins.input", lambda prompt: name)
        _said, warned = run("restore", live_backup, replace=True)
        assert not warned
        assert not User.objects.filter(email="late@backup.example").exists()
        assert read_files() == kept

    def test_where_it_fails_the_old_site_stands(self, live_backup: Path, name: str) -> None:
        services.record_audit(actor=None, action="test.later")
        before, kept, number = read_rows(), read_files(), AuditEntry.objects.latest("id").pk
        broken = rewrite(live_backup, tables={"accounts_user": b""})
        refuse("violates foreign key", broken, replace=True, confirm=name)
        assert (read_rows(), read_files()) == (before, kept)
        # Sequences too: the next number is free.
        services.record_audit(actor=None, action="test.later")
        assert AuditEntry.objects.latest("id").pk == number + 1

    def test_whom_the_replaced_site_had_erased_is_erased(
        self, site: Subject, live_backup: Path, name: str, journal: Path
    ) -> None:
        services.erase_person(subject=site, requested_by=None)
        journal.unlink()
        said, _warned = run("restore", live_backup, replace=True, confirm=name)
        assert "There again and erased: 1." in said
        assert not find_words(WORDS.encode())


class TestErasures:
    def test_the_journal_keeps_erased_what_was_erased(
        self, site: Subject, live_backup: Path, journal: Path, empty_site: Callable[[], None]
    ) -> None:
        """A holder of a certificate, a learner's account, and a single text of somebody who stays."""
        holder = Certificate.objects.filter(content__facts__isnull=False).first()
        assert holder is not None
        facts = CertificateContent.objects.get(pk=holder.pk)
        name = facts.facts["holder_name"]
        pdf = facts.pdf_en.name
        other = services.subject_of(make_user(email="stays@backup.example"))
        single = services.save_text(subject=other, kind=PersonalText.Kind.WORKSHEET, text="To be taken back.")
        run("backup", live_backup, overwrite=True)
        services.erase_text(text=single)
        services.erase_person(subject=site, requested_by=site)
        services.erase_person(subject=holder.subject, requested_by=None)
        assert len(journal.read_text().splitlines()) == 3

        empty_site()
        said, warned = run("restore", live_backup)
        assert "There again and erased: 3." in said
        assert not warned
        for words in (
            WORDS.encode(),
            PLAN,
            b"lea@backup.example",
            "Léa Sauvegarde".encode(),
            b"To be taken back",
        ):
            assert not find_words(words), words
        assert not facts.pdf_en.storage.exists(pdf)
        again = CertificateContent.objects.get(pk=holder.pk)
        assert again.facts is None
        assert not any(name.encode() in row for row in read_rows()["certificates_certificatecontent"])
        assert {row.subject_key for row in Erasure.objects.all()} >= {site.pk, holder.subject_id}
        assert Subject.objects.get(pk=site.pk).user is None
        assert User.objects.filter(email="stays@backup.example").exists()
        # Nobody's picture or paper waits in a folder of ours.
        assert rebuild(check=True) == []

    def test_a_list_from_elsewhere_does_the_same(
        self, site: Subject, live_backup: Path, journal: Path, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        services.erase_person(subject=site, requested_by=None)
        out = io.StringIO()
        call_command("replay_erasures", "--list", stdout=out)
        (tmp_path / "erasures").write_text(out.getvalue())
        journal.unlink()
        empty_site()
        run("restore", live_backup, erasures=tmp_path / "erasures")
        assert not find_words(WORDS.encode())
        # And is in the journal of the new site from now on.
        assert str(site.pk) in journal.read_text()

    def test_a_backup_completes_the_journal(self, site: Subject, journal: Path, tmp_path: Path) -> None:
        services.erase_person(subject=site, requested_by=None)
        journal.unlink()
        run("backup", tmp_path / "a.backup")
        assert json.loads(journal.read_text()) == {"subject_key": str(site.pk), "requested_by": None}


class TestBrokenOff:
    def test_once_the_database_is_in_place_the_same_command_goes_on(
        self,
        backup: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        listed = {f"{file.storage}/{file.name}": file.sha256 for file in read_manifest(backup).files}

        def fail(staging: files.Staging) -> None:
            raise OSError("the disk is gone")

        with monkeypatch.context() as patch:
            patch.setattr(files.Staging, "put_in_place", fail)
            refuse("The database is restored, but .*the disk is gone", backup, code=2)
        assert User.objects.filter(email="lea@backup.example").exists()
        assert read_files() == {}
        said, _warned = run("restore", backup)
        assert "An earlier restore was broken off" in said
        assert "check out" in said
        assert read_files() == listed

    def test_before_that_nothing_is_left_of_it(self, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Interrupted from outside, in the middle of the transaction."""

        def interrupt(sequences: Any, **options: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(database, "set_sequences", interrupt)
            with pytest.raises(KeyboardInterrupt):
                run("restore", backup)
        assert not User.objects.exists()
        assert read_files() == {}
        # As after a kill: the folder is there, and the database knows nothing of it.
        left = files.list_stores()[0].root / f"{files.STAGED}dead"
        (left / "new").mkdir(parents=True)
        (left / "new" / "half").write_text("x")
        run("restore", backup)
        assert not left.exists()
        assert "default/half" not in read_files()

    def test_another_backup_does_not_pass_for_the_one_that_was_broken_off(
        self, backup: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = rewrite(backup, id=uuid.uuid4())
        with monkeypatch.context() as patch:
            patch.setattr(restoring, "_complete", lambda *arguments: (_ for _ in ()).throw(OSError("gone")))
            refuse("broken off", backup, code=2)
        refuse("is not empty", other)


class TestOtherPlaces:
    def test_an_earlier_state_is_brought_forward(self, backup: Path, settings: Any, kept: Kept) -> None:
        assert kept.learner is not None
        services.append_to_journal(ErasedThings((services.ErasureRequest(kept.learner),)))
        settings.MIGRATION_MODULES = {"django_htmx": "tests.cms.later.migrations"}
        said, _warned = run("restore", backup)
        assert "Bringing the tables to this version" in said
        # The later migration saw the rows, and then the erasures were done.
        assert database.fetch("SELECT people FROM later_probe") == [(kept.people,)]
        assert not find_words(WORDS.encode())

    def test_a_migration_that_fails_over_the_rows_is_said(self, backup: Path, settings: Any) -> None:
        database.execute("CREATE TABLE later_probe (in_the_way int)")
        settings.MIGRATION_MODULES = {"django_htmx": "tests.cms.later.migrations"}
        refuse("could not be brought to this version.*Do not start the site", backup, code=2)
        assert read_files() == {}

    def test_a_later_database_is_not_replaced_by_an_earlier_backup(self, backup: Path, settings: Any) -> None:
        settings.MIGRATION_MODULES = {"django_htmx": "tests.cms.later.migrations"}
        call_command("migrate", interactive=False, verbosity=0)
        make_user(email="somebody@backup.example")
        refuse(
            "of different versions of the software",
            backup,
            replace=True,
            confirm=connection.settings_dict["NAME"],
        )

    def test_another_origin_and_other_keys_are_said(self, backup: Path, settings: Any) -> None:
        settings.PUBLIC_ORIGIN = "https://elsewhere.example"
        settings.SECRET_KEY = "another-key"
        settings.CERTIFICATE_SEALING_KEYS = ["B" * 43]
        said, warned = run("restore", backup)
        assert "Faults: 0." in said
        assert "issued under http://testserver, and PUBLIC_ORIGIN is https://elsewhere.example" in warned
        assert "SECRET_KEY is not that of the backup" in warned
        assert "CERTIFICATE_SEALING_KEYS is not the key of the backup" in warned

    def test_a_missing_sealing_key_is_said_and_none_is_made(
        self, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(live_settings, "CERTIFICATE_SEALING_KEYS", [])
            patch.setattr(live_settings, "DATA_DIR", tmp_path / "data")
            patch.setattr(live_settings, "SECRET_KEY_FALLBACKS", [live_settings.SECRET_KEY])
            patch.setattr(live_settings, "SECRET_KEY", "another-key")
            _said, warned = run("restore", backup)
        assert "CERTIFICATE_SEALING_KEYS is missing" in warned
        assert "SECRET_KEY" not in warned
        assert not (tmp_path / "data").exists()


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

    def test_a_projection_that_was_wrong_is_mended(
        self, site: Subject, tmp_path: Path, empty_site: Callable[[], None]
    ) -> None:
        StepProgress.objects.all().delete()
        run("backup", tmp_path / "a.backup")
        empty_site()
        _said, warned = run("restore", tmp_path / "a.backup")
        assert "were not what their ledgers give, and were mended" in warned
        assert StepProgress.objects.exists()

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
