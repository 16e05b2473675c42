"""Reads about people, with their cost in queries."""

from __future__ import annotations

import uuid

from accounts.models import Consent, Organization


def has_consent(
    *,
    subject_id: uuid.UUID,
    purpose: str,
    organization: Organization | None = None,
    about: uuid.UUID | None = None,
) -> bool:
    """Whether a consent to this purpose stands now. One query."""
    return Consent.objects.filter(
        subject_id=subject_id,
        purpose=purpose,
        organization=organization,
        about=about,
        withdrawn_at__isnull=True,
    ).exists()
