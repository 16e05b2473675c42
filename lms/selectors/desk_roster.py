"""Everyone in one offering: the roster, where everyone is, and who is stuck and why.

People are read as light rows, all of an offering at once, so that sorting, searching and counting agree with each
other; what costs more (why someone is stuck) is read for the few who are shown.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core import clock
from core.text import fold_text
from lms import querysets, texts
from lms.desk_texts import say_days_ago, say_idle, say_learners, say_reason, say_result
from lms.models import Enrolment, Offering
from lms.selectors.courses import BaseTerms, StepView, read_base_terms, read_courses
from lms.selectors.desk import (
    OfferingHead,
    OutOfAttempts,
    as_boolean,
    colon,
    erased_name,
    find_out_of_attempts,
    read_editions,
    step_titles,
    write_to,
)
from modules.models import CourseEdition
from modules.selectors import outline_of

# More than this, and one dot stands for several people.
MOST_DOTS = 150
# How many of those who are stuck are explained on the offering's page; the roster lists all of them.
EXPLAINED = 6
# A mail program takes an address of about 2,000 characters.
MOST_ADDRESSES = 40


# --- Everyone in one offering -------------------------------------------------------------------------------------


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
    out: OutOfAttempts | None
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
        return self.is_idle or self.out is not None

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
    def last_words(self) -> str:
        return say_days_ago(self.last_at, self.now) if self.last_at else ""

    @property
    def need(self) -> str:
        """What the learner needs from the instructor, in a word or two; empty where nothing."""
        if self.is_withdrawn:
            return _("Withdrawn")
        if self.waiting:
            return _("Marking")
        if self.out:
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

    def takes(self, row: RosterRow) -> bool:
        if self.show == "withdrawn":
            return row.is_withdrawn and self._fits(row)
        return not row.is_withdrawn and (self.show != "needs" or row.needs_something) and self._fits(row)

    def _fits(self, row: RosterRow) -> bool:
        return not self.words or all(word in fold_text(row.name) for word in self._folded)

    @cached_property
    def _folded(self) -> list[str]:
        return fold_text(self.words).split()

    def order(self, rows: Iterable[RosterRow]) -> list[RosterRow]:
        by_name = sorted(rows, key=lambda row: (row.sort_name, str(row.enrolment_id)))
        match self.sort:
            case "last":
                return sorted(by_name, key=lambda row: row.last_doing)
            case "steps":
                return sorted(by_name, key=lambda row: row.done / row.total if row.total else 0)
            case "needs":
                return sorted(
                    by_name, key=lambda row: (not row.needs_something, row.waiting == 0, not row.is_stuck)
                )
        return by_name

    def query(self, **changes: str) -> str:
        """The address's query with these changes, ending so that more can follow; what is usual is left out."""
        said = {"show": self.show, "sort": self.sort, "q": self.words, **changes}
        usual = {"show": "all", "sort": "name", "q": ""}
        return "".join(f"{name}={quote(value)}&" for name, value in said.items() if value != usual[name])


_ROSTER_FIELDS = (
    "pk",
    "subject__user__name",
    "subject__user__sort_name",
    "subject__user__email",
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
    "is_idle",
)


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Everyone in an offering, with the editions they are enrolled in."""

    head: OfferingHead
    rows: tuple[RosterRow, ...]
    editions: Mapping[uuid.UUID, CourseEdition]
    base_terms: Mapping[uuid.UUID, Mapping[uuid.UUID, BaseTerms]]

    @cached_property
    def active(self) -> list[RosterRow]:
        return [row for row in self.rows if not row.is_withdrawn]

    @cached_property
    def needy(self) -> list[RosterRow]:
        return [row for row in self.active if row.needs_something]

    @cached_property
    def stuck(self) -> list[RosterRow]:
        """Those without attempts first, then those idle longest."""
        rows = [row for row in self.active if row.is_stuck]
        return sorted(rows, key=lambda row: (row.out is None, row.last_doing, row.sort_name))

    @property
    def total(self) -> int:
        return len(self.active)

    @property
    def withdrawn(self) -> int:
        return len(self.rows) - len(self.active)

    @property
    def complete(self) -> int:
        return sum(row.is_complete for row in self.active)

    @property
    def addresses(self) -> str:
        """Everyone's addresses for a mail to all, unseen by each other; empty where there are too many."""
        known = [row.email for row in self.active if row.email]
        return (
            ""
            if not known or len(known) > MOST_ADDRESSES
            else f"mailto:?bcc={quote(','.join(known), safe=',@')}"
        )


