"""Addresses of screens that stand on many pages, each looked for once a process.

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


@lru_cache(maxsize=512)
def address_in(language: str, name: str, *parts: str) -> str:
    """``reverse(name, args=parts)`` in the language in force, which is the one named. For few parts."""
    return reverse(name, args=parts)


def address_with_key(name: str, key: uuid.UUID) -> str:
    """``reverse(name, args=[key])`` in the language in force. Of keys there are many: the form is kept, not each."""
    before, after = _find_form(name, get_language(), get_script_prefix())
    return f"{before}{key}{after}"


@lru_cache(maxsize=256)
def _find_form(name: str, language: str | None, prefix: str) -> tuple[str, str]:
    before, _place, after = reverse(name, args=[_PLACE]).partition(str(_PLACE))
    return before, after
