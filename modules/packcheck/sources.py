"""The sources of packs: each cited one is listed, each listed one is used, and every pack says it in the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from modules.pack_fields import SLUG
from modules.packcheck.findings import Findings
from standards.packs_loader import PackError, clean_text, read_yaml

FIELDS: Final = frozenset({"slug", "en", "fr", "url", "local"})
Entries = dict[str, Mapping[str, Any]]


def read_sources(path: Path, findings: Findings | None = None) -> Entries:
    """The sources that a pack lists, by short name. Says what is wrong with them where `findings` is given."""
    findings = findings or Findings(path)
    try:
        entries = read_yaml(path / "sources.yaml") or []
    except PackError as error:
        findings.add("sources.yaml", str(error))
        return {}
    if not isinstance(entries, list):
        findings.add("sources.yaml", "a list of sources is expected.")
        return {}
    known: Entries = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("slug"), str):
            findings.add(f"sources.yaml, {number}", "a source needs a slug and its words in both languages.")
            continue
        where = f"sources.yaml, {entry['slug']}"
        if entry["slug"] in known:
            findings.add(where, "the slug stands in the file twice; keep one entry.")
            continue
        known[entry["slug"]] = entry
        _check_entry(findings, where, entry)
    return known


def _check_entry(findings: Findings, where: str, entry: Mapping[str, Any]) -> None:
    if not SLUG.match(entry["slug"]):
        findings.add(where, "a slug has small letters, digits and hyphens.")
    unknown = sorted(set(map(str, entry)) - FIELDS)
    if unknown:
        findings.add(where, f"there is no field {', '.join(unknown)} here.")
    local = entry.get("local") or {}
    if not isinstance(local, Mapping):
        findings.add(where, "“local” needs a text in both languages.")
        local = {}
    for language in ("en", "fr"):
        if not clean_text(entry.get(language)):
            findings.add(where, f"the citation is missing in {language}; write it.")
    findings.check_text(where, clean_text(entry.get("fr")), "fr", foreign_titles=True)
    if local:
        words = {language: clean_text(local.get(language)) for language in ("en", "fr")}
        findings.check_words(f"{where}, local", words, needed=True)
    address = urlsplit(str(entry.get("url") or ""))
    if entry.get("url") and (address.scheme not in {"http", "https"} or not address.netloc):
        findings.add(where, f"{entry['url']} is no web address; leave it empty if none was checked.")


def list_addresses(entries: Entries) -> frozenset[str]:
    """The addresses of sources, without a slash at the end."""
    return frozenset(str(entry["url"]).rstrip("/") for entry in entries.values() if entry.get("url"))


def compare_sources(findings: Findings, ours: Entries, others: Sequence[tuple[str, Entries]]) -> None:
    """Every pack says a source in the same words; the first loaded would keep its own."""
    for name, theirs in others:
        for slug in sorted(ours.keys() & theirs.keys()):
            differs = [
                field
                for field in ("en", "fr", "url", "local")
                if _say(ours[slug], field) != _say(theirs[slug], field)
            ]
            if differs:
                findings.add(
                    f"sources.yaml, {slug}",
                    f"the pack {name} says {', '.join(differs)} differently; use the same words in both.",
                )


def _say(entry: Mapping[str, Any], name: str) -> Any:
    value = entry.get(name)
    return (
        {key: clean_text(text) for key, text in value.items()}
        if isinstance(value, Mapping)
        else clean_text(value)
    )


def check_use(
    findings: Findings, listed: Entries, cited: Mapping[str, str], used: frozenset[str] = frozenset()
) -> None:
    """`cited`: short names with the place that cites them. `used`: names known from what could not be read whole."""
    for slug, place in sorted(cited.items()):
        if slug not in listed:
            findings.add(place, f"the source {slug} is not in sources.yaml; list it, or mend the name.")
    for slug in sorted(listed.keys() - cited.keys() - used):
        findings.add(
            f"sources.yaml, {slug}", "nothing cites this source; cite it where it is used, or drop it."
        )
