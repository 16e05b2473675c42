"""Legal holds: records that the law asks to keep for now."""

from __future__ import annotations

from django.db import transaction

from accounts.models import LegalHold, Subject
from accounts.services.audit import record_audit
from core import clock


@transaction.atomic
def place_hold(*, subject: Subject, reason: str, placed_by: Subject | None) -> LegalHold:
    """Keep a person's records from being erased until the hold is lifted. The same one again is the first."""
    Subject.objects.select_for_update().get(pk=subject.pk)
    found = LegalHold.objects.filter(subject=subject, reason=reason, lifted_at__isnull=True).first()
    if found is not None:
        return found
    hold = LegalHold.objects.create(subject=subject, reason=reason, placed_by=placed_by)
    record_audit(actor=placed_by, action="hold.placed", subject=subject, target=hold)
    return hold


@transaction.atomic
def lift_hold(*, hold: LegalHold, lifted_by: Subject | None) -> LegalHold:
    """Let a person's records be erased again. A hold that was lifted before stays as it is."""
    changed = LegalHold.objects.filter(pk=hold.pk, lifted_at__isnull=True).update(
        lifted_at=clock.now(), lifted_by=lifted_by
    )
    hold.refresh_from_db()
    if changed:
        record_audit(actor=lifted_by, action="hold.lifted", subject=hold.subject, target=hold)
    return hold
