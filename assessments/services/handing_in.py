"""Handing in, once: by the person, or by the queue when the time is over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText
from assessments.documents import AssessmentDocument
from assessments.models import Attempt
from assessments.rules import AttemptScore, Form, Problem, parse_response, score_attempt, score_rubric
from assessments.services.answers import SavedAnswer, ask_last_responses, by_item, raw_answers
from assessments.services.editions import document_of
from assessments.services.running import GRACE, SUBMISSION, ask_lock, found_attempt, key_used_elsewhere
from assessments.signals import attempt_submitted
from core import clock
from core.errors import InvalidInput
from core.languages import reading_language
from core.prepared import PreparedQuery, given_uuid
from core.prepared_writes import PreparedUpdate, run_with_next
from core.questions import Question, ask_together

_find_submitted: Final = PreparedQuery(
    lambda: Attempt.objects.filter(submit_id=given_uuid("submit")), fields=("id",)
)
_write_result: Final = PreparedUpdate(
    Attempt, ("submitted_at", "submit_id", "points", "max_points", "passed", "score")
)


@transaction.atomic
def submit_attempt(*, attempt: Attempt, submit_id: uuid.UUID, language: str | None = None) -> Attempt:
    """Hand an attempt in, once: lock → score → write → announce. Whoever comes second gets the first result."""
    return hand_in(attempt=attempt, submit_id=submit_id, language=language)


def hand_in(
    *, attempt: Attempt, submit_id: uuid.UUID, language: str | None = None, held: object = None
) -> Attempt:
    """`submit_attempt` within the transaction of who has locked what stands above the attempt.

    What the floor above `held` and has read there is given back to it with the news, so that it is not read again.
    Two queries, three where words were typed, and those of the floor above that hears of it.
    """
    found, answers, others = ask_together(
        ask_lock(attempt.pk), ask_last_responses(attempt.pk), Question.of(_find_submitted, submit=submit_id)
    )
    attempt = found_attempt(found, attempt.pk)
    if attempt.submitted_at is not None:
        return attempt
    if others:
        raise key_used_elsewhere()
    now = clock.now()
    document = document_of(attempt.sitting.edition)
    rows = by_item(answers)
    if document.submission is not None:
        score = _score_submission(document, rows)
    else:
        raw = raw_answers(attempt, rows)
        items = document.items_by_key()
        parsed = {key: parse_response(items[key], value, language=language) for key, value in raw.items()}
        score = score_attempt(
            document,
            Form.from_stored(attempt.form),
            {key: response for key, response in parsed.items() if not isinstance(response, Problem)},
        )
    attempt.submitted_at = min(now, attempt.deadline + GRACE) if attempt.deadline else now
    attempt.submit_id = submit_id
    set_score(attempt, score)
    run_with_next([_write_result.statement(attempt)])
    attempt_submitted.send(
        sender=Attempt, attempt=attempt, language=language or reading_language(), held=held
    )
    return attempt


def _score_submission(document: AssessmentDocument, rows: Mapping[str, SavedAnswer]) -> AttemptScore:
    row = rows.get(SUBMISSION)
    words = (
        PersonalText.objects.filter(pk=row.text_id).values_list("text", flat=True).first()
        if row and row.text_id
        else ""
    )
    if not row or not ((words or "").strip() or row.value.get("files")):
        raise InvalidInput(
            _("Write your text or add a file before you hand in. What you have written is kept.")
        )
    return score_rubric(document, {})


def set_score(attempt: Attempt, score: AttemptScore) -> None:
    attempt.points = None if score.waiting else score.points
    attempt.max_points = score.max_points
    attempt.passed = score.passed
    attempt.score = score.to_json()


def is_over(attempt: Attempt, now: datetime) -> bool:
    """Whether an attempt runs still although its time is over."""
    return attempt.submitted_at is None and attempt.deadline is not None and now > attempt.deadline + GRACE


def submit_overdue(*, attempt: Attempt) -> Attempt:
    """Hand in what was saved once an attempt's time is over; nothing where it is open still."""
    if not is_over(attempt, clock.now()):
        return attempt
    try:
        return submit_attempt(attempt=attempt, submit_id=uuid.uuid5(attempt.pk, "overdue"))
    except InvalidInput:
        # An assignment without a word: there is nothing to hand in.
        return attempt
