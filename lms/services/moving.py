"""An offering takes up a newer edition of its course, and its learners go along (ADR 117).

Nobody is taken away from an assessment that they have begun: an attempt is found by the edition of its assessment, so
whoever has begun one that reads otherwise in the newer edition finishes in the edition they are in. So does who has
completed the course: their certificate is about what they completed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Job, Subject
from accounts.services import Request, ask_job, record_audit
from assessments.models import Sitting
from core.errors import InvalidInput
from lms.models import CourseProgress, Enrolment, EnrolmentEvent, Offering
from lms.outlines import assessments_in
from lms.projections import project_course
from lms.services.desk import record_decision
from lms.services.enrolments import lock_offering
from lms.services.step_ledger import lock_enrolment
from lms.signals import course_completed
from modules.models import CourseEdition
from modules.selectors import kept_edition

# The kind of job in which an offering's learners go along (`lms.jobs`).
MOVING: Final = "offering_edition"


@dataclass(frozen=True, slots=True)
class Followers:
    """The enrolments in earlier editions: who goes along, and who stays for an assessment they have begun."""

    going: tuple[uuid.UUID, ...]
    staying: tuple[uuid.UUID, ...]


def find_behind_edition(offering: Offering, edition: CourseEdition) -> QuerySet[Enrolment]:
    """Who is at work in an earlier edition of the same course."""
    return Enrolment.objects.filter(
        offering=offering,
        state=Enrolment.State.ACTIVE,
        edition__course_key=edition.course_key,
        edition__number__lt=edition.number,
    ).exclude(progress__completed_at__isnull=False)


def sort_followers(behind: QuerySet[Enrolment], edition: CourseEdition) -> Followers:
    """Who of these can go along to an edition. Two queries, and one for each edition that is not kept yet."""
    pinned = dict(behind.order_by("pk").values_list("pk", "edition_id"))
    held = assessments_in(edition.pk)
    # The assessments that both editions have, word for word, in the same step.
    same = {
        key: {assessment for step, assessment in assessments_in(key).items() if held.get(step) == assessment}
        for key in set(pinned.values())
    }
    begun = (
        Sitting.objects.filter(context__in=behind.values("pk"), attempts__isnull=False)
        .values_list("context", "edition_id")
        .distinct()
    )
    staying = {
        context
        for context, assessment in begun
        if context in pinned and assessment not in same[pinned[context]]
    }
    return Followers(
        going=tuple(key for key in pinned if key not in staying),
        staying=tuple(key for key in pinned if key in staying),
    )


@transaction.atomic
def take_up_edition(*, offering: Offering, edition: CourseEdition, actor: Subject, job_id: uuid.UUID) -> Job:
    """Let whoever enrols from now on get a newer edition, and whoever can go along: the job in which they do.

    Where the offering has the edition already, those who can go along now do.
    """
    locked = lock_offering(offering.pk)
    before = locked.edition
    if edition.course_key != before.course_key or edition.number < before.number:
        raise InvalidInput(_("Choose a newer edition of the same course. Nothing was changed."))
    if edition.pk != before.pk:
        Offering.objects.filter(pk=locked.pk).update(edition=edition)
        record_audit(
            actor=actor,
            action="offering.edition_taken_up",
            target=locked,
            details={"before": before.number, "edition": edition.number},
        )
    return ask_job(
        asker=actor,
        request=Request(
            job_id=job_id,
            kind=MOVING,
            # An edition that is taken up while learners go along to the one before it is another job.
            about=str(uuid.uuid5(locked.pk, str(edition.pk))),
            title={"en": locked.title_in("en"), "fr": locked.title_in("fr")},
            params={"offering": str(locked.pk), "edition": str(edition.pk), "number": edition.number},
        ),
    )


@transaction.atomic
def move_learner(*, enrolment_id: uuid.UUID, edition: CourseEdition, actor: Subject) -> bool:
    """Take one learner along, where nothing stands against it; again is no different. Whether they were moved now.

    What they completed counts where the step is the same; where nothing is left to do, the course is complete.
    """
    enrolment = lock_enrolment(enrolment_id)
    behind = find_behind_edition(enrolment.offering, edition).filter(pk=enrolment.pk)
    if not sort_followers(behind, edition).going:
        return False
    record_decision(
        enrolment,
        kind=EnrolmentEvent.Kind.MOVED,
        actor=actor,
        reason="",
        client_id=uuid.uuid5(enrolment.pk, f"moved to {edition.pk}"),
        data={"edition": str(edition.pk)},
    )
    enrolment.edition = kept_edition(edition.pk)
    project_course(enrolment)
    if CourseProgress.objects.filter(enrolment=enrolment, completed_at__isnull=False).exists():
        course_completed.send(sender=Enrolment, enrolment=enrolment)
    return True


def count_moved(keys: Sequence[uuid.UUID], edition_id: str) -> int:
    """How many of these enrolments were taken along to an edition, by their ledger."""
    return EnrolmentEvent.objects.filter(
        enrolment__in=keys, kind=EnrolmentEvent.Kind.MOVED, data__edition=edition_id
    ).count()
