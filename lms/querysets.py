"""Conditions on the rows of the course engine, in the field's words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from lms.models import Enrolment
from lms.rules import IDLE_DAYS


def at_work(*, now: datetime, prefix: str = "") -> Q:
    """Enrolments in which something can still be done: active, not complete, not closed."""
    return Q(
        Q(**{f"{prefix}closes_at__isnull": True}) | Q(**{f"{prefix}closes_at__gt": now}),
        **{f"{prefix}state": Enrolment.State.ACTIVE, f"{prefix}progress__completed_at__isnull": True},
    )


def idle(*, now: datetime, prefix: str = "", days: int = IDLE_DAYS) -> Q:
    """Enrolments at work in which the learner has done nothing for so many days: `rules.is_stuck`, as a condition.

    Nobody is idle because of a marker.
    """
    since = now - timedelta(days=days)
    return at_work(now=now, prefix=prefix) & Q(
        Q(**{f"{prefix}progress__last_at__lte": since})
        | Q(**{f"{prefix}progress__last_at__isnull": True, f"{prefix}enrolled_at__lte": since}),
        **{f"{prefix}progress__waiting": 0},
    )
