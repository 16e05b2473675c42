"""Work that was handed in: the queue of an offering, and one piece of work beside its rubric."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import PersonalText
from accounts.services import read_texts
from assessments.documents import AssessmentDocument, Criterion
from assessments.models import Attempt, Mark, Response
from assessments.services import SUBMISSION, document_of
from core import clock
from lms import texts
from lms.desk_texts import say_days_ago
from lms.models import Enrolment, Offering
from lms.selectors.desk import OfferingHead, read_editions, step_titles
from lms.selectors.desk_attempts import ToldAttempt, last_marks, mark_url
from lms.selectors.desk_marks import MARKED, RETURNED, WAITING, assessed_steps, submitted_work
from lms.selectors.desk_people import LearnerHead, WhoseEnrolment, learners_of, name_of
from lms.words import say_moment, say_points

TABS = {"waiting": WAITING, "returned": RETURNED, "marked": MARKED}
WORK_A_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class WorkLine(ToldAttempt, WhoseEnrolment):
    """One piece of work in the queue."""

    step_title: str
    mark: Mark | None
    now: datetime

    @property
    def url(self) -> str:
        return mark_url(self.enrolment.offering, self.attempt)

    @property
    def age(self) -> str:
        return say_days_ago(self.attempt.submitted_at, self.now) if self.attempt.submitted_at else ""

    @property
    def attempt_words(self) -> str:
        return _("attempt %(number)d") % {"number": self.attempt.number}

    @property
    def marked_by(self) -> str:
        return say_marked_by(self.mark) if self.mark else ""


def say_marked_by(mark: Mark) -> str:
    """By whom and when."""
    return _("%(name)s, %(moment)s") % {"name": name_of(mark.marker), "moment": say_moment(mark.recorded_at)}


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The work of an offering: one tab of it, a page at a time."""

    head: OfferingHead
    tab: str
    counts: Mapping[str, int]
    lines: tuple[WorkLine, ...]
    page: Page

    @property
    def tabs(self) -> list[dict[str, Any]]:
        words = {"waiting": _("To mark"), "returned": _("Returned"), "marked": _("Marked")}
        return [
            {
                "title": words[code],
                "count": self.counts[code],
                "url": self.head.marking_url if code == "waiting" else f"?tab={code}",
                "current": code == self.tab,
            }
            for code in TABS
        ]

    @property
    def query(self) -> str:
        return "" if self.tab == "waiting" else f"tab={self.tab}&"


def active_work(offering: Offering) -> QuerySet[Attempt]:
    """The work handed in by those who are enrolled now."""
    return submitted_work(Enrolment.objects.filter(offering=offering, state=Enrolment.State.ACTIVE))


def read_queue(offering: Offering, *, tab: str, page: int | str = 1) -> Queue:
    """One tab of the queue, what waits longest first, else what was decided last. Seven queries at most."""
    now = clock.now()
    work = active_work(offering)
    counts = work.order_by().aggregate(
        **{code: Count("pk", filter=condition) for code, condition in TABS.items()}
    )
    last = Mark.objects.filter(attempt=OuterRef("pk")).order_by("-id").values("id")[:1]
    rows = (
        work.filter(TABS[tab])
        .select_related("sitting")
        .defer("form", "score")
        .annotate(last_mark=Subquery(last))
        .order_by("submitted_at" if tab == "waiting" else "-last_mark", "pk")
    )
    shown = Paginator(rows, WORK_A_PAGE).get_page(page)
    attempts = list(shown)
    enrolments = learners_of(offering).in_bulk([one.sitting.context for one in attempts])
    editions = read_editions({offering.edition_id, *(one.edition_id for one in enrolments.values())})
    titles = {key: title for edition in editions.values() for key, title in step_titles(edition).items()}
    places = assessed_steps(editions)
    marks = last_marks([one.pk for one in attempts])
    for enrolment in enrolments.values():
        enrolment.offering = offering
    return Queue(
        head=OfferingHead(offering=offering, now=now),
        tab=tab,
        counts=counts,
        lines=tuple(
            WorkLine(
                attempt=attempt,
                enrolment=enrolments[attempt.sitting.context],
                step_title=titles.get(places.get(attempt.sitting.edition_id, uuid.UUID(int=0)), ""),
                mark=marks.get(attempt.pk),
                now=now,
            )
            for attempt in attempts
        ),
        page=shown,
    )


def next_waiting(offering: Offering, *, after: Attempt | None = None) -> Attempt | None:
    """The work that waits longest, other than this one. One query."""
    rows = active_work(offering).filter(WAITING)
    if after is not None:
        rows = rows.exclude(pk=after.pk)
    return rows.order_by("submitted_at", "pk").first()


