"""The rules of certificates: the fold of the status ledger, and eligibility."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.rules import (
    EffectiveStatus,
    Entered,
    Entry,
    NeverIssuedError,
    Status,
    allowed_entries,
    check_eligibility,
    effective_status,
)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def ledger(*statuses: str) -> list[Entry]:
    return [
        Entry(id=number, status=Entered(status), at=AT + timedelta(days=number), reason=f"reason-{number}")
        for number, status in enumerate(statuses)
    ]


def fold(*statuses: str, expires_on: date | None = None, on: date = TODAY) -> EffectiveStatus:
    return effective_status(ledger(*statuses), expires_on=expires_on, on=on)


after_issue = st.lists(st.sampled_from([entered.value for entered in Entered]), max_size=8)


class TestStatus:
    @pytest.mark.parametrize(
        ("statuses", "expected", "decided_by"),
        [
            (["issued"], "valid", 0),
            (["issued", "revoked"], "revoked", 1),
            (["issued", "revoked", "revoked"], "revoked", 1),
            (["issued", "revoked", "reinstated"], "valid", 2),
            (["issued", "revoked", "reinstated", "revoked"], "revoked", 3),
            (["issued", "superseded"], "superseded", 1),
            (["issued", "superseded", "reinstated"], "superseded", 1),
            (["issued", "superseded", "revoked"], "revoked", 2),
            (["issued", "superseded", "revoked", "reinstated"], "superseded", 1),
            (["issued", "withdrawn", "revoked", "reinstated"], "withdrawn", 1),
        ],
    )
    def test_what_counts(self, statuses: list[str], expected: str, decided_by: int) -> None:
        found = fold(*statuses)
        assert found.status == expected
        assert found.since == AT + timedelta(days=decided_by)
        assert found.reason == f"reason-{decided_by}"
        assert [entry.status for entry in found.history] == statuses

    def test_the_last_day_counts(self) -> None:
        assert fold("issued", expires_on=TODAY).status is Status.VALID
        expired = fold("issued", expires_on=TODAY - timedelta(days=1))
        assert (expired.status, expired.since, expired.reason) == (Status.EXPIRED, None, "")
        assert expired.expires_on == TODAY - timedelta(days=1)

    def test_a_reason_is_told_rather_than_the_end(self) -> None:
        past = TODAY - timedelta(days=1)
        assert fold("issued", "revoked", expires_on=past).status is Status.REVOKED
        assert fold("issued", "superseded", expires_on=past).status is Status.SUPERSEDED

    def test_without_issue_there_is_no_certificate(self) -> None:
        with pytest.raises(NeverIssuedError):
            fold("revoked")

    @given(after_issue, st.data())
    def test_order_of_arrival_and_repeats_do_not_matter(
        self, statuses: list[str], data: st.DataObject
    ) -> None:
        entries = ledger("issued", *statuses)
        again = data.draw(st.permutations(entries + entries[:3]))
        expected = effective_status(entries, expires_on=None, on=TODAY)
        assert effective_status(again, expires_on=None, on=TODAY) == expected

    @given(after_issue, st.integers(-3, 3))
    def test_valid_only_if_nothing_speaks_against_it(self, statuses: list[str], days: int) -> None:
        expires_on = TODAY + timedelta(days=days)
        found = fold("issued", *statuses, expires_on=expires_on)
        if found.status is Status.VALID:
            assert not {"withdrawn", "superseded"} & set(statuses)
            assert days >= 0
        if "withdrawn" in statuses:
            assert found.status is Status.WITHDRAWN

    @given(st.lists(st.sampled_from(Entered), max_size=10))
    def test_every_entry_that_is_allowed_changes_the_status(self, tried: list[Entered]) -> None:
        entries = ledger("issued")
        for entered in tried:
            before = effective_status(entries, expires_on=None, on=TODAY)
            if entered in allowed_entries(before):
                entries.append(Entry(id=len(entries), status=entered, at=AT))
                assert effective_status(entries, expires_on=None, on=TODAY).status != before.status
        assert allowed_entries(None) == {Entered.ISSUED}
        assert Entered.ISSUED not in allowed_entries(effective_status(entries, expires_on=None, on=TODAY))


class TestEligibility:
    @given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.integers(0, 9))
    def test_is_set_membership(self, required: set[int], earned: set[int], more: int) -> None:
        found = check_eligibility(required, earned)
        assert found.eligible == (bool(required) and required <= earned)
        assert found.missing == required - earned
        if found.eligible:
            assert check_eligibility(required, earned | {more}).eligible

    def test_for_competencies_the_level_counts(self) -> None:
        found = check_eligibility({("B1", "practising")}, {("B1", "foundational"), ("B1", "leading")})
        assert not found.eligible
        assert found.missing == {("B1", "practising")}
