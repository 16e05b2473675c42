"""Sittings and the attempts begun in them."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Subject
from assessments.models import AssessmentEdition, Attempt, Sitting
from assessments.rules import attempt_deadline, attempts_left, draw_form
from assessments.services.editions import document_of
from assessments.services.running import AttemptClosed, key_used_elsewhere
from assessments.signals import attempt_deadline_moved, attempt_started
from core import clock
from core.errors import DomainError
from core.languages import reading_language


class NoAttemptLeft(DomainError):
    code = "no_attempt_left"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for one sitting, resolved from the assessment, the offering and accommodations."""

    attempts_allowed: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    time_factor: Decimal = Decimal(1)


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
        raise key_used_elsewhere()
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
    attempt_started.send(sender=Attempt, attempt=attempt, language=language or reading_language())
    return attempt
