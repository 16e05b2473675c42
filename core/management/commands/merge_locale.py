"""Merge the floors' French into one catalogue, and say what is missing."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.messages import (
    Completeness,
    MergeConflict,
    compare,
    compile_catalogue,
    extract_messages,
    load_catalogue,
)


class Command(BaseCommand):
    help = "Merge locale/fragments/*.po into the French catalogue and fail where a message has no French."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; only compare.")
        parser.add_argument("--unused", action="store_true", help="Also list French that nothing asks for.")

    def handle(self, *args: Any, check: bool, unused: bool, **options: Any) -> None:
        locale = Path(settings.LOCALE_PATHS[0])
        catalogue_path = locale / "fr" / "LC_MESSAGES" / "django.po"
        try:
            catalogue = load_catalogue(locale)
        except MergeConflict as error:
            raise CommandError(f"The French messages contradict each other: {error}.") from error
        if check:
            text = catalogue_path.read_text(encoding="utf-8") if catalogue_path.exists() else ""
            if text != str(catalogue):
                raise CommandError(
                    "locale/fr/LC_MESSAGES/django.po is not what the fragments say. Run “manage.py merge_locale”."
                )
        else:
            catalogue_path.parent.mkdir(parents=True, exist_ok=True)
            catalogue_path.write_text(str(catalogue), encoding="utf-8")
            compile_catalogue(locale)
        folders = [
            name for name in [*settings.FLOORS, "config", "templates"] if (settings.BASE_DIR / name).exists()
        ]
        self._report(
            compare(wanted=extract_messages(settings.BASE_DIR, folders), catalogue=catalogue),
            catalogue,
            unused,
        )

    def _report(self, found: Completeness, catalogue: polib.POFile, unused: bool) -> None:
        for title, lines in (
            ("Without French", found.missing),
            ("French in doubt (fuzzy)", found.fuzzy),
            ("French that would break", found.malformed),
            ("French that nothing asks for", found.unused if unused else []),
        ):
            if lines:
                self.stdout.write(f"{title}:")
                for line in lines:
                    self.stdout.write(f"  {line}")
        if not found.is_whole:
            raise CommandError(
                f"{len(found.missing)} messages have no French, {len(found.fuzzy)} are in doubt and "
                f"{len(found.malformed)} would break. Write them in locale/fragments/."
            )
        self.stdout.write(f"All messages have their French ({len(catalogue)} in the catalogue).")
