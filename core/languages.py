"""The two languages of the site, and which of them a page is read in."""

from __future__ import annotations

from django.utils.translation import get_language


def reading_language() -> str:
    """The language in force, `en` or `fr`; English where none is."""
    return "fr" if (get_language() or "en").startswith("fr") else "en"
