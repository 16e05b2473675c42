"""A framework pack: its domains and competencies in both languages, its sources and its associations."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.pack_fields import LANGUAGES
from modules.packcheck.findings import Findings
from modules.packcheck.papers import check_papers
from modules.packcheck.sources import Entries, check_use, compare_sources, list_addresses, read_sources
from standards.models import Association, Level
from standards.pack_files import DomainFile, FrameworkPack, clean_text, render_markdown
from standards.packs_loader import PackError, read_framework_pack


@dataclass
class FrameworkCodes:
    """The competencies of a framework pack: by code, what each lacks to be taught."""

    slug: str
    lacking: dict[str, list[str]] = field(default_factory=dict)

    def find_faults(self, code: str) -> Iterator[str]:
        if code not in self.lacking:
            yield f"the framework {self.slug} has no competency {code}; mend the code, or write the competency."
        elif self.lacking[code]:
            yield f"{code} lacks {', '.join(self.lacking[code])} in the framework {self.slug}; write it there."


def read_codes(path: Path) -> FrameworkCodes | None:
    """The competencies of a framework pack, mistakes or not; None where it cannot be read at all."""
    try:
        pack = read_framework_pack(path, faults=[])
    except PackError:
        return None
    codes = FrameworkCodes(pack.slug)
    for files in pack.domains.values():
        for language, file in files.items():
            for entry in _entries(file):
                levels = entry.get("levels")
                lacking = [
                    f"the {level} level in {language}"
                    for level in Level.values
                    if not isinstance(levels, Mapping) or not clean_text(levels.get(level))
                ]
                codes.lacking.setdefault(str(entry.get("code")), []).extend(lacking)
    return codes


def _entries(file: DomainFile) -> list[Mapping[str, Any]]:
    entries = file.head.get("competencies") or []
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def check_framework(path: Path, *, sources: Sequence[tuple[str, Entries]], ids: dict[str, str]) -> Findings:
    """Everything that is wrong with a framework pack; for `sources` and `ids` see `check_training`."""
    findings = Findings(path)
    listed = read_sources(path, findings)
    findings.addresses = list_addresses(listed)
    compare_sources(findings, listed, sources)
    check_papers(findings)
    faults: list[PackError] = []
    try:
        pack = read_framework_pack(path, faults=faults)
    except PackError as error:
        findings.add_fault(error)
        return findings
    for fault in faults:
        findings.add_fault(fault)
    for name in ("title", "summary"):
        words = pack.about.get(name)
        words = words if isinstance(words, Mapping) else {}
        findings.check_words(
            f"pack.yaml, {name}", {one: clean_text(words.get(one)) for one in LANGUAGES}, needed=True
        )
    cited: dict[str, str] = {}
    for files in pack.domains.values():
        _check_domain(findings, files, cited)
    check_use(findings, listed, cited)
    _check_keys(findings, pack, ids)
    return findings


def _check_domain(findings: Findings, files: Mapping[str, DomainFile], cited: dict[str, str]) -> None:
    name = files["en"].name
    findings.check_words(
        f"{name}, title",
        {one: clean_text(file.head.get("title")) for one, file in files.items()},
        needed=True,
    )
    intro = {one: render_markdown(file.body) for one, file in files.items()}
    findings.check_words(name, intro, html=True, needed=True)
    twins = {str(entry.get("code")): entry for entry in _entries(files["fr"])}
    for entry in _entries(files["en"]):
        code = str(entry.get("code"))
        where = f"{name}, {code}"
        twin = twins.get(code, {})
        for text in ("title", "statement", "example"):
            words = {"en": clean_text(entry.get(text)), "fr": clean_text(twin.get(text))}
            findings.check_words(f"{where}, {text}", words)
        for level in Level.values:
            words = {
                "en": clean_text((entry.get("levels") or {}).get(level)),
                "fr": clean_text((twin.get("levels") or {}).get(level)),
            }
            findings.check_words(f"{where}, {level}", words)
        for slug in entry.get("sources") or ():
            cited.setdefault(str(slug), where)
        if not entry.get("sources"):
            findings.add(where, "the competency names no source; name what it rests on.")


def _check_keys(findings: Findings, pack: FrameworkPack, ids: dict[str, str]) -> None:
    """Ids and codes are there and stand once; associations join competencies that exist."""
    owners: list[tuple[str, Any]] = [("pack.yaml", pack.about.get("id"))]
    codes: list[str] = []
    for files in pack.domains.values():
        owners.append((f"{files['en'].name}", files["en"].head.get("id")))
        for entry in _entries(files["en"]):
            codes.append(str(entry.get("code")))
            owners.append((f"{files['en'].name}, {entry.get('code')}", entry.get("id")))
    seen: dict[str, str] = {}
    for where, key in owners:
        try:
            name = str(uuid.UUID(str(key)))
        except ValueError:
            findings.add(where, f"the id “{key}” is no UUID; make one.")
            continue
        if name in seen or ids.setdefault(name, pack.slug) != pack.slug:
            findings.add(where, f"the id {name} stands in {seen.get(name, ids[name])} too; make a new one.")
        seen[name] = where
    for code, count in Counter(codes).items():
        if count > 1:
            findings.add("", f"two competencies have the code {code}; give one of them another.")
    for entry in pack.about.get("associations") or ():
        named = [entry.get("from"), entry.get("to")] if isinstance(entry, Mapping) else []
        unknown = [str(code) for code in named if code not in codes]
        if unknown or not named:
            findings.add(
                "pack.yaml, associations", f"there is no competency {', '.join(unknown)}; mend the code."
            )
        elif entry.get("type") not in Association.Type.values:
            findings.add("pack.yaml, associations", f"“{entry.get('type')}” is no type of association.")
