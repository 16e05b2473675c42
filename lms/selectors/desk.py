"""The instructor's desk: the offerings a person teaches, and what needs doing in each."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from assessments.rules import attempts_left
from core import clock
from core.addresses import address_in
from core.kept import Kept, Shown
from lms import querysets, texts
from lms.models import Accommodation, Enrolment, Offering, StepProgress
from lms.outlines import steps_of
from lms.rules import Grant, Terms, effective_terms
from lms.selectors.courses import read_base_terms, read_grant
from lms.words import say_date
from modules.models import CourseEdition
from modules.selectors import outline_of, prime_outlines

# --- Who has no attempt left --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OutOfAttempts:
    """A required step that a learner did not pass and cannot try again."""

    step_key: uuid.UUID
    percent: Decimal | None
    pass_mark: Decimal | None
    used: int


@dataclass(frozen=True, kw_only=True)
class StuckStep:
    """A row of `StepProgress` that says so much, with whose it is."""

    enrolment_id: uuid.UUID
    offering_id: uuid.UUID
    edition_id: uuid.UUID
    is_idle: bool
    out: OutOfAttempts


def find_out_of_attempts(
    enrolments: QuerySet[Enrolment], editions: Mapping[uuid.UUID, CourseEdition], *, now: datetime
) -> list[StuckStep]:
    """Who among these enrolments has no attempt left in a required step. Three queries."""
    base = read_base_terms(editions)
    # What was granted only adds attempts, so nobody with fewer is out of them.
    spent = Q(pk__in=[])
    for edition_key, steps in base.items():
        for key, terms in steps.items():
            if terms.attempts is not None:
                spent |= Q(enrolment__edition=edition_key, step_key=key, attempts_used__gte=terms.attempts)
    rows = list(
        StepProgress.objects.filter(
            querysets.at_work(now=now, prefix="enrolment__"),
            spent,
            enrolment__in=enrolments,
            state=StepProgress.State.FAILED,
        )
        .annotate(is_idle=as_boolean(querysets.idle(now=now, prefix="enrolment__")))
        .values_list(
            "enrolment_id",
            "enrolment__offering_id",
            "enrolment__edition_id",
            "step_key",
            "attempts_used",
            "points",
            "max_points",
            "is_idle",
        )
    )
    grants: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    for grant in Accommodation.objects.filter(enrolment__in=enrolments, extra_attempts__gt=0):
        grants[grant.enrolment_id].append(read_grant(grant))
    found = []
    for enrolment_id, offering_id, edition_id, step_key, used, points, max_points, is_idle in rows:
        known = base.get(edition_id, {}).get(step_key)
        if known is None or not _is_required(editions.get(edition_id), step_key):
            continue
        granted = effective_terms(
            Terms(attempts_allowed=known.attempts), grants[enrolment_id], step=step_key, at=now
        )
        if attempts_left(allowed=granted.attempts_allowed, used=used) != 0:
            continue
        percent = points * 100 / max_points if points is not None and max_points else None
        found.append(
            StuckStep(
                enrolment_id=enrolment_id,
                offering_id=offering_id,
                edition_id=edition_id,
                is_idle=is_idle,
                out=OutOfAttempts(
                    step_key=step_key,
                    percent=None
                    if percent is None
                    else percent.quantize(Decimal("0.01"), rounding=ROUND_DOWN),
                    pass_mark=known.pass_mark,
                    used=used,
                ),
            )
        )
    return found


def _is_required(edition: CourseEdition | None, step_key: uuid.UUID) -> bool:
    return edition is not None and any(
        step.key == step_key and step.required for step in steps_of(edition).steps
    )


def as_boolean(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())


def read_editions(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, CourseEdition]:
    """Editions without their outlines, and the outlines that the process does not keep. One query, at most two."""
    found = CourseEdition.objects.filter(pk__in=set(ids)).defer("outline", "note").in_bulk()
    prime_outlines(found.values())
    return found


# --- The offerings of a person ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class OfferingHead(Shown):
    """An offering in words."""

    offering: Offering
    now: datetime

    @cached_property
    def shows(self) -> tuple[Hashable, ...]:
        offering, organization = self.offering, self.offering.organization
        return (
            offering.slug,
            offering.title_en,
            offering.title_fr,
            # An edition never changes.
            offering.edition_id,
            organization.name_en,
            organization.name_fr,
            offering.is_listed,
            self.when,
            self.is_over,
            settings.PUBLIC_ORIGIN,
        )

    @property
    def title(self) -> str:
        return self.offering.title_in(texts.language())

    @property
    def course_title(self) -> str:
        return self.offering.edition.title_in(texts.language())

    @property
    def organization(self) -> str:
        return self.offering.organization.name_in(texts.language())

    @property
    def edition_words(self) -> str:
        return _("%(course)s, edition %(number)d") % {
            "course": self.course_title,
            "number": self.offering.edition.number,
        }

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.offering.time_zone)

    @property
    def is_over(self) -> bool:
        return self.offering.closes_at is not None and self.now >= self.offering.closes_at

    @property
    def when(self) -> str:
        """Where the offering is in its time: “Week 5 of 8. Closes 11 December.”"""
        opens, closes = self.offering.opens_at, self.offering.closes_at
        said = []
        if opens and self.now < opens:
            said.append(_("Opens %(date)s.") % {"date": say_date(opens, zone=self.zone)})
        elif opens and closes and self.now < closes:
            weeks = max(1, -(-(closes - opens) // timedelta(weeks=1)))
            week = (self.now - opens) // timedelta(weeks=1) + 1
            said.append(_("Week %(week)d of %(weeks)d.") % {"week": week, "weeks": weeks})
        if closes and self.now < closes:
            said.append(_("Closes %(date)s.") % {"date": say_date(closes, zone=self.zone)})
        elif closes:
            said.append(_("Closed %(date)s.") % {"date": say_date(closes, zone=self.zone)})
        return " ".join(said) or _("Open, with no closing date.")

    @property
    def url(self) -> str:
        return address_in(texts.language(), "lms:offering", self.offering.slug)

    @property
    def marking_url(self) -> str:
        return address_in(texts.language(), "lms:marking", self.offering.slug)

    @property
    def export_url(self) -> str:
        return address_in(texts.language(), "lms:offering_export", self.offering.slug)

    @property
    def invite_url(self) -> str:
        """The address at which anyone may enrol, to send to people."""
        return invite_url(self.offering)


def invite_url(offering: Offering) -> str:
    """Where one enrols in an offering, whole, in the language in force."""
    path = address_in(texts.language(), "lms:enrol", offering.edition.slug, offering.slug)
    return f"{settings.PUBLIC_ORIGIN}{path}"


@dataclass(frozen=True, kw_only=True, eq=False)
class OfferingCard(OfferingHead):
    """An offering in the list, with what needs doing there."""

    learners: int = 0
    complete: int = 0
    waiting: int = 0
    stuck: int = 0

    @cached_property
    def shows(self) -> tuple[Hashable, ...]:
        return (*super().shows, self.learners, self.complete, self.waiting, self.stuck)

    @property
    def needs_something(self) -> bool:
        return bool(self.waiting or self.stuck)

    @property
    def learners_words(self) -> str:
        if not self.learners:
            return _("Nobody is enrolled yet")
        return ngettext("%(count)d learner", "%(count)d learners", self.learners) % {"count": self.learners}

    @property
    def complete_words(self) -> str:
        return _("%(count)d of %(total)d complete") % {"count": self.complete, "total": self.learners}

    @property
    def waiting_words(self) -> str:
        return ngettext("%(count)d assignment to mark", "%(count)d assignments to mark", self.waiting) % {
            "count": self.waiting
        }

    @property
    def stuck_words(self) -> str:
        return ngettext(
            "%(count)d of %(total)d learners is stuck",
            "%(count)d of %(total)d learners are stuck",
            self.stuck,
        ) % {"count": self.stuck, "total": self.learners}


def list_offerings(offerings: QuerySet[Offering]) -> QuerySet[Offering]:
    """The offerings with what a list shows: those that run first, the latest first."""
    now = clock.now()
    return (
        offerings.select_related("edition", "organization")
        .defer("edition__outline", "edition__note")
        .annotate(is_over=as_boolean(Q(closes_at__isnull=False, closes_at__lte=now)))
        .order_by("is_over", F("opens_at").desc(nulls_last=True), "-created_at", "slug")
    )


def read_cards(offerings: Sequence[Offering]) -> list[OfferingCard]:
    """What needs doing in these offerings. Six queries at most, however many learners there are."""
    now = clock.now()
    enrolments = Enrolment.objects.filter(
        offering__in=[one.pk for one in offerings], state=Enrolment.State.ACTIVE
    )
    counts: dict[uuid.UUID, Mapping[str, Any]] = {
        row["offering"]: row
        for row in enrolments.order_by()
        .values("offering")
        .annotate(
            learners=Count("pk"),
            complete=Count("pk", filter=Q(progress__completed_at__isnull=False)),
            waiting=Sum("progress__waiting"),
            idle=Count("pk", filter=querysets.idle(now=now)),
        )
    }
    pinned = enrolments.order_by().values_list("edition_id", flat=True).distinct()
    editions = read_editions(pinned)
    # Whoever is idle is counted already, and whoever is out in two steps is one person.
    out: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for step in find_out_of_attempts(enrolments, editions, now=now):
        if not step.is_idle:
            out[step.offering_id].add(step.enrolment_id)
    return [
        OfferingCard(
            offering=offering,
            now=now,
            learners=known.get("learners", 0),
            complete=known.get("complete", 0),
            waiting=known.get("waiting") or 0,
            stuck=known.get("idle", 0) + len(out[offering.pk]),
        )
        for offering in offerings
        for known in [counts.get(offering.pk, {})]
    ]


def erased_name() -> str:
    """How somebody is called whose account was erased."""
    return _("Someone whose account was erased")


_titles: Final[Kept[tuple[uuid.UUID, str], Mapping[uuid.UUID, str]]] = Kept(64)


def step_titles(edition: CourseEdition) -> Mapping[uuid.UUID, str]:
    """“2.3 Reading a rate” by step key, not to be altered. No query once the outline is read."""
    language = texts.language()
    return _titles.read(
        (edition.pk, language),
        lambda: {
            step.key: f"{number}.{place} {step.title_in(language)}"
            for number, module in enumerate(outline_of(edition).modules, start=1)
            for place, step in enumerate(module.steps, start=1)
        },
    )


def colon() -> str:
    """What stands between a title and what is said of it, as the language writes it."""
    return pgettext("between a step and what is missing in it", ": ")


def write_to(address: str, *, subject: str) -> str:
    """The address of a mail to a learner; empty for one who has none any more."""
    return f"mailto:{quote(address, safe='@')}?subject={quote(subject)}" if address else ""
