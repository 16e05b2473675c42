"""A learner's ledger of one step: opened under the lock of the enrolment, added to, projected, announced.

What a step did until now is read once. What is added is folded in memory, and all that follows from it (evidence,
standing, the rows of the step and of the course) is written in few round trips, in the transaction of the fact.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts.models import Subject
from core.errors import DomainError, NotFound
from core.prepared import given_uuid
from core.prepared_writes import PreparedInsert, PreparedLock, Question, ask_together, run_together
from lms.models import Enrolment, Evidence, LearningEvent, StepProgress
from lms.outlines import steps_of
from lms.projections import (
    StepRecord,
    ask_events,
    ask_evidence,
    ask_records,
    fold_step,
    make_course_row,
    make_standings,
    make_step_row,
    read_event,
    write_courses,
    write_standings,
    write_steps,
)
from lms.rules import Step, StepState, blocking_step
from lms.signals import course_completed, evidence_recorded
from modules.selectors import kept_edition

_lock: Final[PreparedLock[Enrolment]] = PreparedLock(
    lambda: Enrolment.objects.filter(pk=given_uuid("enrolment")),
    joined=("offering", "subject"),
    also=(Subject,),
)
_write_events: Final = PreparedInsert(LearningEvent)
_write_evidence: Final = PreparedInsert(Evidence, ignore_conflicts=True)


class StepLocked(DomainError):
    """An earlier step has to be completed first."""

    code = "step_locked"


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
    for step in steps_of(enrolment.edition).steps:
        if step.key == step_key:
            return step
    raise NotFound(_("This step is not part of your course."))


class StepLedger:
    """What a learner did in one step, and what is being added to it. `open` locks the enrolment."""

    def __init__(
        self,
        enrolment: Enrolment,
        step_key: uuid.UUID,
        *,
        events: Sequence[LearningEvent],
        records: Sequence[StepRecord],
    ) -> None:
        self.enrolment = enrolment
        self.step = find_step(enrolment, step_key)
        self._events = [read_event(event) for event in events]
        self._records = records
        self._added: list[LearningEvent] = []
        self._evidence: list[Evidence] = []
        self._touched: set[uuid.UUID] = set()

    @classmethod
    def open(cls, enrolment_id: uuid.UUID, step_key: uuid.UUID) -> StepLedger:
        """Lock the enrolment and read what a step did until now. One round trip."""
        found, events, rows = ask_together(
            Question.of(_lock, enrolment=enrolment_id),
            ask_events(enrolment_id, step_key),
            ask_records(enrolment_id),
        )
        records = [StepRecord(*row) for row in rows]
        return cls(_found(found, enrolment_id), step_key, events=events, records=records)

    @classmethod
    def of(cls, enrolment: Enrolment, step_key: uuid.UUID) -> StepLedger:
        """The same where the enrolment is locked already. One round trip."""
        events, rows = ask_together(ask_events(enrolment.pk, step_key), ask_records(enrolment.pk))
        return cls(enrolment, step_key, events=events, records=[StepRecord(*row) for row in rows])

    @cached_property
    def state(self) -> StepState:
        """Where the learner stands in the step, with what was added."""
        return fold_step(self.step.key, [*self._events, *map(read_event, self._added)])

    @property
    def is_where_left_off(self) -> bool:
        """Whether the learner's last doing was in this step."""
        return make_course_row(self.enrolment, self._records).last_step_key == self.step.key

    def require_unlocked(self) -> None:
        """Refuse a step that waits for another one."""
        course = steps_of(self.enrolment.edition)
        if course.order == "free":
            return
        completed = {record.key for record in self._records if record.completed_at is not None}
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
        self._added.append(
            LearningEvent(
                client_id=client_id,
                enrolment_id=self.enrolment.pk,
                subject_id=self.enrolment.subject_id,
                verb=verb,
                step_key=self.step.key,
                object_key=object_key,
                result=dict(result or {}),
                language=language,
                occurred_at=occurred_at,
            )
        )
        self.__dict__.pop("state", None)

    def add_evidence(self, gained: Mapping[uuid.UUID, Sequence[Evidence]]) -> None:
        """Add evidence that follows from the entries, by competency. Its natural key makes a repeat harmless."""
        for competency, rows in gained.items():
            self._touched.add(competency)
            self._evidence += rows

    def write(self) -> StepProgress:
        """Write what was added with all that follows from it, and send the news.

        One round trip, two where evidence was added.
        """
        enrolment, added = self.enrolment, self._evidence
        row = make_step_row(enrolment, self.state)
        others = [one for one in self._records if one.key != self.step.key]
        course = make_course_row(enrolment, [*others, StepRecord.from_state(self.state)])
        first = [*_write_events.statements(self._added), *_write_evidence.statements(added)]
        last = [*write_steps.statements([row]), *write_courses.statements([course])]
        if added:
            (entries,) = ask_together(ask_evidence(enrolment.subject_id, self._touched), after=first)
            last += write_standings.statements(make_standings(enrolment.subject_id, entries))
            run_together(last)
        else:
            run_together([*first, *last])
        for kind, source in dict.fromkeys((one.kind, one.source) for one in added):
            evidence_recorded.send(sender=Evidence, subject_id=enrolment.subject_id, kind=kind, source=source)
        if course.completed_at and self._completes_course:
            course_completed.send(sender=Enrolment, enrolment=enrolment)
        return row

    @property
    def _completes_course(self) -> bool:
        """Whether this very step was missing until now, where the course is complete with it."""
        known = any(one.key == self.step.key and one.completed_at is not None for one in self._records)
        return self.step.required and not known
