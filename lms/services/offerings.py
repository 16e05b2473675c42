"""What is decided about an offering as a whole."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Job, Subject
from accounts.services import Request, ask_job, record_audit
from core import clock
from lms.models import Enrolment, Offering

# The kind of job in which everyone follows a later closing (`lms.jobs`).
CLOSING: Final = "offering_closing"


def is_later(closes_at: datetime | None, than: datetime | None) -> bool:
    """Whether an offering that closes then is open longer than before; None: it never closes."""
    return than is not None and (closes_at is None or closes_at > than)


@transaction.atomic
def follow_new_closing(*, offering: Offering, before: datetime | None, actor: Subject) -> Job | None:
    """Log that an offering's closing moved, and let everyone enrolled follow a later one: the job that does so.

    An earlier closing holds for whoever enrols from now on: what a learner was promised is not shortened.
    """
    if offering.closes_at == before:
        return None
    record_audit(actor=actor, action="offering.rescheduled", target=offering)
    is_ahead = offering.closes_at is None or offering.closes_at > clock.now()
    if not (is_later(offering.closes_at, before) and is_ahead):
        return None
    return ask_job(
        asker=actor,
        request=Request(
            job_id=uuid.uuid4(),
            kind=CLOSING,
            # Moved once more while the first is under way, it is another job.
            about=str(uuid.uuid5(offering.pk, _say_day(offering))),
            title={"en": offering.title_in("en"), "fr": offering.title_in("fr")},
            params={"offering": str(offering.pk)},
        ),
    )


def find_behind(offering: Offering) -> QuerySet[Enrolment]:
    """Who is enrolled and closes before the offering does."""
    behind = Enrolment.objects.filter(
        offering=offering, state=Enrolment.State.ACTIVE, closes_at__isnull=False
    )
    return behind if offering.closes_at is None else behind.filter(closes_at__lt=offering.closes_at)


def extend_with_offering(*, enrolment: Enrolment, offering: Offering, actor: Subject) -> Enrolment:
    """Give a learner the offering's last day; again is no different."""
    from lms.services.desk import extend_enrolment

    return extend_enrolment(
        enrolment=enrolment,
        closes_at=offering.closes_at,
        actor=actor,
        reason="",
        client_id=uuid.uuid5(enrolment.pk, f"follows the offering to {_say_day(offering)}"),
    )


def _say_day(offering: Offering) -> str:
    return offering.closes_at.isoformat() if offering.closes_at else "no end"
