"""Why is this not complete? The one answer for learner, instructor and registrar alike.

A reason is a small typed record with a ``code``; its words are made elsewhere from ``code`` and
``params()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from assessments.rules import attempts_left
from lms.rules.ledger import Attempt, CourseState, Outcome, StepState
from lms.rules.steps import (
    ASSESSED,
    CourseSteps,
    Step,
    completion_reason,
    missing_checks,
    missing_reflections,
)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing that stands between a learner and completion. ``step`` None: the course as a whole."""

    code: ClassVar[str]
    step: UUID | None

    def params(self) -> dict[str, Any]:
        """Everything but the code, by name."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class NotOpened(Reason):
    code = "not_opened"


@dataclass(frozen=True, kw_only=True)
class OpenedNotFinished(Reason):
    """Nothing is missing but the learner's word that the step is finished."""

    code = "opened_not_finished"


@dataclass(frozen=True, kw_only=True)
class CheckUnanswered(Reason):
    code = "check_unanswered"
    checks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReflectionEmpty(Reason):
    code = "reflection_empty"
    reflections: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AttemptNotSubmitted(Reason):
    """``started_at`` None: no attempt was begun."""

    code = "attempt_not_submitted"
    started_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AttemptFailed(Reason):
    """``percent`` is the best so far; ``attempts_left`` None: as many as one likes."""

    code = "attempt_failed"
    percent: Decimal | None
    pass_mark: Decimal | None
    attempts_left: int | None


@dataclass(frozen=True, kw_only=True)
class NoAttemptsLeft(Reason):
    code = "no_attempts_left"
    percent: Decimal | None
    pass_mark: Decimal | None


@dataclass(frozen=True, kw_only=True)
class WaitingForMarking(Reason):
    code = "waiting_for_marking"
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReturnedForResubmission(Reason):
    code = "returned_for_resubmission"
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class LockedBy(Reason):
    """``by`` is the step to complete first."""

    code = "locked_by"
    by: UUID


@dataclass(frozen=True, kw_only=True)
class WindowClosed(Reason):
    code = "window_closed"
    closed_at: datetime


REASONS: dict[str, type[Reason]] = {
    kind.code: kind
    for kind in (
        NotOpened,
        OpenedNotFinished,
        CheckUnanswered,
        ReflectionEmpty,
        AttemptNotSubmitted,
        AttemptFailed,
        NoAttemptsLeft,
        WaitingForMarking,
        ReturnedForResubmission,
        LockedBy,
        WindowClosed,
    )
}


@dataclass(frozen=True, kw_only=True)
class StepTerms:
    """What holds for one learner in one assessed step, accommodations included.

    ``pass_mark`` in percent; ``attempts_allowed`` None: no limit; ``closes_at`` None: with the course.
    """

    pass_mark: Decimal | None = None
    attempts_allowed: int | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the answer rests on: the folded ledger, the terms of assessed steps, the window, the time."""

    state: CourseState
    now: datetime
    terms: Mapping[UUID, StepTerms] = field(default_factory=dict)
    closes_at: datetime | None = None


def explain_incomplete(outline: CourseSteps, facts: Facts) -> list[Reason]:
    """Say why a course is not complete, step by step in course order; empty exactly if it is complete.

    Optional steps are no reason. A closed window comes first, since it stands above the rest; a locked step
    says only by which step. (A course that requires no step is never complete and has no step to name:
    then, too, the list is empty; ``completion`` tells.)
    """
    is_complete = facts.state.is_complete
    missing = [step for step in outline.steps if step.required and not is_complete(step.key)]
    if not missing:
        return []
    # In a sequence everything waits for the first of them (:func:`blocking_steps`).
    first = missing[0]
    reasons: list[Reason] = []
    closed = facts.closes_at is not None and facts.now >= facts.closes_at
    if closed and facts.closes_at is not None:
        reasons.append(WindowClosed(step=None, closed_at=facts.closes_at))
    for step in missing:
        if step is not first and outline.order != "free":
            reasons.append(LockedBy(step=step.key, by=first.key))
            continue
        terms = facts.terms.get(step.key, StepTerms())
        if not closed and terms.closes_at is not None and facts.now >= terms.closes_at:
            reasons.append(WindowClosed(step=step.key, closed_at=terms.closes_at))
        reasons += explain_step(step, facts.state.steps.get(step.key), terms)
    return reasons


def explain_step(step: Step, state: StepState | None, terms: StepTerms) -> list[Reason]:
    """Say why one open step is not complete; never empty for a step that is not."""
    if state is not None and state.completed_at is not None:
        return []
    if step.kind in ASSESSED and state is not None and state.attempts:
        return [_explain_attempts(step, state, state.attempts[-1], terms)]
    if state is None or state.opened_at is None:
        return [NotOpened(step=step.key)]
    if step.kind in ASSESSED:
        return [AttemptNotSubmitted(step=step.key, started_at=None)]
    reasons: list[Reason] = []
    if checks := missing_checks(step, state):
        reasons.append(CheckUnanswered(step=step.key, checks=checks))
    if reflections := missing_reflections(step, state):
        reasons.append(ReflectionEmpty(step=step.key, reflections=reflections))
    return reasons or [OpenedNotFinished(step=step.key)]


def _explain_attempts(step: Step, state: StepState, last: Attempt, terms: StepTerms) -> Reason:
    if completion_reason(step, state) is not None:
        return OpenedNotFinished(step=step.key)
    if last.outcome is Outcome.OPEN:
        return AttemptNotSubmitted(step=step.key, started_at=last.started_at)
    if last.outcome is Outcome.WAITING:
        return WaitingForMarking(step=step.key, since=last.submitted_at)
    if last.outcome is Outcome.RETURNED:
        return ReturnedForResubmission(step=step.key, since=last.decided_at)
    percent = state.best.percent if state.best else None
    left = attempts_left(allowed=terms.attempts_allowed, used=state.attempts_used)
    if left == 0:
        return NoAttemptsLeft(step=step.key, percent=percent, pass_mark=terms.pass_mark)
    return AttemptFailed(step=step.key, percent=percent, pass_mark=terms.pass_mark, attempts_left=left)
