"""Drawings made safe to stand inside a page: an allow-list of elements and attributes, and names of their own."""

from __future__ import annotations

import re
from typing import Any, Final

from django.utils.translation import gettext as _
from lxml import etree

from core.errors import InvalidInput

SVG: Final = "http://www.w3.org/2000/svg"
XLINK_HREF: Final = "{http://www.w3.org/1999/xlink}href"
LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
LARGEST: Final = 512 * 1024

ELEMENTS: Final = frozenset(
    {
        *("svg", "g", "defs", "symbol", "use", "title", "desc", "path", "rect", "circle", "ellipse", "line"),
        *("polyline", "polygon", "text", "tspan", "textPath", "clipPath", "mask", "pattern", "marker"),
        *("linearGradient", "radialGradient", "stop"),
    }
)
ATTRIBUTES: Final = frozenset(
    {
        *("id", "lang", "role", "aria-label", "aria-labelledby", "aria-describedby", "aria-hidden"),
        *(
            "viewBox",
            "preserveAspectRatio",
            "transform",
            "x",
            "y",
            "x1",
            "y1",
            "x2",
            "y2",
            "cx",
            "cy",
            "r",
            "rx",
            "ry",
        ),
        *(
            "dx",
            "dy",
            "d",
            "points",
            "width",
            "height",
            "href",
            "offset",
            "pathLength",
            "rotate",
            "textLength",
        ),
        *("lengthAdjust", "startOffset", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width"),
        *("stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "stroke-dashoffset"),
        *(
            "stroke-miterlimit",
            "opacity",
            "color",
            "clip-path",
            "clip-rule",
            "mask",
            "marker-start",
            "marker-mid",
        ),
        *(
            "marker-end",
            "markerWidth",
            "markerHeight",
            "markerUnits",
            "orient",
            "refX",
            "refY",
            "patternUnits",
        ),
        *("patternContentUnits", "patternTransform", "clipPathUnits", "maskUnits", "maskContentUnits"),
        *("gradientUnits", "gradientTransform", "spreadMethod", "fx", "fy", "stop-color", "stop-opacity"),
        *(
            "text-anchor",
            "dominant-baseline",
            "alignment-baseline",
            "font-family",
            "font-size",
            "font-weight",
        ),
        *("font-style", "letter-spacing", "word-spacing", "text-decoration", "vector-effect", "visibility"),
        "paint-order",
    }
)
_NAMES = frozenset({"aria-labelledby", "aria-describedby"})
_REFERENCE = re.compile(r"^\s*url\(\s*['\"]?#([^'\")\s]+)['\"]?\s*\)\s*$")


def clean_svg(content: bytes, *, prefix: str, label: str = "") -> str:
    """The drawing as markup to stand in HTML.

    What is not on the list goes (scripts, styles, links, pictures from elsewhere, foreign elements). Names get
    `prefix`, so that two drawings on one page do not share any. Width and height go, since it is as wide as its
    column. `label` names a drawing that has no title. Raises InvalidInput for what is no drawing at all.
    """
    if len(content) > LARGEST:
        raise InvalidInput(_("The drawing is larger than 512 kB. Simplify it and choose it again."))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise InvalidInput(
            _("The drawing is not an SVG file that can be read: %(why)s.") % {"why": error}
        ) from None
    if root.tag != f"{{{SVG}}}svg":
        raise InvalidInput(_("The drawing is not an SVG file."))
    if root.getroottree().docinfo.doctype:
        raise InvalidInput(
            _("The drawing declares a document type. Export it as plain SVG and choose it again.")
        )
    if not root.get("viewBox"):
        raise InvalidInput(_("The drawing has no viewBox, so it cannot be scaled. Export it with one."))
    _clean_element(root, prefix)
    for name in ("width", "height", "id"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    if not root.get("aria-labelledby") and label:
        root.set("aria-label", label)
    root.set("focusable", "false")
    root.tail = None
    etree.cleanup_namespaces(root)
    return str(etree.tostring(root, encoding="unicode", method="xml"))


def _clean_element(element: Any, prefix: str) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.removeprefix(f"{{{SVG}}}") not in ELEMENTS:
            _drop(element, child)
        else:
            _clean_element(child, prefix)
    for name, value in list(element.attrib.items()):
        del element.attrib[name]
        kept = _clean_attribute(name, value, prefix)
        if kept is not None:
            element.set(*kept)


def _drop(parent: Any, child: Any) -> None:
    """Takes a child away and leaves the text that followed it."""
    tail = child.tail or ""
    before = child.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(child)


def _clean_attribute(name: str, value: str, prefix: str) -> tuple[str, str] | None:
    name = {XLINK_HREF: "href", LANG: "lang"}.get(name, name)
    if name not in ATTRIBUTES:
        return None
    if name == "id":
        return name, f"{prefix}-{value}"
    if name in _NAMES:
        return name, " ".join(f"{prefix}-{part}" for part in value.split())
    if name == "href":
        return (name, f"#{prefix}-{value[1:]}") if value.startswith("#") else None
    if "url(" in value.lower() or "\\" in value:
        found = _REFERENCE.match(value)
        return (name, f"url(#{prefix}-{found.group(1)})") if found else None
    return name, value
