"""Assessments of a step: whose they are, on which terms, and what comes of an attempt."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from assessments import services as assessments
from assessments.models import AssessmentEdition, Attempt, Mark, Sitting
from core import clock
from core.errors import NotFound
from core.languages import reading_language
from lms.models import Accommodation, Enrolment, LearningEvent
from lms.outlines import assessment_in_step, step_of_assessment
from lms.rules import Grant, Terms, effective_terms
from lms.services.evidence import evidence_of_attempt
from lms.services.learning import complete_step, require_open
from lms.services.notices import notify
from lms.services.step_ledger import StepLedger, lock_enrolment
from modules.models import EditionAssessment

Verb = LearningEvent.Verb


def assessment_of(enrolment: Enrolment, step_key: uuid.UUID) -> AssessmentEdition:
    """The assessment edition that a step of the pinned edition holds. Mostly no query."""
    found = assessment_in_step(enrolment.edition_id, step_key)
    if found is None:
        raise NotFound("This step holds no assessment.")
    return found


def terms_of_step(
    enrolment: Enrolment, step_key: uuid.UUID, edition: AssessmentEdition, *, at: datetime
) -> Terms:
    """What holds for this learner in this step, accommodations included. One query."""
    document = assessments.document_of(edition)
    base = Terms(
        attempts_allowed=document.attempts,
        opens_at=enrolment.offering.opens_at,
        closes_at=enrolment.closes_at,
    )
    grants = [
        Grant(
            id=row.pk,
            step=row.step_key,
            time_factor=row.time_factor,
            extra_attempts=row.extra_attempts,
            ends_at=row.ends_at,
        )
        for row in Accommodation.objects.filter(enrolment=enrolment)
    ]
    return effective_terms(base, grants, step=step_key, at=at)


@transaction.atomic
def open_step_sitting(*, enrolment: Enrolment, step_key: uuid.UUID) -> Sitting:
    """The sitting of a learner in a step, on today's terms. Refuses a step that is locked or closed."""
    now = clock.now()
    ledger = StepLedger.open(enrolment.pk, step_key)
    enrolment = ledger.enrolment
    require_open(enrolment, now)
    ledger.require_unlocked()
    return _bring_up_to_date(enrolment, step_key, assessment_of(enrolment, step_key), now=now)


def _bring_up_to_date(
    enrolment: Enrolment, step_key: uuid.UUID, edition: AssessmentEdition, *, now: datetime
) -> Sitting:
    terms = terms_of_step(enrolment, step_key, edition, at=now)
    return assessments.open_sitting(
        subject=enrolment.subject,
        edition=edition,
        context=enrolment.pk,
        terms=assessments.Terms(
            attempts_allowed=terms.attempts_allowed,
            opens_at=terms.opens_at,
            closes_at=terms.closes_at,
            time_factor=terms.time_factor,
        ),
    )


def lock_to_hand_in(enrolment: Enrolment, attempt: Attempt) -> tuple[Enrolment, StepLedger | None]:
    """The enrolment, locked, and with it the ledger of the attempt's step, where the step is still in its course.

    One round trip.
    """
    step_key = step_of_assessment(enrolment.edition_id, attempt.sitting.edition_id)
    if step_key is not None:
        with suppress(NotFound):
            ledger = StepLedger.open(enrolment.pk, step_key)
            return ledger.enrolment, ledger
    return lock_enrolment(enrolment.pk), None


def lock_context(attempt: Attempt) -> None:
    """Lock the enrolment that an attempt belongs to, where it does: always before the attempt, so that two writers
    never wait for each other. One query.
    """
    with suppress(Enrolment.DoesNotExist):
        lock_enrolment(attempt.sitting.context)


def follow_terms(enrolment: Enrolment) -> None:
    """Let the sittings that are open follow what was granted: an attempt that runs has its new time at once.

    The enrolment is locked by the caller. Two queries, and three for each sitting.
    """
    now = clock.now()
    steps = dict(
        EditionAssessment.objects.filter(edition_id=enrolment.edition_id).values_list(
            "assessment_id", "step_key"
        )
    )
    for sitting in Sitting.objects.filter(context=enrolment.pk).select_related("edition"):
        if sitting.edition_id in steps:
            _bring_up_to_date(enrolment, steps[sitting.edition_id], sitting.edition, now=now)


