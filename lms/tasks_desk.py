"""Background work that a decision about an offering sets off."""

from __future__ import annotations

import uuid

from django_tasks import task

from accounts.models import Subject
from lms.models import Enrolment, Offering


@task()
def follow_closing(offering_id: str, actor_id: str) -> None:
    """Give everyone enrolled the later last day of their offering; safe to run again."""
    from lms.services import extend_enrolment

    offering = Offering.objects.get(pk=uuid.UUID(offering_id))
    actor = Subject.objects.get(pk=uuid.UUID(actor_id))
    behind = Enrolment.objects.filter(
        offering=offering, state=Enrolment.State.ACTIVE, closes_at__isnull=False
    )
    if offering.closes_at is not None:
        behind = behind.filter(closes_at__lt=offering.closes_at)
    day = offering.closes_at.isoformat() if offering.closes_at else "no end"
    for enrolment in behind.order_by("pk"):
        extend_enrolment(
            enrolment=enrolment,
            closes_at=offering.closes_at,
            actor=actor,
            reason="",
            client_id=uuid.uuid5(enrolment.pk, f"follows the offering to {day}"),
        )
