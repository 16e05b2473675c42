"""Writes of assessments: editions, sittings, attempts, responses and marks."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import PersonalText, Subject
from accounts.services import save_text, text_digest
from assessments.compile import compile_assessment
from assessments.documents import AssessmentDocument
from assessments.models import Assessment, AssessmentEdition, Attempt, Mark, Response, Sitting
from assessments.rules import (
    KIND_REGISTRY,
    AttemptScore,
    Form,
    Problem,
    attempt_deadline,
    attempts_left,
    draw_form,
    parse_response,
    score_attempt,
    score_rubric,
)
from assessments.signals import (
    attempt_deadline_moved,
    attempt_marked,
    attempt_started,
    attempt_submitted,
)
from core import clock
from core.canonical import digest
from core.errors import DomainError, InvalidInput
from standards.models import FrameworkEdition

# A response that was on its way when time ran out still counts.
GRACE = timedelta(seconds=30)
SUBMISSION = "submission"


class AttemptClosed(DomainError):
    """The attempt was submitted, or its time is over. What was saved until then is kept."""

    code = "attempt_closed"


class NoAttemptLeft(DomainError):
    code = "no_attempt_left"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for one sitting, resolved from the assessment, the offering and accommodations."""

    attempts_allowed: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    time_factor: Decimal = Decimal(1)


@lru_cache(maxsize=256)
def _read_document(edition_id: uuid.UUID, text_digest: str) -> AssessmentDocument:
    return AssessmentDocument.from_json(
        AssessmentEdition.objects.values_list("document", flat=True).get(pk=edition_id, digest=text_digest)
    )


def document_of(edition: AssessmentEdition) -> AssessmentDocument:
    """The parsed document of an edition, kept by the process: an edition never changes. At most one query."""
    return _read_document(edition.pk, edition.digest)


@transaction.atomic
def issue_assessment_edition(
    *, assessment: Assessment, framework_edition: FrameworkEdition
) -> AssessmentEdition:
    """Compile an assessment in all languages into an immutable edition; the same text gives the same edition."""
    document = compile_assessment(assessment=assessment, framework_edition=framework_edition)
    content = document.to_json()
    text = digest(content)
    key = assessment.translation_key
    with connection.cursor() as cursor:
        # Two authors who issue at once would take the same number.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key.int % (2**63)])
    found = AssessmentEdition.objects.filter(assessment_key=key, digest=text).first()
    if found:
        return found
    last = AssessmentEdition.objects.filter(assessment_key=key).aggregate(last=Max("number"))["last"] or 0
    return AssessmentEdition.objects.create(
        assessment_key=key, number=last + 1, kind=document.kind, document=content, digest=text
    )


def open_sitting(
    *, subject: Subject, edition: AssessmentEdition, context: uuid.UUID, terms: Terms
) -> Sitting:
    """The sitting of a person in a context, opened with the first call; later calls bring its terms up to date."""
    values: dict[str, Any] = {
        "attempts_allowed": terms.attempts_allowed,
        "opens_at": terms.opens_at,
        "closes_at": terms.closes_at,
        "time_factor": terms.time_factor,
    }
    sitting, made = Sitting.objects.get_or_create(
        subject=subject, anonymous_token=None, edition=edition, context=context, defaults=values
    )
    if not made and any(getattr(sitting, name) != value for name, value in values.items()):
        Sitting.objects.filter(pk=sitting.pk).update(**values)
        for name, value in values.items():
            setattr(sitting, name, value)
        _move_deadline(sitting)
    return sitting


def _move_deadline(sitting: Sitting) -> None:
    """Let the attempt that is open end when the new terms say: who is given more time has it at once."""
    attempt = (
        Attempt.objects.select_for_update(of=("self",))
        .filter(sitting=sitting, submitted_at__isnull=True)
        .first()
    )
    if attempt is None:
        return
    attempt.deadline = attempt_deadline(
        started_at=attempt.started_at,
        time_limit_minutes=document_of(sitting.edition).time_limit_minutes,
        time_factor=sitting.time_factor,
        closes_at=sitting.closes_at,
    )
    attempt.save(update_fields=["deadline"])
    attempt_deadline_moved.send(sender=Attempt, attempt=attempt)


