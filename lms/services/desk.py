"""What an instructor does for a learner: withdraw, reinstate, extend, accommodate, mark. All of it is logged."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText, Subject
from accounts.services import record_audit, save_text
from assessments import services as assessments
from assessments.models import Attempt, Mark
from core import clock
from core.errors import DomainError, InvalidInput
from lms.models import Accommodation, Enrolment, EnrolmentEvent
from lms.projections import project_enrolment
from lms.services.notices import notify
from lms.services.sittings import follow_terms, lock_context
from lms.services.step_ledger import lock_enrolment

Kind = EnrolmentEvent.Kind


@dataclass(frozen=True, kw_only=True)
class ExtraAllowance:
    """What is granted: a factor of at least 1, and so many attempts; in one step, or in all."""

    time_factor: Decimal = Decimal(1)
    extra_attempts: int = 0
    step_key: uuid.UUID | None = None
    ends_at: datetime | None = None


def _keep_reason(enrolment: Enrolment, actor: Subject, reason: str) -> uuid.UUID | None:
    if not reason.strip():
        return None
    return save_text(
        subject=enrolment.subject, author=actor, kind=PersonalText.Kind.REASON, text=reason.strip()
    ).id


def record_decision(
    enrolment: Enrolment,
    *,
    kind: str,
    actor: Subject,
    reason: str,
    client_id: uuid.UUID,
    data: dict[str, Any] | None = None,
) -> Enrolment:
    """Write one entry of an enrolment's ledger, once, with all that follows: its row, the audit log, a notice."""
    if EnrolmentEvent.objects.filter(client_id=client_id).exists():
        return enrolment
    EnrolmentEvent.objects.create(
        client_id=client_id,
        enrolment=enrolment,
        kind=kind,
        actor=actor,
        data=data or {},
        reason_id=_keep_reason(enrolment, actor, reason),
    )
    project_enrolment(enrolment)
    record_audit(actor=actor, action=f"enrolment.{kind}", subject=enrolment.subject, target=enrolment)
    if actor.pk != enrolment.subject_id:
        notify(
            subject=enrolment.subject,
            kind=f"enrolment_{kind}",
            about=f"enrolment-event:{client_id}",
            params={"enrolment": str(enrolment.pk), **(data or {})},
            path=f"/learn/{enrolment.pk}/",
        )
    return enrolment


@transaction.atomic
def withdraw_learner(*, enrolment: Enrolment, actor: Subject, reason: str, client_id: uuid.UUID) -> Enrolment:
    """Withdraw a learner, by themselves or by the instructor. Everything they did is kept."""
    enrolment = lock_enrolment(enrolment.pk)
    if enrolment.state == Enrolment.State.WITHDRAWN:
        return enrolment
    return record_decision(enrolment, kind=Kind.WITHDRAWN, actor=actor, reason=reason, client_id=client_id)


@transaction.atomic
def reinstate_learner(
    *, enrolment: Enrolment, actor: Subject, reason: str, client_id: uuid.UUID
) -> Enrolment:
    """Take a withdrawn learner back, with everything they did."""
    enrolment = lock_enrolment(enrolment.pk)
    if enrolment.state == Enrolment.State.ACTIVE:
        return enrolment
    return record_decision(enrolment, kind=Kind.REINSTATED, actor=actor, reason=reason, client_id=client_id)


@transaction.atomic
def extend_enrolment(
    *, enrolment: Enrolment, closes_at: datetime | None, actor: Subject, reason: str, client_id: uuid.UUID
) -> Enrolment:
    """Give a learner until another day; None: no end any more."""
    enrolment = lock_enrolment(enrolment.pk)
    if closes_at is not None and closes_at <= clock.now():
        raise InvalidInput(
            _("Choose a day in the future."), errors={"closes_at": [_("Choose a day in the future.")]}
        )
    data = {"closes_at": closes_at.isoformat() if closes_at else None}
    enrolment = record_decision(
        enrolment, kind=Kind.EXTENDED, actor=actor, reason=reason, client_id=client_id, data=data
    )
    follow_terms(enrolment)
    return enrolment


