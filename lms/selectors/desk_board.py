"""An offering's page: exact counts of everybody, and the rows of those who are shown.

The counts and the order come from what `lms.roster` keeps up (`RosterSummary`, `RosterEntry`); what is said of a
learner comes from the rows it is said of. Nothing here grows with the number of learners but searching by a part of a
name and the orders other than by name.
"""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from django.contrib.postgres.expressions import ArraySubquery
from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat, Lower

from core import clock
from core.kept import Kept
from core.prepared import PreparedQuery, given_moment, given_uuid
from core.questions import Question, ask_together
from core.text import fold_text
from lms.models import Enrolment, Offering, RosterEntry, RosterSummary, RosterTouch
from lms.roster import catch_up, terms_of
from lms.rules import IDLE_DAYS
from lms.rules.roster import (
    CELLS,
    EDITIONS,
    PERHAPS,
    Counts,
    Doubtful,
    Tally,
    closings_of,
    complete_tally,
    day_of,
    tell_cells,
    write_moment,
)
from lms.selectors.courses import BaseTerms
from lms.selectors.desk import OfferingHead, erased_name, find_out_of_attempts
from lms.selectors.desk_roster import (
    COLUMNS,
    LEARNERS_A_PAGE,
    Columns,
    RosterFilter,
    RosterFoot,
    RosterHead,
    RosterRow,
    RowMaker,
    read_columns,
)
from modules.models import CourseEdition
from modules.selectors import kept_edition

# How many of those who are stuck are explained on the page; the roster lists all of them.
EXPLAINED: Final = 6
# A mail program takes an address of about 2,000 characters.
MOST_ADDRESSES: Final = 40

Attempts = RosterEntry.Attempts


# --- What is asked ------------------------------------------------------------------------------------------------


def _at_work(now: Any) -> Q:
    return Q(active=True, complete=False) & (Q(closes_at=None) | Q(closes_at__gt=now))


def _idle_by_day() -> QuerySet[Any]:
    """Of those whose last doing was on the day since when one is idle: who is, by place."""
    return (
        RosterEntry.objects.filter(
            _at_work(given_moment("now")),
            offering=OuterRef("pk"),
            waiting=0,
            attempts=Attempts.LEFT,
            last_doing__gte=given_moment("day"),
            last_doing__lte=given_moment("since"),
        )
        .order_by()
        .values("place")
        .annotate(told=Concat(Cast("place", CharField()), Value("|"), Cast(Count("pk"), CharField())))
        .values("told")
    )


def _summary() -> QuerySet[RosterSummary]:
    return RosterSummary.objects.filter(pk=given_uuid("offering")).annotate(
        is_behind=Exists(RosterTouch.objects.filter(offering_id=OuterRef("pk"))),
        idle_on_the_day=ArraySubquery(_idle_by_day()),
        addresses=ArraySubquery(
            RosterEntry.objects.filter(
                offering=OuterRef("pk"), active=True, enrolment__subject__user__email__gt=""
            )
            .order_by("sort_name", "enrolment")
            .values("enrolment__subject__user__email")[: MOST_ADDRESSES + 1]
        ),
        quiz=Subquery(
            RosterEntry.objects.filter(offering=OuterRef("pk"), active=True, quiz_at__isnull=False)
            .order_by("-quiz_at")
            .values("quiz_key")[:1]
        ),
        oldest_work=Subquery(
            RosterEntry.objects.filter(offering=OuterRef("pk"), active=True, work_since__isnull=False)
            .order_by("work_since")
            .values("work_since")[:1]
        ),
    )


class Summary(NamedTuple):
    """What is read of an offering each time, besides its counts."""

    version: uuid.UUID
    is_behind: bool = False
    idle_on_the_day: Sequence[str] = ()
    addresses: Sequence[str] = ()
    quiz: uuid.UUID | None = None
    oldest_work: datetime | None = None


_SUMMARY_EXTRA: Final = Summary._fields[1:]
# The counts of a large offering are the most of its page; a process reads each version of them once.
_read_summary: Final = PreparedQuery(_summary, fields=("offering_id", "version"), extra=_SUMMARY_EXTRA)
_read_whole_summary: Final = PreparedQuery(_summary, extra=_SUMMARY_EXTRA)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """One version of an offering's counts; nobody's name is in it."""

    version: uuid.UUID
    counts: Counts
    closings: Sequence[str]

    @classmethod
    def of(cls, version: uuid.UUID, counts: Counts) -> Sums:
        return cls(version=version, counts=counts, closings=tuple(closings_of(counts.get(CELLS, {}))))

    def tell(self, *, now: datetime, since: datetime) -> Tally:
        """What the cells come to; not to be altered."""
        key = (self.version, day_of(since), bisect_right(self.closings, write_moment(now)))
        return _told.read(key, lambda: tell_cells(self.counts.get(CELLS, {}), now=now, idle_since=since))

    @cached_property
    def editions(self) -> frozenset[uuid.UUID]:
        return frozenset(map(uuid.UUID, self.counts.get(EDITIONS, ())))

    @cached_property
    def has_granted(self) -> bool:
        """Whether somebody used all that everybody has and was granted more."""
        return any(f"|{PERHAPS}|" in cell for cell in self.counts.get(CELLS, ()))


