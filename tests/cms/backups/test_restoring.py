"""Who was erased stays erased, what was broken off goes on, and an earlier version is brought forward."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.core.management import call_command
from django.db import connection

from accounts import services
from accounts.models import Erasure, PersonalText, Subject, User
from accounts.services import ErasedThings
from certificates.models import Certificate, CertificateContent
from cms.backups import restore as restoring
from core.backup import database, files
from lms.projections import rebuild
from tests.cms.backups.site import (
    PLAN,
    WORDS,
    Kept,
    become_later,
    find_words,
    read_files,
    read_manifest,
    read_rows,
    refuse,
    rewrite,
    run,
)
from tests.factories.accounts import make_user


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

    @pytest.mark.long
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
        assert "It goes on from there" in said
        assert "check out" in said
        assert read_files() == listed

    @pytest.mark.long
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

    def test_the_last_steps_are_done_once_the_same_command_is_given_again(
        self, backup: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = rewrite(backup, id=uuid.uuid4())

        def fail(*arguments: Any) -> None:
            raise OSError("the cache is gone")

        with monkeypatch.context() as patch:
            patch.setattr(restoring, "_complete", fail)
            refuse("broken off: the cache is gone", backup, code=2)
        refuse("is not empty", other)
        said, _warned = run("restore", backup)
        assert "It goes on from there" in said
        assert "check out" in said
        # And now it is a site like any other.
        refuse("is not empty", backup)


class TestOtherPlaces:
    @pytest.mark.long
    def test_an_earlier_state_is_brought_forward(self, backup: Path, settings: Any, kept: Kept) -> None:
        assert kept.learner is not None
        services.append_to_journal(ErasedThings((services.ErasureRequest(kept.learner),)))
        become_later(settings)
        said, _warned = run("restore", backup)
        assert "Bringing the tables to this version" in said
        # The later migration saw the rows, and then the erasures were done.
        assert database.fetch("SELECT people FROM later_probe") == [(kept.people,)]
        assert not find_words(WORDS.encode())

    def test_a_migration_that_fails_over_the_rows_is_said(self, backup: Path, settings: Any) -> None:
        database.execute("CREATE TABLE later_probe (in_the_way int)")
        become_later(settings)
        refuse("could not be brought to this version.*Do not start the site", backup, code=2)
        assert read_files() == {}

    def test_a_later_database_is_not_replaced_by_an_earlier_backup(self, backup: Path, settings: Any) -> None:
        become_later(settings)
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
