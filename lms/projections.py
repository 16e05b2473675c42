"""From the ledgers to the rows that screens read, and back again to prove them.

Every projection row is a function of ledger rows only. The same functions write one row after an event and
rebuild them all; `compare` says where a stored row differs from what the ledger gives.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime

from core.prepared import PreparedQuery, given_uuid, is_among
from core.prepared_writes import PreparedInsert, Question, ask_together, run_together
from lms import rules
from lms.models import (
    CourseProgress,
    Enrolment,
    EnrolmentEvent,
    Evidence,
    LearningEvent,
    Standing,
    StepProgress,
)
from lms.outlines import steps_of
from lms.rules import CourseSteps, Event, StepState, Verb, completion, fold_events

STEP_FIELDS = (
    "state",
    "opened_at",
    "last_at",
    "completed_at",
    "reason",
    "parts",
    "points",
    "max_points",
    "attempts_used",
)
COURSE_FIELDS = (
    "steps_required",
    "steps_complete",
    "last_step_key",
    "last_at",
    "completed_at",
    "waiting",
)
STANDING_FIELDS = ("state", "since", "valid_until", "reason")
ENROLMENT_FIELDS = ("state", "edition_id", "closes_at")


def read_event(row: LearningEvent) -> Event:
    """A ledger row as the rules read it."""
    return Event(
        id=row.client_id,
        verb=Verb(row.verb),
        step=row.step_key,
        occurred_at=row.occurred_at,
        object_key=row.object_key,
        result=row.result,
    )


_read_events: Final = PreparedQuery(
    lambda: LearningEvent.objects.filter(
        enrolment_id=given_uuid("enrolment"), step_key=given_uuid("step")
    ).order_by("id")
)


def ask_events(enrolment_id: uuid.UUID, step_key: uuid.UUID) -> Question[LearningEvent]:
    """What the ledger says of one step, oldest first."""
    return Question.of(_read_events, enrolment=enrolment_id, step=step_key)


def fold_step(step_key: uuid.UUID, events: Iterable[Event]) -> StepState:
    """Where a learner stands in one step, from its entries."""
    return fold_events(events).steps.get(step_key, StepState(key=step_key))


def step_values(state: StepState) -> dict[str, Any]:
    """The columns of `StepProgress` for a state."""
    best = state.best
    return {
        "state": state.status,
        "opened_at": state.opened_at,
        # The learner's own last doing: a mark must not look like work of theirs.
        "last_at": state.active_at or state.last_at,
        "completed_at": state.completed_at,
        "reason": dict(state.reason),
        "parts": {key: dict(result) for key, result in state.parts.items()},
        "points": best.points if best else None,
        "max_points": best.max_points if best else None,
        "attempts_used": state.attempts_used,
    }


def make_step_row(enrolment: Enrolment, state: StepState) -> StepProgress:
    """The row of one step, as the ledger gives it."""
    return StepProgress(enrolment_id=enrolment.pk, step_key=state.key, **step_values(state))


write_steps: Final = PreparedInsert(StepProgress, unique=("enrolment", "step_key"), update=STEP_FIELDS)


# In the order of `StepRecord`.
RECORD_FIELDS = ("step_key", "state", "completed_at", "last_at")


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What the course's row needs to know of a step's row."""

    key: uuid.UUID
    state: str
    completed_at: Any
    last_at: Any

    @classmethod
    def from_state(cls, state: StepState) -> StepRecord:
        """As the step's row will say it."""
        return cls(state.key, state.status, state.completed_at, state.active_at or state.last_at)


_read_steps: Final = PreparedQuery(
    lambda: StepProgress.objects.filter(enrolment_id=given_uuid("enrolment")),
    fields=("id", *RECORD_FIELDS),
)


def ask_records(enrolment_id: uuid.UUID) -> Question[StepProgress]:
    """The steps in which anything happened, by their rows: what a `StepRecord` is made of."""
    return Question(_read_steps, {"enrolment": enrolment_id}, columns=RECORD_FIELDS)


