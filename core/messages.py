"""The French of the screens: fragments merged into one catalogue, and catalogues compiled without gettext's tools.

Each floor writes `locale/fragments/<floor>.po`. `merge` makes `locale/fr/LC_MESSAGES/django.po` of them, and `compile`
makes the `.mo` beside it that Django reads. What the code and the templates ask for is found by `xgettext`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polib

HEADER: Final = {
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": "fr_CA",
    "Plural-Forms": "nplurals=2; plural=(n > 1);",
}

PLACEHOLDER: Final = re.compile(r"%\(\w+\)[sd]|\{\w*\}")

Key = tuple[str, str, str]


class MergeConflict(ValueError):
    """Two fragments translate the same words differently."""


@dataclass
class Completeness:
    """What the code asks for, and whether the catalogue has it."""

    missing: list[str] = field(default_factory=list)
    fuzzy: list[str] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.fuzzy or self.malformed)


def find_key(entry: polib.POEntry) -> Key:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""


def is_translated(entry: polib.POEntry) -> bool:
    if entry.obsolete:
        return False
    if entry.msgid_plural:
        return len(entry.msgstr_plural) >= 2 and all(entry.msgstr_plural.values())
    return bool(entry.msgstr)


def describe(entry: polib.POEntry) -> str:
    where = ", ".join(f"{path}:{line}" for path, line in entry.occurrences[:2])
    return f"“{entry.msgid}”" + (f" ({where})" if where else "")


def merge_fragments(fragments: Iterable[Path]) -> polib.POFile:
    """One catalogue of all fragments, sorted; MergeConflict where two differ."""
    found: dict[Key, tuple[polib.POEntry, str]] = {}
    conflicts = []
    for path in sorted(fragments):
        for entry in polib.pofile(str(path), encoding="utf-8", check_for_duplicates=False):
            if not is_translated(entry):
                continue
            key = find_key(entry)
            known = found.get(key)
            if known and (known[0].msgstr, known[0].msgstr_plural) != (entry.msgstr, entry.msgstr_plural):
                conflicts.append(f"“{entry.msgid}” differs in {known[1]} and {path.name}")
            elif not known:
                found[key] = (entry, path.name)
    if conflicts:
        raise MergeConflict("; ".join(conflicts))
    catalogue = polib.POFile(wrapwidth=100)
    catalogue.metadata = dict(HEADER)
    for key in sorted(found):
        source = found[key][0]
        catalogue.append(
            polib.POEntry(
                msgctxt=source.msgctxt,
                msgid=source.msgid,
                msgid_plural=source.msgid_plural,
                msgstr=source.msgstr,
                msgstr_plural=source.msgstr_plural,
                flags=[flag for flag in source.flags if flag != "fuzzy"],
            )
        )
    return catalogue


def load_catalogue(locale: Path) -> polib.POFile:
    """All French there is: the fragments where there are some, else the merged catalogue, else nothing."""
    fragments = sorted((locale / "fragments").glob("*.po"))
    merged = locale / "fr" / "LC_MESSAGES" / "django.po"
    if fragments or not merged.exists():
        return merge_fragments(fragments)
    return polib.pofile(str(merged), encoding="utf-8", wrapwidth=100)


def compile_catalogue(locale: Path) -> Path:
    """Write the `.mo` of French that Django reads, at one stroke; returns its path."""
    folder = locale / "fr" / "LC_MESSAGES"
    catalogue = load_catalogue(locale)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "django.mo"
    handle, name = tempfile.mkstemp(dir=folder, suffix=".mo.part")
    os.close(handle)
    catalogue.save_as_mofile(name)
    Path(name).chmod(0o644)
    Path(name).replace(target)
    return target


def extract_messages(root: Path, folders: Iterable[str]) -> polib.POFile:
    """Everything that code and templates ask to translate, by Django's `makemessages` in a copy of the sources."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        for name in folders:
            shutil.copytree(root / name, copy / name, ignore=_leave_out)
        (copy / "locale").mkdir()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "django",
                "makemessages",
                "--locale",
                "fr",
                "--no-wrap",
                "--verbosity",
                "0",
            ],
            cwd=copy,
            env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            check=True,
        )
        return polib.pofile(str(copy / "locale" / "fr" / "LC_MESSAGES" / "django.po"))


def _leave_out(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {"__pycache__", "migrations", "packs", "node_modules"}}


def compare(*, wanted: polib.POFile, catalogue: polib.POFile) -> Completeness:
    """What of the wanted messages the catalogue lacks, and what it has that nothing asks for."""
    result = Completeness()
    known = {find_key(entry): entry for entry in catalogue}
    asked = set()
    for entry in wanted:
        if entry.obsolete:
            continue
        key = find_key(entry)
        asked.add(key)
        french = known.get(key)
        if french is None or not is_translated(french):
            result.missing.append(describe(entry))
        elif french.fuzzy:
            result.fuzzy.append(describe(entry))
        elif find_placeholders(entry.msgid, entry.msgid_plural) != find_placeholders(
            french.msgstr, *french.msgstr_plural.values()
        ):
            result.malformed.append(f"{describe(entry)}: the placeholders differ in French")
    result.unused = [describe(entry) for key, entry in known.items() if key not in asked]
    return result


def find_placeholders(*texts: str | None) -> set[str]:
    """The named placeholders of a message, as ``%(name)s`` and ``{name}``."""
    found: set[str] = set()
    for text in texts:
        found |= set(PLACEHOLDER.findall(text or ""))
    return found
