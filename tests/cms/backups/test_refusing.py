"""What is refused, and what takes the place of what: nothing is changed unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as live_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from accounts import services
from accounts.models import AuditEntry, Subject, User
from core.backup import database, files
from core.backup.archive import BackupReader, BackupWriter
from tests.cms.backups.site import (
    WORDS,
    find_words,
    live_moment,
    read_files,
    read_manifest,
    read_rows,
    read_schema,
    refuse,
    rewrite,
    run,
)
from tests.factories.accounts import make_user


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

    @pytest.mark.long
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
