"""A rendered lesson as a part of a longer page: names of its own, headings further down, what was folded open."""

from __future__ import annotations

import re

_TAG = re.compile(r"<[^>]+>")
_NAME = re.compile(r'(?<=\s)(id|for)="([^"]+)"')
_LINK = re.compile(r'(?<=\s)((?:xlink:)?href)="#([^"]*)"')
_LISTED = re.compile(r'(?<=\s)(aria-labelledby|aria-describedby|aria-controls|headers)="([^"]+)"')
_PAINT = re.compile(r"url\(#([^)]+)\)")
_HEADING = re.compile(r"<(/?)h([1-6])(?=[\s>])")
# The words of a figure stay folded: who sees the figure does not need them.
_FOLD = re.compile(r'(?<!</figcaption>)<details class="fold">')
DEEPEST = 6


def embed_html(html: str, *, prefix: str, deeper: int) -> str:
    """HTML that we rendered, to stand on one page with others of its kind.

    Every id and every reference to one gets `prefix`, headings go `deeper` levels down (to the sixth at most), and
    folded texts stand open, except what says a figure in words.
    """
    opened = _FOLD.sub('<details class="fold" open>', html)
    lowered = _HEADING.sub(lambda found: f"<{found[1]}h{min(DEEPEST, int(found[2]) + deeper)}", opened)
    return _TAG.sub(lambda found: _rename(found[0], prefix), lowered)


def _rename(tag: str, prefix: str) -> str:
    tag = _NAME.sub(lambda found: f'{found[1]}="{prefix}-{found[2]}"', tag)
    tag = _LINK.sub(lambda found: f'{found[1]}="#{prefix}-{found[2]}"', tag)
    tag = _LISTED.sub(
        lambda found: f'{found[1]}="{" ".join(f"{prefix}-{name}" for name in found[2].split())}"', tag
    )
    return _PAINT.sub(lambda found: f"url(#{prefix}-{found[1]})", tag)
