"""What the course engine answers to the floors below: who is touched by an edition, what uses it, who may look."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from core.extensions import Impact
from lms.models import Enrolment, Offering
from lms.permissions import teaches_learner

# Law 7: wherever people are counted, a smaller number could point at somebody.
SMALLEST_COUNT = 5


def report_impact(*, kind: str, key: uuid.UUID) -> Sequence[Impact]:
    """How many learners are in which edition of a course: a new edition changes nothing for them. One query.

    `kind` is `course`, `key` the course's key. Authors see that people learn, and never who: a count under five is
    not said.
    """
    if kind != "course":
        return []
    rows = (
        Enrolment.objects.filter(edition__course_key=key, state=Enrolment.State.ACTIVE)
        .filter(Q(progress__completed_at__isnull=True))
        .values("edition__number")
        .annotate(learners=Count("pk"))
        .order_by("edition__number")
    )
    return [
        Impact(
            sentence=_say_learners(row["learners"], row["edition__number"]),
            count=row["learners"],
            url=_desk(),
        )
        for row in rows
    ]


def _say_learners(learners: int, number: int) -> str:
    if learners < SMALLEST_COUNT:
        return _("Fewer than five learners are in edition %(number)d; nothing changes for them.") % {
            "number": number
        }
    return _("%(count)d learners are in edition %(number)d; nothing changes for them.") % {
        "count": learners,
        "number": number,
    }


def _desk() -> str:
    try:
        return reverse("lms:offerings")
    except NoReverseMatch:
        return ""


def grant_access(*, viewer: Any, subject_id: uuid.UUID, text: Any | None = None) -> str | None:
    """`instructor_of` where the viewer teaches the person; of one text, where it was handed in to them.

    At most three queries.
    """
    if not getattr(viewer, "is_authenticated", False):
        return None
    return "instructor_of" if teaches_learner(viewer, subject_id, text=text) else None


def tell_uses(*, kind: str, key: uuid.UUID) -> Sequence[str]:
    """Sentences on the offerings that use a course or one of its editions. One query.

    `kind` is `course` (the course's key), `course_edition` (an edition's) or `training` (the training's key).
    """
    columns = {
        "course": "edition__course_key",
        "course_edition": "edition",
        "training": "edition__training_key",
    }
    if kind not in columns:
        return []
    rows = (
        Offering.objects.filter(**{columns[kind]: key})
        .order_by("title_en")
        .values_list("title_en", flat=True)
    )
    return [_("The offering “%(title)s” uses it.") % {"title": title} for title in rows]
