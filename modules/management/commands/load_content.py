"""Loads content packs: `manage.py load_content [PACK…] [--replace] [--issue] [--changed]`."""

from __future__ import annotations

import hashlib
import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from core import clock
from core.errors import DomainError
from core.yaml_files import YAMLError, parse_yaml
from modules.indexing import indexing_together
from modules.loader import PACKS, load_training_pack
from modules.models import LoadedPack
from standards.packs_loader import load_framework_pack

# `modules/packs` and, beside it, `standards/packs`: frameworks come first, since trainings are mapped to them.
FOLDERS = (PACKS.parent.parent / "standards" / "packs", PACKS)


class Command(BaseCommand):
    help = (
        "Loads content packs, whole or not at all each. Safe to run again: what an editor has changed is kept and "
        "reported. Without names, every pack that the project brings is loaded, frameworks first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "packs", nargs="*", metavar="PACK", help="the name of a pack, or the path of its folder"
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="take the files' text even where an editor has changed it; the editor's stays in the history",
        )
        parser.add_argument(
            "--issue",
            action="store_true",
            help="issue the next edition of a course whose text has changed, without showing whom it touches",
        )

        parser.add_argument(
            "--changed",
            action="store_true",
            help="leave out packs whose files are those that were loaded last: how a start loads them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Wagtail logs a line for each page; the lines that matter are this command's own.
        for name in ("wagtail", "wagtail.contrib.redirects"):
            logging.getLogger(name).setLevel(logging.WARNING)
        paths = [find_pack(name) for name in options["packs"]] or find_packs()
        failed = []
        for path in sorted(paths, key=lambda path: read_kind(path) != "framework"):
            digest = digest_pack(path)
            if options["changed"] and LoadedPack.objects.filter(name=path.name, digest=digest).exists():
                self.stdout.write(_("%(pack)s is as it was loaded.") % {"pack": path.name})
                continue
            try:
                self._load(path, replace=options["replace"], issue=options["issue"])
                LoadedPack.objects.update_or_create(
                    name=path.name, defaults={"digest": digest, "loaded_at": clock.now()}
                )
            except DomainError as error:
                self.stderr.write(self.style.ERROR(f"{path.name}: {error}"))
                failed.append(path.name)
        if failed:
            raise CommandError(
                _("Nothing was loaded of: %(packs)s. Mend the files and run the command again.")
                % {"packs": ", ".join(failed)}
            )

    def _load(self, path: Path, *, replace: bool, issue: bool) -> None:
        def report(sentence: str) -> None:
            self.stdout.write(f"  {sentence}")

        self.stdout.write(_("Loading %(pack)s …") % {"pack": path.name})
        kind = read_kind(path)
        if kind not in {"framework", "training"}:
            raise CommandError(_("%(pack)s: pack.yaml names no kind that is known.") % {"pack": path.name})
        with indexing_together():
            if kind == "framework":
                load_framework_pack(path, report=report, replace=replace)
            else:
                load_training_pack(path, report=report, replace=replace, issue=issue)


def find_packs() -> list[Path]:
    """Every pack that the project brings."""
    return [file.parent for folder in FOLDERS for file in sorted(folder.glob("*/pack.yaml"))]


def find_pack(name: str) -> Path:
    """A pack by the name of its folder, or by a path."""
    for path in [*(folder / name for folder in FOLDERS), Path(name)]:
        if (path / "pack.yaml").is_file():
            return path.resolve()
    known = ", ".join(path.name for path in find_packs())
    raise CommandError(_("There is no pack %(name)s. There are: %(known)s.") % {"name": name, "known": known})


def digest_pack(path: Path) -> str:
    """SHA-256 of the names and contents of a pack's files."""
    digest = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(path).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def read_kind(path: Path) -> str:
    """What a pack is, by its `pack.yaml`."""
    try:
        about = parse_yaml((path / "pack.yaml").read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{path.name}/pack.yaml: {error}") from error
    return str(about.get("kind", "")) if isinstance(about, dict) else ""
