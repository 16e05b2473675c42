"""The steps of a course, when one of them counts as complete, and which one comes next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from lms.rules.ledger import Attempt, CourseState, Outcome, StepState
from modules.documents import Outline

ASSESSED = ("quiz", "assignment", "evaluation")


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the course engine needs to know of a step.

    ``kind``: lesson, quiz, assignment or evaluation. ``checks`` and ``reflections`` are the keys of those
    parts that are *required* to finish a lesson. ``minutes`` are about how long it takes.
    """

    key: UUID
    kind: str = "lesson"
    required: bool = True
    minutes: int = 0
    module: UUID | None = None
    checks: tuple[str, ...] = ()
    reflections: tuple[str, ...] = ()


@dataclass(frozen=True)
class CourseSteps:
    """The steps of a course edition in order. ``order``: ``sequence`` or ``free``."""

    steps: tuple[Step, ...]
    order: str = "sequence"

    @cached_property
    def assessed(self) -> frozenset[UUID]:
        """The keys of the steps that hold an assessment."""
        return frozenset(step.key for step in self.steps if step.kind in ASSESSED)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each step stands in `steps`, by its key as text."""
        return {str(step.key): place for place, step in enumerate(self.steps)}

    @cached_property
    def by_number(self) -> Mapping[int, Step]:
        """The steps by their keys as numbers, which Python compares by itself: a UUID takes a call each time."""
        return {step.key.int: step for step in self.steps}

    @classmethod
    def from_outline(cls, outline: Outline) -> CourseSteps:
        """Read them from the outline of a course edition."""
        steps = tuple(
            Step(
                key=step.key,
                kind=step.kind,
                required=step.required,
                minutes=step.minutes,
                module=module.key,
                checks=step.checks,
                reflections=step.reflections,
            )
            for module in outline.modules
            for step in module.steps
        )
        return cls(steps, outline.order)


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Whether a course is complete: ``missing`` are the required steps without a record. All in course order.

    ``complete`` is set membership and no ratio. A course that requires nothing is never complete, since
    nothing would have been earned.
    """

    required: tuple[UUID, ...]
    done: tuple[UUID, ...]
    missing: tuple[UUID, ...]

    @property
    def complete(self) -> bool:
        return bool(self.required) and not self.missing


def completion(steps: Iterable[Step], records: Collection[UUID]) -> Completion:
    """Compare the required steps with the keys of the steps that have a completion record."""
    recorded = {key.int for key in records}
    required = [step.key for step in steps if step.required]
    return Completion(
        required=tuple(required),
        done=tuple([key for key in required if key.int in recorded]),
        missing=tuple([key for key in required if key.int not in recorded]),
    )


def completion_reason(step: Step, state: StepState | None) -> Mapping[str, Any] | None:
    """Why a step may be recorded as complete now, or None if it may not: the one rule set (law 1).

    - a lesson: it was opened, every required check was answered (rightly or not: a check is practice) and
      every required reflection has words → ``{"code": "lesson_finished", "checks", "reflections"}``;
    - a quiz or an assignment: an attempt was passed → ``{"code": "assessment_passed", "attempt", …}``;
    - an evaluation: it was submitted → ``{"code": "evaluation_submitted", "attempt", "number"}``.

    A step that is complete already keeps the reason it was completed for.
    """
    if state is None:
        return None
    if state.completed_at is not None:
        return state.reason
    if step.kind not in ASSESSED:
        if state.opened_at is None or missing_checks(step, state) or missing_reflections(step, state):
            return None
        parts = {"checks": len(step.checks), "reflections": len(step.reflections)}
        return {"code": "lesson_finished", **parts}
    for attempt in state.attempts:
        if step.kind == "evaluation" and attempt.submitted_at is not None:
            return {
                "code": "evaluation_submitted",
                "attempt": attempt.key,
                "number": attempt.number,
            }
        if step.kind != "evaluation" and attempt.outcome is Outcome.PASSED:
            return {"code": "assessment_passed", **_result(attempt)}
    return None


def missing_checks(step: Step, state: StepState | None) -> tuple[str, ...]:
    """The required checks without an answer, in the lesson's order."""
    return tuple(key for key in step.checks if state is None or key not in state.checks)


def missing_reflections(step: Step, state: StepState | None) -> tuple[str, ...]:
    """The required reflections without words, in the lesson's order."""
    return tuple(key for key in step.reflections if state is None or key not in state.written)


def blocking_step(course: CourseSteps, completed: Collection[UUID], key: UUID) -> Step | None:
    """The step that keeps another one locked, or None if that is open.

    In a free course nothing is locked. In a sequence a step waits for the first earlier required step
    that is not complete; a step that is complete stays open whatever comes to stand before it.
    Errors: ``KeyError`` for a step that is not in the course.
    """
    recorded, wanted = {one.int for one in completed}, key.int
    if course.order == "free" or wanted in recorded:
        _find(course, key)
        return None
    for step in course.steps:
        if step.key.int == wanted:
            return None
        if step.required and step.key.int not in recorded:
            _find(course, key)
            return step
    raise KeyError(key)


def blocking_steps(course: CourseSteps, completed: Collection[UUID]) -> dict[UUID, Step]:
    """For every locked step of a course the one that keeps it locked, as :func:`blocking_step` says of one."""
    if course.order == "free":
        return {}
    found: dict[UUID, Step] = {}
    blocker: Step | None = None
    for step in course.steps:
        if step.key in completed:
            continue
        if blocker is not None:
            found[step.key] = blocker
        elif step.required:
            blocker = step
    return found


def is_unlocked(course: CourseSteps, completed: Collection[UUID], key: UUID) -> bool:
    """Whether a step may be opened (see :func:`blocking_step`)."""
    return blocking_step(course, completed, key) is None


def next_step(course: CourseSteps, state: CourseState) -> Step | None:
    """Where to go on: the incomplete step that was worked on last, else the first incomplete open one.

    Steps that wait for a marker are passed over: the learner can do nothing there. None: nothing is left
    to do but, perhaps, to wait.
    """
    open_steps = [step for step in _open_steps(course, state) if not _waits(state.steps.get(step.key))]
    begun = [
        (known.active_at, number)
        for number, step in enumerate(open_steps)
        if (known := state.steps.get(step.key)) and known.active_at
    ]
    if begun:
        return open_steps[max(begun)[1]]
    return open_steps[0] if open_steps else None


def _open_steps(course: CourseSteps, state: CourseState) -> list[Step]:
    """The incomplete steps that nothing keeps locked: in a sequence those up to the first that is required."""
    found: list[Step] = []
    for step in course.steps:
        if not state.is_complete(step.key):
            found.append(step)
            if step.required and course.order != "free":
                break
    return found


def _waits(state: StepState | None) -> bool:
    return state is not None and state.is_waiting


def _find(course: CourseSteps, key: UUID) -> Step:
    step = course.by_number.get(key.int)
    if step is None:
        raise KeyError(key)
    return step


def _result(attempt: Attempt) -> dict[str, Any]:
    percent = None if attempt.percent is None else format(attempt.percent, "f")
    return {"attempt": attempt.key, "number": attempt.number, "percent": percent}
