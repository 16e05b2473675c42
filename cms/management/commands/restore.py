"""``manage.py restore FILE``: what `backup` wrote, in place and proved."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cms.backups.checks import Findings
from cms.backups.command import BackupCommand
from cms.backups.restore import BrokenOff, NotBroughtForward, restore_backup, verify_backup
from cms.backups.target import Order
from core.backup.progress import Progress

RESTORED_WITH_FAULTS: Final = 2


class Command(BackupCommand):
    help = (
        "Restores a backup into an empty installation: checks every digest, puts database and files in place together, "
        "erases again who was erased since, and proves projections, editions and certificates. Status 1: refused, and "
        "nothing was changed. Status 2: restored, but something does not check out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="What “backup” wrote.")
        parser.add_argument(
            "--check", action="store_true", help="Only check the digests in the file, and change nothing."
        )
        parser.add_argument(
            "--erasures",
            type=Path,
            help="Who was erased since, as “replay_erasures --list” printed it or the journal (ERASURE_JOURNAL) keeps "
            "it. The journal of this site and the record of a database that is replaced are read anyway.",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Take the place of an installation that is not empty; asks for the name of its database.",
        )
        parser.add_argument("--confirm", help="The name of the database, so that --replace does not ask.")
        parser.add_argument(
            "--ignore-connections",
            action="store_true",
            help="Go on although other processes are connected, where they are a pooler's.",
        )

    def work(self, *, progress: Progress, **options: Any) -> None:
        if options["check"]:
            manifest = verify_backup(source=options["file"], progress=progress)
            progress.say(
                _("The backup of %(moment)s is whole. Tables: %(tables)d. Rows: %(rows)d. Files: %(files)d.")
                % {
                    "rows": manifest.rows,
                    "tables": len(manifest.tables),
                    "files": len(manifest.files),
                    "moment": manifest.made_at.isoformat(sep=" ", timespec="minutes"),
                }
            )
            return
        order = Order(
            source=options["file"],
            erasures=options["erasures"],
            replace=options["replace"],
            ignore_connections=options["ignore_connections"],
            confirm=lambda name: self._confirm(name, options["confirm"]),
        )
        try:
            found = restore_backup(order=order, progress=progress)
        except (BrokenOff, NotBroughtForward) as error:
            raise CommandError(str(error), returncode=RESTORED_WITH_FAULTS) from error
        self._tell(found, progress)

    def _confirm(self, name: str, given: str | None) -> bool:
        if given is not None:
            return given == name
        try:
            answer = input(
                _(
                    "Everything in the database “%(name)s” and all files of this site will be lost, and the backup "
                    "takes their place. Type the name of the database to go on: "
                )
                % {"name": name}
            )
        except EOFError:
            return False
        return answer.strip() == name

    def _tell(self, found: Findings, progress: Progress) -> None:
        for remark in found.remarks:
            progress.warn(remark)
        for fault in found.faults:
            progress.warn(fault)
        if found.faults:
            count = len(found.faults)
            raise CommandError(
                ngettext(
                    "The backup is restored, but %(count)d thing does not check out; it stands above.",
                    "The backup is restored, but %(count)d things do not check out; they stand above.",
                    count,
                )
                % {"count": count},
                returncode=RESTORED_WITH_FAULTS,
            )
        progress.say(
            _(
                "The backup is restored: projections, editions, files and certificates check out. Start the site."
            )
        )
