"""What a check found, and the checks of any text in two languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modules.packcheck.passages import bare_addresses, linked_addresses, plain_units
from modules.rules.french import SENTENCES, find_typing_faults, guess_other_language, is_untranslated
from standards.packs_loader import PackError

_PLACED = re.compile(r"^((?:en|fr|items|assessments|pack\.yaml|sources\.yaml)\b[^:]*): (.+)$", re.DOTALL)
_NAMES = {"en": "English", "fr": "French"}


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend: the pack, the file and the place in it, and what to do."""

    pack: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.pack}/{self.where}: {self.what}" if self.where else f"{self.pack}: {self.what}"


@dataclass
class Findings:
    """Gathers what is wrong with one pack. `addresses` are those that its sources list."""

    path: Path
    addresses: frozenset[str] = frozenset()
    found: list[Finding] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        finding = Finding(self.path.name, where, what)
        if finding not in self.found:
            self.found.append(finding)

    def add_fault(self, fault: PackError) -> None:
        """A mistake that a reader found; its sentence begins with the place."""
        found = _PLACED.match(str(fault))
        self.add(*(found.groups() if found else ("", str(fault))))

    def check_text(self, where: str, text: str, language: str, *, foreign_titles: bool = False) -> None:
        """A plain text is in its language, and set as French is set."""
        if not foreign_titles and guess_other_language(text, language):
            self.add(where, f"this should be {_NAMES[language]} and is not: “{_shorten(text)}”.")
        if language == "fr":
            faults: dict[str, list[str]] = {}
            for code, around in find_typing_faults(text, foreign_titles=foreign_titles):
                faults.setdefault(code, []).append(around)
            for code, places in faults.items():
                more = f" and {len(places) - 1} more" if len(places) > 1 else ""
                self.add(where, f"{SENTENCES[code]}: “{places[0]}”{more}.")

    def check_links(self, where: str, text: str, *, html: bool) -> None:
        """A link leads into the site or to a source that is listed."""
        addresses = bare_addresses(text) + (linked_addresses(text) if html else [])
        for address in addresses:
            if not address.startswith(("/", "#")) and address.rstrip("/") not in self.addresses:
                self.add(
                    where,
                    f"the link {address} is neither internal nor the address of a source; list or drop it.",
                )

    def check_words(
        self, where: str, words: Mapping[str, str], *, html: bool = False, needed: bool = False
    ) -> None:
        """A text that should stand in every language or in none."""
        plain = {
            language: [unit for unit, _heading in plain_units(text)] if html else [text]
            for language, text in words.items()
        }
        empty = [language for language, text in words.items() if not text.strip()]
        if empty and (needed or len(empty) < len(words)):
            self.add(where, f"the text is missing in {' and '.join(_NAMES[one] for one in empty)}; write it.")
        for language, units in plain.items():
            for unit in units:
                self.check_text(where, unit, language)
            self.check_links(where, words[language], html=html)
        if set(words) >= {"en", "fr"}:
            self.check_translated(where, plain["en"], plain["fr"])

    def check_translated(self, where: str, english: list[str], french: list[str]) -> None:
        """No text of more than a name's length is the same in both languages."""
        known = {" ".join(text.split()) for text in english}
        for text in french:
            said = " ".join(text.split())
            if said in known and is_untranslated(said, said):
                self.add(where, f"English and French are the same: “{_shorten(said)}”; translate it.")


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57].rstrip()}…"
