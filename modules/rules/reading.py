"""About how long a lesson takes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

WORDS_PER_MINUTE = {"en": 228, "fr": 195}
"""Adult readers of continuous text, by language: S. Trauzettel-Klosinski and K. Dietz, "Standardized Assessment
of Reading Performance: The New International Reading Speed Texts IReST", *Investigative Ophthalmology & Visual
Science* 53(9), 2012. French takes more words to say the same, and fewer of them a minute."""

MINUTES_PER_PART = {"check": 1, "reflection": 3, "worksheet": 10}
"""What we allow for doing something; a rule of thumb of ours, to be corrected by what learners really take."""


def count_words(text: str) -> int:
    """Count the words of a plain text: runs between spaces that hold a letter or a digit."""
    return sum(any(sign.isalnum() for sign in run) for run in text.split())


def estimate_minutes(*, words: int, language: str, parts: Iterable[str] = (), media_minutes: int = 0) -> int:
    """Estimate the whole minutes a lesson takes, rounded up; at least 1.

    ``parts`` are the kinds of the parts that a learner fills in, ``media_minutes`` how long its videos and
    recordings run. Words in a language without a rate are read at the slowest known one.
    """
    rate = WORDS_PER_MINUTE.get(language, min(WORDS_PER_MINUTE.values()))
    reading = (Decimal(words) / rate).to_integral_value(rounding=ROUND_CEILING)
    doing = sum(MINUTES_PER_PART.get(part, 0) for part in parts)
    return max(1, int(reading) + doing + media_minutes)
