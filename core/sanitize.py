"""The only module that cleans HTML, and the only one that knows bleach.

Text that is kept (on save, at compile) is cleaned by `nh3` first and `bleach` second, with one allow-list;
the result is a fixpoint of both. Text outside editions is cleaned when it is shown, by `nh3` alone: it is
thirty times faster. How to drop bleach stands in `docs/adr/`.
"""

from __future__ import annotations

import bleach
import nh3

TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "section",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": frozenset({"lang", "dir", "id", "class"}),
    "a": frozenset({"href", "title", "hreflang"}),
    "abbr": frozenset({"title"}),
    "dfn": frozenset({"title"}),
    "ol": frozenset({"start", "type"}),
    "td": frozenset({"colspan", "rowspan", "headers"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
}
PROTOCOLS = frozenset({"http", "https", "mailto", "tel"})
_NH3_ATTRIBUTES: dict[str, set[str]] = {tag: set(names) for tag, names in ATTRIBUTES.items()}
_BLEACH_ATTRIBUTES: dict[str, list[str]] = {tag: sorted(names) for tag, names in ATTRIBUTES.items()}
# What stands inside these is not text and goes with them.
_EMPTIED = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "template",
    "noscript",
    "svg",
    "math",
    "textarea",
    "title",
}

_bleach = bleach.Cleaner(
    tags=TAGS, attributes=_BLEACH_ATTRIBUTES, protocols=PROTOCOLS, strip=True, strip_comments=True
)


def clean_shown(html: str) -> str:
    """Cleans HTML at the moment it is shown."""
    return nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags=_EMPTIED,
        attributes=_NH3_ATTRIBUTES,
        url_schemes=set(PROTOCOLS),
        link_rel=None,
        strip_comments=True,
    )


def clean_kept(html: str) -> str:
    """Cleans HTML that is kept: a fixpoint of both cleaners, reached in at most three rounds.

    Raises `ValueError` where the two do not agree, rather than keep what one of them refuses.
    """
    for _round in range(3):
        cleaned = _bleach.clean(clean_shown(html))
        if cleaned == html:
            return cleaned
        html = cleaned
    if _bleach.clean(clean_shown(html)) != html:
        raise ValueError("This HTML cannot be cleaned to a stable text. Simplify its markup and save again.")
    return html


def strip_tags(html: str) -> str:
    """The words alone, without any markup."""
    return nh3.clean(html, tags=set(), clean_content_tags=_EMPTIED)
