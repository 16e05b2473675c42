"""Work that waits to be marked, the marks of a quiz, and how its questions went."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.models import AssessmentKind, Attempt
from assessments.services import document_of
from lms import texts
from lms.desk_texts import say_days_ago, say_learners
from lms.models import Enrolment, Offering, StepProgress
from lms.selectors.desk import colon, step_titles
from lms.selectors.desk_roster import Roster
from lms.words import say_number, say_percent
from modules.documents import OutlineStep
from modules.models import CourseEdition, EditionAssessment
from modules.selectors import outline_of

# A question is pointed out when so many answered it and more than half of them wrongly.
LEAST_ANSWERS = 8
MOST_BARS = 8


# --- Work to mark, marks and questions ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MarkingJob:
    """How much work waits to be marked, of how much that was handed in."""

    waiting: int
    total: int
    oldest: datetime | None
    steps: tuple[str, ...]
    now: datetime

    @property
    def title(self) -> str:
        return ngettext(
            "Mark %(waiting)d of %(total)d assignment",
            "Mark %(waiting)d of %(total)d assignments",
            self.total,
        ) % {"waiting": self.waiting, "total": self.total}

    @property
    def sentence(self) -> str:
        where = ", ".join(self.steps)
        if self.oldest is None:
            return where
        return _("%(steps)s. The oldest came %(age)s.") % {
            "steps": where,
            "age": say_days_ago(self.oldest, self.now),
        }


def submitted_work(enrolments: QuerySet[Enrolment]) -> QuerySet[Attempt]:
    """The assignments that were handed in in these enrolments."""
    return Attempt.objects.filter(
        sitting__context__in=enrolments.values("pk"),
        sitting__edition__kind=AssessmentKind.ASSIGNMENT,
        submitted_at__isnull=False,
    )


# An attempt with neither points nor a verdict waits; one with a verdict and no points was returned.
WAITING = Q(points__isnull=True, passed__isnull=True)
RETURNED = Q(points__isnull=True, passed=False)
MARKED = Q(points__isnull=False)


def read_marking_job(roster: Roster) -> MarkingJob:
    """What waits to be marked in an offering. Two queries."""
    active = Enrolment.objects.filter(offering=roster.head.offering, state=Enrolment.State.ACTIVE)
    rows = list(
        submitted_work(active)
        .order_by()
        .values("sitting__edition")
        .annotate(
            total=Count("pk"), waiting=Count("pk", filter=WAITING), oldest=Min("submitted_at", filter=WAITING)
        )
    )
    places = assessed_steps(roster.editions)
    titles = {
        key: title for edition in roster.editions.values() for key, title in step_titles(edition).items()
    }
    named = dict.fromkeys(
        titles.get(places.get(row["sitting__edition"], uuid.UUID(int=0)), "")
        for row in rows
        if row["waiting"]
    )
    return MarkingJob(
        waiting=sum(row["waiting"] for row in rows),
        total=sum(row["total"] for row in rows),
        oldest=min((row["oldest"] for row in rows if row["oldest"]), default=None),
        steps=tuple(title for title in named if title),
        now=roster.head.now,
    )


def assessed_steps(editions: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The step that holds an assessment edition, by the latter's key. One query."""
    rows = EditionAssessment.objects.filter(edition_id__in=list(editions))
    return dict(rows.values_list("assessment_id", "step_key"))


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: how many have a mark in this range."""

    label: str
    value: int
    below: bool


@dataclass(frozen=True, kw_only=True)
class QuestionStat:
    """How a question went in first attempts."""

    number: int
    stem: str
    right: int
    answered: int

    @property
    def wrong(self) -> int:
        return self.answered - self.right

    @property
    def needs_a_look(self) -> bool:
        return self.answered >= LEAST_ANSWERS and self.wrong * 2 > self.answered

    @property
    def words(self) -> str:
        return say_learners(self.right, self.answered)


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The best marks in one quiz."""

    step: OutlineStep
    title: str
    bars: tuple[Bar, ...]
    handed_in: int
    passed: int
    of: int
    in_percent: bool
    max_points: Decimal
    pass_mark: Decimal | None
    others: tuple[tuple[str, str], ...]
    questions: tuple[QuestionStat, ...]

    @property
    def top(self) -> int:
        return max(bar.value for bar in self.bars)

    @property
    def sentence(self) -> str:
        said = [
            ngettext(
                "%(count)d of %(total)d learner has handed in.",
                "%(count)d of %(total)d learners have handed in.",
                self.of,
            )
            % {"count": self.handed_in, "total": self.of},
            _("Best attempt of each.")
            if self.in_percent
            else _("Best attempt of each, out of %(points)s.") % {"points": say_number(self.max_points)},
        ]
        if self.pass_mark is not None:
            said.append(
                _("The pass mark is %(mark)s: %(passed)d of %(total)d reached it.")
                % {"mark": say_percent(self.pass_mark), "passed": self.passed, "total": self.handed_in}
            )
        return " ".join(said)

    @property
    def axis(self) -> str:
        if self.in_percent:
            axis = _("mark, in percent")
        else:
            axis = _("mark, out of %(points)s") % {"points": say_number(self.max_points)}
        if any(bar.below and bar.value for bar in self.bars):
            return _("%(axis)s; outlined bars are under the pass mark") % {"axis": axis}
        return axis

    @property
    def label(self) -> str:
        """The chart in one sentence."""
        said = [
            ngettext("%(count)d learner has %(mark)s", "%(count)d learners have %(mark)s", bar.value)
            % {"count": bar.value, "mark": bar.label}
            for bar in self.bars
            if bar.value
        ]
        return f"{self.title}{colon()}{', '.join(said)}"

    @property
    def hardest(self) -> QuestionStat | None:
        """The question that most got wrong, where it is worth a look."""
        hard = [one for one in self.questions if one.needs_a_look]
        return min(hard, key=lambda one: (one.right / one.answered, one.number), default=None)


