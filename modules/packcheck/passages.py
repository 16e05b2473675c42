"""The words of a pack as a reader meets them: plain passages out of blocks and HTML."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modules.citations import CITATION, find_citations
from modules.markdown import RawBlock

_PIECE = re.compile(r"<(?P<close>/?)(?P<tag>[a-z0-9]+)(?P<attributes>[^>]*)>|(?P<text>[^<]+)")
_HREF = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')
_ADDRESS = re.compile(r"(?<![\"=>])\bhttps?://[^\s<>»”\"')\]]+[^\s<>»”\"')\].,;:!?]")
_BLOCKS = frozenset({"p", "li", "ul", "ol", "h2", "h3", "h4", "br"})
_HEADINGS = frozenset({"h2", "h3", "h4"})

# Fields of a block that hold HTML; the other texts are plain.
_RICH: Final = frozenset({"body", "transcript", "equivalent"})
# Words, but no sentences: they count as words and say nothing about how hard the sentences are.
_LABELS: Final = frozenset(
    {"title", "place", "term", "attribution", "caption", "credit", "alt", "header", "rows", "label"}
)
_NO_WORDS: Final = frozenset({"key", "tone", "kind", "source", "url", "id", "type"})


@dataclass(frozen=True)
class Passage:
    """A paragraph, an entry of a list, or the text of a field. `prose`: it is made of our own sentences."""

    place: str
    text: str
    prose: bool
    cited: tuple[str, ...] = ()


def plain_units(html: str) -> list[tuple[str, bool]]:
    """The paragraphs, headings and entries of an HTML text as plain text; whether each is a heading."""
    units: list[tuple[str, bool]] = []
    text, heading = "", False
    for piece in _PIECE.finditer(html):
        if piece["text"] is not None:
            text += html_module.unescape(piece["text"])
        elif piece["tag"] in _BLOCKS:
            if text.strip(" \n"):
                units.append((text.strip(" \n"), heading))
            text, heading = "", piece["tag"] in _HEADINGS and not piece["close"]
    if text.strip(" \n"):
        units.append((text.strip(" \n"), heading))
    return units


def linked_addresses(html: str) -> list[str]:
    return [html_module.unescape(address) for address in _HREF.findall(html)]


def bare_addresses(text: str) -> list[str]:
    """Addresses that stand in a text as such."""
    return _ADDRESS.findall(text)


def read_passages(block: RawBlock, entries: Sequence[Mapping[str, Any]]) -> list[Passage]:
    """Every passage of what one block of a file became."""
    found: list[Passage] = []
    for entry in entries:
        kind, value = entry["type"], entry["value"]
        for name, text in _walk(value, "body" if kind == "text" else ""):
            for unit, heading in plain_units(text) if name in _RICH else [(text, False)]:
                plain = CITATION.sub("", unit).strip(" ")
                if plain:
                    # A quotation is in somebody else's words.
                    ours = kind != "quotation" and not heading and name not in _LABELS
                    found.append(Passage(block.place, plain, ours, tuple(find_citations(unit))))
    return found


def read_links(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every address that what a block became leads to."""
    return [
        address
        for entry in entries
        for name, text in _walk(entry["value"], "body" if entry["type"] == "text" else "")
        for address in (linked_addresses(text) if name in _RICH else []) + bare_addresses(text)
    ]


def _walk(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """The texts of a block's value with the names of their fields."""
    if isinstance(value, str):
        if value.strip(" \n"):
            yield name, value
    elif isinstance(value, Mapping):
        for field, inner in value.items():
            if field not in _NO_WORDS:
                yield from _walk(inner, field)
    elif isinstance(value, list | tuple):
        for inner in value:
            wrapped = isinstance(inner, Mapping) and "type" in inner and "value" in inner
            yield from _walk(inner["value"] if wrapped else inner, name)
