"""Addresses of screens that stand on every page, put together from a form of them that is asked for once a process.

Django goes through its tables for each `reverse`, which takes ninety calls.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Final

from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language

# Stands in an address where a key is to stand; as a key nobody has it.
_PLACE: Final = uuid.UUID(int=0)


def address_with_key(name: str, key: uuid.UUID) -> str:
    """``reverse(name, args=[key])`` for an address with one key in it, in the language in force."""
    before, after = _find_form(name, get_language(), get_script_prefix())
    return f"{before}{key}{after}"


@lru_cache(maxsize=256)
def _find_form(name: str, language: str | None, prefix: str) -> tuple[str, str]:
    before, _place, after = reverse(name, args=[_PLACE]).partition(str(_PLACE))
    return before, after