def read_marks(roster: Roster, *, wanted: str = "") -> Marks | None:
    """The marks of one quiz: the one asked for, else the one handed in last. Three queries; None: no quiz yet."""
    edition = roster.editions[roster.head.offering.edition_id]
    quizzes = [step for step in outline_of(edition).iter_steps() if step.kind == "quiz"]
    rows = list(
        StepProgress.objects.filter(
            enrolment__offering=roster.head.offering,
            enrolment__state=Enrolment.State.ACTIVE,
            step_key__in=[step.key for step in quizzes],
            points__isnull=False,
            max_points__gt=0,
        )
        .order_by()
        .values("step_key", "points", "max_points")
        .annotate(
            count=Count("pk"), passed=Count("pk", filter=Q(completed_at__isnull=False)), last=Max("last_at")
        )
    )
    if not rows:
        return None
    latest = max(rows, key=lambda row: row["last"])["step_key"]
    there = {row["step_key"] for row in rows}
    chosen = next((step for step in quizzes if step.slug == wanted and step.key in there), None) or next(
        step for step in quizzes if step.key == latest
    )
    titles = step_titles(edition)
    rows = [row for row in rows if row["step_key"] == chosen.key]
    terms = roster.base_terms.get(edition.pk, {}).get(chosen.key)
    pass_mark = terms.pass_mark if terms else None
    bars, in_percent = _draw_bars(rows, pass_mark)
    return Marks(
        step=chosen,
        title=titles[chosen.key],
        bars=bars,
        handed_in=sum(row["count"] for row in rows),
        passed=sum(row["passed"] for row in rows),
        of=roster.total,
        in_percent=in_percent,
        max_points=max((row["max_points"] for row in rows if row["max_points"]), default=Decimal(0)),
        pass_mark=pass_mark,
        others=tuple(
            (titles[step.key], f"?quiz={quote(step.slug)}#marks")
            for step in quizzes
            if step.key in there and step.key != chosen.key
        ),
        questions=_read_questions(roster.head.offering, edition, chosen),
    )


def _draw_bars(rows: Sequence[Mapping[str, Any]], pass_mark: Decimal | None) -> tuple[tuple[Bar, ...], bool]:
    """One bar a point where few points are to be had, else five bands of percent."""
    tops = {row["max_points"] for row in rows}
    top = max(tops)
    lowest = min(int(row["points"]) for row in rows)
    counts: Counter[int] = Counter()
    if len(tops) == 1 and top == int(top) and int(top) - lowest < MOST_BARS:
        for row in rows:
            counts[int(row["points"])] += row["count"]
        return tuple(
            Bar(
                label=str(points),
                value=counts[points],
                below=pass_mark is not None and points * 100 < pass_mark * top,
            )
            for points in range(lowest, int(top) + 1)
        ), False
    for row in rows:
        counts[min(4, int(row["points"] * 5 / row["max_points"]))] += row["count"]
    # A band counts as under the pass mark where all of it is.
    return tuple(
        Bar(
            label=f"{band * 20}–{100 if band == 4 else band * 20 + 19}",
            value=counts[band],
            below=pass_mark is not None and (band + 1) * 20 <= pass_mark,
        )
        for band in range(5)
    ), True


def _read_questions(
    offering: Offering, edition: CourseEdition, step: OutlineStep
) -> tuple[QuestionStat, ...]:
    """How each question went in everyone's first attempt. Two queries."""
    held = (
        EditionAssessment.objects.select_related("assessment")
        .filter(edition=edition, step_key=step.key)
        .first()
    )
    if held is None:
        return ()
    active = Enrolment.objects.filter(offering=offering, state=Enrolment.State.ACTIVE).values("pk")
    right: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for items in Attempt.objects.filter(
        sitting__context__in=active, sitting__edition=held.assessment, number=1, submitted_at__isnull=False
    ).values_list("score__by_item", flat=True):
        for key, score in (items or {}).items():
            answered[key] += 1
            right[key] += bool(score.get("right"))
    language = texts.language()
    return tuple(
        QuestionStat(
            number=number,
            stem=shorten(strip_tags(texts.say(item.stem_html, language))),
            right=right[item.key],
            answered=answered[item.key],
        )
        for number, item in enumerate(document_of(held.assessment).items_by_key().values(), start=1)
        if answered[item.key]
    )


def shorten(text: str, limit: int = 140) -> str:
    """A text on one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rsplit(" ", 1)[0] + "…"
