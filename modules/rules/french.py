"""French as it is set in Canada, and what tells that a text is in the other language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

NBSP: Final = "\u00a0"


def _split(words: str) -> frozenset[str]:
    return frozenset(words.split())


# The commonest words of each language that the other does not have.
FUNCTION_WORDS: Final = {
    "en": _split(
        "the of and to is are was were with that this these those for you your it its they their what which who from "
        "not have has be been by can when where how if we our at an there about into than then will would should "
        "because each more most other people"
    ),
    "fr": _split(
        "le la les des du de et est sont était avec que qui pour vous votre vos il elle ils elles leur leurs quoi dans "
        "ne pas ont été être par peut quand où comment si nous notre nos au aux une un ce cette ces cela y en sur ou "
        "plus autre autres chaque entre sans ainsi gens se sa son ses"
    ),
}
# Where fewer stand, a name, a title or a list of nouns says nothing about the language.
FEWEST_FUNCTION_WORDS: Final = 3
LONGEST_SHARED_WORDS: Final = 3
"""Up to so many words may be the same in both languages, as names, codes and Latin words are."""

_LETTERS = re.compile(r"[a-zà-öø-ÿœæ]+")
_URL = re.compile(r"https?://\S+")
_INSIDE = re.compile(r"«[^«»]*»")
_BEFORE = re.compile(r"\s[?!;]")
_COLON = re.compile(rf"(?<!{NBSP}):(?=\s|$)")
_SPACED_COLON = re.compile(rf"[^\S{NBSP}]:")
_OPENING = re.compile(rf"«(?!{NBSP})")
_CLOSING = re.compile(rf"(?<!{NBSP})»")

SENTENCES: Final = {
    "before_stop": "there is a space before ?, ! or ; — take it out",
    "colon": "a colon has no no-break space (U+00A0) before it — put one there",
    "quotation_space": "« and » need a no-break space (U+00A0) on the inside — put one there",
    "apostrophe": "there is a straight apostrophe (') — write ’ (U+2019)",
    "quotation_mark": "there are English quotation marks — write « » with no-break spaces; “ ” only inside them",
}


def find_typing_faults(text: str, *, foreign_titles: bool = False) -> Iterator[tuple[str, str]]:
    """What is not set as French in Canada sets it, as a code of `SENTENCES` and the words around it.

    The rules are those of this project's packs, after the Office québécois de la langue française: U+00A0 before a
    colon and inside « », no space before ? ! and ;. `foreign_titles`: the text is a citation, where the title of an
    English work keeps English colons and quotation marks.
    """
    text = _URL.sub("", text)
    for code, pattern in (
        ("before_stop", _BEFORE),
        ("colon", _SPACED_COLON if foreign_titles else _COLON),
        ("quotation_space", _OPENING),
        ("quotation_space", _CLOSING),
    ):
        for found in pattern.finditer(text):
            yield code, _around(text, found.start())
    if "'" in text:
        yield "apostrophe", _around(text, text.index("'"))
    outside = _INSIDE.sub(lambda found: " " * len(found.group()), text)
    found_mark = re.search(r"[“”\"]" if not foreign_titles else r"\"", outside)
    if found_mark:
        yield "quotation_mark", _around(text, found_mark.start())


def _around(text: str, place: int) -> str:
    return text[max(0, place - 25) : place + 15].replace("\n", " ").strip()


def guess_other_language(text: str, language: str) -> bool:
    """Whether a text that should be in `language` (en or fr) has more of the other's small words than of its own."""
    words = _LETTERS.findall(text.lower())
    own, other = (
        sum(word in FUNCTION_WORDS[name] for word in words)
        for name in (language, "en" if language == "fr" else "fr")
    )
    return other >= FEWEST_FUNCTION_WORDS and other > own


def is_untranslated(english: str, french: str) -> bool:
    """Whether two texts are the same and too long to be a name."""
    same = " ".join(english.split()) == " ".join(french.split())
    return same and len(re.findall(r"[^\W\d_]{2,}", english)) > LONGEST_SHARED_WORDS
