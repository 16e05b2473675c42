"""Evidence and standing: what a person holds, at which level, and why.

A level stands for itself: evidence for *practising* says nothing of *foundational*, because the levels
describe different work and not more of the same. Where an assessor judged that a piece of evidence shows the
lower levels too, the evidence says so (``covers_lower``), and only then does it count for them.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    entries = {entry.id: entry for entry in evidence}
    withdrawn = _withdrawn(entries.values())
    bearing: dict[CompetencyLevel, list[tuple[Evidence, str]]] = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.id):
        if entry.retracts is not None:
            continue
        code = _code(entry, at, entry.id in withdrawn)
        bearing.setdefault((entry.competency, entry.level), []).append((entry, code))
        if entry.covers_lower and entry.strength is Strength.HOLDS:
            for level in LEVELS[: LEVELS.index(entry.level)]:
                lower = "covers_lower" if code == "holds" else code
                bearing.setdefault((entry.competency, level), []).append((entry, lower))
    return {pair: _stand(found) for pair, found in bearing.items()}


def _code(entry: Evidence, at: datetime, withdrawn: bool) -> str:
    if withdrawn:
        return "withdrawn"
    if at < entry.valid_from:
        return "not_valid_yet"
    if entry.valid_until is not None and at >= entry.valid_until:
        return "expired"
    return entry.strength.value


def _stand(found: list[tuple[Evidence, str]]) -> Standing:
    reasons = tuple(StandingReason(evidence=entry.id, code=code) for entry, code in found)
    holding = [entry for entry, code in found if code in ("holds", "covers_lower")]
    contributing = [entry for entry, code in found if code == "contributes"]
    if holding:
        ends = [entry.valid_until for entry in holding]
        last = None if None in ends else max(end for end in ends if end is not None)
        since = min(entry.valid_from for entry in holding)
        return Standing(state=StandingState.HELD, reasons=reasons, since=since, valid_until=last)
    if contributing:
        since = min(entry.valid_from for entry in contributing)
        return Standing(state=StandingState.UNDER_WAY, reasons=reasons, since=since)
    return Standing(state=StandingState.NOT_YET, reasons=reasons)


def _withdrawn(entries: Iterable[Evidence]) -> set[int]:
    """The entries taken back by a retraction that stands. A retraction comes after what it retracts."""
    withdrawn: set[int] = set()
    for entry in sorted(entries, key=lambda entry: entry.id, reverse=True):
        if entry.retracts is not None and entry.id not in withdrawn and entry.retracts < entry.id:
            withdrawn.add(entry.retracts)
    return withdrawn
