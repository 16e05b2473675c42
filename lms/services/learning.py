"""What a learner does in a step, recorded: lock the enrolment → check → add to the ledger → project → announce."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText
from accounts.services import read_texts, save_text, text_digest
from core import clock
from core.errors import DomainError, InvalidInput, NotFound
from lms.models import CourseProgress, Enrolment, LearningEvent, StepProgress
from lms.outlines import steps_of
from lms.projections import fold_step, project_course, project_step
from lms.rules import Step, StepState, blocking_step, completion_reason, missing_checks, missing_reflections
from lms.services.enrolments import OfferingClosed
from lms.services.evidence import record_lesson_evidence
from lms.signals import course_completed
from modules.models import StepContent
from modules.selectors import find_step_content

Verb = LearningEvent.Verb


class StepLocked(DomainError):
    """An earlier step has to be completed first."""

    code = "step_locked"


@dataclass(frozen=True, kw_only=True)
class PartAnswer:
    """What a learner put into a part of a lesson. `client_id` makes a repeat harmless."""

    step_key: uuid.UUID
    part_key: str
    client_id: uuid.UUID
    language: str
    occurred_at: datetime | None = None


def lock_enrolment(enrolment_id: uuid.UUID) -> Enrolment:
    """The enrolment, locked for the transaction, with what a step needs. One query."""
    return (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("edition", "offering", "subject")
        .defer("edition__outline", "edition__note")
        .get(pk=enrolment_id)
    )


def require_open(enrolment: Enrolment, now: datetime) -> None:
    """Refuse to record anything more where a learner has withdrawn or the window has closed."""
    if enrolment.state != Enrolment.State.ACTIVE:
        raise OfferingClosed(
            _(
                "You have withdrawn from this course, so nothing more is recorded. What you did before is kept."
            )
        )
    if enrolment.closes_at and now >= enrolment.closes_at:
        raise OfferingClosed(
            _(
                "This course has closed for you, so nothing more is recorded. What you did before is kept. "
                "Your instructor can extend your time."
            )
        )


def find_step(enrolment: Enrolment, step_key: uuid.UUID) -> Step:
    """The step of the pinned edition. No query once the outline is read."""
    for step in steps_of(enrolment.edition).steps:
        if step.key == step_key:
            return step
    raise NotFound(_("This step is not part of your course."))


def completed_steps(enrolment: Enrolment) -> set[uuid.UUID]:
    """Keys of the steps with a completion record. One query."""
    return set(
        StepProgress.objects.filter(enrolment=enrolment, completed_at__isnull=False).values_list(
            "step_key", flat=True
        )
    )


def require_unlocked(enrolment: Enrolment, step_key: uuid.UUID) -> None:
    """Refuse a step that waits for another one. One query in a sequence, none in a free course."""
    course = steps_of(enrolment.edition)
    if course.order == "free":
        return
    if blocking_step(course, completed_steps(enrolment), step_key) is not None:
        raise StepLocked(_("This step opens once the one before it is complete. Nothing was recorded."))


def occurred(reported: datetime | None, now: datetime, enrolment: Enrolment) -> datetime:
    """When it happened: what the device says, but never in the future nor before the enrolment."""
    return max(min(reported or now, now), enrolment.enrolled_at)


def add_event(
    enrolment: Enrolment,
    *,
    verb: str,
    step_key: uuid.UUID,
    client_id: uuid.UUID,
    language: str,
    occurred_at: datetime,
    object_key: str = "",
    result: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry to the learning ledger, unless one with its key is there. One query."""
    LearningEvent.objects.bulk_create(
        [
            LearningEvent(
                client_id=client_id,
                enrolment=enrolment,
                subject_id=enrolment.subject_id,
                verb=verb,
                step_key=step_key,
                object_key=object_key,
                result=dict(result or {}),
                language=language,
                occurred_at=occurred_at,
            )
        ],
        ignore_conflicts=True,
    )


def is_repeat(client_id: uuid.UUID, enrolment: Enrolment) -> bool:
    """Whether an entry with this key is in the ledger already. Refuses a key used for something else. One query."""
    found = LearningEvent.objects.filter(client_id=client_id).values_list("enrolment_id", flat=True).first()
    if found is not None and found != enrolment.pk:
        raise InvalidInput(_("This entry's key was used for another one. Load the page again."))
    return found is not None


