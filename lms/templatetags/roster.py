"""The rows of an offering's tables, drawn at once: a hundred rows cost a template most of its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core.templatetags.drawing import find_sprite, state
from lms import texts
from lms.desk_texts import say_days_gone, say_learners
from lms.selectors.desk_marks import QuestionStat
from lms.selectors.desk_roster import RosterRow, say_need, say_where

register = template.Library()

# A dash where the table is wide; on a phone nothing stands there.
DASH: Final = mark_safe('<span class="when-wide">–</span>')
# Everything in it is escaped already.
ROW: Final = (
    '<tr role="row"><th role="rowheader" scope="row" class="r-who"><a href="%s">%s</a></th>'
    '<td role="cell" class="r-place">%s</td><td role="cell" class="r-step">%s</td>'
    '<td role="cell" class="r-bar">%s</td><td role="cell" class="r-last">%s</td>'
    '<td role="cell" class="r-needs">%s</td></tr>\n'
)


# As `html.escape` does it, in one go.
ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"},
)
NEED_STATES: Final = {"withdrawn": "none", "closed": "none", "marking": "wait"}


# What is said of one learner serves every other of whom the same is said. Nobody's name or address is kept so. The
# `language` is always the one in force.


@lru_cache(maxsize=512)
def _draw_place(place: str) -> SafeString:
    return escape(place) if place else DASH


@lru_cache(maxsize=1024)
def _draw_step(title: str, is_complete: bool, language: str) -> SafeString:
    return escape(say_where(title, is_complete=is_complete))


@lru_cache(maxsize=1024)
def _draw_bar(done: int, total: int, language: str) -> SafeString:
    return format_html(
        '<progress max="{}" value="{}" aria-label="{}"></progress><span>{}</span>',
        total or 1,
        done,
        texts.say_steps(done, total),
        say_learners(done, total),
    )


@lru_cache(maxsize=1024)
def _draw_last(nights: int, days: int, language: str) -> SafeString:
    return escape(say_days_gone(nights, days))


@lru_cache(maxsize=64)
def _draw_need(code: str, language: str, sprite: str) -> SafeString:
    """`sprite` is where the icons are now: elsewhere, it is another picture."""
    if code:
        return state(NEED_STATES.get(code, "stop"), say_need(code))
    return format_html(
        '<span class="when-wide" aria-hidden="true">–</span><span class="sr">{}</span>', _("nothing")
    )


class _Table:
    """What all rows of the table share."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.language = texts.language()
        self.sprite = find_sprite()
        # The reader's nights.
        self.today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        self.yesterday = self.today - timedelta(days=1)

    def draw(self, row: RosterRow) -> str:
        last = DASH
        if row.last_at is not None:
            nights = 0 if row.last_at >= self.today else 1 if row.last_at >= self.yesterday else 2
            last = _draw_last(nights, (self.now - row.last_at).days, self.language)
        return ROW % (
            row.url.translate(ESCAPES),
            row.name.translate(ESCAPES),
            _draw_place(row.place),
            _draw_step(row.step_title, row.completed_at is not None, self.language),
            _draw_bar(row.done, row.total, self.language),
            last,
            _draw_need(row.need_code, self.language, self.sprite),
        )


@register.simple_tag
def roster_rows(rows: Sequence[RosterRow]) -> SafeString:
    """One row of the table a learner."""
    return mark_safe("".join(map(_Table(rows[0].now).draw, rows))) if rows else SafeString("")


@register.simple_tag
def question_rows(questions: Iterable[QuestionStat]) -> SafeString:
    """One row of the table a question of a quiz, with how many got it right."""
    return mark_safe(
        "".join(
            f'<tr><th scope="row" class="plain">{one.number}. {escape(one.stem)}</th>'
            f"<td>{state('stop', one.words) if one.needs_a_look else escape(one.words)}</td></tr>"
            for one in questions
        )
    )
