"""What each learner counts for in an offering, and what the counts come to at a moment.

An offering's counts are the sum of what its learners count for, so a learner's change takes the old away and adds the
new. What depends on the time (idle, closed) is not counted but can be told from it: learners are counted by the day of
their last doing and by their closing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

CELLS: Final = "cells"
EDITIONS: Final = "editions"
MARKS: Final = "marks"
ANSWERS: Final = "answers"
WORK: Final = "work"
Counts = dict[str, dict[str, int]]

GONE: Final = "gone"
DONE: Final = "done"
# Instead of a day: out of attempts, and perhaps out of attempts.
OUT: Final = "out"
PERHAPS: Final = "perhaps"


@dataclass(frozen=True, kw_only=True)
class Position:
    """What is counted of one learner.

    `place` is the step they last worked on. `out`: they have used the attempts of a required step; `granted`: and were
    granted more at some time. `marks` are (step, points, of, passed) of quizzes; `answers` say by assessment which
    questions of the first attempt were right; `work` how much was handed in by assessment, and how much of it waits.
    """

    active: bool
    complete: bool
    edition: str
    place: UUID | None
    waiting: int
    out: bool
    granted: bool
    last_doing: datetime
    closes_at: datetime | None
    marks: tuple[tuple[str, str, str, bool], ...] = ()
    answers: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    work: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def write_moment(moment: datetime | None) -> str:
    """So that texts compare as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else ""


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def cell_of(position: Position) -> str:
    """Who has the same cell is told apart by nothing that an offering's page counts."""
    if not position.active:
        return GONE
    waits = "1" if position.waiting else "0"
    if position.complete:
        return f"{DONE}|{waits}||"
    place = position.place.hex if position.place else ""
    if position.out and position.granted:
        return f"{place}|{waits}|{PERHAPS}|"
    if not position.out and position.waiting:
        return f"{place}|{waits}||"
    clock = OUT if position.out else day_of(position.last_doing)
    return f"{place}|{waits}|{clock}|{write_moment(position.closes_at)}"


def counts_of(position: Position) -> Counts:
    """What one learner counts for, by section and key."""
    counts: Counts = {CELLS: {cell_of(position): 1}, EDITIONS: {position.edition: 1}}
    if not position.active:
        return counts
    counts[MARKS] = dict(
        Counter(f"{step}|{points}|{of}|{int(passed)}" for step, points, of, passed in position.marks)
    )
    counts[ANSWERS] = {
        f"{assessment}|{item}|{int(right)}": 1
        for assessment, items in position.answers.items()
        for item, right in items.items()
    }
    counts[WORK] = {
        f"{assessment}|{code}": count
        for assessment, (total, waiting) in position.work.items()
        for code, count in (("total", total), ("waiting", waiting))
        if count
    }
    return counts


def add_counts(counts: Counts, other: Counts, *, sign: int = 1) -> None:
    """Add what somebody counts for, or take it away with `sign=-1`. What comes to nothing is left out."""
    for section, keys in other.items():
        into = counts.setdefault(section, {})
        for key, count in keys.items():
            total = into.get(key, 0) + sign * count
            if total:
                into[key] = total
            else:
                into.pop(key, None)
        if not into:
            del counts[section]


@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """A learner whose being stuck cannot be told from a cell, with the answer."""

    place: UUID | None
    waits: bool
    is_stuck: bool


@dataclass(kw_only=True)
class Tally:
    """How many are where at a moment. `places` has the hex of a step, “” or “done”: how many, and how many stuck."""

    total: int = 0
    withdrawn: int = 0
    complete: int = 0
    stuck: int = 0
    needy: int = 0
    perhaps: int = 0
    places: dict[str, list[int]] = field(default_factory=dict)

    def add_stuck(self, place: str, count: int, *, needy: int) -> None:
        self.stuck += count
        self.needy += needy
        self.places.setdefault(place, [0, 0])[1] += count


def closings_of(cells: Mapping[str, int]) -> list[str]:
    """When somebody's course closes, in order, as `write_moment` writes it."""
    return sorted({cell.rpartition("|")[2] for cell in cells if cell != GONE} - {""})


def tell_cells(cells: Mapping[str, int], *, now: datetime, idle_since: datetime) -> Tally:
    """What the cells come to by themselves: who did nothing since before the day of `idle_since` is idle.

    It stays the same until that day is another one or one of `closings_of` has come.
    """
    tally = Tally()
    moment, day = write_moment(now), day_of(idle_since)
    for cell, count in cells.items():
        if cell == GONE:
            tally.withdrawn += count
            continue
        place, waits, clock, closing = cell.split("|")
        tally.total += count
        tally.places.setdefault(place, [0, 0])[0] += count
        if place == DONE:
            tally.complete += count
        if clock == PERHAPS:
            tally.perhaps += count
        open_still = not closing or closing > moment
        is_stuck = bool(clock) and clock != PERHAPS and open_still and (clock == OUT or clock < day)
        if is_stuck:
            tally.add_stuck(place, count, needy=0)
        if is_stuck or waits == "1":
            tally.needy += count
    return tally


def complete_tally(
    told: Tally, *, idle_on_the_day: Iterable[tuple[str, int]], doubtful: Iterable[Doubtful] = ()
) -> Tally:
    """What `tell_cells` told, with what the cells do not know; a tally of its own.

    Of the day of `idle_since` itself they do not know the hour: `idle_on_the_day` says by place how many of its
    learners are idle. `doubtful` are those that the cells call “perhaps”.
    """
    tally = replace(told, places={place: [*counts] for place, counts in told.places.items()})
    for place, count in idle_on_the_day:
        tally.add_stuck(place, count, needy=count)
    for one in doubtful:
        if one.is_stuck:
            tally.add_stuck(one.place.hex if one.place else "", 1, needy=int(not one.waits))
    return tally
