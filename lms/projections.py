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

from core.batches import in_batches
from core.prepared import PreparedQuery, given_uuid, is_among
from core.prepared_writes import PreparedRows, run_together
from core.questions import Question, ask_together
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
from modules.selectors import kept_edition

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
# So many enrolments, or people, are rebuilt in one transaction.
AT_A_TIME: Final = 200


_VERBS: Final = {verb.value: verb for verb in Verb}
EVENT_FIELDS = ("client_id", "verb", "step_key", "occurred_at", "object_key", "result")


def make_event(columns: Sequence[Any]) -> Event:
    """A ledger row as the rules read it, of its columns `EVENT_FIELDS`."""
    client_id, verb, step_key, occurred_at, object_key, result = columns
    return Event(
        id=client_id,
        verb=_VERBS[verb],
        step=step_key,
        occurred_at=occurred_at,
        object_key=object_key,
        result=result,
    )


def read_event(row: LearningEvent) -> Event:
    """A ledger row as the rules read it."""
    return make_event([getattr(row, name) for name in EVENT_FIELDS])


_read_events: Final = PreparedQuery(
    lambda: LearningEvent.objects.filter(
        enrolment_id=given_uuid("enrolment"), step_key=given_uuid("step")
    ).order_by("id"),
    fields=("id", *EVENT_FIELDS),
)


def ask_events(enrolment_id: uuid.UUID, step_key: uuid.UUID) -> Question[LearningEvent]:
    """What the ledger says of one step, oldest first: what `make_event` reads."""
    return Question(_read_events, {"enrolment": enrolment_id, "step": step_key}, columns=EVENT_FIELDS)


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


def make_step_row(enrolment: Enrolment, state: StepState) -> dict[str, Any]:
    """The row of one step, as the ledger gives it."""
    return {"enrolment_id": enrolment.pk, "step_key": state.key, **step_values(state)}


write_steps: Final = PreparedRows(
    StepProgress,
    ("enrolment_id", "step_key", *STEP_FIELDS),
    unique=("enrolment", "step_key"),
    update=STEP_FIELDS,
)


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
    known = [
        (step, record) for record in records if (step := steps.by_number.get(record.key.int)) is not None
    ]
    completed = {step.key.int: record.completed_at for step, record in known if record.completed_at}
    result = completion(steps.steps, [step.key for step, record in known if record.completed_at])
    last = max([record for _step, record in known], key=_last_done, default=None)
    waiting = StepProgress.State.WAITING.value
    return {
        "steps_required": len(result.required),
        "steps_complete": len(result.done),
        "last_step_key": last.key if last else None,
        "last_at": last.last_at if last else None,
        "completed_at": max([completed[key.int] for key in result.done]) if result.complete else None,
        "waiting": len([record for _step, record in known if record.state == waiting]),
    }


def _last_done(record: StepRecord) -> tuple[Any, int]:
    """Of two steps at the same moment one always is the last."""
    return record.last_at, record.key.int


def make_course_row(enrolment: Enrolment, records: Iterable[StepRecord]) -> dict[str, Any]:
    """The row of the course, from what its steps' rows say."""
    return {"enrolment_id": enrolment.pk, **course_values(steps_of(enrolment.edition), records)}


write_courses: Final = PreparedRows(
    CourseProgress, ("enrolment_id", *COURSE_FIELDS), unique=("enrolment",), update=COURSE_FIELDS
)


def project_course(enrolment: Enrolment) -> None:
    """Write the row of the course from its steps' rows. Two queries."""
    (rows,) = ask_together(ask_records(enrolment.pk))
    run_together(write_courses.statements([make_course_row(enrolment, starmap(StepRecord, rows))]))


# --- Standing -----------------------------------------------------------------------------------------------------


_STRENGTHS: Final = {strength.value: strength for strength in rules.Strength}
# The competency stands in the row of the framework's edition.
EVIDENCE_FIELDS = (
    "id",
    "competency",
    "level",
    "kind",
    "valid_from",
    "valid_until",
    "strength",
    "retracts_id",
)


def make_entry(columns: Sequence[Any]) -> rules.Evidence:
    """An entry of the ledger of evidence as the rules read it, of its columns `EVIDENCE_FIELDS`."""
    key, competency, level, kind, valid_from, valid_until, strength, retracts = columns
    return rules.Evidence(
        id=key,
        competency=competency,
        level=level,
        kind=kind,
        valid_from=valid_from,
        valid_until=valid_until,
        strength=_STRENGTHS[strength],
        retracts=retracts,
    )


def read_evidence(row: Evidence) -> rules.Evidence:
    """A ledger row as the rules read it."""
    competency = row.edition_competency.competency_id
    own = [getattr(row, name) for name in EVIDENCE_FIELDS if name != "competency"]
    return make_entry([own[0], competency, *own[1:]])


