"""Drawings of a pack: readable by everyone, in light, in dark and in print, and holding nothing but a drawing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lxml import etree

from modules.packcheck.bounds import SMALLEST_LETTERS, WIDEST_DRAWING
from modules.packcheck.findings import Findings
from modules.svg import ATTRIBUTES, ELEMENTS, LANG, SVG, XLINK_HREF

NARROW_SCREEN: Final = 320
# Colours that follow the page: light, dark and print.
_FOLLOWING: Final = re.compile(r"^(none|currentColor|inherit|transparent|url\(#[^)]+\))$", re.IGNORECASE)
# Attributes that hold words.
_SPOKEN: Final = frozenset({"aria-label"})
_ODD_SPACE = re.compile(r"[\u00a0\u202f]")
_NUMBER = re.compile(r"^\s*([0-9.]+)(px)?\s*$")


def check_drawing(findings: Findings, path: Path, language: str, ids: dict[str, str]) -> list[str]:
    """Checks an SVG of a figure; returns the texts in it. `ids` gathers every id of the pack with its file."""
    where = f"files/{path.name}"
    try:
        root = etree.fromstring(
            path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        )
    except etree.XMLSyntaxError as error:
        findings.add(where, f"it is no SVG that can be read ({error}); mend it.")
        return []
    if root.tag != f"{{{SVG}}}svg":
        findings.add(where, "it is no SVG; save it as one.")
        return []
    for what in [*_check_frame(root, language), *_check_content(root)]:
        findings.add(where, what)
    for element in root.iter():
        name = element.get("id")
        if name and ids.setdefault(name, where) != where:
            findings.add(where, f"the id “{name}” stands in {ids[name]} too; give it a name of its own.")
    texts = [
        _text_of(element) for element in root.iter(*(f"{{{SVG}}}{tag}" for tag in ("title", "desc", "text")))
    ]
    for text in texts:
        findings.check_text(where, text, language)
    return [text for text in texts if text]


def _check_frame(root: Any, language: str) -> Iterator[str]:
    box = (root.get("viewBox") or "").split()
    width = float(box[2]) if len(box) == 4 and _NUMBER.match(box[2]) else 0.0
    if not width:
        yield "it has no viewBox, so it cannot be scaled; add one."
    elif width > WIDEST_DRAWING:
        yield f"its viewBox is {width:g} wide; {WIDEST_DRAWING} is the width of a lesson's text."
    if (root.get("lang") or root.get(LANG)) != language:
        yield f'it does not say its language; write lang="{language}" on the svg element.'
    named = (root.get("aria-labelledby") or "").split()
    for tag in ("title", "desc"):
        element = root.find(f"{{{SVG}}}{tag}")
        if element is None or not _text_of(element):
            yield f"it has no <{tag}>; say there what the drawing {'is' if tag == 'title' else 'shows'}."
        elif element.get("id") not in named:
            yield f"aria-labelledby does not name the id of its <{tag}>."
    for element in root.iter():
        size = _NUMBER.match(element.get("font-size") or "")
        if width and size and float(size[1]) * min(1.0, NARROW_SCREEN / width) < SMALLEST_LETTERS:
            yield f"letters of size {size[1]} are too small on a narrow screen; make them larger."


def _check_content(root: Any) -> Iterator[str]:
    follows = False
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        tag = element.tag.removeprefix(f"{{{SVG}}}")
        if tag not in ELEMENTS:
            yield f"the element <{tag}> cannot stand in a drawing (no pictures, scripts or styles); take it out."
            continue
        for name, value in element.attrib.items():
            if name not in _SPOKEN and _ODD_SPACE.search(value):
                yield f"{name} of <{tag}> holds a no-break space, which no browser reads there; use a plain one."
            known = {XLINK_HREF: "href", LANG: "lang"}.get(name, name)
            if known not in ATTRIBUTES:
                yield f"the attribute {name} of <{tag}> is not kept on a page; take it out."
            elif known == "href" and not value.startswith("#"):
                yield f"it refers to {value}, outside the file; draw it here."
            elif known in {"fill", "stroke", "color", "stop-color"}:
                follows = follows or value.lower() == "currentcolor"
                if not _FOLLOWING.match(value.strip()):
                    yield f'{known}="{value}" does not follow the page into the dark; use currentColor.'
            elif "url(" in value and not value.strip().startswith("url(#"):
                yield f"it refers to {value}, outside the file; draw it here."
        if tag in _DRAWN and not _is_coloured(element):
            yield f"a <{tag}> has neither fill nor stroke, so it is black in the dark; use currentColor."
    if not follows:
        yield "it has no currentColor, so it does not follow the page into the dark."


_DRAWN: Final = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text"})
_UNSEEN: Final = frozenset(f"{{{SVG}}}{tag}" for tag in ("clipPath", "mask"))


def _is_coloured(element: Any) -> bool:
    """Whether the element or what holds it says its fill (of a line, its stroke), so that none is black by default."""
    holders = [element, *element.iterancestors()]
    name = "stroke" if element.tag == f"{{{SVG}}}line" else "fill"
    return any(holder.get(name) or holder.tag in _UNSEEN for holder in holders)


def _text_of(element: Any) -> str:
    return " ".join("".join(element.itertext()).split(" ")).strip(" \n")


def check_drawings(
    findings: Findings, files: Path, used: Mapping[str, Mapping[str, str]], ids: dict[str, str]
) -> None:
    """Checks the drawings of figures. `used`: by figure, the name of the file in each language."""
    for place, names in used.items():
        texts = {
            language: check_drawing(findings, files / name, language, ids)
            for language, name in names.items()
            if name.endswith(".svg") and (files / name).is_file()
        }
        if len(texts) == 2 and len(set(names.values())) == 1 and texts["en"]:
            findings.add(place, f"both languages show {names['en']}, which has words; draw one a language.")
        elif len(texts) == 2:
            findings.check_translated(place, texts["en"], texts["fr"])
