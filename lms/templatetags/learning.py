"""Filters of the learner's and the instructor's screens: durations, dates and points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core.templatetags.drawing import find_sprite, icon
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


@register.simple_tag
def answer_list(marks: Iterable[Any]) -> SafeString:
    """The questions of an attempt (`selectors.sheets.AnswerMark`), each a button of the form `question`.

    A tag and no loop in the template: the list is as long as the assessment, and stands on every question's page.
    """
    sprite = find_sprite()
    drawn = [_draw_mark(one.number, one.word, (one.answered, one.here, one.flagged), sprite) for one in marks]
    return format_html('<ol class="answers">{}</ol>', mark_safe("".join(drawn)))


@lru_cache(maxsize=1024)
def _draw_mark(number: int, word: str, state: tuple[bool, bool, bool], sprite: str) -> SafeString:
    answered, here, flagged = state
    inner = format_html("<i>{}</i><span>{}</span>", number, word)
    if here:
        css = "done here" if answered else "here"
        return format_html('<li class="{}" aria-current="step">{}</li>', css, inner)
    return format_html(
        '<li class="{}"><button form="question" name="go" value="{}">{}{}</button></li>',
        "done" if answered else "",
        number,
        inner,
        icon("flag", "wait") if flagged else "",
    )
