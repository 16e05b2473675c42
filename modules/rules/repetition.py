"""Texts that say the same in the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations

_WORD = re.compile(r"[^\W_]+")


def make_sequences(text: str, length: int) -> frozenset[tuple[str, ...]]:
    """Every run of so many words of a text, in small letters and without stops."""
    words = _WORD.findall(text.lower())
    return frozenset(tuple(words[start : start + length]) for start in range(len(words) - length + 1))


def find_overlaps(texts: Mapping[str, str], *, length: int, most: float) -> list[tuple[str, str, float]]:
    """Pairs of texts that share more than `most` (a ratio) of the smaller one's sequences, with their share."""
    sequences = {name: make_sequences(text, length) for name, text in texts.items()}
    found = []
    for one, other in combinations(sorted(sequences), 2):
        smaller = min(len(sequences[one]), len(sequences[other]))
        share = len(sequences[one] & sequences[other]) / smaller if smaller else 0.0
        if share > most:
            found.append((one, other, share))
    return found
