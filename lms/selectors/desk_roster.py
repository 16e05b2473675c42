"""One learner of an offering as the roster shows them, and everyone at once, for the table to take away."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import clock
from core.text import fold_text
from lms import querysets, texts
from lms.desk_texts import say_learners
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

Titles = Mapping[uuid.UUID, Mapping[uuid.UUID, str]]


@dataclass(frozen=True, kw_only=True)
class RosterRow:
    """One learner in an offering, as the roster shows them."""

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
        return not self.is_complete and self.closes_at is not None and self.now >= self.closes_at

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
    def working_on(self) -> str:
        if self.is_complete:
            return pgettext("of a course", "Complete")
        return self.step_title or pgettext("of a course", "Not begun")

    @property
    def progress_words(self) -> str:
        return say_learners(self.done, self.total)

    @property
    def progress_label(self) -> str:
        return texts.say_steps(self.done, self.total)

    @property
    def need(self) -> str:
        """What the learner needs from the instructor, in a word or two; empty where nothing."""
        if self.is_withdrawn:
            return _("Withdrawn")
        if self.waiting:
            return _("Marking")
        if self.is_out:
            return _("An attempt")
        if self.is_idle:
            return _("A message")
        return _("Closed") if self.is_closed else ""

    @property
    def need_state(self) -> str:
        """For the tag `state`."""
        if self.is_withdrawn or (self.is_closed and not self.waiting):
            return "none"
        return "wait" if self.waiting else "stop"


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


# --- One row ------------------------------------------------------------------------------------------------------

# The columns of a row, from the enrolment.
FIELDS: Final = (
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


@dataclass(frozen=True, kw_only=True)
class RowMaker:
    """What all rows of a page share."""

    base: str
    titles: Titles
    language: str
    now: datetime

    @classmethod
    def for_offering(cls, offering: Offering, titles: Titles, now: datetime) -> RowMaker:
        return cls(
            base=reverse("lms:offering", args=[offering.slug]),
            titles=titles,
            language=texts.language(),
            now=now,
        )

    def make(self, key: uuid.UUID, known: Mapping[str, Any], *, is_idle: bool, is_out: bool) -> RosterRow:
        place_en, place_fr = known["organization__name_en"] or "", known["organization__name_fr"] or ""
        edition_id, last_step = known["edition_id"], known["progress__last_step_key"]
        email = known["subject__user__email"] or ""
        return RosterRow(
            enrolment_id=key,
            url=f"{self.base}{key}/",
            name=known["subject__user__name"] or email or erased_name(),
            # Whoever is erased stands last.
            sort_name=known["subject__user__sort_name"] or LAST_NAME,
            email=email,
            place=(place_fr if self.language == "fr" else place_en) or place_en,
            edition_id=edition_id,
            state=known["state"],
            enrolled_at=known["enrolled_at"],
            closes_at=known["closes_at"],
            done=known["progress__steps_complete"] or 0,
            total=known["progress__steps_required"] or 0,
            last_step=last_step,
            last_at=known["progress__last_at"],
            completed_at=known["progress__completed_at"],
            waiting=known["progress__waiting"] or 0,
            is_idle=is_idle,
            is_out=is_out,
            now=self.now,
            step_title=self.titles.get(edition_id, {}).get(last_step, ""),
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
    found = list(
        enrolments.annotate(is_idle=as_boolean(querysets.idle(now=now))).values("pk", "is_idle", *FIELDS)
    )
    editions = read_editions({offering.edition_id, *(row["edition_id"] for row in found)})
    out = {step.enrolment_id for step in find_out_of_attempts(enrolments, editions, now=now)}
    maker = RowMaker.for_offering(
        offering, {edition.pk: step_titles(edition) for edition in editions.values()}, now
    )
    rows = [
        maker.make(row["pk"], row, is_idle=bool(row["is_idle"]), is_out=row["pk"] in out) for row in found
    ]
    return Roster(
        head=OfferingHead(offering=offering, now=now),
        rows=tuple(sorted(rows, key=lambda row: (row.sort_name, str(row.enrolment_id)))),
        editions=editions,
    )
