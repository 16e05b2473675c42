"""One learner of an offering as the roster shows them, and everyone at once, for the table to take away."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from django.core.paginator import Page, Paginator
from django.db.models import CharField, F
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import clock
from core.addresses import address_in
from core.kept import Kept
from core.text import fold_text
from lms import querysets, texts
from lms.models import Enrolment, Offering
from lms.models_roster import LAST_NAME
from lms.selectors.desk import (
    OfferingHead,
    as_boolean,
    erased_name,
    find_out_of_attempts,
    read_editions,
    step_titles,
)
from modules.models import CourseEdition


class RosterRow(NamedTuple):
    """One learner in an offering, as the roster shows them. A page has fifty, so it is made as cheaply as can be."""

    enrolment_id: uuid.UUID
    url: str
    name: str
    sort_name: str
    email: str
    place: str
    edition_id: uuid.UUID
    state: str
    enrolled_at: datetime
    closes_at: datetime | None
    done: int
    total: int
    last_step: uuid.UUID | None
    last_at: datetime | None
    completed_at: datetime | None
    waiting: int
    is_idle: bool
    is_out: bool
    now: datetime
    step_title: str = ""

    @property
    def is_complete(self) -> bool:
        return self.completed_at is not None

    @property
    def is_withdrawn(self) -> bool:
        return self.state == Enrolment.State.WITHDRAWN

    @property
    def is_closed(self) -> bool:
        return self.completed_at is None and self.closes_at is not None and self.now >= self.closes_at

    @property
    def is_stuck(self) -> bool:
        return self.is_idle or self.is_out

    @property
    def needs_something(self) -> bool:
        return not self.is_withdrawn and (self.is_stuck or self.waiting > 0)

    @property
    def last_doing(self) -> datetime:
        return self.last_at or self.enrolled_at

    @property
    def idle_days(self) -> int:
        """So many whole days without a step."""
        return (self.now - self.last_doing).days

    @property
    def working_on(self) -> str:
        return say_where(self.step_title, is_complete=self.is_complete)

    @property
    def need_code(self) -> str:
        """What the learner needs from the instructor, for `say_need`; empty where nothing."""
        if self.state == Enrolment.State.WITHDRAWN:
            return "withdrawn"
        if self.waiting:
            return "marking"
        if self.is_out:
            return "attempt"
        if self.is_idle:
            return "message"
        return "closed" if self.is_closed else ""

    @property
    def need(self) -> str:
        return say_need(self.need_code)


def say_where(step_title: str, *, is_complete: bool) -> str:
    """What a learner works on."""
    if is_complete:
        return pgettext("of a course", "Complete")
    return step_title or pgettext("of a course", "Not begun")


def say_need(code: str) -> str:
    """What a learner needs from the instructor, in a word or two; empty where nothing."""
    match code:
        case "withdrawn":
            return _("Withdrawn")
        case "marking":
            return _("Marking")
        case "attempt":
            return _("An attempt")
        case "message":
            return _("A message")
        case "closed":
            return _("Closed")
    return ""


LEARNERS_A_PAGE: Final = 50
SORTS = ("name", "last", "steps", "needs")
SHOWS = ("all", "needs", "withdrawn")


@dataclass(frozen=True, kw_only=True)
class RosterFilter:
    """What an instructor asked of the roster."""

    show: str = "all"
    sort: str = "name"
    words: str = ""

    @property
    def is_searched(self) -> bool:
        return bool(self.words)

    @cached_property
    def folded(self) -> list[str]:
        """The words that must all stand in a name, as names are folded."""
        return fold_text(self.words).split()

    def query(self, **changes: str) -> str:
        """The address's query with these changes, ending so that more can follow; what is usual is left out."""
        said = {"show": self.show, "sort": self.sort, "q": self.words, **changes}
        usual = {"show": "all", "sort": "name", "q": ""}
        return "".join(f"{name}={quote(value)}&" for name, value in said.items() if value != usual[name])


def sort_words() -> tuple[tuple[str, str], ...]:
    """The orders of the roster, in words."""
    return (
        ("name", _("by name")),
        ("needs", _("who needs something first")),
        ("last", _("longest without a step first")),
        ("steps", _("fewest steps first")),
    )


@dataclass(frozen=True, kw_only=True)
class RosterHead:
    """What stands over the roster: how many there are, and what was asked."""

    url: str
    wanted: RosterFilter
    total: int
    needy: int
    withdrawn: int
    is_anybody_shown: bool

    @property
    def sorts(self) -> tuple[tuple[str, str], ...]:
        return sort_words()

    @property
    def links(self) -> list[dict[str, Any]]:
        """Whom the roster shows, as links with their counts."""
        counts = {
            "all": (_("Everyone enrolled"), self.total),
            "needs": (_("Who needs something"), self.needy),
            "withdrawn": (pgettext("several learners", "Withdrawn"), self.withdrawn),
        }
        return [
            {
                "title": title,
                "count": count,
                "url": f"{self.url}?{self.wanted.query(show=code)}".rstrip("?&") + "#roster",
                "current": self.wanted.show == code,
            }
            for code, (title, count) in counts.items()
            if count or code != "withdrawn"
        ]


