"""Where a learner stands in their courses: the way, what is next, and why something is not complete."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django.db.models import Case, F, QuerySet, TextField, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import Http404
from django.utils import timezone

from accounts.models import Subject
from core import clock
from core.kept import Kept, Shown
from core.prepared import PreparedQuery, given_uuid, is_among
from core.questions import Question, ask_together
from lms import texts
from lms.models import Accommodation, Enrolment, LearningEvent, StepProgress
from lms.outlines import steps_of
from lms.projections import read_event
from lms.rules import (
    CourseState,
    Event,
    Facts,
    Grant,
    Reason,
    StepState,
    StepTerms,
    Terms,
    effective_terms,
    explain_incomplete,
    fold_events,
    next_step,
)
from lms.selectors.ways import ModuleView, StepView, Taken, Way, enrolment_url, find_way
from lms.words import say_moment
from modules.documents import Outline
from modules.models import EditionAssessment
from modules.selectors import kept_edition, outline_of, prime_outlines


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One reason why a course is not complete, in words, with the way on."""

    code: str
    sentence: str
    step: StepView | None = None
    action: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Why(Shown):
    """Why a course is not complete, in words, for everybody to whom the same reasons apply.

    The addresses are relative to the learner's own course.
    """

    way: Way
    reasons: tuple[Reason, ...]
    # Dates are said without the year where it is this one.
    year: int

    @property
    def shows(self) -> tuple[Hashable, ...]:
        return (self.way, self.reasons, self.year)

    @cached_property
    def explanations(self) -> list[Explanation]:
        steps = {view.step.key: view for view in self.way.steps}
        return [explain(reason, steps) for reason in self.reasons]

    @property
    def open(self) -> list[Explanation]:
        """Those that one can do something about, or that stand above the steps."""
        return [one for one in self.explanations if one.code != "locked_by"]

    @property
    def waiting(self) -> list[Explanation]:
        """Those of steps that only wait for an earlier one."""
        return [one for one in self.explanations if one.code == "locked_by"]


@dataclass(frozen=True, kw_only=True)
class CourseView(Taken):
    """One learner in one course, as the screens show it."""

    enrolment: Enrolment
    outline: Outline
    state: CourseState
    way: Way
    reasons: tuple[Reason, ...]
    following: uuid.UUID | None
    terms: Mapping[uuid.UUID, StepTerms] = field(default_factory=dict)
    now: datetime

    @property
    def title(self) -> str:
        return self.enrolment.edition.title_in(texts.language())

    @cached_property
    def url(self) -> str:
        return enrolment_url(self.enrolment)

    @property
    def delivered_by(self) -> str:
        return self.enrolment.offering.organization.name_in(texts.language())

    @cached_property
    def modules(self) -> tuple[ModuleView, ...]:
        return self.way.based(self.url)

    @cached_property
    def steps(self) -> dict[uuid.UUID, StepView]:
        return {view.step.key: view for module in self.modules for view in module.steps}

    @cached_property
    def next(self) -> StepView | None:
        """The step to go on with."""
        return self.way.step(self.following, base=self.url) if self.following else None

    @property
    def done(self) -> int:
        return self.way.done

    @property
    def total(self) -> int:
        return self.way.total

    @property
    def minutes_left(self) -> int:
        return self.way.minutes_left

    @property
    def progress(self) -> str:
        """“5 of 24 steps”, for words beside a bar and for its label."""
        return texts.say_steps(self.done, self.total)

    @property
    def is_complete(self) -> bool:
        return self.way.is_complete

    @property
    def completed_at(self) -> datetime | None:
        if not self.is_complete:
            return None
        required = (step.key for step in self.outline.iter_steps() if step.required)
        dates = [state.completed_at for key in required if (state := self.state.steps.get(key))]
        return max((date for date in dates if date), default=None)

    @property
    def closes(self) -> str:
        """When it closes for the learner, in words; empty where it does not."""
        return say_moment(self.enrolment.closes_at) if self.enrolment.closes_at else ""

    @cached_property
    def why(self) -> Why:
        """Why it is not complete, for who stands here."""
        return Why(way=self.way, reasons=self.reasons, year=timezone.localtime(self.now).year)

    @property
    def explanations(self) -> list[Explanation]:
        """Why the course is not complete, for each required step that is not, in course order."""
        steps = self.steps
        return [explain(reason, steps) for reason in self.reasons]


def explain(reason: Reason, steps: Mapping[uuid.UUID, StepView]) -> Explanation:
    """A reason in words. The way on leads to the very part that is missing."""
    view = steps.get(reason.step) if reason.step else None
    params = reason.params()
    blocker = steps.get(params["by"]) if "by" in params else None
    goal = blocker or view
    url = goal.url if goal else ""
    if parts := [*params.get("checks", ()), *params.get("reflections", ())]:
        url = f"{url}#part-{parts[0]}"
    return Explanation(
        code=reason.code,
        sentence=texts.say_reason(reason.code, params, blocker=blocker.full_title if blocker else ""),
        step=view,
        action=texts.say_way_on(reason.code, blocker=blocker.full_title if blocker else "") if goal else "",
        url=url,
    )


