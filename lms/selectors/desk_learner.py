"""One learner as their instructor sees them: why not complete, every step, attempts, evidence, and the ledger itself.

What a learner writes for themselves (reflections, worksheets) is not read here: only that they wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import PersonalText
from accounts.services import read_texts
from core import clock
from lms import texts
from lms.desk_texts import say_days_ago, say_reason, say_step_state
from lms.models import Accommodation, Enrolment, EnrolmentEvent, Evidence, LearningEvent
from lms.selectors.courses import CourseView, StepView, read_course
from lms.selectors.desk import colon
from lms.selectors.desk_attempts import AttemptLine, read_attempts
from lms.selectors.desk_people import LearnerHead, name_of
from lms.words import say_date, say_moment, say_percent, say_points
from modules.models import EditionAssessment
from standards.models import Level

EVENTS_A_PAGE = 25
# A device that was offline sends later than it happened.
LATE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """A step with where the learner stands in it, and why."""

    view: StepView
    state: str
    word: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class EvidenceLine:
    """One entry of the evidence ledger that this enrolment gave."""

    code: str
    title: str
    level: str
    kind: str
    holds: bool
    when: str
    by: str
    result: str


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """Something that was decided about the enrolment: by whom, when, and why where a reason was given."""

    at: datetime
    what: str
    by: str
    reason: str

    @property
    def when(self) -> str:
        return say_date(self.at)


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """One entry of the learning ledger in words."""

    when: str
    what: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class LearnerPage:
    """One learner in one offering."""

    head: LearnerHead
    course: CourseView
    why: tuple[tuple[str, str], ...]
    steps: tuple[StepLine, ...]
    attempts: tuple[AttemptLine, ...]
    evidence: tuple[EvidenceLine, ...]
    history: tuple[HistoryLine, ...]
    allowances: tuple[str, ...]
    ledger: tuple[LedgerLine, ...]
    ledger_page: Page

    @property
    def lead(self) -> str:
        """How far, and when they were last here."""
        progress = self.head.enrolment.progress
        said = [_("%(steps)s complete.") % {"steps": self.course.progress}]
        if self.course.is_complete and self.course.completed_at:
            said = [_("Complete since %(date)s.") % {"date": say_date(self.course.completed_at)}]
        elif progress.last_at is None:
            said.append(_("Not begun yet."))
        else:
            step = self.course.steps.get(progress.last_step_key) if progress.last_step_key else None
            age = say_days_ago(progress.last_at, self.head.now)
            title = step.full_title if step else ""
            said.append(_("Last step %(age)s, in “%(step)s”.") % {"age": age, "step": title})
        return " ".join(said)


def read_learner(enrolment: Enrolment, *, page: int | str = 1) -> LearnerPage:
    """One learner. Thirteen queries at most, however long their ledger is."""
    course = read_course(enrolment, with_reasons=True)
    titles = {key: view.full_title for key, view in course.steps.items()}
    places = dict(
        EditionAssessment.objects.filter(edition_id=enrolment.edition_id).values_list(
            "assessment_id", "step_key"
        )
    )
    events = LearningEvent.objects.filter(enrolment=enrolment).order_by("-occurred_at", "-id")
    shown = Paginator(events, EVENTS_A_PAGE).get_page(page)
    history, allowances = _read_history(enrolment, titles)
    return LearnerPage(
        head=LearnerHead(enrolment=enrolment, now=course.now),
        course=course,
        why=explain_course(course),
        steps=tuple(_describe_step(view, course) for view in course.steps.values()),
        attempts=tuple(read_attempts(enrolment, places, titles)),
        evidence=tuple(_read_evidence(enrolment)),
        history=history,
        allowances=allowances,
        ledger=tuple(describe_event(event, titles) for event in shown),
        ledger_page=shown,
    )


def explain_course(course: CourseView) -> tuple[tuple[str, str], ...]:
    """Why the course is not complete: the very reasons the learner reads, said of them. (Step, sentence); no query.

    Steps that only wait for another one come last.
    """
    steps = course.steps
    told = []
    for reason in sorted(course.reasons, key=lambda one: one.code == "locked_by"):
        params = reason.params()
        view = steps.get(reason.step) if reason.step else None
        blocker = steps.get(params["by"]) if "by" in params else None
        sentence = say_reason(reason.code, params, blocker=blocker.full_title if blocker else "")
        told.append((view.full_title if view else _("The course"), sentence))
    return tuple(told)


def _describe_step(view: StepView, course: CourseView) -> StepLine:
    state = course.state.steps.get(view.step.key)
    code = state.status if state else ""
    locked = view.state == "locked"
    details = []
    if state and state.completed_at:
        details.append(texts.say_completion(state.reason, state.completed_at))
    else:
        details += [
            say_reason(reason.code, reason.params())
            for reason in course.reasons
            if reason.step == view.step.key and reason.code != "locked_by"
        ]
    if not view.step.required:
        details.append(_("Optional."))
    shape = {"complete": "ok", "waiting": "wait", "returned": "wait", "failed": "stop", "opened": "wait"}
    return StepLine(
        view=view,
        state=shape.get(code, "none"),
        word=say_step_state(code, locked=locked),
        detail=" ".join(details),
    )


def _read_evidence(enrolment: Enrolment) -> list[EvidenceLine]:
    rows = (
        Evidence.objects.filter(enrolment=enrolment, retracts__isnull=True, retraction__isnull=True)
        .select_related("edition_competency", "assessor__user")
        .defer("edition_competency__levels", "edition_competency__sources")
        .order_by("edition_competency__position", "level", "id")
    )
    return [
        EvidenceLine(
            code=row.edition_competency.code,
            title=row.edition_competency.title_in(texts.language()),
            level=str(Level(row.level).label),
            kind=str(Evidence.Kind(row.kind).label),
            holds=row.strength == "holds",
            when=say_date(row.valid_from),
            by=name_of(row.assessor) if row.assessor_id else "",
            result=say_points(Decimal(row.result["points"]), Decimal(row.result["max_points"]))
            if "points" in row.result
            else "",
        )
        for row in rows
    ]


# --- What was decided about the enrolment -------------------------------------------------------------------------


def _read_history(
    enrolment: Enrolment, titles: Mapping[uuid.UUID, str]
) -> tuple[tuple[HistoryLine, ...], tuple[str, ...]]:
    events = list(EnrolmentEvent.objects.filter(enrolment=enrolment).select_related("actor__user"))
    grants = list(Accommodation.objects.filter(enrolment=enrolment).select_related("granted_by__user"))
    words = read_texts([*(event.reason_id for event in events), *(grant.reason_id for grant in grants)])
    zone = ZoneInfo(enrolment.offering.time_zone)
    lines = [
        HistoryLine(
            at=event.recorded_at,
            what=_describe_enrolment_event(event, zone),
            by=name_of(event.actor),
            reason=_reason(words, event.reason_id),
        )
        for event in events
    ] + [
        HistoryLine(
            at=grant.granted_at,
            what=describe_grant(grant, titles),
            by=name_of(grant.granted_by),
            reason=_reason(words, grant.reason_id),
        )
        for grant in grants
    ]
    now = clock.now()
    standing = [
        describe_grant(grant, titles) for grant in grants if grant.ends_at is None or now < grant.ends_at
    ]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True)), tuple(standing)


def _reason(words: Mapping[uuid.UUID, PersonalText], key: uuid.UUID | None) -> str:
    return words[key].text if key and key in words else ""


def _describe_enrolment_event(event: EnrolmentEvent, zone: ZoneInfo) -> str:
    kind = EnrolmentEvent.Kind(event.kind)
    if kind == EnrolmentEvent.Kind.EXTENDED:
        closes_at = parse_datetime(event.data["closes_at"]) if event.data.get("closes_at") else None
        if closes_at is None:
            return _("Extended: no closing date any more")
        return _("Extended to %(date)s") % {"date": say_date(closes_at, zone=zone, year=True)}
    return str(kind.label)


def describe_grant(grant: Accommodation, titles: Mapping[uuid.UUID, str]) -> str:
    """An accommodation in words: what, in which step, until when."""
    said = []
    if grant.time_factor > 1:
        more = (grant.time_factor - 1) * 100
        said.append(_("%(percent)s more time") % {"percent": say_percent(more)})
    if grant.extra_attempts == 1:
        said.append(_("One more attempt"))
    elif grant.extra_attempts:
        said.append(_("%(count)d more attempts") % {"count": grant.extra_attempts})
    if grant.format:
        said.append(grant.format)
    where = (
        titles.get(grant.step_key, _("a step of an earlier edition")) if grant.step_key else _("every step")
    )
    until = ""
    if grant.ends_at:
        until = _("until %(date)s") % {"date": say_date(grant.ends_at)}
    return texts.join_facts(", ".join(said), where, until)


# --- The ledger in words ------------------------------------------------------------------------------------------


def describe_event(event: LearningEvent, titles: Mapping[uuid.UUID, str]) -> LedgerLine:
    """One entry of the learning ledger. No query. Of what a learner wrote for themselves, only that they wrote."""
    detail = [titles.get(event.step_key, _("A step of another edition"))]
    if event.recorded_at - event.occurred_at > LATE:
        detail.append(_("received %(moment)s") % {"moment": say_moment(event.recorded_at)})
    return LedgerLine(when=say_moment(event.occurred_at), what=_say_event(event), detail=" · ".join(detail))


def _say_event(event: LearningEvent) -> str:
    result = event.result
    number = result.get("number") or 1
    match event.verb:
        case "opened":
            return _("Opened it")
        case "progressed":
            return _("Read on")
        case "reflected":
            return (
                _("Took back what a reflection said") if result.get("empty") else _("Wrote in a reflection")
            )
        case "wrote":
            return _("Emptied a worksheet") if result.get("empty") else _("Wrote in a worksheet")
        case "checked":
            return (
                _("Answered a check rightly")
                if result.get("right")
                else _("Answered a check, not rightly yet")
            )
        case "attempted":
            return _("Began attempt %(number)d") % {"number": number}
        case "submitted":
            return _("Handed in attempt %(number)d") % {"number": number} + _say_score(result)
        case "marked":
            return _("Attempt %(number)d was marked") % {"number": number} + _say_score(result)
        case "returned":
            return _("Attempt %(number)d was returned for another try") % {"number": number}
        case "completed":
            return pgettext("in the ledger", "Completed it")
    return str(event.verb)


def _say_score(result: Mapping[str, Any]) -> str:
    if result.get("passed") is None or "points" not in result:
        return ""
    points = say_points(Decimal(result["points"]), Decimal(result["max_points"]))
    passed = _("passed") if result["passed"] else _("not passed")
    return colon() + texts.join_facts(points, passed)