@transaction.atomic
def grant_accommodation(
    *,
    enrolment: Enrolment,
    allowance: ExtraAllowance,
    actor: Subject,
    reason: str,
    accommodation_id: uuid.UUID,
) -> Accommodation:
    """Give a learner more time or more attempts. A repeat gives the first row. The reason is kept apart."""
    enrolment = lock_enrolment(enrolment.pk)
    if found := Accommodation.objects.filter(pk=accommodation_id, enrolment=enrolment).first():
        return found
    if not Decimal(1) <= allowance.time_factor <= Decimal(5):
        raise InvalidInput(
            _("The time factor must be between 1 and 5."),
            errors={"time_factor": [_("Write a number from 1 to 5, such as 1.5.")]},
        )
    if allowance.time_factor == 1 and not allowance.extra_attempts:
        raise InvalidInput(_("Say how much more time or how many more attempts the learner gets."))
    granted = Accommodation.objects.create(
        id=accommodation_id,
        enrolment=enrolment,
        kind=Accommodation.Kind.ATTEMPTS if allowance.extra_attempts else Accommodation.Kind.TIME,
        step_key=allowance.step_key,
        time_factor=allowance.time_factor,
        extra_attempts=allowance.extra_attempts,
        ends_at=allowance.ends_at,
        granted_by=actor,
        reason_id=_keep_reason(enrolment, actor, reason),
    )
    follow_terms(enrolment)
    record_audit(
        actor=actor,
        action="accommodation.granted",
        subject=enrolment.subject,
        target=granted,
        details={"time_factor": str(allowance.time_factor), "extra_attempts": allowance.extra_attempts},
    )
    notify(
        subject=enrolment.subject,
        kind="accommodation_granted",
        about=f"accommodation:{granted.pk}",
        params={"enrolment": str(enrolment.pk)},
        path=f"/learn/{enrolment.pk}/",
    )
    return granted


def open_next_attempt(
    *, enrolment: Enrolment, step_key: uuid.UUID, actor: Subject, reason: str, accommodation_id: uuid.UUID
) -> Accommodation:
    """Open one more attempt in one step for a learner who has none left."""
    return grant_accommodation(
        enrolment=enrolment,
        allowance=ExtraAllowance(extra_attempts=1, step_key=step_key),
        actor=actor,
        reason=reason,
        accommodation_id=accommodation_id,
    )


class MarkedMeanwhile(DomainError):
    """Another marker decided while this one was reading. `mark` is what they decided."""

    code = "marked_meanwhile"

    def __init__(self, message: Any, *, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


@transaction.atomic
def mark_submission(
    *,
    attempt: Attempt,
    actor: Subject,
    judgement: assessments.Judgement,
    client_id: uuid.UUID,
    seen: int | None = None,
) -> Mark:
    """Mark a learner's work, or give it back for another try; logged as a look into their record.

    `seen` is the key of the last mark that the marker's page showed (0: none had been given). Where somebody
    decided since, nothing is recorded and `MarkedMeanwhile` says what they decided.
    """
    lock_context(attempt)
    attempt = (
        Attempt.objects.select_for_update(of=("self",)).select_related("sitting__subject").get(pk=attempt.pk)
    )
    last = Mark.objects.filter(attempt=attempt).select_related("marker__user").order_by("-id").first()
    if found := Mark.objects.filter(client_id=client_id, attempt=attempt).first():
        # A repeat: the first result stands, and it is on record already.
        return found
    if seen is not None and last is not None and last.pk != seen:
        raise MarkedMeanwhile(
            _(
                "Somebody marked this work while you were reading it, so your mark was not recorded. "
                "Their decision and what you wrote are both below."
            ),
            mark=last,
        )
    mark = assessments.mark_attempt(attempt=attempt, marker=actor, judgement=judgement, client_id=client_id)
    record_audit(
        actor=actor,
        action=f"attempt.{judgement.decision}",
        subject=attempt.sitting.subject,
        target=attempt,
    )
    return mark