_sums: Final[Kept[uuid.UUID, Sums]] = Kept(64)
_told: Final[Kept[tuple[uuid.UUID, str, int], Tally]] = Kept(64)


def _with_columns(entries: QuerySet[RosterEntry]) -> QuerySet[RosterEntry]:
    return entries.annotate(**read_columns("enrolment__"))


def _prepare(entries: Any) -> PreparedQuery[RosterEntry]:
    """A query of entries with the columns of a row (`_LISTED`), read by `_list`."""
    return PreparedQuery(
        lambda: _with_columns(entries()),
        fields=("enrolment_id", "attempts"),
        extra=COLUMNS,
    )


# An entry's key, its attempts, and the columns of its row.
Listed = tuple[uuid.UUID, int, Columns]


_LISTED: Final = ("enrolment_id", "attempts", *COLUMNS)


def _list(row: Sequence[Any]) -> Listed:
    key, attempts, *known = row
    return key, attempts, Columns(*known)


def _list_entry(entry: RosterEntry) -> Listed:
    return entry.pk, entry.attempts, Columns(*(getattr(entry, name) for name in COLUMNS))


# --- Who is shown -------------------------------------------------------------------------------------------------


def _needs(stuck: Q) -> Q:
    return Q(active=True) & (Q(waiting__gt=0) | stuck)


def _stuck(now: Any, since: Any, out: Sequence[uuid.UUID]) -> Q:
    """Who is stuck; `out` are those without attempts among those who were granted more."""
    return _at_work(now) & (
        Q(attempts=Attempts.OUT) | Q(pk__in=list(out)) | Q(waiting=0, last_doing__lte=since)
    )


def _choose(wanted: RosterFilter, stuck: Q) -> QuerySet[RosterEntry]:
    """The entries that were asked for, in the order asked for, of every offering."""
    rows = RosterEntry.objects.filter(active=wanted.show != "withdrawn")
    if wanted.show == "needs":
        rows = rows.filter(_needs(stuck))
    if wanted.folded:
        rows = rows.alias(address=_fold_address())
    for word in wanted.folded:
        rows = rows.filter(_has_word(word))
    match wanted.sort:
        case "last":
            return rows.order_by("last_doing", "sort_name", "enrolment")
        case "steps":
            return rows.order_by("share", "sort_name", "enrolment")
        case "needs":
            first = [_first(_needs(stuck)), _first(Q(waiting__gt=0)), _first(stuck)]
            return rows.order_by(*first, "sort_name", "enrolment")
    return rows.order_by("sort_name", "enrolment")


def _first(condition: Q) -> Case:
    return Case(When(condition, then=Value(0)), default=Value(1))


def _fold_address() -> Func:
    """The address as names are folded for searching."""
    return Func(
        Lower("enrolment__subject__user__email"),
        Value("[^[:alnum:]]+"),
        Value(" "),
        Value("g"),
        function="regexp_replace",
        output_field=CharField(),
    )


def _has_word(word: str) -> Q:
    """Names that hold the word; who has no name is called by their address, and who is erased by a phrase."""
    found = Q(sort_name__contains=word) | Q(enrolment__subject__user__name="", address__contains=word)
    return found | Q(enrolment__subject__user=None) if word in fold_text(erased_name()) else found


@lru_cache(maxsize=64)
def _prepared_page(show: str, sort: str, start: int) -> PreparedQuery[RosterEntry]:
    """A page of the roster for which neither a name nor who is out of attempts has to be known."""
    wanted = RosterFilter(show=show, sort=sort)
    stuck = _stuck(given_moment("now"), given_moment("since"), ())
    return _prepare(
        lambda: _choose(wanted, stuck).filter(offering=given_uuid("offering"))[
            start : start + LEARNERS_A_PAGE
        ]
    )


