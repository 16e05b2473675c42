"""The time zones that a person chooses from: Canada's, by names that people know."""

from __future__ import annotations

import zoneinfo
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

DEFAULT: Final = "America/Toronto"

# From east to west. Places without daylight saving time stand apart, since their clocks differ in summer.
TIME_ZONES: Final[tuple[tuple[str, Any], ...]] = (
    ("America/St_Johns", _("Newfoundland (St. John's)")),
    ("America/Goose_Bay", _("Labrador (Goose Bay)")),
    ("America/Halifax", _("Atlantic (Halifax, Moncton, Charlottetown)")),
    ("America/Blanc-Sablon", _("Atlantic, no daylight saving time (Blanc-Sablon)")),
    ("America/Toronto", _("Eastern (Toronto, Ottawa, Montréal, Québec)")),
    ("America/Iqaluit", _("Eastern (Iqaluit)")),
    ("America/Atikokan", _("Eastern, no daylight saving time (Atikokan)")),
    ("America/Winnipeg", _("Central (Winnipeg, Brandon, Kenora)")),
    ("America/Rankin_Inlet", _("Central (Rankin Inlet)")),
    ("America/Regina", _("Central, no daylight saving time (Regina, Saskatoon)")),
    ("America/Edmonton", _("Mountain (Edmonton, Calgary, Yellowknife)")),
    ("America/Creston", _("Mountain, no daylight saving time (Creston)")),
    ("America/Whitehorse", _("Yukon (Whitehorse)")),
    ("America/Vancouver", _("Pacific (Vancouver, Victoria)")),
    ("UTC", _("Coordinated Universal Time (UTC)")),
)


def list_choices(current: str = "") -> list[tuple[str, Any]]:
    """The choices, and the person's own zone where it is another one."""
    choices: list[tuple[str, Any]] = list(TIME_ZONES)
    if current and current not in dict(TIME_ZONES) and is_known(current):
        choices.append((current, current.replace("_", " ")))
    return choices


def is_known(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
