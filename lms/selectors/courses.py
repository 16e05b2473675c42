"""Where a learner stands in their courses: the way, what is next, and why something is not complete."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Subject
from core import clock
from core.prepared import PreparedQuery, given_uuid
from lms import texts
from lms.models import Accommodation, Enrolment, LearningEvent, StepProgress
from lms.outlines import steps_of
from lms.projections import read_event
from lms.rules import (
    CourseState,
    Facts,
    Grant,
    Reason,
    StepState,
    StepTerms,
    Terms,
    blocking_step,
    effective_terms,
    explain_incomplete,
    fold_events,
    next_step,
)
from modules.documents import Outline, OutlineModule, OutlineStep
from modules.models import EditionAssessment
from modules.selectors import kept_edition, outline_of, prime_outlines


@dataclass(frozen=True, kw_only=True)
class StepStatus:
    """Where a learner stands in a step: `code` is complete, waiting, returned, failed or opened."""

    code: str
    opened_at: datetime | None = None
    completed_at: datetime | None = None

    @classmethod
    def from_state(cls, state: StepState) -> StepStatus:
        return cls(code=state.status, opened_at=state.opened_at, completed_at=state.completed_at)

    @classmethod
    def from_row(cls, row: StepProgress) -> StepStatus:
        return cls(code=row.state, opened_at=row.opened_at, completed_at=row.completed_at)


@dataclass(frozen=True, kw_only=True)
class StepView:
    """A step of the way: `state` is done, here, wait, locked or todo, as the tag `path` draws it."""

    step: OutlineStep
    number: str
    title: str
    url: str
    state: str
    note: str = ""
    status: StepStatus | None = None

    @property
    def is_done(self) -> bool:
        return self.status is not None and self.status.completed_at is not None

    @property
    def full_title(self) -> str:
        return f"{self.number} {self.title}"


@dataclass(frozen=True, kw_only=True)
class ModuleView:
    """A module of the way with its steps; `done` and `total` count its required steps."""

    module: OutlineModule
    number: int
    title: str
    url: str
    steps: tuple[StepView, ...]
    done: int
    total: int
    state: str
    note: str

    @property
    def minutes(self) -> int:
        return sum(view.step.minutes for view in self.steps)

    @property
    def is_done(self) -> bool:
        return self.done == self.total


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One reason why a course is not complete, in words, with the way on."""

    code: str
    sentence: str
    step: StepView | None = None
    action: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class CourseView:
    """One learner in one course, as the screens show it."""

    enrolment: Enrolment
    outline: Outline
    state: CourseState
    modules: tuple[ModuleView, ...]
    reasons: tuple[Reason, ...]
    next: StepView | None
    done: int
    total: int
    minutes_left: int
    terms: Mapping[uuid.UUID, StepTerms] = field(default_factory=dict)
    now: datetime

    @property
    def title(self) -> str:
        return self.enrolment.edition.title_in(texts.language())

    @property
    def url(self) -> str:
        return enrolment_url(self.enrolment)

    @property
    def delivered_by(self) -> str:
        return self.enrolment.offering.organization.name_in(texts.language())

    @property
    def steps(self) -> dict[uuid.UUID, StepView]:
        return {view.step.key: view for module in self.modules for view in module.steps}

    @property
    def progress(self) -> str:
        """“5 of 24 steps”, for words beside a bar and for its label."""
        return texts.say_steps(self.done, self.total)

    @property
    def is_complete(self) -> bool:
        return self.total > 0 and self.done == self.total

    @property
    def completed_at(self) -> datetime | None:
        if not self.is_complete:
            return None
        dates = [
            view.status.completed_at
            for view in self.steps.values()
            if view.step.required and view.status and view.status.completed_at
        ]
        return max(dates, default=None)

    @property
    def is_withdrawn(self) -> bool:
        return self.enrolment.state == Enrolment.State.WITHDRAWN

    @property
    def is_closed(self) -> bool:
        return self.enrolment.closes_at is not None and self.now >= self.enrolment.closes_at

    @property
    def is_open(self) -> bool:
        """Whether what the learner does is recorded."""
        return not self.is_withdrawn and not self.is_closed

    @property
    def explanations(self) -> list[Explanation]:
        """Why the course is not complete, for each required step that is not, in course order."""
        steps = self.steps
        return [explain(reason, steps) for reason in self.reasons]

    @property
    def open_explanations(self) -> list[Explanation]:
        """Those that one can do something about, or that stand above the steps."""
        return [one for one in self.explanations if one.code != "locked_by"]

    @property
    def waiting_explanations(self) -> list[Explanation]:
        """Those of steps that only wait for an earlier one."""
        return [one for one in self.explanations if one.code == "locked_by"]


def enrolment_url(enrolment: Enrolment) -> str:
    return reverse("lms:enrolment", args=[enrolment.pk])


def step_url(enrolment: Enrolment, step: OutlineStep) -> str:
    return reverse("lms:step", args=[enrolment.pk, step.slug or step.key])


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
    found = _read_own_enrolment.first(enrolment=enrolment_id, subject=subject.pk)
    if found is None:
        raise Http404("There is no such enrolment.")
    found.subject = subject
    found.edition = kept_edition(found.edition_id)
    return found