_read_out: Final = _prepare(
    lambda: RosterEntry.objects.filter(
        _at_work(given_moment("now")), offering=given_uuid("offering"), attempts=Attempts.OUT
    ).order_by("last_doing", "sort_name", "enrolment")[:EXPLAINED]
)
_read_idle: Final = _prepare(
    lambda: RosterEntry.objects.filter(
        _at_work(given_moment("now")),
        offering=given_uuid("offering"),
        waiting=0,
        attempts=Attempts.LEFT,
        last_doing__lte=given_moment("since"),
    ).order_by("last_doing", "sort_name", "enrolment")[:EXPLAINED]
)


# --- The board ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Board:
    """An offering's page. `rows` are those of the page shown, `stuck_rows` the first of those who are stuck."""

    head: OfferingHead
    wanted: RosterFilter
    tally: Tally
    sums: Sums
    page: Page[int]
    rows: tuple[RosterRow, ...]
    stuck_rows: tuple[RosterRow, ...]
    editions: Mapping[uuid.UUID, CourseEdition]
    known_addresses: tuple[str, ...]
    last_quiz: uuid.UUID | None
    oldest_work: datetime | None

    @property
    def counts(self) -> Counts:
        return self.sums.counts

    @property
    def everyone(self) -> int:
        """Those who have withdrawn are among them."""
        return self.tally.total + self.tally.withdrawn

    @property
    def total(self) -> int:
        return self.tally.total

    @property
    def withdrawn(self) -> int:
        return self.tally.withdrawn

    @property
    def complete(self) -> int:
        return self.tally.complete

    @property
    def stuck(self) -> int:
        return self.tally.stuck

    @property
    def needy(self) -> int:
        return self.tally.needy

    @property
    def roster_head(self) -> RosterHead:
        return RosterHead(
            url=self.head.url,
            wanted=self.wanted,
            total=self.total,
            needy=self.needy,
            withdrawn=self.withdrawn,
            is_anybody_shown=bool(self.rows),
        )

    @property
    def roster_foot(self) -> RosterFoot:
        return RosterFoot(wanted=self.wanted, found=self.found, number=self.page.number)

    @property
    def found(self) -> int:
        """How many fit what was asked, on all pages."""
        return self.page.paginator.count

    @cached_property
    def edition(self) -> CourseEdition:
        return self.editions[self.head.offering.edition_id]

    @property
    def base_terms(self) -> Mapping[uuid.UUID, BaseTerms]:
        return terms_of(self.edition.pk)

    @property
    def has_addresses(self) -> bool:
        return 0 < len(self.known_addresses) <= MOST_ADDRESSES

    @property
    def addresses(self) -> str:
        """Everyone's addresses for a mail to all, unseen by each other; empty where there are too many."""
        return f"mailto:?bcc={quote(','.join(self.known_addresses), safe=',@')}" if self.has_addresses else ""


def read_board(
    offering: Offering, wanted: RosterFilter | None = None, *, page: int | str | None = 1
) -> Board:
    """An offering's page. Four queries at most, whatever the number of learners; one more where this process has not
    read this version of the counts; where somebody was granted more
    attempts and used them, four more; where names are searched, one more; where something has changed since the last
    reading, those of `lms.roster.catch_up`.
    """
    wanted, now = wanted or RosterFilter(), clock.now()
    reading = _Reading(offering=offering, now=now, since=now - timedelta(days=IDLE_DAYS))
    return reading.read(wanted, page)


