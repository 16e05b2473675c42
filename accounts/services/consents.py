"""Consents: given once, withdrawn once, never reused."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction

from accounts.models import Consent, Organization, Subject
from core import clock


@transaction.atomic
def give_consent(
    *,
    subject: Subject,
    purpose: str,
    wording: str,
    language: str,
    organization: Organization | None = None,
    about: uuid.UUID | None = None,
) -> Consent:
    """Record that a person agreed. A second time while it stands gives the first row."""
    standing = Consent.objects.filter(
        subject=subject, purpose=purpose, organization=organization, about=about, withdrawn_at__isnull=True
    )
    if found := standing.first():
        return found
    try:
        with transaction.atomic():
            return Consent.objects.create(
                subject=subject,
                purpose=purpose,
                organization=organization,
                about=about,
                wording=wording,
                language=language,
            )
    except IntegrityError:
        return standing.get()


def withdraw_consent(*, consent: Consent) -> Consent:
    """Record that a person no longer agrees. What was shown before stays shown to those who saw it."""
    Consent.objects.filter(pk=consent.pk, withdrawn_at__isnull=True).update(withdrawn_at=clock.now())
    consent.refresh_from_db()
    return consent