@dataclass(frozen=True, kw_only=True)
class RosterFoot:
    """What stands under the roster: which of its pages this is, and the way to the others."""

    wanted: RosterFilter
    found: int
    number: int

    @property
    def page(self) -> Page[int]:
        return Paginator(range(self.found), LEARNERS_A_PAGE).page(self.number)

    @property
    def query(self) -> str:
        return self.wanted.query()


# --- One row ------------------------------------------------------------------------------------------------------


class Columns(NamedTuple):
    """What is read of an enrolment for its row; `where` is the edition and the last step as one text."""

    name: str | None
    email: str | None
    sort_name: str | None
    place_en: str | None
    place_fr: str | None
    edition_id: uuid.UUID
    state: str
    enrolled_at: datetime
    closes_at: datetime | None
    done: int | None
    total: int | None
    last_step: uuid.UUID | None
    last_at: datetime | None
    completed_at: datetime | None
    waiting: int | None
    where: str


# The way from the enrolment to each of them but `where`.
_PATHS: Final = (
    "subject__user__name",
    "subject__user__email",
    "subject__user__sort_name",
    "organization__name_en",
    "organization__name_fr",
    "edition_id",
    "state",
    "enrolled_at",
    "closes_at",
    "progress__steps_complete",
    "progress__steps_required",
    "progress__last_step_key",
    "progress__last_at",
    "progress__completed_at",
    "progress__waiting",
)


def read_columns(enrolment: str = "") -> dict[str, Any]:
    """Annotations that read `Columns`, in their order; `enrolment` is the way to the enrolment, such as `enrolment__`.

    Edition and step come as one text too: a title is found by it ten times faster than by two UUIDs.
    """
    found: dict[str, Any] = {
        f"of_{name}": F(f"{enrolment}{path}") for name, path in zip(Columns._fields[:-1], _PATHS, strict=True)
    }
    found["of_where"] = Concat(
        Cast(f"{enrolment}edition_id", CharField()),
        Cast(f"{enrolment}progress__last_step_key", CharField()),
    )
    return found


COLUMNS: Final = tuple(f"of_{name}" for name in Columns._fields)

_places: Final[Kept[tuple[Hashable, ...], Mapping[str, str]]] = Kept(64)


def titles_by_place(editions: Iterable[CourseEdition]) -> Mapping[str, str]:
    """The titles of the steps of these editions by `Columns.where`, not to be altered."""
    known = tuple(editions)
    return _places.read(
        (texts.language(), *(edition.pk for edition in known)),
        lambda: {
            f"{edition.pk}{key}": title for edition in known for key, title in step_titles(edition).items()
        },
    )


@dataclass(frozen=True, kw_only=True)
class RowMaker:
    """What all rows of a page share."""

    base: str
    titles: Mapping[str, str]
    language: str
    now: datetime

    @classmethod
    def for_offering(
        cls, offering: Offering, editions: Mapping[uuid.UUID, CourseEdition], now: datetime
    ) -> RowMaker:
        language = texts.language()
        return cls(
            base=address_in(language, "lms:offering", offering.slug),
            titles=titles_by_place(editions.values()),
            language=language,
            now=now,
        )

    def make(self, key: uuid.UUID, known: Columns, *, is_idle: bool, is_out: bool) -> RosterRow:
        place_en = known.place_en or ""
        email = known.email or ""
        return RosterRow(
            enrolment_id=key,
            url=f"{self.base}{key}/",
            name=known.name or email or erased_name(),
            # Whoever is erased stands last.
            sort_name=known.sort_name or LAST_NAME,
            email=email,
            place=((known.place_fr or "") if self.language == "fr" else place_en) or place_en,
            edition_id=known.edition_id,
            state=known.state,
            enrolled_at=known.enrolled_at,
            closes_at=known.closes_at,
            done=known.done or 0,
            total=known.total or 0,
            last_step=known.last_step,
            last_at=known.last_at,
            completed_at=known.completed_at,
            waiting=known.waiting or 0,
            is_idle=is_idle,
            is_out=is_out,
            now=self.now,
            step_title=self.titles.get(known.where, ""),
        )


# --- Everyone -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Everyone in an offering, by name, with the editions they are enrolled in."""

    head: OfferingHead
    rows: tuple[RosterRow, ...]
    editions: Mapping[uuid.UUID, CourseEdition]


def read_roster(offering: Offering) -> Roster:
    """Everyone in an offering. Five queries, and one more for an outline that the process has not read."""
    now = clock.now()
    enrolments = Enrolment.objects.filter(offering=offering)
    found = [
        (key, is_idle, Columns(*known))
        for key, is_idle, *known in enrolments.annotate(
            is_idle=as_boolean(querysets.idle(now=now)), **read_columns()
        ).values_list("pk", "is_idle", *COLUMNS)
    ]
    editions = read_editions({offering.edition_id, *(known.edition_id for _key, _idle, known in found)})
    out = {step.enrolment_id for step in find_out_of_attempts(enrolments, editions, now=now)}
    maker = RowMaker.for_offering(offering, editions, now)
    rows = [maker.make(key, known, is_idle=bool(is_idle), is_out=key in out) for key, is_idle, known in found]
    return Roster(
        head=OfferingHead(offering=offering, now=now),
        rows=tuple(sorted(rows, key=lambda row: (row.sort_name, str(row.enrolment_id)))),
        editions=editions,
    )
