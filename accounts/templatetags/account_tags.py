"""Tags of the account screens."""

from __future__ import annotations

import re
from typing import Any, Final

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.views import list_account_links

register = template.Library()

# Each browser names those it descends from, so the order decides.
BROWSERS: Final = (
    ("Edge", r"Edg(A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"(Firefox|FxiOS)/"),
    ("Chrome", r"(Chrome|CriOS)/"),
    ("Safari", r"Safari/"),
)
SYSTEMS: Final = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)


@register.simple_tag(takes_context=True)
def account_links(context: dict[str, Any]) -> list[dict[str, Any]]:
    """The screens of the account: title, url, and whether one is on it."""
    return list_account_links(context["request"])


@register.filter
def device_name(user_agent: str) -> str:
    """What a person would call the device: “Firefox, Windows”. What is not known is said so."""
    browser = next((name for name, pattern in BROWSERS if re.search(pattern, user_agent)), None)
    system = next((name for name, pattern in SYSTEMS if re.search(pattern, user_agent)), None)
    known = [part for part in (browser, system) if part]
    return ", ".join(known) if known else _("A device that does not say what it is")


@register.filter
def name_here(organization: Organization) -> str:
    """The organization's name in the language in force."""
    return organization.name_in(get_language() or "en")


@register.filter
def group_code(secret: str) -> str:
    """A long key in groups of four, which can be typed without losing one's place."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