def read_roster(offering: Offering) -> Roster:
    """Everyone in an offering. Five queries, and one more for an outline that the process has not read."""
    now = clock.now()
    enrolments = Enrolment.objects.filter(offering=offering)
    rows = list(enrolments.annotate(is_idle=as_boolean(querysets.idle(now=now))).values_list(*_ROSTER_FIELDS))
    editions = read_editions({offering.edition_id, *(row[6] for row in rows)})
    out: dict[uuid.UUID, OutOfAttempts] = {}
    for step in find_out_of_attempts(enrolments, editions, now=now):
        out.setdefault(step.enrolment_id, step.out)
    titles = {edition.pk: step_titles(edition) for edition in editions.values()}
    base = reverse("lms:offering", args=[offering.slug])
    return Roster(
        head=OfferingHead(offering=offering, now=now),
        rows=tuple(_read_row(row, out.get(row[0]), titles, base, now) for row in rows),
        editions=editions,
        base_terms=read_base_terms(editions),
    )


def _read_row(
    row: tuple[Any, ...],
    out: OutOfAttempts | None,
    titles: Mapping[uuid.UUID, Mapping[uuid.UUID, str]],
    base: str,
    now: datetime,
) -> RosterRow:
    known = dict(zip(_ROSTER_FIELDS, row, strict=True))
    place_en, place_fr = known["organization__name_en"] or "", known["organization__name_fr"] or ""
    return RosterRow(
        enrolment_id=known["pk"],
        url=f"{base}{known['pk']}/",
        name=known["subject__user__name"] or known["subject__user__email"] or erased_name(),
        # Whoever is erased stands last.
        sort_name=known["subject__user__sort_name"] or "\U0010ffff",
        email=known["subject__user__email"] or "",
        place=(place_fr if texts.language() == "fr" else place_en) or place_en,
        edition_id=known["edition_id"],
        state=known["state"],
        enrolled_at=known["enrolled_at"],
        closes_at=known["closes_at"],
        done=known["progress__steps_complete"] or 0,
        total=known["progress__steps_required"] or 0,
        last_step=known["progress__last_step_key"],
        last_at=known["progress__last_at"],
        completed_at=known["progress__completed_at"],
        waiting=known["progress__waiting"] or 0,
        is_idle=known["is_idle"],
        out=out,
        now=now,
        step_title=titles.get(known["edition_id"], {}).get(known["progress__last_step_key"], ""),
    )


