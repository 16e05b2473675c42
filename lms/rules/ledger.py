"""The fold of the learning ledger: from events to where a learner stands.

A state depends on the *set* of events only: not on the order in which they arrive, nor on how often one
arrives (its client UUID tells). Events are taken by ``occurred_at``; of two at the same instant the one
that naturally comes first (a submission before its mark) goes first. Later events never un-complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID


class Verb(StrEnum):
    """What happened, in the order in which such things follow each other. Shapes of ``result`` by verb:

    - ``opened`` ``{}``
    - ``progressed`` ``{}``: ``object_key`` is the block that was reached
    - ``reflected`` ``{"empty": bool}``, ``wrote`` ``{"empty": bool}``, and keys of texts with digests:
      ``object_key`` is the block
    - ``checked`` ``{"choices": [keys], "right": bool}``: ``object_key`` is the block
    - ``attempted`` ``{"number"}``; ``object_key`` is the attempt, as in the three that follow
    - ``submitted`` ``{"number", "points", "max_points", "percent", "passed"}``: decimals as text,
      ``passed`` null while a person has to mark it
    - ``returned`` ``{"number"}``: the marker asks for another try
    - ``marked`` as ``submitted``, by a person
    - ``completed`` ``{"code", …}``: the reason
    """

    OPENED = "opened"
    PROGRESSED = "progressed"
    REFLECTED = "reflected"
    WROTE = "wrote"
    CHECKED = "checked"
    ATTEMPTED = "attempted"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    MARKED = "marked"
    COMPLETED = "completed"


_RANK = {verb: rank for rank, verb in enumerate(Verb)}
_NOT_BY_LEARNER = (Verb.RETURNED, Verb.MARKED, Verb.COMPLETED)
# After so many days without a step somebody should ask how it goes.
IDLE_DAYS = 10


class Outcome(StrEnum):
    """What became of an attempt."""

    OPEN = "open"
    WAITING = "waiting"
    RETURNED = "returned"
    FAILED = "failed"
    PASSED = "passed"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One entry of the learning ledger. ``id`` is the client UUID; ``occurred_at`` is aware."""

    id: UUID
    verb: Verb
    step: UUID
    occurred_at: datetime
    object_key: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt as the ledger tells it."""

    key: str
    number: int = 0
    started_at: datetime
    submitted_at: datetime | None = None
    outcome: Outcome = Outcome.OPEN
    points: Decimal | None = None
    max_points: Decimal | None = None
    percent: Decimal | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StepState:
    """Where a learner stands in one step.

    ``checks``, ``reflections`` and ``worksheets`` map a block's key to the last result recorded.
    ``active_at`` is the learner's own last doing, ``last_at`` the last of anything. ``attempts`` are in
    order of their number.
    """

    key: UUID
    opened_at: datetime | None = None
    last_at: datetime | None = None
    active_at: datetime | None = None
    completed_at: datetime | None = None
    reason: Mapping[str, Any] = field(default_factory=dict)
    position: str = ""
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reflections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    worksheets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()

    @property
    def written(self) -> frozenset[str]:
        """The reflections that have words now."""
        return frozenset(key for key, result in self.reflections.items() if not result.get("empty"))

    @property
    def parts(self) -> dict[str, Mapping[str, Any]]:
        """Every part that was filled in, by block key."""
        return {**self.worksheets, **self.reflections, **self.checks}

    @property
    def is_waiting(self) -> bool:
        """Whether the last attempt waits for a marker and nothing is left for the learner to do here."""
        return (
            self.completed_at is None and bool(self.attempts) and self.attempts[-1].outcome is Outcome.WAITING
        )

    @property
    def attempts_used(self) -> int:
        """Attempts started, less those that a marker gave back: being asked for another try costs none."""
        return sum(attempt.outcome is not Outcome.RETURNED for attempt in self.attempts)

    @property
    def best(self) -> Attempt | None:
        """The attempt that counts: passed before failed, then the highest percent, then the earliest."""
        decided = [
            attempt for attempt in self.attempts if attempt.outcome in (Outcome.PASSED, Outcome.FAILED)
        ]
        return min(
            decided,
            key=lambda attempt: (
                attempt.outcome is not Outcome.PASSED,
                -(attempt.percent or Decimal(0)),
                attempt.number,
                attempt.key,
            ),
            default=None,
        )

    @property
    def status(self) -> str:
        """``complete``, ``waiting``, ``returned``, ``failed`` or ``opened``, as ``StepProgress`` keeps it."""
        if self.completed_at is not None:
            return "complete"
        if not self.attempts:
            return "opened"
        last = self.attempts[-1].outcome
        return last.value if last in (Outcome.WAITING, Outcome.RETURNED, Outcome.FAILED) else "opened"


@dataclass(frozen=True, kw_only=True)
class CourseState:
    """Where a learner stands in a course: the steps that anything happened in, by key."""

    steps: Mapping[UUID, StepState] = field(default_factory=dict)

    @cached_property
    def by_number(self) -> Mapping[int, StepState]:
        """The steps by their keys as numbers, which Python compares by itself: a UUID takes a call each time."""
        return {key.int: step for key, step in self.steps.items()}

    def is_complete(self, key: UUID) -> bool:
        """Whether a step is complete."""
        step = self.by_number.get(key.int)
        return step is not None and step.completed_at is not None

    @property
    def waiting(self) -> int:
        """How many steps wait for a marker."""
        return sum(step.is_waiting for step in self.steps.values())

    @property
    def last_active(self) -> StepState | None:
        """The step that the learner worked in last."""
        active = [(step.active_at, step.key) for step in self.steps.values() if step.active_at]
        return self.steps[max(active)[1]] if active else None

    @property
    def active_at(self) -> datetime | None:
        step = self.last_active
        return step.active_at if step else None


def fold_events(events: Iterable[Event]) -> CourseState:
    """Fold the learning events of one enrolment, in any order, duplicates included."""
    by_step: dict[UUID, list[Event]] = {}
    for event in _once_in_time(events):
        by_step.setdefault(event.step, []).append(event)
    return CourseState(steps={step: _fold_in_time(step, happened) for step, happened in by_step.items()})


def fold_step(step: UUID, events: Iterable[Event]) -> StepState:
    """:func:`fold_events` of events that are all of one step; without any, nothing happened there."""
    return _fold_in_time(step, _once_in_time(events))


def _once_in_time(events: Iterable[Event]) -> list[Event]:
    # By their keys as numbers, which Python compares by itself.
    once: dict[int, Event] = {}
    for event in sorted(events, key=_in_time):
        once.setdefault(event.id.int, event)
    return list(once.values())


def _fold_in_time(step: UUID, events: Iterable[Event]) -> StepState:
    values = dict(vars(StepState(key=step)))
    for event in events:
        values |= _changes(values, event)
    return StepState(**values)


def apply_event(state: StepState, event: Event) -> StepState:
    """The state of a step after one more event that is not earlier than those before it."""
    return replace(state, **_changes(vars(state), event))


def _changes(before: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """Which fields of a `StepState` an event changes, and to what."""
    at, key, result = event.occurred_at, event.object_key, dict(event.result)
    changes: dict[str, Any] = {"last_at": at}
    if event.verb is Verb.COMPLETED and result.get("code") == "lesson_finished":
        # Finishing a lesson is the learner's own doing; an assessment's completion may follow from a mark.
        changes["active_at"] = at
    if event.verb not in _NOT_BY_LEARNER:
        changes |= {"active_at": at, "opened_at": before["opened_at"] or at}
    match event.verb:
        case Verb.PROGRESSED:
            changes["position"] = key
        case Verb.REFLECTED:
            changes |= {"reflections": {**before["reflections"], key: result}, "position": key}
        case Verb.WROTE:
            changes |= {"worksheets": {**before["worksheets"], key: result}, "position": key}
        case Verb.CHECKED:
            changes |= {"checks": {**before["checks"], key: result}, "position": key}
        case Verb.COMPLETED if before["completed_at"] is None:
            changes |= {"completed_at": at, "reason": result}
        case Verb.ATTEMPTED | Verb.SUBMITTED | Verb.RETURNED | Verb.MARKED:
            changes["attempts"] = _with_attempt(before["attempts"], event)
    return changes


def is_stuck(
    state: CourseState,
    now: datetime,
    idle_days: int = IDLE_DAYS,
    *,
    enrolled_at: datetime | None = None,
) -> bool:
    """Whether a learner who has not completed the course has done nothing for ``idle_days`` days.

    A learner who never began is counted from ``enrolled_at`` (not at all without it). Nobody is stuck
    because of a marker: while a step waits for marking, the answer is no. The caller asks only of courses
    that are not complete; a learner without attempts left is found by ``explain_incomplete``.
    """
    since = state.active_at or enrolled_at
    if since is None or state.waiting:
        return False
    return now - since >= timedelta(days=idle_days)


def _in_time(event: Event) -> tuple[datetime, int, UUID]:
    return event.occurred_at, _RANK[event.verb], event.id


def _with_attempt(attempts: tuple[Attempt, ...], event: Event) -> tuple[Attempt, ...]:
    known = {attempt.key: attempt for attempt in attempts}
    attempt = known.get(event.object_key) or Attempt(key=event.object_key, started_at=event.occurred_at)
    attempt = replace(attempt, number=int(event.result.get("number") or attempt.number))
    if event.verb is Verb.RETURNED:
        attempt = replace(attempt, outcome=Outcome.RETURNED, decided_at=event.occurred_at)
    elif event.verb in (Verb.SUBMITTED, Verb.MARKED):
        attempt = _decided(attempt, event)
    known[attempt.key] = attempt
    order = sorted(known.values(), key=lambda one: (one.number, one.started_at, one.key))
    return tuple(order)


def _decided(attempt: Attempt, event: Event) -> Attempt:
    passed = event.result.get("passed")
    outcome = Outcome.WAITING if passed is None else Outcome.PASSED if passed else Outcome.FAILED
    return replace(
        attempt,
        submitted_at=attempt.submitted_at or event.occurred_at,
        outcome=outcome,
        decided_at=None if outcome is Outcome.WAITING else event.occurred_at,
        points=_decimal(event.result.get("points")),
        max_points=_decimal(event.result.get("max_points")),
        percent=_decimal(event.result.get("percent")),
    )


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