@transaction.atomic
def open_step(*, enrolment: Enrolment, step_key: uuid.UUID, language: str) -> Enrolment:
    """Record that a learner opened a step: the first time, and when they come back to it from another one."""
    now = clock.now()
    enrolment = lock_enrolment(enrolment.pk)
    require_open(enrolment, now)
    find_step(enrolment, step_key)
    require_unlocked(enrolment, step_key)
    progress = CourseProgress.objects.filter(enrolment=enrolment).only("last_step_key").first()
    if progress and progress.last_step_key == step_key:
        return enrolment
    add_event(
        enrolment,
        verb=Verb.OPENED,
        step_key=step_key,
        client_id=uuid.uuid4(),
        language=language,
        occurred_at=now,
    )
    project_step(enrolment, fold_step(enrolment, step_key))
    project_course(enrolment)
    return enrolment


def content_of(enrolment: Enrolment, step_key: uuid.UUID, language: str) -> StepContent:
    """The rendered step in a language. At most one query, mostly none."""
    found = find_step_content(enrolment.edition_id, step_key, language, fall_back=False)
    if found is None:
        raise NotFound(_("This step has no text in this language."))
    return found


def _require_part(enrolment: Enrolment, answer: PartAnswer, kind: str) -> tuple[StepContent, dict[str, Any]]:
    content = content_of(enrolment, answer.step_key, answer.language)
    part = content.part(answer.part_key)
    if part is None or part["type"] != kind:
        raise NotFound(
            _("This part is not in the lesson any more. Load the page again; your words are still there.")
        )
    return content, part


def _record_part(
    enrolment: Enrolment, answer: PartAnswer, verb: str, result: Mapping[str, Any], now: datetime
) -> StepProgress:
    add_event(
        enrolment,
        verb=verb,
        step_key=answer.step_key,
        client_id=answer.client_id,
        language=answer.language,
        occurred_at=occurred(answer.occurred_at, now, enrolment),
        object_key=answer.part_key,
        result=result,
    )
    row = project_step(enrolment, fold_step(enrolment, answer.step_key))
    project_course(enrolment)
    return row


def _begin(enrolment: Enrolment, answer: PartAnswer, now: datetime) -> Enrolment:
    enrolment = lock_enrolment(enrolment.pk)
    require_open(enrolment, now)
    find_step(enrolment, answer.step_key)
    require_unlocked(enrolment, answer.step_key)
    return enrolment


def stored_progress(enrolment: Enrolment, step_key: uuid.UUID) -> StepProgress:
    return StepProgress.objects.get(enrolment=enrolment, step_key=step_key)


@transaction.atomic
def save_reflection(*, enrolment: Enrolment, answer: PartAnswer, text: str) -> StepProgress:
    """Keep the words of a reflection; each saving is kept. A repeat gives the first result."""
    now = clock.now()
    enrolment = _begin(enrolment, answer, now)
    if is_repeat(answer.client_id, enrolment):
        return stored_progress(enrolment, answer.step_key)
    _require_part(enrolment, answer, "reflection")
    kept = save_text(subject=enrolment.subject, kind=PersonalText.Kind.REFLECTION, text=text)
    result = {"text": str(kept.id), "digest": text_digest(kept), "empty": not text.strip()}
    return _record_part(enrolment, answer, Verb.REFLECTED, result, now)


@transaction.atomic
def save_worksheet(*, enrolment: Enrolment, answer: PartAnswer, fields: Mapping[str, str]) -> StepProgress:
    """Keep the words of a worksheet. Fields that are not named keep theirs. A repeat gives the first result."""
    now = clock.now()
    enrolment = _begin(enrolment, answer, now)
    if is_repeat(answer.client_id, enrolment):
        return stored_progress(enrolment, answer.step_key)
    _content, part = _require_part(enrolment, answer, "worksheet")
    known = {field["key"] for field in part["fields"]}
    words = {**_last_fields(enrolment, answer), **fields}
    words = {key: text for key, text in words.items() if key in known}
    kept = save_text(
        subject=enrolment.subject,
        kind=PersonalText.Kind.WORKSHEET,
        text=json.dumps(words, ensure_ascii=False),
    )
    empty = not any(text.strip() for text in words.values())
    result = {"text": str(kept.id), "digest": text_digest(kept), "empty": empty}
    return _record_part(enrolment, answer, Verb.WROTE, result, now)


