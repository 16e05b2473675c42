"""Evidence and standing: what a person holds, at which level, and why.

A level stands for itself: evidence for *practising* says nothing of *foundational*, because the levels
describe different work and not more of the same. Where an assessor judged that a piece of evidence shows the
lower levels too, the evidence says so (``covers_lower``), and only then does it count for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LEVELS = ("foundational", "practising", "leading")
"""From lowest to highest."""
CompetencyLevel = tuple[UUID, str]


class Strength(StrEnum):
    """What a piece of evidence is worth: it holds by itself, or it contributes (a lesson that recommends)."""

    HOLDS = "holds"
    CONTRIBUTES = "contributes"


class StandingState(StrEnum):
    HELD = "held"
    UNDER_WAY = "under_way"
    NOT_YET = "not_yet"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One entry of the evidence ledger.

    ``kind``: lesson, attempt, assignment, attendance, exchange, attestation, prior_learning, product or
    retraction. A retraction names in ``retracts`` the entry that it takes back (another retraction, even)
    and is evidence of nothing. It counts from ``valid_from`` up to, not including, ``valid_until``.
    """

    id: int
    competency: UUID
    level: str
    kind: str
    valid_from: datetime
    strength: Strength = Strength.HOLDS
    valid_until: datetime | None = None
    covers_lower: bool = False
    retracts: int | None = None


@dataclass(frozen=True, kw_only=True)
class StandingReason:
    """How one piece of evidence bears on a standing.

    ``code``: ``holds``, ``covers_lower`` (holds, from a higher level), ``contributes``, ``expired``,
    ``withdrawn`` or ``not_valid_yet``; the last three count for nothing.
    """

    evidence: int
    code: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A person's standing in one competency at one level.

    ``since`` is the earliest ``valid_from`` of what counts; ``valid_until`` the latest end of what holds
    (None: no end, or not held). ``reasons`` are in order of the evidence's id.
    """

    state: StandingState
    reasons: tuple[StandingReason, ...]
    since: datetime | None = None
    valid_until: datetime | None = None


def standing(evidence: Iterable[Evidence], *, at: datetime) -> dict[CompetencyLevel, Standing]:
    """Project a person's evidence at a moment: standing by (competency, level).

    Held by any evidence that holds; under way by contributions only; not yet where all of it has expired,
    was withdrawn or does not count yet. A pair without any evidence is not in the result.
    """
    entries = _in_order(evidence)
    withdrawn = _withdrawn(entries)
    by_competency: dict[UUID, list[Evidence]] = {}
    for entry in entries:
        by_competency.setdefault(entry.competency, []).append(entry)
    return {
        (competency, level): found
        for competency, pieces in by_competency.items()
        for level, found in _stand_by_level(pieces, withdrawn, at).items()
    }


def standing_by_level(evidence: Iterable[Evidence], *, at: datetime) -> dict[str, Standing]:
    """:func:`standing` of evidence that is all of one competency: by level."""
    entries = _in_order(evidence)
    return _stand_by_level(entries, _withdrawn(entries), at)


def _in_order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Each entry once, in order of its id."""
    entries = {entry.id: entry for entry in evidence}
    return [entries[key] for key in sorted(entries)]


def _stand_by_level(entries: Iterable[Evidence], withdrawn: Set[int], at: datetime) -> dict[str, Standing]:
    bearing: dict[str, list[tuple[Evidence, str]]] = {}
    for entry in entries:
        if entry.retracts is not None:
            continue
        code = "withdrawn" if entry.id in withdrawn else _code(entry, at)
        bearing.setdefault(entry.level, []).append((entry, code))
        if entry.covers_lower and entry.strength is Strength.HOLDS:
            for level in LEVELS[: LEVELS.index(entry.level)]:
                lower = "covers_lower" if code == "holds" else code
                bearing.setdefault(level, []).append((entry, lower))
    return {level: _stand(found) for level, found in bearing.items()}


def _code(entry: Evidence, at: datetime) -> str:
    if at < entry.valid_from:
        return "not_valid_yet"
    if entry.valid_until is not None and at >= entry.valid_until:
        return "expired"
    return "holds" if entry.strength is Strength.HOLDS else "contributes"


def _stand(found: list[tuple[Evidence, str]]) -> Standing:
    reasons = tuple([StandingReason(evidence=entry.id, code=code) for entry, code in found])
    holding = [entry for entry, code in found if code in ("holds", "covers_lower")]
    contributing = [entry for entry, code in found if code == "contributes"]
    if holding:
        ends = [entry.valid_until for entry in holding]
        last = None if None in ends else max([end for end in ends if end is not None])
        since = min([entry.valid_from for entry in holding])
        return Standing(state=StandingState.HELD, reasons=reasons, since=since, valid_until=last)
    if contributing:
        since = min([entry.valid_from for entry in contributing])
        return Standing(state=StandingState.UNDER_WAY, reasons=reasons, since=since)
    return Standing(state=StandingState.NOT_YET, reasons=reasons)


def _withdrawn(entries: Sequence[Evidence]) -> set[int]:
    """Of entries in order, those taken back by a retraction that stands. It comes after what it retracts."""
    withdrawn: set[int] = set()
    for entry in reversed(entries):
        if entry.retracts is not None and entry.id not in withdrawn and entry.retracts < entry.id:
            withdrawn.add(entry.retracts)
    return withdrawn