@transaction.atomic
def start_attempt(*, sitting: Sitting, attempt_id: uuid.UUID, language: str | None = None) -> Attempt:
    """Start an attempt, or go on with the one that is open. What will be shown is drawn and stored now.

    `attempt_id` is made by the client: a repeat gives the first row.
    """
    now = clock.now()
    sitting = Sitting.objects.select_for_update(of=("self",)).select_related("edition").get(pk=sitting.pk)
    attempts = list(sitting.attempts.order_by("number"))
    for attempt in attempts:
        if attempt.pk == attempt_id or attempt.submitted_at is None:
            attempt.sitting = sitting
            return attempt
    if sitting.opens_at and now < sitting.opens_at:
        raise AttemptClosed(_("This assessment is not open yet."))
    if sitting.closes_at and now >= sitting.closes_at:
        raise AttemptClosed(_("This assessment has closed. What you handed in before is kept."))
    # Work that a marker gave back for another try costs no attempt.
    used = sum(not (attempt.passed is False and attempt.points is None) for attempt in attempts)
    if attempts_left(allowed=sitting.attempts_allowed, used=used) == 0:
        raise NoAttemptLeft(
            _("You have used all your attempts. Write to your instructor, who can open one more for you.")
        )
    if Attempt.objects.filter(pk=attempt_id).exists():
        raise _key_used_elsewhere()
    document = document_of(sitting.edition)
    seed = secrets.randbelow(2**62)
    attempt = Attempt.objects.create(
        id=attempt_id,
        sitting=sitting,
        number=len(attempts) + 1,
        seed=seed,
        form=draw_form(document=document, seed=seed).to_json(),
        started_at=now,
        deadline=attempt_deadline(
            started_at=now,
            time_limit_minutes=document.time_limit_minutes,
            time_factor=sitting.time_factor,
            closes_at=sitting.closes_at,
        ),
    )
    attempt_started.send(sender=Attempt, attempt=attempt, language=language or get_language() or "en")
    return attempt


def _key_used_elsewhere() -> InvalidInput:
    return InvalidInput(
        _("The key of what was sent was used for something else. Load the page again and try again.")
    )


def _lock_attempt(attempt_id: uuid.UUID) -> Attempt:
    return (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("sitting__edition", "sitting__subject")
        .get(pk=attempt_id)
    )


def _require_open(attempt: Attempt, now: datetime) -> None:
    if attempt.submitted_at is not None:
        raise AttemptClosed(
            _("This attempt was handed in already, so this answer was not added. What you handed in is kept.")
        )
    if attempt.deadline and now > attempt.deadline + GRACE:
        raise AttemptClosed(_("Time is up. The answers you saved until then are kept and will be handed in."))


@transaction.atomic
def save_response(
    *,
    attempt: Attempt,
    item_key: str,
    raw: Mapping[str, Any],
    client_id: uuid.UUID,
    language: str | None = None,
    occurred_at: datetime | None = None,
) -> Response:
    """Save one answer. Lock the attempt → check → add to the ledger. A repeat gives the first row.

    `raw` has the shape of `assessments.rules`: `{"choice": key}`, `{"choices": [keys]}`, `{"number": text}`,
    `{"text": words}`; empty: the answer was taken back. Four queries.
    """
    now = clock.now()
    attempt = _lock_attempt(attempt.pk)
    if found := Response.objects.filter(client_id=client_id).first():
        if found.attempt_id != attempt.pk or found.item_key != item_key:
            raise _key_used_elsewhere()
        return found
    _require_open(attempt, now)
    item = document_of(attempt.sitting.edition).items_by_key().get(item_key)
    if item is None or item_key not in Form.from_json(attempt.form).keys:
        raise InvalidInput(_("This question is not part of this attempt."))
    response = parse_response(item, raw, language=language)
    if isinstance(response, Problem):
        raise InvalidInput(
            describe_response_problem(response), errors={item_key: [describe_response_problem(response)]}
        )
    value, kept = response.to_json(), None
    if isinstance(response.value, str) and KIND_REGISTRY[item.kind].typed:
        # Words of a person stand apart, erasable; the ledger holds their key and salted digest.
        kept = _keep_words(attempt, PersonalText.Kind.ANSWER, response.value)
        value = {}
    return Response.objects.create(
        client_id=client_id,
        attempt=attempt,
        item_key=item_key,
        value=value,
        text_id=kept.id if kept else None,
        text_digest=text_digest(kept) if kept else "",
        occurred_at=min(occurred_at, now) if occurred_at else now,
    )


