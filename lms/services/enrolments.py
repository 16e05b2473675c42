"""Enrolling, and the name for the certificate."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization, PersonalText, Subject
from accounts.services import read_texts, save_text
from core import clock
from core.errors import DomainError, InvalidInput
from lms.models import Enrolment, EnrolmentEvent, Offering
from lms.projections import project_course, project_enrolment
from modules.selectors import kept_edition


class OfferingClosed(DomainError):
    """Nobody can enrol now, or nothing more is recorded."""

    code = "offering_closed"


class OfferingFull(DomainError):
    code = "offering_full"


@dataclass(frozen=True, kw_only=True)
class EnrolmentRequest:
    """What a learner asks for. `enrolment_id` is made by the client: a repeat gives the first enrolment."""

    offering: Offering
    subject: Subject
    enrolment_id: uuid.UUID
    certificate_name: str
    organization: Organization | None = None


def lock_offering(offering_id: uuid.UUID) -> Offering:
    """The offering, locked for the transaction, with its edition. One query, and one for an edition not kept yet.

    Nothing is joined: a row whose edition is another one by the time it is locked would not be found at all.
    """
    offering = Offering.objects.select_for_update().get(pk=offering_id)
    offering.edition = kept_edition(offering.edition_id)
    return offering


def seats_left(offering: Offering) -> int | None:
    """How many places are free; None: no limit. One query where there is a limit."""
    if offering.seats is None:
        return None
    taken = Enrolment.objects.filter(offering=offering, state=Enrolment.State.ACTIVE).count()
    return max(0, offering.seats - taken)


def _withdrew_themselves(enrolment: Enrolment) -> bool:
    last = enrolment.events.filter(kind=EnrolmentEvent.Kind.WITHDRAWN).order_by("-id").first()
    return last is not None and last.actor_id == enrolment.subject_id


def _check_window(offering: Offering, now: datetime) -> None:
    if offering.opens_at and now < offering.opens_at:
        raise OfferingClosed(_("This offering has not opened yet. Come back on its first day."))
    if offering.closes_at and now >= offering.closes_at:
        raise OfferingClosed(_("This offering has closed. Look in the catalogue for one that is open."))


@transaction.atomic
def enrol_learner(request: EnrolmentRequest) -> Enrolment:
    """Enrol a learner: lock the offering → check window and places → write → log.

    Who is enrolled already gets the same enrolment. Who withdrew themselves is taken back with everything they did
    and the time they had; whom an instructor withdrew is not, but by that instructor.
    """
    now = clock.now()
    offering = lock_offering(request.offering.pk)
    enrolment = Enrolment.objects.filter(offering=offering, subject=request.subject).first()
    if enrolment and enrolment.state == Enrolment.State.ACTIVE:
        return enrolment
    if enrolment and not _withdrew_themselves(enrolment):
        raise OfferingClosed(
            _(
                "Your instructor withdrew you from this offering. Everything you did is kept; "
                "write to them to come back."
            )
        )
    _check_window(offering, now)
    if seats_left(offering) == 0:
        raise OfferingFull(_("All places in this offering are taken. Look in the catalogue for another one."))
    data: dict[str, Any] = {}
    if enrolment is None:
        if Enrolment.objects.filter(pk=request.enrolment_id).exists():
            raise InvalidInput(_("The key of this enrolment was used for another one. Load the page again."))
        data = {
            "edition": str(offering.edition_id),
            "closes_at": offering.closes_at.isoformat() if offering.closes_at else None,
        }
        enrolment = Enrolment.objects.create(
            id=request.enrolment_id,
            offering=offering,
            subject=request.subject,
            edition=offering.edition,
            organization=request.organization,
            enrolled_at=now,
            closes_at=offering.closes_at,
        )
    EnrolmentEvent.objects.create(
        enrolment=enrolment,
        kind=EnrolmentEvent.Kind.ENROLLED if data else EnrolmentEvent.Kind.REINSTATED,
        actor=request.subject,
        data=data,
    )
    project_enrolment(enrolment)
    project_course(enrolment)
    if request.certificate_name.strip():
        confirm_certificate_name(enrolment=enrolment, name=request.certificate_name)
    return enrolment


@transaction.atomic
def confirm_certificate_name(*, enrolment: Enrolment, name: str) -> Enrolment:
    """Keep the name that a learner wants on the certificate; it can change until the certificate is issued.

    The same name again is kept once.
    """
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise InvalidInput(
            _("Write your name as it should stand on the certificate, in at most 120 characters."),
            errors={"certificate_name": [_("Write your name as it should stand on the certificate.")]},
        )
    locked = (
        Enrolment.objects.select_for_update(of=("self",)).only("certificate_name_id").get(pk=enrolment.pk)
    )
    kept = next(iter(read_texts([locked.certificate_name_id]).values()), None)
    if kept is None or kept.text != name:
        kept = save_text(subject=enrolment.subject, kind=PersonalText.Kind.CERTIFICATE_NAME, text=name)
        Enrolment.objects.filter(pk=enrolment.pk).update(certificate_name_id=kept.id)
    enrolment.certificate_name_id = kept.id
    return enrolment
