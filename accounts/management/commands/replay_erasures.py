"""Keeps erased people erased over a restore of an older backup."""

from __future__ import annotations

import json
import sys
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import ErasureRequest, list_erasures, replay_erasures


class Command(BaseCommand):
    help = (
        "Erases again whom a restored backup brought back. Before a restore, “--list” prints the erasures on record, "
        "one JSON object a line; afterwards give that file. Without a file, the database's own record is replayed."
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
            for request in list_erasures():
                line = {
                    "subject_key": str(request.subject_key),
                    "requested_by": str(request.requested_by) if request.requested_by else None,
                }
                self.stdout.write(json.dumps(line))
            return
        requests = list(self._read(options["file"])) if options["file"] else list_erasures()
        erased = replay_erasures(requests=requests)
        self.stdout.write(
            f"{len(requests)} erasures on record; {erased} people were there again and are erased."
        )

    def _read(self, name: str) -> Iterator[ErasureRequest]:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                yield ErasureRequest(
                    subject_key=uuid.UUID(row["subject_key"]),
                    requested_by=uuid.UUID(row["requested_by"]) if row["requested_by"] else None,
                )
            except (ValueError, KeyError, TypeError) as error:
                raise CommandError(
                    f"Line {number} is no record of an erasure. Nothing was changed."
                ) from error
