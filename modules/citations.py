"""Citations: `[^slug]` at a sentence becomes a numbered link to the sources under the lesson."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from django.utils.html import escape
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from core.sanitize import clean_kept
from standards.models import Source

CITATION: Final = re.compile(r"\[\^([a-z0-9][a-z0-9-]*)\]")
_TAG = re.compile(r"(<[^>]*>)")


def find_citations(text: str) -> list[str]:
    """The short names cited in a text, in order, repeats among them."""
    return CITATION.findall(text)


def load_sources(slugs: Iterable[str]) -> dict[str, Source]:
    """The sources with these short names. One query, none where nothing is cited."""
    wanted = set(slugs)
    return {source.slug: source for source in Source.objects.filter(slug__in=wanted)} if wanted else {}


@lru_cache(maxsize=1)
def _inline_markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def describe_source(source: Source, language: str) -> dict[str, str]:
    """A source as it stands under a lesson: `{"slug", "html", "url", "local"}` in one language."""
    citation = (source.citation_fr if language == "fr" else source.citation_en) or source.citation_en
    local = (source.local_fr if language == "fr" else source.local_en) or ""
    return {
        "slug": source.slug,
        "html": clean_kept(_inline_markdown().renderInline(citation)),
        "url": source.url,
        "local": local,
    }


@dataclass
class Citations:
    """Numbers the sources of one lesson in one language, in the order in which they are cited."""

    language: str
    known: Mapping[str, Source]
    numbers: dict[str, int] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def link(self, html: str) -> str:
        """The same HTML with each citation as a link; an unknown one stays as it is and is remembered."""
        if "[^" not in html:
            return html
        return "".join(
            part if part.startswith("<") else CITATION.sub(self._link_one, part) for part in _TAG.split(html)
        )

    def link_text(self, text: str) -> str:
        """Plain text as HTML, citations linked."""
        return self.link(str(escape(text)))

    def cite(self, slug: str) -> str:
        """The link for a source that is named by its short name alone; empty for none."""
        return self.link(f"[^{slug}]") if slug else ""

    def _link_one(self, match: re.Match[str]) -> str:
        slug = match.group(1)
        if slug not in self.known:
            if slug not in self.unknown:
                self.unknown.append(slug)
            return match.group(0)
        number = self.numbers.setdefault(slug, len(self.numbers) + 1)
        use = self.uses[slug] = self.uses.get(slug, 0) + 1
        name = f"cite-{number}" if use == 1 else f"cite-{number}-{use}"
        label = escape(_("Source %(number)d") % {"number": number})
        return f'<sup class="cite"><a href="#source-{number}" id="{name}" aria-label="{label}">{number}</a></sup>'

    def describe(self) -> list[dict[str, Any]]:
        """The sources cited, in citing order."""
        return [describe_source(self.known[slug], self.language) for slug in self.numbers]