def ledger_of(sitting: Sitting, held: object = None) -> StepLedger | None:
    """The ledger of the step that a sitting belongs to; None where its context is not an enrolment's.

    The enrolment is locked. Two queries; none where the caller `held` the ledger already.
    """
    if isinstance(held, StepLedger) and _is_place(held, sitting):
        return held
    try:
        enrolment = lock_enrolment(sitting.context)
    except Enrolment.DoesNotExist:
        return None
    step_key = step_of_assessment(enrolment.edition_id, sitting.edition_id)
    return StepLedger.of(enrolment, step_key) if step_key else None


def _is_place(ledger: StepLedger, sitting: Sitting) -> bool:
    """Whether a sitting belongs to the step of a ledger, by the edition that the enrolment pins under its lock."""
    enrolment = ledger.enrolment
    return (
        enrolment.pk == sitting.context
        and step_of_assessment(enrolment.edition_id, sitting.edition_id) == ledger.step.key
    )


def _result_of(attempt: Attempt) -> dict[str, Any]:
    """What the learning ledger says of an attempt: codes and numbers."""
    score = attempt.score
    if not score:
        return {"number": attempt.number, "passed": attempt.passed}
    said = {name: score[name] for name in ("points", "max_points", "percent", "passed")}
    return {"number": attempt.number, **said}


def _record_attempt(
    ledger: StepLedger,
    attempt: Attempt,
    *,
    verb: str,
    client_id: uuid.UUID,
    language: str,
    result: dict[str, Any],
    mark: Mark | None = None,
) -> None:
    now = clock.now()
    ledger.add(
        verb,
        client_id=client_id,
        language=language,
        occurred_at=now,
        object_key=str(attempt.pk),
        result=result,
    )
    ledger.add_evidence(
        evidence_of_attempt(
            enrolment=ledger.enrolment, step_key=ledger.step.key, attempt=attempt, now=now, mark=mark
        )
    )
    complete_step(ledger, language=language, now=now)
    ledger.write()


def hand_in_when_over(*, attempt: Attempt) -> None:
    """Let the queue hand in what was saved once the attempt's time is over; nothing for one without an end."""
    if attempt.deadline is not None:
        from lms.tasks import submit_overdue_attempt

        after = attempt.deadline + assessments.GRACE + timedelta(seconds=1)
        submit_overdue_attempt.using(run_after=after).enqueue(str(attempt.pk))


def note_attempt_started(*, attempt: Attempt, language: str) -> None:
    """An attempt was started: into the learning ledger. One that ends by itself is handed in by the queue."""
    if ledger := ledger_of(attempt.sitting):
        hand_in_when_over(attempt=attempt)
        _record_attempt(
            ledger,
            attempt,
            verb=Verb.ATTEMPTED,
            client_id=uuid.uuid5(attempt.pk, "attempted"),
            language=language,
            result={"number": attempt.number},
        )


def note_attempt_submitted(*, attempt: Attempt, language: str, held: object = None) -> None:
    """An attempt was handed in: ledger, evidence where it passed, completion where that completes the step.

    `held` is the ledger, where whoever hands in has locked and read it already.
    """
    if ledger := ledger_of(attempt.sitting, held):
        _record_attempt(
            ledger,
            attempt,
            verb=Verb.SUBMITTED,
            client_id=uuid.uuid5(attempt.pk, "submitted"),
            language=language,
            result=_result_of(attempt),
        )


def note_attempt_marked(*, mark: Mark) -> None:
    """A person marked an attempt or gave it back: ledger, evidence, completion, and a notice to the learner."""
    attempt = mark.attempt
    ledger = ledger_of(attempt.sitting)
    if ledger is None:
        return
    returned = mark.decision == Mark.Decision.RETURNED
    _record_attempt(
        ledger,
        attempt,
        verb=Verb.RETURNED if returned else Verb.MARKED,
        client_id=uuid.uuid5(mark.client_id, "marked"),
        language=reading_language(),
        result={"number": attempt.number} if returned else _result_of(attempt),
        mark=mark,
    )
    enrolment = ledger.enrolment
    notify(
        subject=enrolment.subject,
        kind="work_returned" if returned else "work_marked",
        about=f"mark:{mark.client_id}",
        params={"enrolment": str(enrolment.pk), "step": str(ledger.step.key), "passed": bool(mark.passed)},
        path=f"/learn/{enrolment.pk}/",
    )