def course_values(steps: CourseSteps, records: Iterable[StepRecord]) -> dict[str, Any]:
    """The columns of `CourseProgress` for the rows of its steps.

    A course stands complete from the moment its last required step was completed.
    """
    known = {record.key: record for record in records}
    completed = {key: record.completed_at for key, record in known.items() if record.completed_at}
    result = completion(steps.steps, completed)
    in_course = [known[step.key] for step in steps.steps if step.key in known]
    last = max(in_course, key=lambda record: (record.last_at, str(record.key)), default=None)
    return {
        "steps_required": len(result.required),
        "steps_complete": len(result.done),
        "last_step_key": last.key if last else None,
        "last_at": last.last_at if last else None,
        "completed_at": max((completed[key] for key in result.done), default=None)
        if result.complete
        else None,
        "waiting": sum(record.state == StepProgress.State.WAITING for record in in_course),
    }


def make_course_row(enrolment: Enrolment, records: Iterable[StepRecord]) -> CourseProgress:
    """The row of the course, from what its steps' rows say."""
    return CourseProgress(enrolment_id=enrolment.pk, **course_values(steps_of(enrolment.edition), records))


write_courses: Final = PreparedInsert(CourseProgress, unique=("enrolment",), update=COURSE_FIELDS)


def project_course(enrolment: Enrolment) -> CourseProgress:
    """Write the row of the course from its steps' rows. Two queries."""
    (rows,) = ask_together(ask_records(enrolment.pk))
    row = make_course_row(enrolment, starmap(StepRecord, rows))
    run_together(write_courses.statements([row]))
    return row


# --- Standing -----------------------------------------------------------------------------------------------------


def read_evidence(row: Evidence) -> rules.Evidence:
    """A ledger row as the rules read it. Its competency stands beside it, or in the row of the edition."""
    return rules.Evidence(
        id=row.pk,
        competency=getattr(row, "competency", None) or row.edition_competency.competency_id,
        level=row.level,
        kind=row.kind,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        strength=rules.Strength(row.strength),
        retracts=row.retracts_id,
    )


def _standing_rows(entries: Iterable[rules.Evidence], *, subject_id: uuid.UUID) -> list[Standing]:
    """The standings that the ledger gives, each competency as of its own latest entry.

    A projection must not depend on today, nor on which competencies are projected together. What has run out since
    then is told by `valid_until`, which whoever reads compares with the clock.
    """
    by_competency: dict[uuid.UUID, list[rules.Evidence]] = defaultdict(list)
    for entry in entries:
        by_competency[entry.competency].append(entry)
    found = {
        pair: standing
        for pieces in by_competency.values()
        for pair, standing in rules.standing(pieces, at=max(piece.valid_from for piece in pieces)).items()
    }
    return [
        Standing(
            subject_id=subject_id,
            competency_id=competency,
            level=level,
            state=standing.state.value,
            since=standing.since,
            valid_until=standing.valid_until,
            reason={"evidence": [[reason.evidence, reason.code] for reason in standing.reasons]},
        )
        for (competency, level), standing in found.items()
        if standing.since is not None
    ]


def _evidence_of(subject_ids: Iterable[uuid.UUID], competencies: Iterable[uuid.UUID] | None = None) -> Any:
    rows = Evidence.objects.filter(subject_id__in=list(subject_ids)).select_related("edition_competency")
    if competencies is not None:
        rows = rows.filter(edition_competency__competency_id__in=list(competencies))
    return rows.order_by("id")


_read_evidence: Final[PreparedQuery[Any]] = PreparedQuery(
    lambda: (
        Evidence.objects.filter(
            is_among("edition_competency__competency_id", "competencies"), subject_id=given_uuid("subject")
        )
        .annotate(competency=F("edition_competency__competency_id"))
        .order_by("id")
    ),
    fields=("id", "level", "kind", "valid_from", "valid_until", "strength", "retracts_id"),
    extra=("competency",),
)
write_standings: Final = PreparedInsert(
    Standing, unique=("subject", "competency", "level"), update=STANDING_FIELDS
)


