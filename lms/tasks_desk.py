"""Background work that a decision about an offering set off in earlier versions; it may still be in the queue."""

from __future__ import annotations

import uuid

from django_tasks import task

from accounts.models import Subject
from lms.models import Offering


@task()
def follow_closing(offering_id: str, actor_id: str) -> None:
    """Give everyone enrolled the later last day of their offering; safe to run again. Now a job (`lms.jobs`)."""
    from lms.services.offerings import extend_with_offering, find_behind

    offering = Offering.objects.get(pk=uuid.UUID(offering_id))
    actor = Subject.objects.get(pk=uuid.UUID(actor_id))
    for enrolment in find_behind(offering).order_by("pk"):
        extend_with_offering(enrolment=enrolment, offering=offering, actor=actor)
