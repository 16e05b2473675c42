"""Who may teach an offering, and which offerings a person teaches.

A person teaches an offering with an instructor's role in its organization, or with such a role anywhere and their
name on the offering. Administrators may see to all of them. Whoever has nothing to do with an offering is told that
there is none (404); whoever knows of it but does not teach it is refused (403).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import PersonalText, Role
from accounts.permissions import has_role, is_administrator, organizations_where, roles_of
from accounts.second_factor import is_unprotected
from assessments.models import Response
from assessments.services import SUBMISSION
from core.prepared import PreparedQuery, given_text
from lms.models import Enrolment, Offering, StepProgress
from lms.outlines import steps_of
from lms.rules import is_unlocked
from modules.models import CourseEdition
from modules.permissions import may_see_editions
from modules.selectors import kept_edition

INSTRUCTOR = Role.What.INSTRUCTOR


def teaches(user: Any, offering: Offering) -> bool:
    """Whether the person is an instructor of this offering. At most two queries."""
    if not has_role(user, INSTRUCTOR):
        return False
    if offering.organization_id in organizations_where(user, INSTRUCTOR):
        return True
    return offering.instructors.filter(pk=user.pk).exists()


def may_teach(user: Any, offering: Offering) -> bool:
    """Whether the person may see and do what an instructor of this offering may. At most two queries."""
    return bool(getattr(user, "is_authenticated", False)) and (
        is_administrator(user) or teaches(user, offering)
    )


def offerings_taught_by(user: Any) -> QuerySet[Offering]:
    """The offerings that the person is an instructor of."""
    if not has_role(user, INSTRUCTOR):
        return Offering.objects.none()
    named = Offering.instructors.through.objects.filter(user=user).values("offering")
    return Offering.objects.filter(
        Q(organization__in=organizations_where(user, INSTRUCTOR)) | Q(pk__in=named)
    )


def offerings_for(user: Any) -> QuerySet[Offering]:
    """The offerings that `may_teach` allows: all of them for administrators."""
    if not getattr(user, "is_authenticated", False):
        return Offering.objects.none()
    return Offering.objects.all() if is_administrator(user) else offerings_taught_by(user)


def knows_of(user: Any, offering: Offering) -> bool:
    """Whether the person has to do with the offering: as its learner, or at who runs or countersigns it."""
    places = {offering.organization_id, offering.partner_id}
    if any(role.organization_id in places for role in roles_of(user)):
        return True
    return Enrolment.objects.filter(offering=offering, subject__user=user).exists()


_read_offering: Final = PreparedQuery(
    lambda: Offering.objects.filter(slug=given_text("slug")), joined=("organization", "partner")
)


def find_taught(user: Any, slug: str) -> Offering:
    """The offering under this address, for who may teach it; else 404 or 403. At most four queries."""
    offering = _read_offering.first(slug=slug)
    if offering is None:
        raise Http404("There is no such offering.")
    offering.edition = kept_edition(offering.edition_id)
    if may_teach(user, offering):
        return offering
    if knows_of(user, offering):
        raise PermissionDenied(_("Only the instructors of this offering see its learners."))
    raise Http404("There is no such offering.")


@dataclass(frozen=True)
class Printable:
    """An edition that somebody may print: all of it, or (`steps` is given) the steps that are open to them."""

    edition: CourseEdition
    steps: frozenset[uuid.UUID] | None = None


def prints_all(user: Any, edition: CourseEdition) -> bool:
    """Whether the person may have the whole text of an edition at once. At most seven queries.

    Those who teach an offering or a learner of it; authors and administrators, once they have set up their second
    factor.
    """
    if (is_administrator(user) or may_see_editions(user)) and not is_unprotected(user):
        return True
    taught = offerings_taught_by(user)
    learners = Enrolment.objects.filter(edition=edition, offering__in=taught)
    return taught.filter(edition=edition).exists() or learners.exists()


def open_steps(user: Any, edition: CourseEdition) -> frozenset[uuid.UUID] | None:
    """The steps that are open to a learner, by the rule of the lesson's page; None for who is no learner of it.

    Whoever has left is none. Somebody who is enrolled twice has what either enrolment opens. Two queries.
    """
    enrolments = Enrolment.objects.filter(edition=edition, subject__user=user)
    keys = list(enrolments.exclude(state=Enrolment.State.WITHDRAWN).values_list("pk", flat=True))
    if not keys:
        return None
    completed: dict[uuid.UUID, set[uuid.UUID]] = {key: set() for key in keys}
    for enrolment, step in StepProgress.objects.filter(
        enrolment__in=keys, completed_at__isnull=False
    ).values_list("enrolment", "step_key"):
        completed[enrolment].add(step)
    course = steps_of(edition)
    return frozenset(
        step.key
        for step in course.steps
        if any(is_unlocked(course, done, step.key) for done in completed.values())
    )


def find_printable(user: Any, edition_id: uuid.UUID) -> Printable:
    """The edition of this key, for who may print it; else 404, or 403 for who has to do with it otherwise.

    A learner has what is open to them: a lesson that waits for another one on the site waits for it on paper too.
    A lesson that is open to the public does not open the others. At most twelve queries.
    """
    edition = CourseEdition.objects.defer("outline", "note").filter(pk=edition_id).first()
    if edition is None:
        raise Http404("There is no such edition.")
    if prints_all(user, edition):
        return Printable(edition)
    steps = open_steps(user, edition)
    if steps is not None:
        return Printable(edition, steps)
    if Enrolment.objects.filter(edition=edition, subject__user=user).exists():
        raise PermissionDenied(_("You have left this course. Enrol again to print it."))
    places = {role.organization_id for role in roles_of(user)}
    offered = Offering.objects.filter(Q(organization__in=places) | Q(partner__in=places), edition=edition)
    if offered.exists():
        raise PermissionDenied(_("Only learners, instructors and authors of this course can print it."))
    raise Http404("There is no such edition.")


# What a learner hands in for others to read. A reflection or a worksheet is read by nobody else.
HANDED_IN = frozenset({PersonalText.Kind.SUBMISSION, PersonalText.Kind.UPLOAD})


def teaches_learner(user: Any, subject_id: uuid.UUID, *, text: PersonalText | None = None) -> bool:
    """Whether the person teaches an offering in which the learner is or was enrolled. At most three queries.

    Of one text or file: whether it stands in work that was handed in there. A draft, a file that was taken out
    before handing in, and work for somebody else's offering do not count.
    """
    if text is not None and text.kind not in HANDED_IN:
        return False
    enrolments = Enrolment.objects.filter(subject_id=subject_id, offering__in=offerings_taught_by(user))
    if text is None:
        return enrolments.exists()
    last = (
        Response.objects.filter(
            item_key=SUBMISSION,
            attempt__sitting__context__in=enrolments.values("pk"),
            attempt__sitting__subject_id=subject_id,
            attempt__submitted_at__isnull=False,
        )
        .order_by("attempt_id", "-id")
        .distinct("attempt_id")
        .only("value", "text_id")
    )
    return any(row.text_id == text.pk or str(text.pk) in row.value.get("files", ()) for row in last)
