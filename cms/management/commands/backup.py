"""``manage.py backup FILE``: database and files in one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from cms.backups.command import BackupCommand
from cms.backups.make import make_backup
from core.backup.progress import Progress


class Command(BackupCommand):
    help = (
        "Writes the database and the files of this site, of one moment, into one file, with a digest of every part. "
        "The site may stay open meanwhile. An existing file is not overwritten. The file holds personal data: it is "
        "readable by its owner only; keep it so, and keep CERTIFICATE_SEALING_KEYS and SECRET_KEY apart from it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="Where to write it.")
        parser.add_argument("--overwrite", action="store_true", help="Take the place of an existing file.")

    def work(self, *, progress: Progress, **options: Any) -> None:
        made = make_backup(target=options["file"], overwrite=options["overwrite"], progress=progress)
        progress.say(
            _("%(file)s is made (%(size)s). Tables: %(tables)d. Rows: %(rows)d. Files: %(files)d.")
            % {
                "file": made.path,
                "size": filesizeformat(made.size),
                "rows": made.manifest.rows,
                "tables": len(made.manifest.tables),
                "files": len(made.manifest.files),
            }
        )
        progress.say(_("Its SHA-256 is %(digest)s.") % {"digest": made.digest})
