"""A learner's ledger of one step: opened under the lock of the enrolment, added to, projected, announced.

What a step did until now is read once. What is added is folded in memory, and all that follows from it (evidence,
standing, the rows of the step and of the course) is written in few round trips, in the transaction of the fact.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import starmap
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Subject
from core import clock
from core.errors import DomainError, NotFound
from core.prepared import given_uuid
from core.prepared_writes import PreparedLock, PreparedRows, run_with_next
from core.questions import Question, ask_together
from lms.models import Enrolment, Evidence, LearningEvent, StepProgress
from lms.outlines import steps_of
from lms.projections import (
    EVENT_FIELDS,
    StepRecord,
    ask_events,
    ask_evidence,
    ask_records,
    make_course_row,
    make_entry,
    make_event,
    make_standings,
    make_step_row,
    write_courses,
    write_standings,
    write_steps,
)
from lms.rules import Step, StepState, blocking_step, fold_step
from lms.signals import course_completed, evidence_recorded
from modules.selectors import kept_edition


def _prepare_lock(find: Callable[[], QuerySet[Enrolment]]) -> PreparedLock[Enrolment]:
    return PreparedLock(
        find,
        joined=("offering", "subject"),
        also=(Subject,),
    )


_lock: Final = _prepare_lock(lambda: Enrolment.objects.filter(pk=given_uuid("enrolment")))
_lock_own: Final = _prepare_lock(
    lambda: Enrolment.objects.filter(pk=given_uuid("enrolment"), subject_id=given_uuid("subject"))
)
_write_events: Final = PreparedRows(
    LearningEvent,
    (
        "client_id",
        "recorded_at",
        "enrolment_id",
        "subject_id",
        "verb",
        "step_key",
        "object_key",
        "result",
        "language",
        "occurred_at",
    ),
)
_write_evidence: Final = PreparedRows(
    Evidence,
    (
        "client_id",
        "recorded_at",
        "subject_id",
        "edition_competency_id",
        "level",
        "kind",
        "strength",
        "source",
        "enrolment_id",
        "step_key",
        "assessor_id",
        "result",
        "valid_from",
    ),
    ignore_conflicts=True,
)


class StepLocked(DomainError):
    """An earlier step has to be completed first."""

    code = "step_locked"


@dataclass(frozen=True, kw_only=True)
class Gained:
    """Evidence of one source, as rows that are not written yet, and the competencies that it bears on."""

    kind: str
    source: uuid.UUID
    competencies: Sequence[uuid.UUID]
    rows: Sequence[Mapping[str, object]]


def lock_enrolment(enrolment_id: uuid.UUID) -> Enrolment:
    """The enrolment, locked for the transaction, with what a step needs. One query.

    The learner's key is locked with it: their standing rests on what they do in all their courses, so two of them
    must not be projected at once.
    """
    return _found(_lock.objects(enrolment=enrolment_id), enrolment_id)


def _found(rows: Sequence[Enrolment], enrolment_id: uuid.UUID) -> Enrolment:
    if not rows:
        raise Enrolment.DoesNotExist(f"There is no enrolment {enrolment_id}.")
    rows[0].edition = kept_edition(rows[0].edition_id)
    return rows[0]


def find_step(enrolment: Enrolment, step_key: uuid.UUID) -> Step:
    """The step of the pinned edition. No query once the outline is read."""
    step = steps_of(enrolment.edition).by_number.get(step_key.int)
    if step is None:
        raise NotFound(_("This step is not part of your course."))
    return step


class StepLedger:
    """What a learner did in one step, and what is being added to it. `open` locks the enrolment."""

    def __init__(
        self,
        enrolment: Enrolment,
        step_key: uuid.UUID,
        *,
        events: Iterable[Sequence[Any]],
        records: Iterable[Sequence[Any]],
    ) -> None:
        self.enrolment = enrolment
        self.step = find_step(enrolment, step_key)
        self._events = list(map(make_event, events))
        self._records = list(starmap(StepRecord, records))
        self._before = next((one for one in self._records if one.key == step_key), None)
        self._added: list[dict[str, Any]] = []
        self._gained: list[Gained] = []

    @classmethod
    def open(cls, enrolment_id: uuid.UUID, step_key: uuid.UUID) -> StepLedger:
        """Lock the enrolment and read what a step did until now. One round trip."""
        found, events, records = ask_together(
            Question.of(_lock, enrolment=enrolment_id),
            ask_events(enrolment_id, step_key),
            ask_records(enrolment_id),
        )
        return cls(_found(found, enrolment_id), step_key, events=events, records=records)

    @classmethod
    def open_own(
        cls,
        enrolment_id: uuid.UUID,
        *,
        subject_id: uuid.UUID,
        find_key: Callable[[Enrolment], uuid.UUID],
        guess: uuid.UUID | None,
    ) -> StepLedger:
        """The same for a person who says whose enrolment it is by an address; a stranger's does not exist for them.

        `find_key` tells which step is meant once the enrolment is there. One round trip where the guess was right, else
        two.
        """
        own = Question.of(_lock_own, enrolment=enrolment_id, subject=subject_id)
        more = (ask_events(enrolment_id, guess), ask_records(enrolment_id)) if guess else ()
        found, *answers = ask_together(own, *more)
        if not found:
            raise NotFound("There is no such enrolment.")
        enrolment = _found(found, enrolment_id)
        step_key = find_key(enrolment)
        if step_key != guess:
            return cls.of(enrolment, step_key)
        events, records = answers
        return cls(enrolment, step_key, events=events, records=records)

    @classmethod
    def of(cls, enrolment: Enrolment, step_key: uuid.UUID) -> StepLedger:
        """The same where the enrolment is locked already. One round trip."""
        events, records = ask_together(ask_events(enrolment.pk, step_key), ask_records(enrolment.pk))
        return cls(enrolment, step_key, events=events, records=records)

    @cached_property
    def state(self) -> StepState:
        """Where the learner stands in the step, with what was added."""
        return fold_step(self.step.key, self._events)

    @property
    def is_where_left_off(self) -> bool:
        """Whether the learner's last doing was in this step."""
        return bool(make_course_row(self.enrolment, self._records)["last_step_key"] == self.step.key)

    def require_unlocked(self) -> None:
        """Refuse a step that waits for another one."""
        course = steps_of(self.enrolment.edition)
        if course.order == "free":
            return
        completed = [record.key for record in self._records if record.completed_at is not None]
        if blocking_step(course, completed, self.step.key) is not None:
            raise StepLocked(_("This step opens once the one before it is complete. Nothing was recorded."))

    def add(
        self,
        verb: str,
        *,
        client_id: uuid.UUID,
        language: str,
        occurred_at: datetime,
        object_key: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> None:
        """Add one entry, to be written with the others. Its key must not be in the ledger yet."""
        row = {
            "client_id": client_id,
            "recorded_at": clock.now(),
            "enrolment_id": self.enrolment.pk,
            "subject_id": self.enrolment.subject_id,
            "verb": verb,
            "step_key": self.step.key,
            "object_key": object_key,
            "result": dict(result or {}),
            "language": language,
            "occurred_at": occurred_at,
        }
        self._added.append(row)
        self._events.append(make_event([row[name] for name in EVENT_FIELDS]))
        self.__dict__.pop("state", None)

    def add_evidence(self, gained: Gained) -> None:
        """Add evidence that follows from the entries. Its natural key makes a repeat harmless."""
        if gained.rows:
            self._gained.append(gained)

    def write(self) -> None:
        """Write what was added with all that follows from it, and send the news.

        One round trip where evidence was added; all else goes with what comes next, or with the COMMIT.
        """
        enrolment = self.enrolment
        others = [one for one in self._records if one is not self._before]
        course = make_course_row(enrolment, [*others, StepRecord.from_state(self.state)])
        first = _write_events.statements(self._added)
        last = [
            *write_steps.statements([make_step_row(enrolment, self.state)]),
            *write_courses.statements([course]),
        ]
        if self._gained:
            first += _write_evidence.statements([row for one in self._gained for row in one.rows])
            touched = {key for one in self._gained for key in one.competencies}
            (entries,) = ask_together(ask_evidence(enrolment.subject_id, touched), after=first)
            standings = make_standings(enrolment.subject_id, map(make_entry, entries))
            last += write_standings.statements(standings)
        else:
            last = [*first, *last]
        run_with_next(last)
        for one in self._gained:
            evidence_recorded.send(
                sender=Evidence, subject_id=enrolment.subject_id, kind=one.kind, source=one.source
            )
        if course["completed_at"] and self._completes_course:
            course_completed.send(sender=Enrolment, enrolment=enrolment)

    @property
    def row(self) -> StepProgress:
        """The row of the step with what was added, as an object."""
        return StepProgress(**make_step_row(self.enrolment, self.state))

    @property
    def _completes_course(self) -> bool:
        """Whether this very step was missing until now, where the course is complete with it."""
        return self.step.required and (self._before is None or self._before.completed_at is None)