def own_enrolments(subject: Subject) -> QuerySet[Enrolment]:
    """The enrolments of a person, with what a screen shows of each, the latest first."""
    return (
        Enrolment.objects.filter(subject=subject)
        .select_related("edition", "offering__organization", "subject", "progress")
        .defer("edition__outline", "edition__note")
        .order_by("-enrolled_at")
    )


_read_own_enrolment: Final = PreparedQuery(
    lambda: Enrolment.objects.filter(pk=given_uuid("enrolment"), subject_id=given_uuid("subject")),
    joined=("offering", "offering__organization", "progress"),
)


def find_own_enrolment(subject: Subject, enrolment_id: uuid.UUID) -> Enrolment:
    """A person's own enrolment. A stranger's does not exist for them: 404. One query."""
    return find_own_enrolment_along(subject, enrolment_id)[0]


def find_own_enrolment_along(
    subject: Subject, enrolment_id: uuid.UUID, questions: Sequence[Question[Any]] = ()
) -> tuple[Enrolment, Sequence[list[Any]]]:
    """The same, with the answers to questions that are asked in the same round trip."""
    own = Question.of(_read_own_enrolment, enrolment=enrolment_id, subject=subject.pk)
    found, *answers = ask_together(own, *questions)
    if not found:
        raise Http404("There is no such enrolment.")
    enrolment: Enrolment = found[0]
    enrolment.subject = subject
    enrolment.edition = kept_edition(enrolment.edition_id)
    return enrolment, answers


def read_course(
    enrolment: Enrolment, *, with_reasons: bool = False, along: Sequence[list[Any]] | None = None
) -> CourseView:
    """One learner in one course, at the cost of `read_courses`."""
    return read_courses([enrolment], with_reasons=with_reasons, along=along)[0]


# The documents come as their texts, since most of them are not asked for: what was done in a step that is complete.
_read_progress: Final = PreparedQuery(
    lambda: StepProgress.objects.filter(is_among("enrolment_id", "enrolments")).annotate(
        enrolment_key=F("enrolment_id"),
        why=Cast("reason", TextField()),
        done=Case(When(completed_at__isnull=True, then=Cast("parts", TextField()))),
    ),
    fields=("id", "step_key", "opened_at", "last_at", "completed_at"),
    extra=("enrolment_key", "why", "done"),
)
_PROGRESS: Final = ("step_key", "opened_at", "last_at", "completed_at", "enrolment_key", "why", "done")
_read_attempts: Final = PreparedQuery(
    lambda: LearningEvent.objects.filter(
        is_among("enrolment_id", "enrolments"), is_among("step_key", "steps")
    ).order_by("id")
)
_read_grants: Final = PreparedQuery(
    lambda: Accommodation.objects.filter(is_among("enrolment_id", "enrolments"))
)


def ask_standing(enrolment_ids: Sequence[uuid.UUID]) -> tuple[Question[Any], Question[Any]]:
    """What `read_courses` needs to know first, to be asked along with other things."""
    given = {"enrolments": enrolment_ids}
    return Question(_read_progress, given, columns=_PROGRESS), Question(_read_grants, given)


def read_courses(
    enrolments: Sequence[Enrolment],
    *,
    with_reasons: bool = False,
    along: Sequence[list[Any]] | None = None,
) -> list[CourseView]:
    """Several learners or several courses, at the same cost: one round trip, none where the answers to `ask_standing`
    were read `along` with something else; a second where an assessment is under way.

    One more for outlines, and one for terms, that the process has not read. Only `with_reasons` the state says for
    what reason a step is complete.
    """
    if not enrolments:
        return []
    now = clock.now()
    prime_outlines(enrolment.edition for enrolment in enrolments)
    ids = [enrolment.pk for enrolment in enrolments]
    grants: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    progress, granted = along or ask_together(*ask_standing(ids))
    for grant in granted:
        grants[grant.enrolment_id].append(read_grant(grant))
    base = read_base_terms({enrolment.edition_id for enrolment in enrolments})
    states = _read_states(enrolments, progress, with_reasons=with_reasons)
    return [
        _view(
            enrolment,
            state=states[enrolment.pk],
            terms=_apply_grants(base.get(enrolment.edition_id, {}), grants[enrolment.pk], enrolment, now),
            now=now,
        )
        for enrolment in enrolments
    ]


