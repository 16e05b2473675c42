"""How typed answers are read: words compared as people mean them, numbers as French and English write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final

_LOOK_ALIKES = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
    }
)


def fold_text(text: str) -> str:
    """Fold a short text for comparison: no case, no accents, no outer or repeated spaces (of any width).

    Typographic apostrophes and dashes equal plain ones, and œ equals oe. Folding twice changes nothing.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    while True:
        folded = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_LOOK_ALIKES)
        folded = " ".join("".join(sign for sign in folded if not unicodedata.combining(sign)).split())
        if folded == text:
            return folded
        text = folded


# What a document accepts is the same for all who answer; what a person typed is not kept.
_fold_accepted: Final = lru_cache(maxsize=4000)(fold_text)


def matches_text(text: str, accepted: Iterable[str]) -> bool:
    """Say whether a typed text is one of the accepted ones (see :func:`fold_text`)."""
    folded = fold_text(text)
    return bool(folded) and folded in [_fold_accepted(candidate) for candidate in accepted]


_POINT_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_COMMA_DECIMAL = re.compile(r"[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_SPACE_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?: [0-9]{3})+(?:[.,][0-9]*)?")
MAX_NUMBER_LENGTH = 40


class NotANumber(ValueError):
    """The text is no number; ``code`` is ``not_a_number`` or ``ambiguous_number`` (see :func:`read_number`)."""

    def __init__(self, code: str = "not_a_number") -> None:
        super().__init__(code)
        self.code = code


def read_number(text: str, *, language: str | None = None, units: Iterable[str] = ()) -> Decimal:
    """Read a number as a person in Canada types it; the result is exact.

    ``1234.5``, ``1234,5``, ``1 234,5``, ``1,234.5``, ``-3``, ``−3`` and ``162,2 per 1,000 residents`` (where
    that is one of ``units``) are read in either language; spaces may be of any width, but group by three.
    A lone ``1,234`` is one thousand and so on in English, a little over one in French; where ``language`` is
    neither ``en`` nor ``fr`` it is refused as ambiguous rather than guessed.

    Errors: :class:`NotANumber`.
    """
    text = _without_unit(" ".join(text.replace("\u2212", "-").split()), units)
    if text[:2] in ("+ ", "- "):
        text = text[0] + text[2:]
    if not text or len(text) > MAX_NUMBER_LENGTH:
        raise NotANumber
    if _SPACE_GROUPS.fullmatch(text):
        return Decimal(text.replace(" ", "").replace(",", "."))
    if _POINT_DECIMAL.fullmatch(text):
        return Decimal(text)
    if _COMMA_GROUPS.fullmatch(text):
        lone = text.count(",") == 1 and "." not in text
        if not lone or language == "en":
            return Decimal(text.replace(",", ""))
        if language != "fr":
            raise NotANumber("ambiguous_number")
    if _COMMA_DECIMAL.fullmatch(text):
        return Decimal(text.replace(",", "."))
    raise NotANumber


def _without_unit(text: str, units: Iterable[str]) -> str:
    for unit in sorted({" ".join(unit.split()) for unit in units}, key=len, reverse=True):
        if unit and text.casefold().endswith(unit.casefold()):
            return text[: -len(unit)].rstrip()
    return text
