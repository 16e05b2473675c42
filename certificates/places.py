"""The permanent addresses of certificates, made from `PUBLIC_ORIGIN` and never from a request."""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.urls import reverse

from certificates.openbadges.credential import CredentialAddresses
from certificates.openbadges.did import make_did
from certificates.openbadges.status_list import MINIMUM_BITS

LIST_LENGTH: Final = MINIMUM_BITS


def issuer_did() -> str:
    """The issuer's `did:web`."""
    return make_did(settings.PUBLIC_ORIGIN)


def verification_url(certificate_id: uuid.UUID) -> str:
    """The address printed on the certificate."""
    return settings.PUBLIC_ORIGIN + reverse("certificates_public:certificate", args=[certificate_id])


def status_list_url(number: int) -> str:
    return settings.PUBLIC_ORIGIN + reverse("certificates_public:status_list", args=[number])


def competency_uri(competency_id: uuid.UUID) -> str:
    """The permanent CASE address of a competency."""
    return f"{settings.PUBLIC_ORIGIN}/ims/case/v1p1/CFItems/{competency_id}"


def credential_addresses(
    *, certificate_id: uuid.UUID, achievement_id: uuid.UUID, status_index: int
) -> CredentialAddresses:
    """What a credential names. `status_index` counts through all lists; a list holds `LIST_LENGTH` places."""
    number, place = divmod(status_index, LIST_LENGTH)
    return CredentialAddresses(
        credential=settings.PUBLIC_ORIGIN + reverse("certificates_public:credential", args=[certificate_id]),
        achievement=settings.PUBLIC_ORIGIN
        + reverse("certificates_public:achievement", args=[achievement_id]),
        did=issuer_did(),
        status_list=status_list_url(number),
        status_index=place,
    )