# --- Where everyone is --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the dot plot: a module or a step, and how many are there."""

    title: str
    whole_title: str
    count: int
    stuck: int
    total: int
    each: int

    @property
    def text(self) -> str:
        return say_learners(self.count, self.total)

    @property
    def stuck_text(self) -> str:
        if not self.stuck:
            return ""
        return ngettext("%(count)d stuck", "%(count)d stuck", self.stuck) % {"count": self.stuck}

    @property
    def dots(self) -> list[str]:
        """Those who move below, those who are stuck above."""
        stuck = -(-self.stuck // self.each)
        return ["moving"] * (-(-self.count // self.each) - stuck) + ["stuck"] * stuck


@dataclass(frozen=True, kw_only=True)
class DotPlot:
    """Where everyone is: by module or, in a short course, by step."""

    columns: tuple[Column, ...]
    each: int
    total: int

    @property
    def sentence(self) -> str:
        each = (
            _("One dot is one learner, placed at the step they last worked on.")
            if self.each == 1
            else _("One dot is up to %(each)d learners, placed at the step they last worked on.")
            % {"each": self.each}
        )
        total = ngettext("%(count)d learner.", "%(count)d learners.", self.total) % {"count": self.total}
        return f"{each} {total}"


def plot_roster(roster: Roster) -> DotPlot:
    """Where everyone is who is enrolled. No query."""
    outline = outline_of(roster.editions[roster.head.offering.edition_id])
    language = texts.language()
    by_module = len(outline.modules) > 2
    places: dict[uuid.UUID, str] = {}
    before = pgettext("of a course", "Not begun")
    titles: dict[str, tuple[str, str]] = {"": (before, before)}
    for number, module in enumerate(outline.modules, start=1):
        for place, step in enumerate(module.steps, start=1):
            code = str(number) if by_module else f"{number}.{place}"
            places[step.key] = code
            whole = f"{code} {texts.say(module.title, language) if by_module else step.title_in(language)}"
            titles.setdefault(
                code, (_("Module %(number)d") % {"number": number} if by_module else code, whole)
            )
    done = pgettext("of a course", "Complete")
    titles["done"] = (done, done)
    counts: Counter[str] = Counter()
    stuck: Counter[str] = Counter()
    for row in roster.active:
        # A step that only another edition has stands with those who have not begun in this one.
        code = "done" if row.is_complete else places.get(row.last_step, "") if row.last_step else ""
        counts[code] += 1
        stuck[code] += row.is_stuck
    each = 1
    while roster.total > MOST_DOTS * each:
        each *= 10
    if not counts[""]:
        del titles[""]
    columns = tuple(
        Column(
            title=short,
            whole_title=whole,
            count=counts[code],
            stuck=stuck[code],
            total=roster.total,
            each=each,
        )
        for code, (short, whole) in titles.items()
    )
    return DotPlot(columns=columns, each=each, total=roster.total)


# --- Stuck, and why -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StuckLearner:
    """One learner who is stuck: since when, where, and what the instructor can do."""

    row: RosterRow
    word: str
    sentence: str
    state: str
    action: str
    action_url: str


def explain_stuck(roster: Roster, *, limit: int = EXPLAINED) -> list[StuckLearner]:
    """Why the first few are stuck. Four queries, none where nobody is."""
    rows = roster.stuck[:limit]
    if not rows:
        return []
    found = (
        Enrolment.objects.filter(pk__in=[row.enrolment_id for row in rows])
        .select_related("edition", "offering", "subject")
        .defer("edition__outline", "edition__note")
    )
    courses = {view.enrolment.pk: view for view in read_courses(list(found))}
    told = []
    for row in rows:
        view = courses[row.enrolment_id]
        steps = view.steps
        if row.out:
            title = steps[row.out.step_key].full_title if row.out.step_key in steps else ""
            params = {"percent": row.out.percent, "pass_mark": row.out.pass_mark}
            result = f"{title}{colon()}{say_result(params)}"
            sentence = " ".join([result, _("No attempt is left. You may open one more.")])
            grant = reverse("lms:learner_grant", args=[roster.head.offering.slug, row.enrolment_id])
            told.append(
                StuckLearner(
                    row=row,
                    word=_("No attempts left"),
                    sentence=sentence,
                    state="stop",
                    action=_("Open one more attempt"),
                    action_url=f"{grant}?step={row.out.step_key}",
                )
            )
            continue
        told.append(
            StuckLearner(
                row=row,
                word=say_idle(row.last_doing, row.now),
                sentence=_say_where(view.next, view.reasons, steps),
                state="wait",
                action=_("Write to %(name)s") % {"name": row.name},
                action_url=write_to(row.email, subject=roster.head.course_title),
            )
        )
    return told


def _say_where(
    following: StepView | None, reasons: Sequence[Any], steps: Mapping[uuid.UUID, StepView]
) -> str:
    if following is None:
        return _("Nothing is open to them now.")
    said = [
        say_reason(reason.code, reason.params())
        for reason in reasons
        if reason.step == following.step.key and reason.code != "locked_by"
    ]
    return f"{following.full_title}{colon()}{' '.join(said)}" if said else following.full_title
