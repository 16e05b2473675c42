"""The catalogue: trainings, their courses as last issued, and how one can take them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.kept import Shown, columns_of
from core.prepared import PreparedQuery, given_moment, given_uuid
from core.questions import Question, ask_together
from core.text import make_sort_key
from lms import texts
from lms.models import Enrolment, Offering
from lms.words import say_date
from modules.documents import Outline, OutlineStep
from modules.models import CourseEdition
from modules.selectors import kept_edition, outline_of
from standards.models import EditionCompetency, Level
from standards.selectors import named_competencies


@dataclass(frozen=True, kw_only=True)
class OfferingView:
    """An offering as the catalogue shows it. `state` is open, soon, full or closed."""

    offering: Offering
    taken: int
    now: datetime

    @property
    def shows(self) -> tuple[Hashable, ...]:
        """All that is shown of it now: its days are said by the state and, where it is not this one, with the year."""
        offering = self.offering
        year = self.now.astimezone(ZoneInfo(offering.time_zone)).year
        return (*columns_of(offering), *columns_of(offering.organization), self.taken, self.state, year)

    @property
    def state(self) -> str:
        offering = self.offering
        if offering.closes_at and self.now >= offering.closes_at:
            return "closed"
        if offering.opens_at and self.now < offering.opens_at:
            return "soon"
        return "full" if self.seats_left == 0 else "open"

    @property
    def seats_left(self) -> int | None:
        return None if self.offering.seats is None else max(0, self.offering.seats - self.taken)

    @property
    def title(self) -> str:
        return self.offering.title_in(texts.language())

    @property
    def delivered_by(self) -> str:
        return self.offering.organization.name_in(texts.language())

    @property
    def kind(self) -> str:
        return {
            Offering.Kind.SELF_PACED: _("At your own pace"),
            Offering.Kind.COHORT: _("With a cohort"),
            Offering.Kind.PILOT: _("Pilot"),
        }[Offering.Kind(self.offering.kind)]

    @property
    def when(self) -> str:
        """The days it runs, in its own time zone."""
        zone = ZoneInfo(self.offering.time_zone)
        opens, closes = self.offering.opens_at, self.offering.closes_at
        # A window that closes at midnight was open through the day before.
        if opens and closes:
            return _("%(first)s to %(last)s") % {
                "first": say_date(opens, zone=zone),
                "last": say_date(closes, zone=zone),
            }
        if closes:
            return _("Start any day until %(last)s") % {"last": say_date(closes, zone=zone)}
        if opens and self.now < opens:
            return _("Start any day from %(first)s") % {"first": say_date(opens, zone=zone)}
        return _("Start any day")

    @property
    def places(self) -> str:
        if self.seats_left is None:
            return _("No limit")
        return ngettext("%(left)d of %(seats)d left", "%(left)d of %(seats)d left", self.seats_left) % {
            "left": self.seats_left,
            "seats": self.offering.seats,
        }

    @property
    def why_not(self) -> str:
        """Why nobody can enrol now, and what to do; empty where one can."""
        zone = ZoneInfo(self.offering.time_zone)
        if self.state == "soon" and self.offering.opens_at:
            return _("You can enrol from %(date)s.") % {"date": say_date(self.offering.opens_at, zone=zone)}
        if self.state == "closed" and self.offering.closes_at:
            return _("It closed on %(date)s.") % {"date": say_date(self.offering.closes_at, zone=zone)}
        return _("All places are taken.") if self.state == "full" else ""


@dataclass(frozen=True, kw_only=True)
class CourseEntry:
    """A course as last issued, with the offerings that are listed."""

    edition: CourseEdition
    outline: Outline
    offerings: tuple[OfferingView, ...] = ()
    competencies_in_framework: int = 0

    @property
    def title(self) -> str:
        return self.edition.title_in(texts.language())

    @property
    def lead(self) -> str:
        return texts.say(self.outline.lead, texts.language())

    @property
    def steps(self) -> int:
        return sum(1 for _step in self.outline.iter_steps())

    @property
    def competencies(self) -> set[str]:
        return {mapped.id for step in self.outline.iter_steps() for mapped in step.competencies}

    @property
    def is_open(self) -> bool:
        return any(view.state == "open" for view in self.offerings)


@dataclass(frozen=True, kw_only=True)
class TrainingEntry:
    """A training with its courses."""

    key: uuid.UUID
    slug: str
    title: str
    summary: str
    courses: tuple[CourseEntry, ...]

    @property
    def shows(self) -> tuple[Hashable, ...]:
        """All that is shown of it: an edition never changes, so its key and digest stand for it."""
        return (
            self.key,
            *((one.edition.pk, one.edition.digest, one.competencies_in_framework) for one in self.courses),
            *(view.shows for one in self.courses for view in one.offerings),
        )

    @property
    def is_one_course(self) -> bool:
        """Whether it is one course of the same name, so that naming it again would say nothing."""
        return len(self.courses) == 1 and self.courses[0].title == self.title

    @property
    def minutes(self) -> int:
        return sum(course.edition.minutes for course in self.courses)

    @property
    def modules(self) -> int:
        return sum(len(course.outline.modules) for course in self.courses)

    @property
    def languages(self) -> list[str]:
        return sorted({language for course in self.courses for language in course.edition.languages})

    @property
    def competencies(self) -> int:
        return len(set().union(*(course.competencies for course in self.courses)))

    @property
    def competencies_in_framework(self) -> int:
        return max(course.competencies_in_framework for course in self.courses)

    @property
    def editions(self) -> list[int]:
        return sorted({course.edition.number for course in self.courses})

    @property
    def dates(self) -> list[str]:
        """When one can begin, said once each."""
        views = [
            view for course in self.courses for view in course.offerings if view.state in ("open", "soon")
        ]
        return list(dict.fromkeys(view.when for view in views))


@dataclass(frozen=True, kw_only=True)
class CatalogueFilter:
    """What a visitor narrows the list to. Empty: everything."""

    minutes_at_most: int | None = None
    languages: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    open_now: bool = False
    order: str = "title"

    def takes(self, course: CourseEntry) -> bool:
        if self.minutes_at_most is not None and course.edition.minutes > self.minutes_at_most:
            return False
        if self.languages and not self.languages & set(course.edition.languages):
            return False
        kinds = {view.offering.kind for view in course.offerings}
        if self.kinds and not self.kinds & kinds:
            return False
        return not self.open_now or course.is_open


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue(Shown):
    """Everything that is shown; `of` counts the courses before the filter."""

    trainings: tuple[TrainingEntry, ...] = field(default_factory=tuple)
    of: int = 0

    @cached_property
    def shows(self) -> tuple[Hashable, ...]:
        return (self.of, *(training.shows for training in self.trainings))

    @property
    def courses(self) -> int:
        return sum(len(training.courses) for training in self.trainings)


def latest_editions() -> QuerySet[CourseEdition]:
    """The last edition of every course, outlines left out."""
    return (
        CourseEdition.objects.defer("outline", "note")
        .order_by("course_key", "-number")
        .distinct("course_key")
    )


_latest_keys: Final = PreparedQuery(latest_editions, fields=("id",))


def read_catalogue(wanted: CatalogueFilter) -> Catalogue:
    """The trainings with courses that fit. Two queries in one round trip, and one for each edition that the process has
    not read.

    A course that was issued and is offered nowhere is shown too: it is free to read.
    """
    now = clock.now()
    latest, offered = ask_together(
        Question.of(_latest_keys), Question.of(_all_offerings, recent=now - RECENT)
    )
    editions = [kept_edition(edition.pk) for edition in latest]
    offerings = _view_offerings(offered, now)
    courses = [
        CourseEntry(
            edition=edition,
            outline=outline_of(edition),
            offerings=tuple(offerings[edition.course_key]),
            competencies_in_framework=len(named_competencies(edition.framework_edition_id)),
        )
        for edition in editions
    ]
    return Catalogue(trainings=_group(filter(wanted.takes, courses), wanted.order), of=len(courses))


# Titles are few; no person's name comes here.
_sort_title: Final = lru_cache(maxsize=256)(make_sort_key)


def _group(courses: Iterable[CourseEntry], order: str) -> tuple[TrainingEntry, ...]:
    grouped: dict[uuid.UUID, list[CourseEntry]] = defaultdict(list)
    for course in courses:
        grouped[course.edition.training_key].append(course)
    trainings = []
    for key, found in grouped.items():
        found.sort(key=lambda course: _sort_title(course.title))
        training = max(found, key=lambda course: course.edition.issued_at).outline.training
        trainings.append(
            TrainingEntry(
                key=key,
                slug=training.slug if training else "",
                title=texts.say(training.title, texts.language()) if training else found[0].title,
                summary=texts.say(training.summary, texts.language()) if training else found[0].lead,
                courses=tuple(found),
            )
        )
    if order == "time":
        return tuple(sorted(trainings, key=lambda one: (one.minutes, _sort_title(one.title))))
    if order == "new":
        newest = lambda one: max(course.edition.issued_at for course in one.courses)  # noqa: E731
        return tuple(sorted(trainings, key=newest, reverse=True))
    return tuple(sorted(trainings, key=lambda one: _sort_title(one.title)))


def with_places_taken(offerings: QuerySet[Offering]) -> QuerySet[Offering]:
    """Each offering with how many of its places are `taken`; counted only where places are limited."""
    taken = (
        Enrolment.objects.filter(offering=OuterRef("pk"), state=Enrolment.State.ACTIVE)
        .order_by()
        .values("offering")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return offerings.annotate(
        taken=Case(When(seats__isnull=False, then=Coalesce(Subquery(taken), 0)), default=0)
    )


def listed_offerings() -> QuerySet[Offering]:
    """The offerings of the catalogue, those without dates first; what closed before `recent` is history."""
    return (
        with_places_taken(Offering.objects.filter(is_listed=True))
        .annotate(course_key=F("edition__course_key"))
        .filter(Q(closes_at__isnull=True) | Q(closes_at__gt=given_moment("recent")))
        .order_by(F("opens_at").asc(nulls_first=True), "created_at")
    )


_all_offerings: Final = PreparedQuery(
    listed_offerings, joined=("organization",), extra=("taken", "course_key")
)
_offerings_of_course: Final = PreparedQuery(
    lambda: listed_offerings().filter(edition__course_key=given_uuid("course")),
    joined=("organization",),
    extra=("taken", "course_key"),
)
# What closed long ago is history; what closed this month still answers those who look for it.
RECENT: Final = timedelta(days=31)


def _read_offerings(course_key: uuid.UUID) -> list[OfferingView]:
    """How one course is offered. One query."""
    now = clock.now()
    rows = _offerings_of_course.objects(recent=now - RECENT, course=course_key)
    return _view_offerings(rows, now)[course_key]


def _view_offerings(rows: Iterable[Any], now: datetime) -> dict[uuid.UUID, list[OfferingView]]:
    """What is offered, by course."""
    found: dict[uuid.UUID, list[OfferingView]] = defaultdict(list)
    for offering in rows:
        view = OfferingView(offering=offering, taken=offering.taken, now=now)
        found[offering.course_key].append(view)
    return found


# --- One course ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Served:
    """A competency at a level that a course serves, and the modules that do."""

    competency: EditionCompetency
    level: str
    modules: tuple[int, ...]
    is_evidence: bool

    @property
    def title(self) -> str:
        return self.competency.title_in(texts.language())

    @property
    def level_word(self) -> str:
        return str(Level(self.level).label)


@dataclass(frozen=True, kw_only=True)
class CoursePageView(CourseEntry):
    """A course with everything that one decides by."""

    served: tuple[Served, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()

    @property
    def first_public(self) -> OutlineStep | None:
        """The first lesson that anyone may read."""
        return next(
            (step for step in self.outline.iter_steps() if step.is_lesson and step.open_to_public), None
        )

    @property
    def counts(self) -> dict[str, int]:
        kinds: dict[str, int] = defaultdict(int)
        for step in self.outline.iter_steps():
            kinds[step.kind] += 1
        return dict(kinds)

    @property
    def outcomes(self) -> list[str]:
        return [texts.say(outcome, texts.language()) for outcome in self.outline.outcomes]

    @property
    def description_html(self) -> str:
        return texts.say(self.outline.description_html, texts.language())

    @property
    def audience(self) -> str:
        return texts.say(self.outline.audience, texts.language())

    @property
    def framework_title(self) -> str:
        framework = self.outline.framework
        return texts.say(framework.title, texts.language()) if framework else ""

    @property
    def modules(self) -> list[dict[str, Any]]:
        """The outline as a visitor reads it; a lesson that is open to the public has an address."""
        language = texts.language()
        return [
            {
                "number": number,
                "title": texts.say(module.title, language),
                "summary": texts.say(module.summary, language),
                "minutes": sum(step.minutes for step in module.steps),
                "steps": [
                    {
                        "number": f"{number}.{place}",
                        "title": step.title_in(language),
                        "kind": "" if step.is_lesson else texts.say_step_kind(step.kind),
                        "minutes": step.minutes or None,
                        "public_url": reverse("lms:public_lesson", args=[self.edition.slug, step.slug])
                        if step.is_lesson and step.open_to_public
                        else "",
                    }
                    for place, step in enumerate(module.steps, start=1)
                ],
            }
            for number, module in enumerate(self.outline.modules, start=1)
        ]

    @property
    def competencies_served(self) -> int:
        return len({served.competency.competency_id for served in self.served})


def find_course(slug: str) -> CourseEdition:
    """The last edition of the course with this name, which may be an earlier name of it. One query."""
    course_keys = CourseEdition.objects.filter(slug=slug).order_by("-issued_at").values("course_key")[:1]
    found = (
        CourseEdition.objects.filter(course_key__in=course_keys)
        .select_related("framework_edition")
        .defer("outline", "framework_edition__document")
        .order_by("-number")
        .first()
    )
    if found is None:
        raise Http404("There is no such course.")
    return found


def read_course_page(edition: CourseEdition, *, subject_id: uuid.UUID | None) -> CoursePageView:
    """A course's page. Two queries, one more for a signed-in person, one for an outline not read yet."""
    outline = outline_of(edition)
    competencies = {
        row.competency_id: row
        for row in EditionCompetency.objects.filter(edition_id=edition.framework_edition_id).defer(
            "statement_en", "statement_fr", "levels", "example", "sources"
        )
    }
    mine = (
        Enrolment.objects.filter(subject_id=subject_id, edition__course_key=edition.course_key)
        .select_related("offering__organization", "edition")
        .defer("edition__outline")
        .order_by("-enrolled_at")
        if subject_id
        else ()
    )
    return CoursePageView(
        edition=edition,
        outline=outline,
        offerings=tuple(_read_offerings(edition.course_key)),
        competencies_in_framework=len(competencies),
        served=_find_served(outline, competencies),
        enrolments=tuple(mine),
    )


