"""The learners of an offering, and one of them in words."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Subject
from lms import texts
from lms.models import Enrolment, Offering
from lms.selectors.desk import erased_name, write_to
from lms.words import say_date


def learners_of(offering: Offering) -> QuerySet[Enrolment]:
    """The enrolments of an offering with what one of them is shown by."""
    return (
        Enrolment.objects.filter(offering=offering)
        .select_related("edition", "offering", "subject__user", "organization", "progress")
        .defer("edition__outline", "edition__note")
    )


def find_learner(offering: Offering, enrolment_id: uuid.UUID) -> Enrolment:
    """A learner of this offering; those of another one do not exist here: 404. One query."""
    found = learners_of(offering).filter(pk=enrolment_id).first()
    if found is None:
        raise Http404("There is no such learner in this offering.")
    found.offering = offering
    return found


def name_of(subject: Subject | None) -> str:
    """The name of a person as they write it. No query where the account was read with the subject."""
    user = subject.user if subject else None
    return (user.name or user.email) if user else erased_name()


def learner_url(enrolment: Enrolment, name: str = "learner", **more: Any) -> str:
    return reverse(
        f"lms:{name}", kwargs={"offering": enrolment.offering.slug, "enrolment": enrolment.pk, **more}
    )


@dataclass(frozen=True, kw_only=True)
class WhoseEnrolment:
    """Whose enrolment it is, and where they work."""

    enrolment: Enrolment

    @property
    def name(self) -> str:
        return name_of(self.enrolment.subject)

    @property
    def place(self) -> str:
        organization = self.enrolment.organization
        return organization.name_in(texts.language()) if organization else ""


@dataclass(frozen=True, kw_only=True)
class LearnerHead(WhoseEnrolment):
    """Who it is, and how far they are."""

    now: datetime

    @property
    def url(self) -> str:
        return learner_url(self.enrolment)

    @property
    def offering_title(self) -> str:
        return self.enrolment.offering.title_in(texts.language())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.enrolment.offering.time_zone)

    @property
    def is_withdrawn(self) -> bool:
        return self.enrolment.state == Enrolment.State.WITHDRAWN

    @property
    def closes(self) -> str:
        """Until when, in the offering's time zone."""
        closes_at = self.enrolment.closes_at
        return say_date(closes_at, zone=self.zone, year=True) if closes_at else _("No closing date")

    @property
    def enrolled(self) -> str:
        return say_date(self.enrolment.enrolled_at, year=True)

    @property
    def write_url(self) -> str:
        user = self.enrolment.subject.user
        return write_to(user.email, subject=self.enrolment.edition.title_in(texts.language())) if user else ""