def ask_evidence(subject_id: uuid.UUID, competencies: Iterable[uuid.UUID]) -> Question[Evidence]:
    """What the ledger holds of a person in some competencies, oldest first."""
    return Question.of(_read_evidence, subject=subject_id, competencies=list(set(competencies)))


def make_standings(subject_id: uuid.UUID, entries: Sequence[Evidence]) -> list[Standing]:
    """The standings that these entries give, not written yet.

    One that they do not give any more, because what it rested on was taken back, is removed: one query, else none.
    """
    read = list(map(read_evidence, entries))
    rows = _standing_rows(read, subject_id=subject_id)
    given = {(row.competency_id, row.level) for row in rows}
    for entry in read:
        if (entry.competency, entry.level) not in given:
            given.add((entry.competency, entry.level))
            Standing.objects.filter(
                subject_id=subject_id, competency_id=entry.competency, level=entry.level
            ).delete()
    return rows


def project_standing(subject_id: uuid.UUID, competencies: Iterable[uuid.UUID]) -> None:
    """Write the standings of a person in some competencies, and remove what is not theirs. Three queries."""
    wanted = set(competencies)
    entries = _read_evidence.objects(subject=subject_id, competencies=list(wanted))
    rows = make_standings(subject_id, entries)
    stale = Standing.objects.filter(subject_id=subject_id, competency_id__in=wanted)
    for row in rows:
        stale = stale.exclude(competency_id=row.competency_id, level=row.level)
    stale.delete()
    run_together(write_standings.statements(rows))


# --- Rebuilding, and proving --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A projection row that is not what the ledger gives. `found` None: missing; `expected` None: should not be."""

    table: str
    key: str
    expected: dict[str, Any] | None
    found: dict[str, Any] | None


def _pick(row: Any, fields: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in fields}


def _batches(ids: Sequence[Any], size: int = 200) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def read_enrolment_event(row: EnrolmentEvent) -> rules.EnrolmentEvent:
    """A ledger row as the rules read it."""
    edition, closes_at = row.data.get("edition"), row.data.get("closes_at")
    return rules.EnrolmentEvent(
        id=row.pk,
        kind=rules.EnrolmentKind(row.kind),
        at=row.recorded_at,
        edition=uuid.UUID(edition) if edition else None,
        closes_at=parse_datetime(closes_at) if closes_at else None,
    )


def enrolment_values(events: Iterable[EnrolmentEvent]) -> dict[str, Any]:
    """The projected columns of `Enrolment`; empty where the ledger knows of no enrolment."""
    effective = rules.effective_enrolment(map(read_enrolment_event, events))
    if effective is None:
        return {}
    return {"state": effective.state, "edition_id": effective.edition, "closes_at": effective.closes_at}


def project_enrolment(enrolment: Enrolment) -> None:
    """Write the projected columns of an enrolment. Two queries."""
    values = enrolment_values(EnrolmentEvent.objects.filter(enrolment=enrolment).order_by("id"))
    Enrolment.objects.filter(pk=enrolment.pk).update(**values)
    enrolment.refresh_from_db()


def rebuild(*, check: bool) -> list[Difference]:
    """Rebuild every projection from the ledgers; with `check` only compare. The differences found.

    Works in batches of 200 enrolments and of 200 people, each in a transaction that locks them.
    """
    differences: list[Difference] = []
    enrolment_ids = list(Enrolment.objects.order_by("id").values_list("id", flat=True))
    for batch in _batches(enrolment_ids):
        with transaction.atomic():
            differences += _rebuild_enrolments(batch, check=check)
    subject_ids = list(
        Evidence.objects.order_by("subject_id").values_list("subject_id", flat=True).distinct()
    )
    extra = list(
        Standing.objects.exclude(subject_id__in=subject_ids).values_list("subject_id", flat=True).distinct()
    )
    for batch in _batches([*subject_ids, *extra]):
        with transaction.atomic():
            differences += _rebuild_standings(batch, check=check)
    # Rosters are made from the rows above, and stand above them.
    from lms.roster import rebuild_rosters

    return differences + rebuild_rosters(check=check)