def _last_fields(enrolment: Enrolment, answer: PartAnswer) -> dict[str, str]:
    """What a worksheet holds so far: each field is saved by itself while a person writes. Two queries."""
    row = StepProgress.objects.filter(enrolment=enrolment, step_key=answer.step_key).only("parts").first()
    key = row.parts.get(answer.part_key, {}).get("text") if row else None
    kept = read_texts([key]).get(uuid.UUID(key)) if key else None
    return json.loads(kept.text) if kept and kept.text else {}


@transaction.atomic
def answer_check(*, enrolment: Enrolment, answer: PartAnswer, choices: Sequence[str]) -> StepProgress:
    """Record the answer to an inline check and whether it was right; it is practice and can be changed."""
    now = clock.now()
    enrolment = _begin(enrolment, answer, now)
    if is_repeat(answer.client_id, enrolment):
        return stored_progress(enrolment, answer.step_key)
    content, part = _require_part(enrolment, answer, "check")
    known = {option["key"] for option in part["options"]}
    chosen = sorted(set(choices) & known)
    if not chosen or (part["kind"] == "single" and len(chosen) > 1):
        raise InvalidInput(
            _("Choose an answer, then check it."), errors={answer.part_key: [_("Choose an answer.")]}
        )
    right = chosen == sorted(content.keys[answer.part_key]["correct"])
    return _record_part(enrolment, answer, Verb.CHECKED, {"choices": chosen, "right": right}, now)


@transaction.atomic
def complete_lesson(
    *, enrolment: Enrolment, step_key: uuid.UUID, language: str, client_id: uuid.UUID
) -> StepProgress:
    """Complete a lesson, if nothing of it is missing. A repeat gives the first result.

    Refuses with `InvalidInput` whose `errors` name the parts that are still to be filled in.
    """
    now = clock.now()
    enrolment = lock_enrolment(enrolment.pk)
    step = find_step(enrolment, step_key)
    state = fold_step(enrolment, step_key)
    if state.completed_at is not None:
        return stored_progress(enrolment, step_key)
    require_open(enrolment, now)
    require_unlocked(enrolment, step_key)
    if state.opened_at is None:
        add_event(
            enrolment,
            verb=Verb.OPENED,
            step_key=step_key,
            client_id=client_id,
            language=language,
            occurred_at=now,
        )
        state = fold_step(enrolment, step_key)
    if step.kind != "lesson":
        raise InvalidInput(_("An assessment is completed by handing it in."))
    missing = {
        **{key: [_("Answer this question first.")] for key in missing_checks(step, state)},
        **{key: [_("Write a few words here first.")] for key in missing_reflections(step, state)},
    }
    if missing:
        raise InvalidInput(
            _("Something in this lesson is still open. What you have done is kept."), errors=missing
        )
    row = record_completion(enrolment, step, state, language=language, now=now)
    assert row is not None
    return row


def record_completion(
    enrolment: Enrolment, step: Step, state: StepState, *, language: str, now: datetime
) -> StepProgress | None:
    """Record a step as complete if the one rule set says so, with its reason, its evidence and the news.

    The enrolment is locked by the caller. None where the step is not complete yet.
    """
    reason = completion_reason(step, state)
    if reason is None or state.completed_at is not None:
        return None
    add_event(
        enrolment,
        verb=Verb.COMPLETED,
        step_key=step.key,
        client_id=uuid.uuid5(enrolment.pk, f"completed:{step.key}"),
        language=language,
        occurred_at=now,
        result=reason,
    )
    if step.kind == "lesson":
        record_lesson_evidence(enrolment=enrolment, step_key=step.key, now=now)
    return project_and_announce(enrolment, step.key)


def project_and_announce(enrolment: Enrolment, step_key: uuid.UUID) -> StepProgress:
    """Write the rows of a step and its course; send the news where that completed the course."""
    was_complete = CourseProgress.objects.filter(enrolment=enrolment, completed_at__isnull=False).exists()
    row = project_step(enrolment, fold_step(enrolment, step_key))
    course = project_course(enrolment)
    if course.completed_at and not was_complete:
        course_completed.send(sender=Enrolment, enrolment=enrolment)
    return row
