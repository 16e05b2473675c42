"""Texts for sorting and for searching, made here so that every PostgreSQL, with or without ICU, orders alike.

Both are stored beside the text they come from. A column of sort keys wants ``db_collation="C"``, which orders by code
point wherever the database was made.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# Letters that Unicode does not take apart.
LETTERS: Final = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "ı": "i"}
)
# Orders before every letter, digit and space, so that a shorter word comes first.
SEPARATOR: Final = "\x01"


def fold_text(text: str) -> str:
    """The text for searching: lower case, without accents, punctuation as single spaces.

    >>> fold_text("L’Été à Saint-Cœur")
    'l ete a saint coeur'
    """
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", text.casefold().translate(LETTERS))
        if not unicodedata.combining(character)
    )
    return " ".join("".join(character if character.isalnum() else " " for character in bare).split())


def make_sort_key(text: str) -> str:
    """The text for sorting as Canadian French does: by letters, then by accents from the end of the word backwards.

    So *cote* < *côte* < *coté* < *côté*. English texts, which hardly have accents, order as they always do.
    """
    accents: list[str] = []
    for character in unicodedata.normalize("NFC", text.casefold().translate(LETTERS)):
        parts = unicodedata.normalize("NFD", character)
        if parts[0].isalnum():
            accents.append(parts[1:] or " ")
    return fold_text(text) + SEPARATOR + "".join(reversed(accents)).rstrip()