def _rebuild_enrolments(ids: Sequence[uuid.UUID], *, check: bool) -> list[Difference]:
    enrolments = {
        row.id: row
        for row in Enrolment.objects.select_for_update(of=("self",))
        .select_related("edition")
        .filter(id__in=ids)
    }
    happened: dict[uuid.UUID, list[EnrolmentEvent]] = defaultdict(list)
    for event in EnrolmentEvent.objects.filter(enrolment_id__in=ids).order_by("id"):
        happened[event.enrolment_id].append(event)
    learned: dict[uuid.UUID, list[Event]] = defaultdict(list)
    for row in LearningEvent.objects.filter(enrolment_id__in=ids).order_by("id"):
        learned[row.enrolment_id].append(read_event(row))
    stored_steps = {
        (row.enrolment_id, row.step_key): row for row in StepProgress.objects.filter(enrolment_id__in=ids)
    }
    stored_courses = {row.enrolment_id: row for row in CourseProgress.objects.filter(enrolment_id__in=ids)}
    differences: list[Difference] = []
    for key, enrolment in enrolments.items():
        differences += _compare(
            "lms_enrolment",
            key,
            enrolment_values(happened[key]),
            _pick(enrolment, ENROLMENT_FIELDS),
        )
        states = fold_events(learned[key]).steps
        for step_key in {*states, *(step for owner, step in stored_steps if owner == key)}:
            stored = stored_steps.get((key, step_key))
            differences += _compare(
                "lms_stepprogress",
                f"{key}/{step_key}",
                step_values(states[step_key]) if step_key in states else None,
                _pick(stored, STEP_FIELDS) if stored else None,
            )
        records = [StepRecord.from_state(state) for state in states.values()]
        stored_course = stored_courses.get(key)
        differences += _compare(
            "lms_courseprogress",
            key,
            course_values(steps_of(enrolment.edition), records),
            _pick(stored_course, COURSE_FIELDS) if stored_course else None,
        )
        if not check:
            _write_enrolment(enrolment, happened[key], states)
    return differences


def _write_enrolment(
    enrolment: Enrolment, events: Sequence[EnrolmentEvent], states: Mapping[uuid.UUID, StepState]
) -> None:
    Enrolment.objects.filter(pk=enrolment.pk).update(**enrolment_values(events))
    enrolment.refresh_from_db()
    StepProgress.objects.filter(enrolment=enrolment).exclude(step_key__in=states).delete()
    run_together(write_steps.statements([make_step_row(enrolment, state) for state in states.values()]))
    project_course(enrolment)


def _rebuild_standings(ids: Sequence[uuid.UUID], *, check: bool) -> list[Difference]:
    entries: dict[uuid.UUID, list[Evidence]] = defaultdict(list)
    for entry in _evidence_of(ids):
        entries[entry.subject_id].append(entry)
    stored: dict[uuid.UUID, dict[tuple[uuid.UUID, str], Standing]] = defaultdict(dict)
    for row in Standing.objects.filter(subject_id__in=ids):
        stored[row.subject_id][row.competency_id, row.level] = row
    differences: list[Difference] = []
    for subject_id in ids:
        expected = {
            (row.competency_id, row.level): row
            for row in _standing_rows(map(read_evidence, entries[subject_id]), subject_id=subject_id)
        }
        for key in {*expected, *stored[subject_id]}:
            wanted, found = expected.get(key), stored[subject_id].get(key)
            differences += _compare(
                "lms_standing",
                f"{subject_id}/{key[0]}/{key[1]}",
                _pick(wanted, STANDING_FIELDS) if wanted else None,
                _pick(found, STANDING_FIELDS) if found else None,
            )
        if not check:
            touched = {key[0] for key in {*expected, *stored[subject_id]}}
            if touched:
                project_standing(subject_id, touched)
    return differences


def _compare(
    table: str, key: Any, expected: dict[str, Any] | None, found: dict[str, Any] | None
) -> list[Difference]:
    return [] if expected == found else [Difference(table, str(key), expected, found)]