def _find_served(outline: Outline, competencies: dict[uuid.UUID, EditionCompetency]) -> tuple[Served, ...]:
    modules: dict[tuple[uuid.UUID, str], list[int]] = defaultdict(list)
    evidence: set[tuple[uuid.UUID, str]] = set()
    for number, module in enumerate(outline.modules, start=1):
        for step in module.steps:
            for mapped in step.competencies:
                key = uuid.UUID(mapped.id), mapped.level
                if number not in modules[key]:
                    modules[key].append(number)
                if mapped.counts == "evidence" or not step.is_lesson:
                    evidence.add(key)
    levels = [str(level) for level in Level]
    found = [
        Served(
            competency=competencies[competency],
            level=level,
            modules=tuple(numbers),
            is_evidence=(competency, level) in evidence,
        )
        for (competency, level), numbers in modules.items()
        if competency in competencies
    ]
    return tuple(sorted(found, key=lambda one: (one.competency.position, levels.index(one.level))))


def find_offering(slug: str, *, course_key: uuid.UUID) -> OfferingView:
    """An offering of a course, listed or not: who has its address may enrol. One query."""
    offering = (
        with_places_taken(Offering.objects.filter(slug=slug, edition__course_key=course_key))
        .select_related("edition", "organization")
        .defer("edition__outline", "edition__note")
        .first()
    )
    if offering is None:
        raise Http404("There is no such offering.")
    return OfferingView(offering=offering, taken=offering.taken, now=clock.now())  # type: ignore[attr-defined]
