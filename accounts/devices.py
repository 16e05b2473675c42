"""What a browser says of itself, in words that its owner knows."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

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


def device_name(user_agent: str) -> str:
    """What a person would call the device: “Firefox, Windows”. What is not known is said so."""
    browser = next((name for name, pattern in BROWSERS if re.search(pattern, user_agent)), None)
    system = next((name for name, pattern in SYSTEMS if re.search(pattern, user_agent)), None)
    known = [part for part in (browser, system) if part]
    return ", ".join(known) if known else _("A device that does not say what it is")
