"""The rows of an offering's tables, drawn at once: a hundred rows cost a template most of its time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from html import escape as plain
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core.templatetags.drawing import state
from lms.desk_texts import say_days_gone
from lms.selectors.desk_marks import QuestionStat
from lms.selectors.desk_roster import RosterRow

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


class _Drawn:
    """What was drawn for one row serves every other that says the same."""

    def __init__(self) -> None:
        self._known: dict[Hashable, SafeString] = {}
        self._zone = timezone.get_current_timezone()

    def once(self, key: Hashable, draw: Callable[[], SafeString]) -> SafeString:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = draw()
        return found

    def place(self, row: RosterRow) -> SafeString:
        return self.once(("place", row.place), lambda: escape(row.place)) if row.place else DASH

    def step(self, row: RosterRow) -> SafeString:
        key = ("step", row.is_complete, row.step_title)
        return self.once(key, lambda: escape(row.working_on))

    def bar(self, row: RosterRow) -> SafeString:
        return self.once(("bar", row.done, row.total), lambda: _draw_bar(row))

    def last(self, row: RosterRow) -> SafeString:
        if row.last_at is None:
            return DASH
        nights = (self._day(row.now) - self._day(row.last_at)).days
        days = (row.now - row.last_at).days
        return self.once(("last", nights, days), lambda: escape(say_days_gone(nights, days)))

    def _day(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def needs(self, row: RosterRow) -> SafeString:
        key = ("needs", row.is_withdrawn, row.waiting > 0, row.is_out, row.is_idle, row.is_closed)
        return self.once(key, lambda: _draw_need(row))


def _draw_bar(row: RosterRow) -> SafeString:
    return format_html(
        '<progress max="{}" value="{}" aria-label="{}"></progress><span>{}</span>',
        row.total or 1,
        row.done,
        row.progress_label,
        row.progress_words,
    )


def _draw_need(row: RosterRow) -> SafeString:
    if row.need:
        return state(row.need_state, row.need)
    return format_html(
        '<span class="when-wide" aria-hidden="true">–</span><span class="sr">{}</span>', _("nothing")
    )


@register.simple_tag
def roster_rows(rows: Iterable[RosterRow]) -> SafeString:
    """One row of the table a learner."""
    drawn = _Drawn()
    return mark_safe(
        "".join(
            ROW
            % (
                plain(row.url),
                plain(row.name),
                drawn.place(row),
                drawn.step(row),
                drawn.bar(row),
                drawn.last(row),
                drawn.needs(row),
            )
            for row in rows
        )
    )


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