def _keep_words(attempt: Attempt, kind: str, words: str) -> PersonalText:
    subject = attempt.sitting.subject
    if subject is None:
        raise InvalidInput(_("Sign in to answer in your own words."))
    return save_text(subject=subject, kind=kind, text=words)


@transaction.atomic
def save_submission(
    *, attempt: Attempt, text: str, files: list[PersonalText], client_id: uuid.UUID
) -> Response:
    """Save the draft of an assignment: its words and the keys of its files. A repeat gives the first row."""
    now = clock.now()
    attempt = _lock_attempt(attempt.pk)
    if found := Response.objects.filter(client_id=client_id).first():
        if found.attempt_id != attempt.pk:
            raise _key_used_elsewhere()
        return found
    _require_open(attempt, now)
    asked = document_of(attempt.sitting.edition).submission
    if asked is None:
        raise InvalidInput(_("Nothing is to be written or sent here."))
    if files and len(files) > asked.max_files:
        raise InvalidInput(_("Send at most %(limit)d files. Your text is kept.") % {"limit": asked.max_files})
    kept = _keep_words(attempt, PersonalText.Kind.SUBMISSION, text)
    return Response.objects.create(
        client_id=client_id,
        attempt=attempt,
        item_key=SUBMISSION,
        value={"files": [str(file.id) for file in files]},
        text_id=kept.id,
        text_digest=text_digest(kept),
        occurred_at=now,
    )


@transaction.atomic
def flag_item(*, attempt: Attempt, item_key: str, flagged: bool) -> Attempt:
    """Note that a person wants to look at a question again before handing in, or no longer does.

    It is a bookmark and no fact: kept on the attempt, on whatever device the person goes on. Two queries.
    """
    attempt = _lock_attempt(attempt.pk)
    if attempt.submitted_at is not None or item_key not in Form.from_json(attempt.form).keys:
        return attempt
    keys = [key for key in attempt.flagged if key != item_key] + ([item_key] if flagged else [])
    if keys != attempt.flagged:
        attempt.flagged = keys
        attempt.save(update_fields=["flagged"])
    return attempt


def last_responses(attempt: Attempt) -> dict[str, Response]:
    """The response that counts for each item: the last one recorded. One query."""
    rows = Response.objects.filter(attempt=attempt).order_by("item_key", "-id").distinct("item_key")
    return {row.item_key: row for row in rows}


def raw_answers(attempt: Attempt, rows: Mapping[str, Response]) -> dict[str, dict[str, Any]]:
    """The raw answers by item, typed words read back from where they stand. At most one query."""
    texts = (
        {
            text.id: text.text
            for text in PersonalText.objects.filter(
                id__in=[row.text_id for row in rows.values() if row.text_id]
            )
        }
        if any(row.text_id for row in rows.values())
        else {}
    )
    return {
        key: ({"text": texts.get(row.text_id, "")} if row.text_id else row.value) for key, row in rows.items()
    }


@transaction.atomic
def submit_attempt(*, attempt: Attempt, submit_id: uuid.UUID, language: str | None = None) -> Attempt:
    """Hand an attempt in, once: lock → score → write → announce. Whoever comes second gets the first result."""
    attempt = _lock_attempt(attempt.pk)
    if attempt.submitted_at is not None:
        return attempt
    if Attempt.objects.filter(submit_id=submit_id).exists():
        raise _key_used_elsewhere()
    now = clock.now()
    document = document_of(attempt.sitting.edition)
    rows = last_responses(attempt)
    if document.submission is not None:
        score = _score_submission(document, rows)
    else:
        raw = raw_answers(attempt, rows)
        items = document.items_by_key()
        parsed = {key: parse_response(items[key], value, language=language) for key, value in raw.items()}
        score = score_attempt(
            document,
            Form.from_json(attempt.form),
            {key: response for key, response in parsed.items() if not isinstance(response, Problem)},
        )
    attempt.submitted_at = min(now, attempt.deadline + GRACE) if attempt.deadline else now
    attempt.submit_id = submit_id
    _set_score(attempt, score)
    attempt.save(update_fields=["submitted_at", "submit_id", "points", "max_points", "passed", "score"])
    attempt_submitted.send(sender=Attempt, attempt=attempt, language=language or get_language() or "en")
    return attempt


