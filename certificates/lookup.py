"""Reads what a person types, pastes or scans to look a certificate up: its number, its address, or text with either.

Pure: no database.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final

from certificates.numbers import InvalidNumberError, normalize

LONGEST_TEXT: Final = 2_000
_ADDRESS = re.compile(
    r"certificates/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE
)
_BARE_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# A number as it is printed, somewhere in a longer text.
_NUMBER = re.compile(
    r"(?<!\d)\d{4}\s?[-\u2010-\u2015\u2212]\s?\d{4,9}\s?[-\u2010-\u2015\u2212]\s?\d[A-Za-z]\b"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What was read. `key` or `number` names a certificate; else `problem` is "shape" or "check".

    With "check", `number` is what was read: its last two characters do not fit the others.
    """

    key: uuid.UUID | None = None
    number: str = ""
    problem: str = ""

    @property
    def names_one(self) -> bool:
        return not self.problem


def read_reference(text: str) -> Reference:
    """The certificate that a text names."""
    text = text[:LONGEST_TEXT].strip()
    found = _ADDRESS.search(text) or _BARE_KEY.fullmatch(text)
    if found:
        return Reference(key=uuid.UUID(found[1] if found.re is _ADDRESS else found[0]))
    try:
        return Reference(number=normalize(text))
    except InvalidNumberError as error:
        mistake = error
    within = _NUMBER.search(text)
    if within:
        try:
            return Reference(number=normalize(within[0]))
        except InvalidNumberError as error:
            mistake = error
    return Reference(problem=mistake.reason, number=mistake.number)


def split_lines(text: str, *, most: int) -> list[str]:
    """The entries of a pasted list: one a line, or parted by commas, semicolons or tabs; each once, at most so many."""
    parts = (part.strip() for part in re.split(r"[\r\n,;\t]+", text))
    return list(dict.fromkeys(part for part in parts if part))[:most]
