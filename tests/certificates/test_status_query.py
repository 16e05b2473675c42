"""The status that the database computes for lists is the one that the rules fold from the ledger."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from certificates.checks import fold_status, issuer_day
from certificates.models import Certificate, StatusEntry
from core import clock
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db

LEDGERS = [
    ledger
    for length in range(4)
    for ledger in itertools.product(["revoked", "reinstated", "superseded", "withdrawn"], repeat=length)
]


def test_query_and_rules_agree_on_every_short_ledger() -> None:
    base = make_certificate(valid_months=12)
    now = clock.now()
    made = Certificate.objects.bulk_create(
        [
            Certificate(
                number=f"2026-{place:06d}-0A",
                achievement=base.achievement,
                subject=base.subject,
                completed_on=base.completed_on,
                expires_on=base.expires_on,
                digest="0" * 64,
                status_index=base.status_index + 1 + place,
            )
            for place in range(len(LEDGERS))
        ]
    )
    StatusEntry.objects.bulk_create(
        [
            StatusEntry(certificate=certificate, status=status, reason="completed", recorded_at=now)
            for certificate, ledger in zip(made, LEDGERS, strict=True)
            for status in ("issued", *ledger)
        ]
    )
    assert base.expires_on is not None
    for moment in (now, now + timedelta(days=800)):
        found = Certificate.objects.with_status(issuer_day(moment)).prefetch_related("statuses")
        for certificate in found:
            folded = fold_status(certificate, certificate.statuses.all(), at=moment)
            assert certificate.effective_status == folded.status.value, [
                row.status for row in certificate.statuses.all()
            ]
