"""Keeps erased people erased over a restore of an older backup."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import ErasedThings, NotAnErasure, list_erased, parse_erased, replay_erased


class Command(BaseCommand):
    help = (
        "Erases again the people and the texts that a restored backup brought back. “--list” prints the erasures on "
        "record, one JSON object a line; after a restore, give that file. Without a file, the database's own record is "
        "replayed. (“manage.py restore” does this by itself.)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", help="The erasures that “--list” printed; - reads standard input."
        )
        parser.add_argument(
            "--list", action="store_true", help="Print the erasures on record and change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for document in list_erased().to_documents():
                self.stdout.write(json.dumps(document))
            return
        erased = self._read(options["file"]) if options["file"] else list_erased()
        again = replay_erased(erased)
        self.stdout.write(
            f"{len(erased.people)} people and {len(erased.texts)} single texts are on record as erased; "
            f"{again} were there again and are erased."
        )

    def _read(self, name: str) -> ErasedThings:
        try:
            return parse_erased(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
        except NotAnErasure as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The erasures cannot be read from {name}: {error}") from error
