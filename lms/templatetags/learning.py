"""Filters of the learner's and the instructor's screens: durations, dates and points."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template

from lms import words

register = template.Library()


@register.filter
def duration(minutes: int | None) -> str:
    return words.say_minutes(minutes) if minutes is not None else ""


@register.filter
def day(moment: datetime | None) -> str:
    return words.say_date(moment) if moment else ""


@register.filter
def full_day(moment: datetime | None) -> str:
    return words.say_date(moment, year=True) if moment else ""


@register.filter
def moment(value: datetime | None) -> str:
    return words.say_moment(value) if value else ""


@register.filter
def time_of_day(value: datetime | None) -> str:
    return words.say_time(value) if value else ""


@register.filter
def saved_at(value: datetime | None) -> str:
    return words.say_saved(value)


@register.filter
def number(value: Decimal | int | None) -> str:
    return words.say_number(value) if value is not None else ""


@register.filter
def percent(value: Decimal | None) -> str:
    return words.say_percent(value) if value is not None else ""


@register.filter
def points(value: Decimal | None, most: Decimal | None) -> str:
    return words.say_points(value, most) if value is not None and most is not None else ""


@register.filter
def get(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """The entry of a mapping; nothing where there is none."""
    return (mapping or {}).get(key, "")
