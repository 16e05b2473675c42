"""Making a backup, of a site that lives on meanwhile."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts import services
from accounts.models import PersonalText, Subject
from cms.backups import make as making
from core.backup import database
from core.backup.manifest import Manifest
from tests.cms.backups.site import (
    PLAN,
    WORDS,
    become_later,
    find_words,
    read_files,
    read_manifest,
    read_manifest_rows,
    read_upload,
    refuse,
    run,
)


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
        become_later(settings)
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

    @pytest.mark.long
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
