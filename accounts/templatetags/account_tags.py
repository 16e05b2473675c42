"""Tags of the account screens."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.devices import device_name
from accounts.models import Organization
from accounts.views import list_account_links
from core.languages import reading_language

register = template.Library()

register.filter(device_name)


@register.simple_tag(takes_context=True)
def account_links(context: dict[str, Any]) -> list[dict[str, Any]]:
    """The screens of the account: title, url, and whether one is on it."""
    return list_account_links(context["request"])


@register.filter
def name_here(organization: Organization) -> str:
    """The organization's name in the language in force."""
    return organization.name_in(reading_language())


@register.filter
def group_code(secret: str) -> str:
    """A long key in groups of four, which can be typed without losing one's place."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