def _standings_of(
    entries: Iterable[rules.Evidence],
) -> Iterator[tuple[uuid.UUID, list[rules.Evidence], Mapping[str, rules.Standing]]]:
    """Each competency with its entries and the standings that they give, as of the latest of them.

    A projection must not depend on today, nor on which competencies are projected together. What has run out since
    then is told by `valid_until`, which whoever reads compares with the clock.
    """
    by_competency: dict[int, list[rules.Evidence]] = defaultdict(list)
    for entry in entries:
        # As a number a key is compared without a call of Python.
        by_competency[entry.competency.int].append(entry)
    for pieces in by_competency.values():
        last = max([piece.valid_from for piece in pieces])
        yield pieces[0].competency, pieces, rules.standing_by_level(pieces, at=last)


def _make_standing(
    subject_id: uuid.UUID | str, competency: uuid.UUID, level: str, standing: rules.Standing
) -> dict[str, Any]:
    return {
        "subject_id": subject_id,
        "competency_id": competency,
        "level": level,
        "state": standing.state.value,
        "since": standing.since,
        "valid_until": standing.valid_until,
        "reason": {"evidence": [[reason.evidence, reason.code] for reason in standing.reasons]},
    }


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
    fields=EVIDENCE_FIELDS,
    extra=("competency",),
)
write_standings: Final = PreparedRows(
    Standing,
    ("subject_id", "competency_id", "level", *STANDING_FIELDS),
    unique=("subject", "competency", "level"),
    update=STANDING_FIELDS,
)


def ask_evidence(subject_id: uuid.UUID, competencies: Iterable[uuid.UUID]) -> Question[Evidence]:
    """What the ledger holds of a person in some competencies, oldest first: what `make_entry` reads."""
    given = {"subject": subject_id, "competencies": list(competencies)}
    return Question(_read_evidence, given, columns=EVIDENCE_FIELDS)


def make_standings(subject_id: uuid.UUID, entries: Iterable[rules.Evidence]) -> list[dict[str, Any]]:
    """The standings that these entries give, not written yet.

    One that they do not give any more, because what it rested on was taken back, is removed: one query, else none.
    """
    rows = []
    subject = str(subject_id)
    for competency, pieces, standings in _standings_of(entries):
        given = {level: standing for level, standing in standings.items() if standing.since is not None}
        rows += [_make_standing(subject, competency, *pair) for pair in given.items()]
        for level in {piece.level for piece in pieces} - given.keys():
            Standing.objects.filter(subject_id=subject_id, competency_id=competency, level=level).delete()
    return rows


def project_standing(subject_id: uuid.UUID, competencies: Iterable[uuid.UUID]) -> None:
    """Write the standings of a person in some competencies, and remove what is not theirs. Three queries."""
    wanted = set(competencies)
    (entries,) = ask_together(ask_evidence(subject_id, wanted))
    rows = make_standings(subject_id, map(make_entry, entries))
    stale = Standing.objects.filter(subject_id=subject_id, competency_id__in=wanted)
    for row in rows:
        stale = stale.exclude(competency_id=row["competency_id"], level=row["level"])
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
    for batch in in_batches(enrolment_ids, AT_A_TIME):
        with transaction.atomic():
            differences += _rebuild_enrolments(batch, check=check)
    subject_ids = list(
        Evidence.objects.order_by("subject_id").values_list("subject_id", flat=True).distinct()
    )
    extra = list(
        Standing.objects.exclude(subject_id__in=subject_ids).values_list("subject_id", flat=True).distinct()
    )
    for batch in in_batches([*subject_ids, *extra], AT_A_TIME):
        with transaction.atomic():
            differences += _rebuild_standings(batch, check=check)
    # Rosters are made from the rows above, and stand above them.
    from lms.roster import rebuild_rosters

    return differences + rebuild_rosters(check=check)


def _rebuild_enrolments(ids: Sequence[uuid.UUID], *, check: bool) -> list[Difference]:
    # Nothing is joined: a row that is moved to another edition before it is locked would not be found at all.
    enrolments = {row.id: row for row in Enrolment.objects.select_for_update().filter(id__in=ids)}
    for locked in enrolments.values():
        locked.edition = kept_edition(locked.edition_id)
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
            (competency, level): _make_standing(subject_id, competency, level, standing)
            for competency, _pieces, standings in _standings_of(map(read_evidence, entries[subject_id]))
            for level, standing in standings.items()
            if standing.since is not None
        }
        for key in {*expected, *stored[subject_id]}:
            wanted, found = expected.get(key), stored[subject_id].get(key)
            differences += _compare(
                "lms_standing",
                f"{subject_id}/{key[0]}/{key[1]}",
                {name: wanted[name] for name in STANDING_FIELDS} if wanted else None,
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