def _read_states(
    enrolments: Sequence[Enrolment], progress: Iterable[Sequence[Any]], *, with_reasons: bool
) -> dict[uuid.UUID, CourseState]:
    """Where each learner stands in each step: as projected, and from the ledger where attempts matter.

    At most one query. Of a step that is complete, and of a lesson, the projection tells all that is asked of it. What
    an assessment that is not complete waits for is told by its attempts.
    """
    ids = [enrolment.pk for enrolment in enrolments]
    rows: dict[int, list[StepState]] = defaultdict(list)
    begun: list[tuple[uuid.UUID, uuid.UUID]] = []
    for *values, enrolment_id, reason, parts in progress:
        state = _read_state(values, reason=reason if with_reasons else None, parts=parts)
        rows[enrolment_id.int].append(state)
        if state.completed_at is None:
            begun.append((enrolment_id, state.key))
    assessed = {enrolment.pk: steps_of(enrolment.edition).assessed for enrolment in enrolments}
    under_way = {(enrolment, step) for enrolment, step in begun if step in assessed[enrolment]}
    events: dict[uuid.UUID, list[Event]] = defaultdict(list)
    if under_way:
        asked = {
            "enrolments": list({enrolment for enrolment, _step in under_way}),
            "steps": list({step for _enrolment, step in under_way}),
        }
        for event in _read_attempts.objects(**asked):
            if (event.enrolment_id, event.step_key) in under_way:
                events[event.enrolment_id].append(read_event(event))
    return {
        key: CourseState(
            steps={**{state.key: state for state in rows[key.int]}, **fold_events(events[key]).steps}
        )
        for key in ids
    }


def _read_state(row: Sequence[Any], *, reason: str | None, parts: str | None) -> StepState:
    """A step as the projection tells it: all but its attempts, and its parts without saying which is of which kind."""
    key, opened_at, last_at, completed_at = row
    done = json.loads(parts) if parts else {}
    return StepState(
        key=key,
        opened_at=opened_at,
        last_at=last_at,
        active_at=last_at,
        completed_at=completed_at,
        reason=json.loads(reason) if reason else {},
        checks=done,
        reflections=done,
    )


def read_grant(row: Accommodation) -> Grant:
    """An accommodation as the rules read it."""
    return Grant(
        id=row.pk,
        step=row.step_key,
        time_factor=row.time_factor,
        extra_attempts=row.extra_attempts,
        ends_at=row.ends_at,
    )


@dataclass(frozen=True, kw_only=True)
class BaseTerms:
    """What an assessed step allows before anything is granted."""

    attempts: int | None
    pass_mark: Decimal | None


_terms: Final[Kept[uuid.UUID, dict[uuid.UUID, BaseTerms]]] = Kept(64)


def read_base_terms(edition_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, BaseTerms]]:
    """Attempts and pass mark of every assessed step. At most one query, mostly none: an edition never changes."""
    found = {key: _terms.find(key) for key in edition_ids}
    if missing := [key for key, terms in found.items() if terms is None]:
        for key, terms in _read_terms(missing).items():
            found[key] = _terms.keep(key, terms)
    return {key: terms or {} for key, terms in found.items()}


def _read_terms(edition_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, BaseTerms]]:
    """One query; the documents stay where they are."""
    found: dict[uuid.UUID, dict[uuid.UUID, BaseTerms]] = {key: {} for key in edition_ids}
    rows = (
        EditionAssessment.objects.filter(edition_id__in=edition_ids)
        .annotate(
            attempts=KeyTextTransform("attempts", "assessment__document"),
            pass_mark=KeyTextTransform("pass_mark", "assessment__document"),
        )
        .values_list("edition_id", "step_key", "attempts", "pass_mark")
    )
    for edition_id, step_key, attempts, pass_mark in rows:
        found[edition_id][step_key] = BaseTerms(
            attempts=int(attempts) if attempts is not None else None,
            pass_mark=Decimal(pass_mark) if pass_mark is not None else None,
        )
    return found


def _apply_grants(
    base: Mapping[uuid.UUID, BaseTerms], grants: Sequence[Grant], enrolment: Enrolment, now: datetime
) -> dict[uuid.UUID, StepTerms]:
    terms = {}
    for key, known in base.items():
        effective = effective_terms(
            Terms(attempts_allowed=known.attempts, closes_at=enrolment.closes_at), grants, step=key, at=now
        )
        terms[key] = StepTerms(pass_mark=known.pass_mark, attempts_allowed=effective.attempts_allowed)
    return terms


def _view(
    enrolment: Enrolment,
    *,
    state: CourseState,
    terms: Mapping[uuid.UUID, StepTerms],
    now: datetime,
) -> CourseView:
    course = steps_of(enrolment.edition)
    following = next_step(course, state) if enrolment.state == Enrolment.State.ACTIVE else None
    facts = Facts(state=state, now=now, terms=terms, closes_at=enrolment.closes_at)
    return CourseView(
        enrolment=enrolment,
        outline=outline_of(enrolment.edition),
        state=state,
        way=find_way(
            enrolment.edition,
            {key: step.status for key, step in state.by_number.items()},
            here=following.key if following else None,
        ),
        reasons=tuple(explain_incomplete(course, facts)),
        following=following.key if following else None,
        terms=terms,
        now=now,
    )
