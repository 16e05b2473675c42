"""How times, dates, durations, numbers and points are written to people, in the language and time zone in force.

A number and its unit are held together by a no-break space. Canadian French writes 14 h 41 and 12,5.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core import clock
from core.languages import reading_language

NBSP = "\u00a0"


def is_french() -> bool:
    return reading_language() == "fr"


def say_minutes(minutes: int) -> str:
    """A duration: `12 min`, `6 h`, `6 h 20 min`."""
    hours, rest = divmod(max(0, int(minutes)), 60)
    parts = [f"{hours}{NBSP}h"] if hours else []
    if rest or not hours:
        parts.append(f"{rest}{NBSP}min")
    return NBSP.join(parts)


def say_time(moment: datetime, *, zone: tzinfo | None = None) -> str:
    """A time of day: `2:41 p.m.`, `14 h 41`."""
    local = timezone.localtime(moment, zone)
    if is_french():
        return f"{local.hour}{NBSP}h" + (f"{NBSP}{local.minute:02}" if local.minute else "")
    return date_format(local, "g:i a").replace(" ", NBSP)


def say_date(moment: datetime, *, zone: tzinfo | None = None, year: bool | None = None) -> str:
    """A date: `9 November 2026`, `1er novembre`. The year is left out where it is this one, unless told."""
    local = timezone.localtime(moment, zone)
    if year is None:
        year = local.year != timezone.localtime(clock.now(), zone).year
    day = "1er" if is_french() and local.day == 1 else str(local.day)
    return f"{day}{NBSP}{date_format(local, 'F Y' if year else 'F')}"


def say_moment(moment: datetime) -> str:
    """When something was or will be: the date and the time; in a sentence, after “on”."""
    return _("%(date)s at %(time)s") % {"date": say_date(moment), "time": say_time(moment)}


def end_sentence(text: str) -> str:
    """The text with one full stop at its end, also where it ends in “p.m.”."""
    return text if text.endswith(".") else f"{text}."


def say_saved(moment: datetime | None) -> str:
    """That something was kept, and when; empty where nothing was."""
    if moment is None:
        return ""
    zone = timezone.get_current_timezone()
    return _say_saved(moment, zone, timezone.localtime(clock.now(), zone).date(), get_language())


@lru_cache(maxsize=512)
def _say_saved(moment: datetime, zone: tzinfo, today: date, language: str | None) -> str:
    """In the language in force, which is the one named."""
    if timezone.localtime(moment, zone).date() == today:
        return _("Saved at %(time)s") % {"time": say_time(moment)}
    return _("Saved on %(date)s at %(time)s") % {"date": say_date(moment), "time": say_time(moment)}


def say_number(number: Decimal | int | float) -> str:
    """A number without needless zeros: `12.5`, `12,5`."""
    value = Decimal(str(number))
    value = value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
    return number_format(value, use_l10n=True)


def say_percent(percent: Decimal) -> str:
    """A percentage: `87.5%`, `87,5 %`."""
    return f"{say_number(percent)}{NBSP}%" if is_french() else f"{say_number(percent)}%"


def say_points(points: Decimal, max_points: Decimal) -> str:
    """Points with their denominator: `6 of 8 points`."""
    whole = int(max_points) if max_points == max_points.to_integral_value() else 2
    return ngettext("%(points)s of %(max)s point", "%(points)s of %(max)s points", whole) % {
        "points": say_number(points),
        "max": say_number(max_points),
    }


def say_time_left(seconds: float) -> str:
    """The time that is left, in whole minutes rounded down, and in words under a minute."""
    minutes = int(seconds // 60)
    if seconds <= 0:
        return _("Time is up.")
    if minutes < 1:
        return _("Less than a minute left")
    return _("%(duration)s left") % {"duration": say_minutes(minutes)}
