"""How a command speaks to the person at the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.models import Language


def terminal_language(environ: Mapping[str, str] | None = None) -> str:
    """`fr` where the terminal is set to French, else `en`; by the variables that every program reads."""
    source = os.environ if environ is None else environ
    chosen = next((source[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if source.get(name)), "")
    return Language.FRENCH.value if chosen.lower().startswith("fr") else Language.ENGLISH.value
