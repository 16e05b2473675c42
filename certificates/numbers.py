"""Certificate numbers that people read aloud, type and print: `2026-0418-7K`.

Year, serial (four to nine digits; six are drawn), then a check digit and a check letter.

**The number is not a secret.** Whoever has it may look the certificate up; what the page then shows of the holder is
the holder's choice. It is still no help to somebody who walks through numbers: the serial is drawn at random from a
million a year, so that a number says neither how many certificates there are nor what the next one is, and the
verification page limits its rate.

**The check** catches every wrong character and every swap of two neighbours, and 169 of 170 other slips:

- the digit is Damm's (H. M. Damm, *Total anti-symmetrische Quasigruppen*, 2004), which by itself catches all single
  errors and all adjacent transpositions among the digits;
- the letter is a sum of all digits, the check digit included, weighted with powers of two modulo 19. Two is a primitive
  root of 19, so all weights differ for up to 18 digits: single errors and every transposition change the sum.

The alphabet of the letter leaves out B, I, L, O, S, U and Z, which look like a digit or like another letter.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LETTERS = "ACDEFGHJKMNPQRTVWXY"
SERIAL_DIGITS = 6

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
# Any start serves; this one makes the example above, 2026-0418, end in 7K.
_DAMM_START = 3
_LETTER_START = 1

# A letter where a digit must stand can only be a misreading. What it was read from is put back; the check then says
# whether that was right.
_MISREAD = str.maketrans("OQDILSBZ", "00011582")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212._/·,;:#]+")
_SHAPE = re.compile(r"(?P<year>\d{4})(?P<serial>\d{4,9})(?P<digit>\d)(?P<letter>[A-Z])", re.ASCII)
_CANONICAL = re.compile(r"\d{4}-\d{4,9}-\d[A-Z]", re.ASCII)
_LONGEST_INPUT = 64


class InvalidNumberError(ValueError):
    """The text is no certificate number: `reason` is "shape" or "check".

    "shape": it does not look like one at all. "check": it does, but its last two characters do not fit the others, so
    at least one character is wrong. `number` then holds the number as it was read.
    """

    def __init__(self, reason: str, number: str = "") -> None:
        super().__init__(
            f"not a certificate number ({reason}): {number}" if number else "not a certificate number"
        )
        self.reason = reason
        self.number = number


@dataclass(frozen=True, slots=True, order=True)
class CertificateNumber:
    """A number whose check has been found right."""

    year: int
    serial: str
    check: str

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.serial}-{self.check}"


def compute_check(digits: str) -> str:
    """Check digit and letter, "7K", of the year and serial written as one row of 8 to 13 digits."""
    if not (8 <= len(digits) <= 13 and digits.isascii() and digits.isdigit()):
        raise ValueError("a certificate number has 8 to 13 digits before its check")
    state = _DAMM_START
    for digit in digits:
        state = _DAMM[state][int(digit)]
    total, weight = _LETTER_START, 1
    for digit in f"{digits}{state}":
        total += weight * int(digit)
        weight = weight * 2 % 19
    return f"{state}{LETTERS[total % 19]}"


def make_number(*, year: int, serial: int, width: int = SERIAL_DIGITS) -> str:
    """The number of a year and a serial, the serial filled up to `width` digits."""
    if not (1000 <= year <= 9999 and 4 <= width <= 9 and 0 <= serial < 10**width):
        raise ValueError("year or serial out of range")
    digits = f"{serial:0{width}d}"
    return f"{year}-{digits}-{compute_check(f'{year}{digits}')}"


def draw_number(
    *,
    year: int,
    is_taken: Callable[[str], bool] = lambda _number: False,
    randbelow: Callable[[int], int] = secrets.randbelow,
) -> str:
    """A number of that year drawn at random, and not taken.

    Past 32 draws that were taken (the year's million is nearly used up) the serial gains a digit. The caller still
    needs its unique constraint: two transactions may draw the same number.
    """
    for width in range(SERIAL_DIGITS, 10):
        for _ in range(32):
            number = make_number(year=year, serial=randbelow(10**width), width=width)
            if not is_taken(number):
                return number
    raise RuntimeError("no certificate number of this year is free")


def parse_number(text: str) -> CertificateNumber:
    """Reads what a person typed or pasted: lower case, spaces, other dashes, missing hyphens, O for 0.

    Raises InvalidNumberError with the reason.
    """
    if len(text) > _LONGEST_INPUT:
        raise InvalidNumberError("shape")
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    found = _SHAPE.fullmatch(bare[:-1].translate(_MISREAD) + bare[-1:])
    if found is None:
        raise InvalidNumberError("shape")
    check = found["digit"] + found["letter"]
    number = CertificateNumber(year=int(found["year"]), serial=found["serial"], check=check)
    if compute_check(found["year"] + found["serial"]) != check:
        raise InvalidNumberError("check", f"{found['year']}-{found['serial']}-{check}")
    return number


def normalize(text: str) -> str:
    """The number in the one form it is stored and printed in; raises InvalidNumberError as `parse_number` does."""
    return str(parse_number(text))


def is_canonical(text: str) -> bool:
    """Whether the text is a right number in its stored form; for what people type there is `normalize`."""
    try:
        return _CANONICAL.fullmatch(text) is not None and normalize(text) == text
    except InvalidNumberError:
        return False
