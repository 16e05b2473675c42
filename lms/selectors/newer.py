"""What taking up a newer edition of a course would mean for an offering."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lms import texts
from lms.models import Enrolment, Offering
from lms.selectors.desk_people import learner_url, name_of
from lms.services.moving import Followers, find_behind_edition, sort_followers
from lms.words import say_date
from modules.changes import ChangeLine, describe_changes
from modules.models import CourseEdition
from modules.selectors import latest_edition, outline_of

# So many of those who stay are named; an instructor's page has the others.
MOST_NAMED: Final = 20


@dataclass(frozen=True, kw_only=True)
class NewerEdition:
    """The newest edition of an offering's course, what it changes, and for whom."""

    offering: Offering
    edition: CourseEdition
    changes: Sequence[ChangeLine]
    followers: Followers
    completed: int
    staying: Sequence[tuple[str, str]]

    @property
    def is_newer(self) -> bool:
        """Whether the offering has an earlier one."""
        return self.edition.pk != self.offering.edition_id

    @property
    def has_something(self) -> bool:
        """Whether there is something to take up, or somebody to take along."""
        return self.is_newer or bool(self.followers.going)

    @property
    def title(self) -> str:
        return self.offering.title_in(texts.language())

    @property
    def issued(self) -> str:
        """The day on which the newer edition was issued."""
        return say_date(self.edition.issued_at, year=True)

    @property
    def unnamed(self) -> int:
        return len(self.followers.staying) - len(self.staying)


def has_newer_edition(offering: Offering) -> bool:
    """Whether a newer edition of its course was issued. One query."""
    return CourseEdition.objects.filter(
        course_key=offering.edition.course_key, number__gt=offering.edition.number
    ).exists()


def read_newer_edition(offering: Offering) -> NewerEdition:
    """What is new, and whom it touches. At most six queries, and one for each edition that is not kept yet."""
    edition = latest_edition(offering.edition.course_key) or offering.edition
    behind = find_behind_edition(offering, edition)
    followers = sort_followers(behind, edition)
    before = offering.edition
    if before.pk == edition.pk:
        first = behind.select_related("edition").order_by("edition__number").first()
        before = first.edition if first else edition
    return NewerEdition(
        offering=offering,
        edition=edition,
        changes=describe_changes(outline_of(before), outline_of(edition)),
        followers=followers,
        completed=Enrolment.objects.filter(
            offering=offering, edition__number__lt=edition.number, progress__completed_at__isnull=False
        ).count(),
        staying=_name(followers.staying[:MOST_NAMED]),
    )


def _name(keys: Sequence[uuid.UUID]) -> list[tuple[str, str]]:
    """Each learner's name, and where their instructors see them."""
    rows = Enrolment.objects.filter(pk__in=keys).select_related("offering", "subject__user")
    return [
        (name_of(row.subject), learner_url(row)) for row in rows.order_by("subject__user__sort_name", "pk")
    ]