class _Reading:
    """One reading of an offering: what its queries share."""

    def __init__(self, *, offering: Offering, now: datetime, since: datetime) -> None:
        self.offering, self.now, self.since = offering, now, since
        self.given = {"offering": offering.pk, "now": now, "since": since}
        self.out: set[uuid.UUID] = set()
        self.granted: list[RosterEntry] = []

    def read(self, wanted: RosterFilter, page: int | str | None) -> Board:
        summary, sums = self._read_summary()
        editions = {key: kept_edition(key) for key in {self.offering.edition_id, *sums.editions}}
        self.maker = RowMaker.for_offering(self.offering, editions, self.now)
        if sums.has_granted:
            self._read_granted(editions)
        tally = self._tell(sums, summary.idle_on_the_day)
        shown, rows, stuck_rows = self._read_rows(wanted, tally, page)
        return Board(
            head=OfferingHead(offering=self.offering, now=self.now),
            wanted=wanted,
            tally=tally,
            sums=sums,
            page=shown,
            rows=rows,
            stuck_rows=stuck_rows,
            editions=editions,
            known_addresses=tuple(summary.addresses),
            last_quiz=summary.quiz,
            oldest_work=summary.oldest_work,
        )

    def _read_summary(self) -> tuple[Summary, Sums]:
        """The offering's row, with its counts as of the same moment."""
        day = datetime.combine(self.since.astimezone(UTC).date(), time(), UTC)
        found = [Summary(*told) for _key, *told in _read_summary.rows(day=day, **self.given)]
        if not found or found[0].is_behind:
            catch_up(self.offering)
        elif kept := _sums.find(found[0].version):
            return found[0], kept
        for _key, counts, version, *told in _read_whole_summary.rows(day=day, **self.given):
            return Summary(version, *told), _sums.keep(version, Sums.of(version, counts))
        nobody = uuid.uuid4()
        return Summary(nobody), Sums.of(nobody, {})

    def _read_granted(self, editions: Mapping[uuid.UUID, CourseEdition]) -> None:
        """Those who used all that everybody has and were granted more: whether that is used up, or over, by now."""
        rows = RosterEntry.objects.filter(
            offering=self.offering, active=True, complete=False, attempts=Attempts.GRANTED
        )
        self.granted = list(_with_columns(rows))
        enrolments = Enrolment.objects.filter(pk__in=[row.pk for row in self.granted])
        self.out = {step.enrolment_id for step in find_out_of_attempts(enrolments, editions, now=self.now)}

    def _tell(self, sums: Sums, idle_on_the_day: Sequence[str]) -> Tally:
        told = [one.split("|") for one in idle_on_the_day]
        return complete_tally(
            sums.tell(now=self.now, since=self.since),
            idle_on_the_day=[(place.replace("-", ""), int(count)) for place, count in told],
            doubtful=[
                Doubtful(place=entry.place, waits=entry.waiting > 0, is_stuck=row.is_stuck)
                for entry in self.granted
                for row in [self._make(_list_entry(entry))]
            ],
        )

    def _read_rows(
        self, wanted: RosterFilter, tally: Tally, number: int | str | None
    ) -> tuple[Page[int], tuple[RosterRow, ...], tuple[RosterRow, ...]]:
        """The rows of one page, and the first of those who are stuck. One round trip of three queries at most; one or
        two more where a name is searched, somebody was granted more attempts and used them, or a later page is asked
        for in another order than by name.
        """
        searched = self._search(wanted) if wanted.folded or self.out else None
        found = searched.count() if searched is not None and wanted.folded else self._count(wanted, tally)
        page = Paginator(range(found), LEARNERS_A_PAGE).get_page(number)
        start = max(page.start_index() - 1, 0)
        if start and wanted.sort != "name" and searched is None:
            # Far down in an order that no index has, a plan for these values takes half of the time of a general one.
            searched = self._search(wanted)
        queries = [_prepared_page(wanted.show, wanted.sort, start)] if searched is None else []
        # Nobody is looked for who is not counted.
        queries += [_read_out, _read_idle] if tally.stuck else []
        asked = [Question(query, self.given, columns=_LISTED) for query in queries]
        answers = [list(map(_list, answer)) for answer in ask_together(*asked)] if asked else []
        if searched is None:
            entries, *answers = answers
        else:
            entries = list(map(_list_entry, _with_columns(searched)[start : start + LEARNERS_A_PAGE]))
        return page, tuple(map(self._make, entries)), self._explain(tally, chain.from_iterable(answers))

    def _search(self, wanted: RosterFilter) -> QuerySet[RosterEntry]:
        """The entries that were asked for, for what no prepared query can find. Making it costs as much as ten rows."""
        stuck = _stuck(self.now, self.since, sorted(self.out))
        return _choose(wanted, stuck).filter(offering=self.offering)

    def _count(self, wanted: RosterFilter, tally: Tally) -> int:
        return {"needs": tally.needy, "withdrawn": tally.withdrawn}.get(wanted.show, tally.total)

    def _explain(self, tally: Tally, entries: Iterable[Listed]) -> tuple[RosterRow, ...]:
        """Those without attempts first, then those idle longest."""
        if not tally.stuck:
            return ()
        rows = [row for row in map(self._make, [*entries, *map(_list_entry, self.granted)]) if row.is_stuck]
        rows.sort(key=lambda row: (not row.is_out, row.last_doing, row.sort_name, str(row.enrolment_id)))
        return tuple(rows[:EXPLAINED])

    def _make(self, entry: Listed) -> RosterRow:
        key, attempts, known = entry
        is_at_work = (
            known.state == Enrolment.State.ACTIVE
            and known.completed_at is None
            and (known.closes_at is None or known.closes_at > self.now)
        )
        since = known.last_at or known.enrolled_at
        return self.maker.make(
            key,
            known,
            is_idle=is_at_work and known.waiting == 0 and since <= self.since,
            is_out=is_at_work and (attempts == Attempts.OUT or key in self.out),
        )
