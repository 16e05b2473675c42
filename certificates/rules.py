"""The pure rules of certificates: what a status ledger comes to, and who has earned one.

No database, no clock, no settings.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Entered(StrEnum):
    """What the status ledger records."""

    ISSUED = "issued"
    REVOKED = "revoked"
    REINSTATED = "reinstated"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class Status(StrEnum):
    """What a verifier is told. Only ``valid`` means that the certificate stands."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a certificate's status ledger; ``id`` grows with each entry. ``reason`` is a code."""

    id: int
    status: Entered
    at: datetime
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class EffectiveStatus:
    """What a certificate's ledger comes to on a day.

    ``entry`` decided it: its time and its reason say since when and why. An expired certificate is decided
    by ``expires_on``, the last day on which it was valid, and has no deciding entry. ``history`` is the
    whole ledger in order.
    """

    status: Status
    history: tuple[Entry, ...]
    entry: Entry | None
    expires_on: date | None = None

    @property
    def since(self) -> datetime | None:
        return self.entry.at if self.entry else None

    @property
    def reason(self) -> str:
        return self.entry.reason if self.entry else ""


class NeverIssuedError(ValueError):
    """A ledger without an entry of issue is the ledger of no certificate."""


def effective_status(entries: Iterable[Entry], *, expires_on: date | None, on: date) -> EffectiveStatus:
    """Fold a status ledger, in any order, duplicates included.

    Of what holds, the first counts of: withdrawn (for good), revoked (until reinstated), superseded (for
    good: a corrected certificate stands in its place), expired, valid. So a certificate that was superseded
    and then revoked reads as revoked, and a reinstatement gives it back as superseded. It is valid on
    ``expires_on`` itself and expired after it; which day it is, the caller says in the issuer's time zone.

    Errors: :class:`NeverIssuedError`.
    """
    once = {entry.id: entry for entry in entries}
    history = tuple(sorted(once.values(), key=lambda entry: entry.id))
    issued = next((entry for entry in history if entry.status is Entered.ISSUED), None)
    if issued is None:
        raise NeverIssuedError("The ledger has no entry of issue.")
    holding: dict[Entered, Entry] = {}
    valid_since = issued
    for entry in history:
        if entry.status is Entered.REINSTATED:
            if holding.pop(Entered.REVOKED, None) is not None:
                valid_since = entry
        elif entry.status is not Entered.ISSUED:
            holding.setdefault(entry.status, entry)
    for entered, status in (
        (Entered.WITHDRAWN, Status.WITHDRAWN),
        (Entered.REVOKED, Status.REVOKED),
        (Entered.SUPERSEDED, Status.SUPERSEDED),
    ):
        if entered in holding:
            return EffectiveStatus(
                status=status, history=history, entry=holding[entered], expires_on=expires_on
            )
    if expires_on is not None and on > expires_on:
        return EffectiveStatus(status=Status.EXPIRED, history=history, entry=None, expires_on=expires_on)
    return EffectiveStatus(status=Status.VALID, history=history, entry=valid_since, expires_on=expires_on)


def allowed_entries(status: EffectiveStatus | None) -> frozenset[Entered]:
    """What may be entered next; None: nothing was issued yet.

    A withdrawn certificate is closed; a revoked one may be reinstated or withdrawn; a superseded one may
    still be revoked (the work turned out not to be the holder's); an expired one likewise, or superseded
    (a name is corrected after the end, too).
    """
    if status is None:
        return frozenset({Entered.ISSUED})
    superseded = any(entry.status is Entered.SUPERSEDED for entry in status.history)
    match status.status:
        case Status.WITHDRAWN:
            return frozenset()
        case Status.REVOKED:
            return frozenset({Entered.REINSTATED, Entered.WITHDRAWN})
        case _ if superseded:
            return frozenset({Entered.REVOKED, Entered.WITHDRAWN})
        case _:
            return frozenset({Entered.REVOKED, Entered.SUPERSEDED, Entered.WITHDRAWN})


@dataclass(frozen=True)
class Eligibility(Generic[T]):
    """Whether everything that an achievement requires was earned; ``missing`` is what was not."""

    required: frozenset[T]
    missing: frozenset[T]

    @property
    def eligible(self) -> bool:
        """Never for an achievement that requires nothing: nothing would be certified."""
        return bool(self.required) and not self.missing


def check_eligibility(required: Collection[T], earned: Collection[T]) -> Eligibility[T]:
    """Compare what an achievement requires with what was earned, by set membership.

    The members are what the achievement's kind says: keys of required steps with a completion record (a
    course), keys of courses completed (a training), or (competency, level) pairs held (a set of
    competencies).
    """
    needed = frozenset(required)
    return Eligibility(required=needed, missing=needed.difference(earned))