# --- One piece of work --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a marker decided once."""

    mark: Mark
    comment: str
    criteria: tuple[tuple[str, str], ...]

    @property
    def by(self) -> str:
        return say_marked_by(self.mark)

    @property
    def is_returned(self) -> bool:
        return self.mark.decision == Mark.Decision.RETURNED

    @property
    def word(self) -> str:
        if self.is_returned:
            return _("Returned for another try")
        if self.mark.passed is None:
            return _("Marked")
        return _("Passed") if self.mark.passed else _("Not passed")

    @property
    def state(self) -> str:
        return "ok" if self.mark.passed else "wait"

    @property
    def points(self) -> str:
        if self.mark.points is None or not self.mark.max_points:
            return ""
        return say_points(self.mark.points, self.mark.max_points)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One hand-in: its words, its files, and what was decided about it."""

    attempt: Attempt
    text: str
    files: tuple[PersonalText, ...]
    decisions: tuple[Decision, ...]
    is_erased: bool

    @property
    def number(self) -> int:
        return self.attempt.number

    @property
    def handed_in(self) -> str:
        return say_moment(self.attempt.submitted_at) if self.attempt.submitted_at else ""

    @property
    def last(self) -> Decision | None:
        return self.decisions[0] if self.decisions else None


@dataclass(frozen=True, kw_only=True)
class MarkingPage:
    """A learner's work beside its rubric."""

    head: LearnerHead
    offering: OfferingHead
    document: AssessmentDocument
    step_title: str
    work: Work
    earlier: tuple[Work, ...]
    newer: bool
    waiting: int

    @property
    def rubric(self) -> tuple[Criterion, ...]:
        return self.document.rubric

    @property
    def url(self) -> str:
        return mark_url(self.head.enrolment.offering, self.work.attempt)

    @property
    def max_points(self) -> Decimal:
        return sum((criterion.max_points for criterion in self.rubric), Decimal(0))

    @property
    def is_waiting(self) -> bool:
        return self.work.last is None

    @property
    def why_not(self) -> str:
        """Why nothing can be decided here any more; empty where it can."""
        if self.head.is_withdrawn:
            return _("This learner has withdrawn. Reinstate them first, and the work can be marked.")
        if self.newer:
            return _("The learner has begun a newer attempt. Mark that one when it comes.")
        return ""

    @property
    def queue_words(self) -> str:
        if not self.waiting:
            return _("Nothing else waits")
        return ngettext(
            "%(count)d more waits to be marked", "%(count)d more wait to be marked", self.waiting
        ) % {"count": self.waiting}

    @property
    def pass_sentence(self) -> str:
        mark = self.document.pass_mark
        if mark is None:
            return ""
        # Where only whole points are given, nobody reaches a fraction.
        points = [level.points for criterion in self.rubric for level in criterion.levels]
        step = Decimal(1) if all(one == one.to_integral_value() for one in points) else Decimal("0.01")
        needed = (mark * self.max_points / 100).quantize(step, rounding=ROUND_CEILING)
        return _("%(points)s passes.") % {"points": say_points(needed, self.max_points)}


def read_marking(offering: Offering, attempt_id: uuid.UUID) -> MarkingPage:
    """A piece of work of this offering that was handed in, with all before it. Eight queries; else 404."""
    now = clock.now()
    attempt = (
        submitted_work(Enrolment.objects.filter(offering=offering))
        .select_related("sitting__edition")
        .filter(pk=attempt_id)
        .first()
    )
    if attempt is None:
        raise Http404("There is no such work in this offering.")
    enrolment = learners_of(offering).get(pk=attempt.sitting.context)
    enrolment.offering = offering
    document = document_of(attempt.sitting.edition)
    attempts = list(Attempt.objects.filter(sitting=attempt.sitting).defer("form").order_by("-number"))
    works = _read_works([one for one in attempts if one.submitted_at], document)
    editions = read_editions([enrolment.edition_id])
    titles = step_titles(editions[enrolment.edition_id])
    places = assessed_steps(editions)
    return MarkingPage(
        head=LearnerHead(enrolment=enrolment, now=now),
        offering=OfferingHead(offering=offering, now=now),
        document=document,
        step_title=titles.get(places.get(attempt.sitting.edition_id, uuid.UUID(int=0)), ""),
        work=next(work for work in works if work.attempt.pk == attempt.pk),
        earlier=tuple(work for work in works if work.number < attempt.number),
        newer=attempts[0].number > attempt.number,
        waiting=active_work(offering).filter(WAITING).exclude(pk=attempt.pk).count(),
    )


def _read_works(attempts: Sequence[Attempt], document: AssessmentDocument) -> list[Work]:
    """Words, files and decisions of these attempts. Three queries."""
    ids = [attempt.pk for attempt in attempts]
    rows = {
        row.attempt_id: row
        for row in Response.objects.filter(attempt_id__in=ids, item_key=SUBMISSION)
        .order_by("attempt_id", "-id")
        .distinct("attempt_id")
    }
    marks = list(Mark.objects.filter(attempt_id__in=ids).select_related("marker__user").order_by("-id"))
    words = read_texts(
        [
            *(row.text_id for row in rows.values()),
            *(key for row in rows.values() for key in row.value.get("files", ())),
            *(mark.comment_id for mark in marks),
        ]
    )
    works = []
    for attempt in attempts:
        row = rows.get(attempt.pk)
        text = words.get(row.text_id) if row and row.text_id else None
        keys = [uuid.UUID(key) for key in row.value.get("files", ())] if row else []
        works.append(
            Work(
                attempt=attempt,
                text=text.text if text else "",
                files=tuple(words[key] for key in keys if key in words),
                decisions=tuple(
                    Decision(
                        mark=mark,
                        comment=words[mark.comment_id].text if mark.comment_id in words else "",
                        criteria=_say_levels(mark, document),
                    )
                    for mark in marks
                    if mark.attempt_id == attempt.pk
                ),
                is_erased=row is not None and text is None,
            )
        )
    return works


def _say_levels(mark: Mark, document: AssessmentDocument) -> tuple[tuple[str, str], ...]:
    language = texts.language()
    said = []
    for criterion in document.rubric:
        index = mark.levels.get(criterion.key)
        if index is None:
            continue
        level = criterion.levels[index]
        points = say_points(level.points, criterion.max_points)
        said.append(
            (texts.say(criterion.title, language), texts.join_facts(texts.say(level.title, language), points))
        )
    return tuple(said)
