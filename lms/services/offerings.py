"""What is decided about an offering as a whole."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Subject
from accounts.services import record_audit
from core import clock
from lms.models import Offering


def is_later(closes_at: datetime | None, than: datetime | None) -> bool:
    """Whether an offering that closes then is open longer than before; None: it never closes."""
    return than is not None and (closes_at is None or closes_at > than)


@transaction.atomic
def follow_new_closing(*, offering: Offering, before: datetime | None, actor: Subject) -> None:
    """Log that an offering's closing moved, and let everyone enrolled follow a later one, from the queue.

    An earlier closing holds for whoever enrols from now on: what a learner was promised is not shortened.
    """
    if offering.closes_at == before:
        return
    record_audit(actor=actor, action="offering.rescheduled", target=offering)
    is_ahead = offering.closes_at is None or offering.closes_at > clock.now()
    if is_later(offering.closes_at, before) and is_ahead:
        from lms.tasks_desk import follow_closing

        follow_closing.enqueue(str(offering.pk), str(actor.pk))
