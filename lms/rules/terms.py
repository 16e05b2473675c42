"""The terms of an enrolment: what its ledger says, and what accommodations change for the better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class EnrolmentKind(StrEnum):
    ENROLLED = "enrolled"
    EXTENDED = "extended"
    MOVED = "moved"
    WITHDRAWN = "withdrawn"
    REINSTATED = "reinstated"


@dataclass(frozen=True, kw_only=True)
class EnrolmentEvent:
    """One entry of an enrolment's ledger; ``id`` grows with each entry.

    ``enrolled`` gives ``edition`` and ``closes_at``; ``extended`` gives ``closes_at`` (None: no end any
    more); ``moved`` gives ``edition``.
    """

    id: int
    kind: EnrolmentKind
    at: datetime
    edition: UUID | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class EffectiveEnrolment:
    """What an enrolment's ledger comes to. ``state``: ``active`` or ``withdrawn``, ``since`` when."""

    state: str
    edition: UUID | None
    enrolled_at: datetime
    since: datetime
    closes_at: datetime | None = None


def effective_enrolment(events: Iterable[EnrolmentEvent]) -> EffectiveEnrolment | None:
    """Fold an enrolment's events, in any order, duplicates included; None before anyone was enrolled.

    Who enrols again after withdrawing is active again and keeps the first date of enrolment. Events
    before the enrolment are ignored.
    """
    current: EffectiveEnrolment | None = None
    once = {event.id: event for event in events}
    for event in sorted(once.values(), key=lambda event: event.id):
        if current is None:
            if event.kind is EnrolmentKind.ENROLLED:
                current = EffectiveEnrolment(
                    state="active",
                    edition=event.edition,
                    enrolled_at=event.at,
                    since=event.at,
                    closes_at=event.closes_at,
                )
            continue
        match event.kind:
            case EnrolmentKind.WITHDRAWN if current.state == "active":
                current = replace(current, state="withdrawn", since=event.at)
            case EnrolmentKind.REINSTATED if current.state == "withdrawn":
                current = replace(current, state="active", since=event.at)
            case EnrolmentKind.ENROLLED if current.state == "withdrawn":
                current = replace(
                    current,
                    state="active",
                    since=event.at,
                    edition=event.edition or current.edition,
                    closes_at=event.closes_at,
                )
            case EnrolmentKind.EXTENDED:
                current = replace(current, closes_at=event.closes_at)
            case EnrolmentKind.MOVED:
                current = replace(current, edition=event.edition or current.edition)
    return current


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds in one assessed step. None: no limit, no opening, no closing."""

    attempts_allowed: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    time_factor: Decimal = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """An accommodation: ``step`` None means every step; it counts up to, not including, ``ends_at``."""

    id: UUID
    step: UUID | None = None
    time_factor: Decimal = Decimal(1)
    extra_attempts: int = 0
    closes_at: datetime | None = None
    ends_at: datetime | None = None


def effective_terms(base: Terms, accommodations: Iterable[Grant], *, step: UUID, at: datetime) -> Terms:
    """Apply the accommodations that hold for a step at a moment.

    The largest time factor counts (factors do not multiply), extra attempts add up (each grant gives its
    own), the latest closing counts. Terms never become worse than ``base``. A grant named twice counts once.
    """
    granted = {
        grant.id: grant
        for grant in accommodations
        if grant.step in (None, step) and (grant.ends_at is None or at < grant.ends_at)
    }.values()
    if not granted:
        return base
    closings = [grant.closes_at for grant in granted if grant.closes_at is not None]
    return replace(
        base,
        time_factor=max([base.time_factor, *(grant.time_factor for grant in granted)]),
        attempts_allowed=None
        if base.attempts_allowed is None
        else base.attempts_allowed + sum(max(0, grant.extra_attempts) for grant in granted),
        closes_at=None if base.closes_at is None else max([base.closes_at, *closings]),
    )
