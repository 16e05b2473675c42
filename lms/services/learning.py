"""What a learner does in a step, recorded: lock the enrolment → check → add to the ledger → project → announce."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText
from accounts.services import read_texts, save_text, text_digest
from core import clock
from core.errors import InvalidInput, NotFound
from lms.models import Enrolment, LearningEvent, StepProgress
from lms.rules import completion_reason, missing_checks, missing_reflections
from lms.services.enrolments import OfferingClosed
from lms.services.evidence import evidence_of_lesson
from lms.services.step_ledger import StepLedger
from modules.models import StepContent
from modules.selectors import find_step_content

Verb = LearningEvent.Verb


@dataclass(frozen=True, kw_only=True)
class PartAnswer:
    """What a learner put into a part of a lesson. `client_id` makes a repeat harmless."""

    step_key: uuid.UUID
    part_key: str
    client_id: uuid.UUID
    language: str
    occurred_at: datetime | None = None


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


def occurred(reported: datetime | None, now: datetime, enrolment: Enrolment) -> datetime:
    """When it happened: what the device says, but never in the future nor before the enrolment."""
    return max(min(reported or now, now), enrolment.enrolled_at)


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
    ledger = StepLedger.open(enrolment.pk, step_key)
    enrolment = ledger.enrolment
    require_open(enrolment, now)
    ledger.require_unlocked()
    if ledger.is_where_left_off:
        return enrolment
    ledger.add(Verb.OPENED, client_id=uuid.uuid4(), language=language, occurred_at=now)
    ledger.write()
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
    ledger: StepLedger, answer: PartAnswer, verb: str, result: Mapping[str, Any], now: datetime
) -> StepProgress:
    ledger.add(
        verb,
        client_id=answer.client_id,
        language=answer.language,
        occurred_at=occurred(answer.occurred_at, now, ledger.enrolment),
        object_key=answer.part_key,
        result=result,
    )
    ledger.write()
    return ledger.row


def _begin(enrolment: Enrolment, answer: PartAnswer, now: datetime) -> StepLedger:
    ledger = StepLedger.open(enrolment.pk, answer.step_key)
    require_open(ledger.enrolment, now)
    ledger.require_unlocked()
    return ledger


def stored_progress(enrolment: Enrolment, step_key: uuid.UUID) -> StepProgress:
    return StepProgress.objects.get(enrolment=enrolment, step_key=step_key)


@transaction.atomic
def save_reflection(*, enrolment: Enrolment, answer: PartAnswer, text: str) -> StepProgress:
    """Keep the words of a reflection; each saving is kept. A repeat gives the first result."""
    now = clock.now()
    ledger = _begin(enrolment, answer, now)
    enrolment = ledger.enrolment
    if is_repeat(answer.client_id, enrolment):
        return stored_progress(enrolment, answer.step_key)
    _require_part(enrolment, answer, "reflection")
    kept = save_text(subject=enrolment.subject, kind=PersonalText.Kind.REFLECTION, text=text)
    result = {"text": str(kept.id), "digest": text_digest(kept), "empty": not text.strip()}
    return _record_part(ledger, answer, Verb.REFLECTED, result, now)


@transaction.atomic
def save_worksheet(*, enrolment: Enrolment, answer: PartAnswer, fields: Mapping[str, str]) -> StepProgress:
    """Keep the words of a worksheet. Fields that are not named keep theirs. A repeat gives the first result."""
    now = clock.now()
    ledger = _begin(enrolment, answer, now)
    enrolment = ledger.enrolment
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
    return _record_part(ledger, answer, Verb.WROTE, result, now)


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
    ledger = _begin(enrolment, answer, now)
    enrolment = ledger.enrolment
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
    return _record_part(ledger, answer, Verb.CHECKED, {"choices": chosen, "right": right}, now)


@transaction.atomic
def complete_lesson(
    *, enrolment: Enrolment, step_key: uuid.UUID, language: str, client_id: uuid.UUID
) -> StepProgress:
    """Complete a lesson, if nothing of it is missing. A repeat gives the first result.

    Refuses with `InvalidInput` whose `errors` name the parts that are still to be filled in.
    """
    ledger = StepLedger.open(enrolment.pk, step_key)
    _complete(ledger, language=language, client_id=client_id)
    return ledger.row


@transaction.atomic
def complete_own_lesson(
    *,
    enrolment_id: uuid.UUID,
    subject_id: uuid.UUID,
    find_key: Callable[[Enrolment], uuid.UUID],
    guess: uuid.UUID | None,
    language: str,
    client_id: uuid.UUID,
) -> None:
    """`complete_lesson` by who knows only the address of a step, and says whose enrolment it is to be.

    `find_key` and `guess` are those of `StepLedger.open_own`. Refuses a stranger's enrolment with `NotFound`.
    """
    ledger = StepLedger.open_own(enrolment_id, subject_id=subject_id, find_key=find_key, guess=guess)
    _complete(ledger, language=language, client_id=client_id)


def _complete(ledger: StepLedger, *, language: str, client_id: uuid.UUID) -> None:
    now = clock.now()
    enrolment, step_key = ledger.enrolment, ledger.step.key
    if ledger.state.completed_at is not None:
        return
    require_open(enrolment, now)
    ledger.require_unlocked()
    if ledger.state.opened_at is None:
        opening = uuid.uuid5(client_id, f"opened:{enrolment.pk}:{step_key}")
        ledger.add(Verb.OPENED, client_id=opening, language=language, occurred_at=now)
    if ledger.step.kind != "lesson":
        raise InvalidInput(_("An assessment is completed by handing it in."))
    missing = {
        **{key: [_("Answer this question first.")] for key in missing_checks(ledger.step, ledger.state)},
        **{
            key: [_("Write a few words here first.")]
            for key in missing_reflections(ledger.step, ledger.state)
        },
    }
    if missing:
        raise InvalidInput(
            _("Something in this lesson is still open. What you have done is kept."), errors=missing
        )
    complete_step(ledger, language=language, now=now)
    ledger.write()


def complete_step(ledger: StepLedger, *, language: str, now: datetime) -> None:
    """Add the completion of a step if the one rule set says so, with its reason and, of a lesson, its evidence."""
    state, step = ledger.state, ledger.step
    reason = completion_reason(step, state)
    if reason is None or state.completed_at is not None:
        return
    ledger.add(
        Verb.COMPLETED,
        client_id=uuid.uuid5(ledger.enrolment.pk, f"completed:{step.key}"),
        language=language,
        occurred_at=now,
        result=reason,
    )
    if step.kind == "lesson":
        ledger.add_evidence(evidence_of_lesson(enrolment=ledger.enrolment, step_key=step.key, now=now))