def read_course(enrolment: Enrolment, *, here: uuid.UUID | None = None) -> CourseView:
    """One learner in one course. Three queries, and one more for an outline that the process has not read."""
    return read_courses([enrolment], here=here)[0]


def read_courses(enrolments: Sequence[Enrolment], *, here: uuid.UUID | None = None) -> list[CourseView]:
    """Several learners or several courses, at the same cost: three queries and at most one for outlines."""
    if not enrolments:
        return []
    now = clock.now()
    prime_outlines(enrolment.edition for enrolment in enrolments)
    ids = [enrolment.pk for enrolment in enrolments]
    events: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in LearningEvent.objects.filter(enrolment_id__in=ids).order_by("id"):
        events[row.enrolment_id].append(read_event(row))
    grants: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    for grant in Accommodation.objects.filter(enrolment_id__in=ids):
        grants[grant.enrolment_id].append(read_grant(grant))
    base = read_base_terms({enrolment.edition_id for enrolment in enrolments})
    return [
        _view(
            enrolment,
            state=fold_events(events[enrolment.pk]),
            terms=_apply_grants(base.get(enrolment.edition_id, {}), grants[enrolment.pk], enrolment, now),
            now=now,
            here=here,
        )
        for enrolment in enrolments
    ]


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


def read_base_terms(edition_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, BaseTerms]]:
    """Attempts and pass mark of every assessed step. One query; the documents stay where they are."""
    found: dict[uuid.UUID, dict[uuid.UUID, BaseTerms]] = defaultdict(dict)
    rows = (
        EditionAssessment.objects.filter(edition_id__in=list(edition_ids))
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
    here: uuid.UUID | None,
) -> CourseView:
    outline, course = outline_of(enrolment.edition), steps_of(enrolment.edition)
    completed = state.completed
    following = next_step(course, state) if enrolment.state == Enrolment.State.ACTIVE else None
    modules = read_modules(
        enrolment,
        statuses={key: StepStatus.from_state(step) for key, step in state.steps.items()},
        here=here or (following.key if following else None),
    )
    views = {view.step.key: view for module in modules for view in module.steps}
    required = [step for step in outline.iter_steps() if step.required]
    reasons = explain_incomplete(
        course, Facts(state=state, now=now, terms=terms, closes_at=enrolment.closes_at)
    )
    return CourseView(
        enrolment=enrolment,
        outline=outline,
        state=state,
        modules=modules,
        reasons=tuple(reasons),
        next=views[following.key] if following else None,
        done=sum(step.key in completed for step in required),
        total=len(required),
        minutes_left=sum(step.minutes for step in required if step.key not in completed),
        terms=terms,
        now=now,
    )


def read_modules(
    enrolment: Enrolment, *, statuses: Mapping[uuid.UUID, StepStatus], here: uuid.UUID | None
) -> tuple[ModuleView, ...]:
    """The way through a course. No queries."""
    outline, course = outline_of(enrolment.edition), steps_of(enrolment.edition)
    language = texts.language()
    completed = {key for key, status in statuses.items() if status.completed_at is not None}
    modules = []
    for number, module in enumerate(outline.modules, start=1):
        steps = tuple(
            _view_step(
                enrolment,
                step,
                number=f"{number}.{place}",
                status=statuses.get(step.key),
                here=here == step.key,
                locked=blocking_step(course, completed, step.key) is not None,
                language=language,
            )
            for place, step in enumerate(module.steps, start=1)
        )
        modules.append(_view_module(enrolment, module, number, steps, language))
    return tuple(modules)


def _view_step(
    enrolment: Enrolment,
    step: OutlineStep,
    *,
    number: str,
    status: StepStatus | None,
    here: bool,
    locked: bool,
    language: str,
) -> StepView:
    done = status is not None and status.completed_at is not None
    view = StepView(
        step=step,
        number=number,
        title=step.title_in(language),
        url=step_url(enrolment, step),
        state="todo",
        status=status,
    )
    word = texts.say_step_state(status.code if status else "", done=done, locked=locked)
    if done:
        state = "done"
    elif locked:
        state = "locked"
    elif status is not None:
        state = "wait"
    else:
        state = "todo"
    if here:
        word = _("You are here") if not done else word
        state = "here"
    kind = "" if step.is_lesson else texts.say_step_kind(step.kind)
    optional = "" if step.required else _("Optional")
    return replace(
        view, state=state, note=texts.join_facts(word, kind, optional, texts.say_duration(step.minutes))
    )


def _view_module(
    enrolment: Enrolment, module: OutlineModule, number: int, steps: tuple[StepView, ...], language: str
) -> ModuleView:
    required = [view for view in steps if view.step.required]
    done = sum(view.is_done for view in required)
    begun = any(view.status is not None for view in steps)
    here = any(view.state == "here" for view in steps)
    if done == len(required):
        state = "done"
    elif here:
        state = "here"
    elif begun:
        state = "wait"
    elif steps and all(view.state == "locked" for view in steps):
        state = "locked"
    else:
        state = "todo"
    waiting = _("you are here") if here and done < len(required) else ""
    return ModuleView(
        module=module,
        number=number,
        title=texts.say(module.title, language),
        url=f"{enrolment_url(enrolment)}#module-{number}",
        steps=steps,
        done=done,
        total=len(required),
        state=state,
        note="; ".join(part for part in (texts.say_steps(done, len(required)), waiting) if part),
    )