def _score_submission(document: AssessmentDocument, rows: Mapping[str, Response]) -> AttemptScore:
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


def _set_score(attempt: Attempt, score: AttemptScore) -> None:
    attempt.points = None if score.waiting else score.points
    attempt.max_points = score.max_points
    attempt.passed = score.passed
    attempt.score = score.to_json()


def submit_overdue(*, attempt: Attempt) -> Attempt:
    """Hand in what was saved once an attempt's time is over; nothing where it is open still."""
    overdue = (
        attempt.submitted_at is None
        and attempt.deadline is not None
        and clock.now() > attempt.deadline + GRACE
    )
    if not overdue:
        return attempt
    try:
        return submit_attempt(attempt=attempt, submit_id=uuid.uuid5(attempt.pk, "overdue"))
    except InvalidInput:
        # An assignment without a word: there is nothing to hand in.
        return attempt


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a marker decides about a submitted attempt."""

    decision: str
    levels: Mapping[str, int]
    comment: str = ""


@transaction.atomic
def mark_attempt(*, attempt: Attempt, marker: Subject, judgement: Judgement, client_id: uuid.UUID) -> Mark:
    """Mark a submitted attempt: lock → score by the rubric → add to the ledger → announce.

    A repeat gives the first row. A pass that was given is not taken back here.
    """
    attempt = _lock_attempt(attempt.pk)
    if found := Mark.objects.filter(client_id=client_id, attempt=attempt).first():
        return found
    if attempt.submitted_at is None:
        raise InvalidInput(_("This work has not been handed in yet."))
    document = document_of(attempt.sitting.edition)
    returned = judgement.decision == Mark.Decision.RETURNED
    try:
        score = score_rubric(document, dict(judgement.levels))
    except ValueError as error:
        raise InvalidInput(_("Choose one level for each criterion of the rubric.")) from error
    if score.waiting and not returned:
        raise InvalidInput(
            _("Choose one level for each criterion of the rubric. Your comment is kept."),
            errors={key: [_("Choose a level.")] for key in score.waiting},
        )
    if returned and not judgement.comment.strip():
        raise InvalidInput(_("Say in the comment what to change, so that the learner can try again."))
    if attempt.passed and (returned or score.passed is False):
        raise InvalidInput(
            _(
                "This work has passed, and the learner's standing rests on it. Its mark can be raised, not taken back."
            )
        )
    comment = None
    if judgement.comment.strip() and attempt.sitting.subject is not None:
        comment = save_text(
            subject=attempt.sitting.subject,
            author=marker,
            kind=PersonalText.Kind.COMMENT,
            text=judgement.comment.strip(),
        )
    if Mark.objects.filter(client_id=client_id).exists():
        raise _key_used_elsewhere()
    mark = Mark.objects.create(
        client_id=client_id,
        attempt=attempt,
        marker=marker,
        decision=judgement.decision,
        levels=dict(judgement.levels),
        points=None if returned else score.points,
        max_points=score.max_points,
        passed=False if returned else score.passed,
        comment_id=comment.id if comment else None,
    )
    _set_score(attempt, score)
    if returned:
        attempt.points, attempt.passed = None, False
    attempt.save(update_fields=["points", "max_points", "passed", "score"])
    attempt_marked.send(sender=Mark, mark=mark)
    return mark


def describe_response_problem(problem: Problem) -> str:
    """The sentence for an answer that cannot be taken."""
    sentences = {
        "not_a_number": _("Write a number, such as 12.5. Your other answers are kept."),
        "ambiguous_number": _(
            "This number can be read in two ways. Write it without separators of thousands."
        ),
        "too_long": _("This answer is too long: at most %(limit)s characters."),
        "unknown_option": _("One of the chosen options is not part of this question. Load the page again."),
    }
    sentence = sentences.get(
        problem.code, _("This answer could not be read. Load the page again and answer again.")
    )
    return sentence % problem.params if problem.params else sentence
