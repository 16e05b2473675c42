"""The check over several packs: what each says, and what no two of them may say differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from modules.packcheck.findings import Finding, Findings
from modules.packcheck.framework import FrameworkCodes, check_framework, read_codes
from modules.packcheck.sources import read_sources
from modules.packcheck.training import check_training
from standards.packs_loader import PackError, read_yaml

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FOLDERS: Final = (ROOT / "standards" / "packs", ROOT / "modules" / "packs")


def find_packs(folders: Iterable[Path] = FOLDERS) -> list[Path]:
    """The packs of these folders: those of frameworks first, as they are loaded."""
    return [about.parent for folder in folders for about in sorted(folder.glob("*/pack.yaml"))]


def check_packs(paths: Sequence[Path], *, beside: Sequence[Path] = ()) -> list[Finding]:
    """Everything that is wrong with the packs at `paths`, sorted by place. Reads files only.

    Packs `beside` them are not checked, but known: their competencies, their ids and the words of their sources.
    """
    others = [path for path in beside if path not in paths]
    packs = [*others, *paths]
    kinds = {path: _kind_of(path) for path in packs}
    frameworks: dict[str, FrameworkCodes] = {}
    for path in packs:
        codes = read_codes(path) if kinds[path] == "framework" else None
        if codes is not None:
            frameworks[codes.slug] = codes
    sources = {path: read_sources(path) for path in packs}
    ids: dict[str, str] = {}
    found: list[Finding] = []
    for path in packs:
        # A source that two packs have is told once: by the one that is loaded later.
        earlier = [(one.name, sources[one]) for one in packs if _comes_before(one, path, kinds)]
        if kinds[path] == "training":
            findings = check_training(path, frameworks=frameworks, sources=earlier, ids=ids)
        elif kinds[path] == "framework":
            findings = check_framework(path, sources=earlier, ids=ids)
        else:
            findings = Findings(path)
            findings.add("pack.yaml", "“kind” is neither training nor framework, or the file cannot be read.")
        if path in paths:
            found += findings.found
    return sorted(found)


def _kind_of(path: Path) -> str:
    try:
        about = read_yaml(path / "pack.yaml")
    except PackError:
        return ""
    kind = about.get("kind") if isinstance(about, dict) else ""
    return kind if kind in {"training", "framework"} else ""


def _comes_before(one: Path, other: Path, kinds: dict[Path, str]) -> bool:
    """Whether `one` is loaded before `other`: frameworks first, then by name."""
    return one != other and (kinds[one] != "framework", one.name) < (kinds[other] != "framework", other.name)
