"""The roster of an offering with progress and marks, as rows of a table."""

from __future__ import annotations

import csv
import io
import uuid
from collections import defaultdict
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.spreadsheets import make_harmless
from lms import texts
from lms.desk_texts import say_step_state
from lms.models import Enrolment, Offering, StepProgress
from lms.selectors.desk import step_titles
from lms.selectors.desk_roster import Roster, read_roster
from lms.words import say_number
from modules.selectors import outline_of


class Report(Protocol):
    def __call__(self, *, done: int, total: int) -> object: ...


def _say_nothing(*, done: int, total: int) -> None:
    """Nobody watches."""


def write_csv(offering: Offering, *, report: Report = _say_nothing) -> tuple[bytes, int]:
    """The whole roster as CSV in the language in force, and how many learners are in it. Six or seven queries.

    UTF-8 with its mark, so that a spreadsheet sees the accents. Spreadsheets set to French expect semicolons between
    cells, since a comma stands in their numbers.
    """
    roster = read_roster(offering)
    french = texts.language() == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",", lineterminator="\r\n")
    rows = _make_rows(roster, report)
    for row in rows:
        writer.writerow([make_harmless(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode(), len(rows) - 1


def _make_rows(roster: Roster, report: Report) -> list[list[str]]:
    offering = roster.head.offering
    edition = roster.editions[offering.edition_id]
    titles = step_titles(edition)
    assessed = [step for step in outline_of(edition).iter_steps() if not step.is_lesson]
    progress: dict[uuid.UUID, dict[uuid.UUID, StepProgress]] = defaultdict(dict)
    for reached in StepProgress.objects.filter(
        enrolment__offering=offering, step_key__in=[step.key for step in assessed]
    ).defer("parts", "reason"):
        progress[reached.enrolment_id][reached.step_key] = reached
    head = [
        _("Name"),
        _("E-mail address"),
        _("Works for"),
        pgettext("of a learner", "State"),
        _("Enrolled"),
        _("Closes"),
        _("Required steps complete"),
        _("Required steps"),
        _("Working on"),
        _("Last step"),
        pgettext("date", "Completed"),
        _("Needs"),
    ]
    for step in assessed:
        title = titles[step.key]
        head += [
            _("%(step)s: state") % {"step": title},
            _("%(step)s: points") % {"step": title},
            _("%(step)s: out of") % {"step": title},
        ]
    zone = ZoneInfo(offering.time_zone)

    def moment(value: object) -> str:
        return f"{timezone.localtime(value, zone):%Y-%m-%d %H:%M}" if value else ""  # type: ignore[arg-type]

    table = [head]
    for number, row in enumerate(roster.rows):
        report(done=number, total=len(roster.rows))
        line = [
            row.name,
            row.email,
            row.place,
            str(Enrolment.State(row.state).label),
            moment(row.enrolled_at),
            moment(row.closes_at),
            str(row.done),
            str(row.total),
            row.working_on,
            moment(row.last_at),
            moment(row.completed_at),
            "" if row.is_withdrawn else row.need,
        ]
        for step in assessed:
            known = progress[row.enrolment_id].get(step.key)
            line += [
                say_step_state(known.state) if known else "",
                _number(known.points) if known else "",
                _number(known.max_points) if known else "",
            ]
        table.append(line)
    return table


def _number(value: Decimal | None) -> str:
    return "" if value is None else say_number(value)
