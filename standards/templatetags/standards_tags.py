"""How the words of the standards are shown."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from core.sanitize import clean_shown

register = template.Library()

_inline = MarkdownIt("commonmark", {"html": False})


@register.filter
def citation(text: str) -> SafeString:
    """A citation's Markdown as cleaned HTML: titles in italics, nothing else of note."""
    return mark_safe(clean_shown(_inline.renderInline(text or "")))


@register.filter
def cleaned(html: str) -> SafeString:
    """HTML of an edition, which was cleaned when it was compiled."""
    return mark_safe(html or "")


@register.simple_tag
def words_of(thing: Any, name: str, language: str) -> str:
    """What a row of an edition says in a language: ``{% words_of domain "title" language %}``."""
    return str(getattr(thing, f"{name}_{language}", "") or getattr(thing, f"{name}_en"))
