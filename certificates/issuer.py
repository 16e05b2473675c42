"""The issuer's keys as rows: made at first need, sealed, rotated, and what is published of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Subject
from accounts.services import record_audit
from certificates.keys import CredentialKey, PdfIdentity, generate_pdf_identity
from certificates.models import SigningKey
from certificates.openbadges.did import IssuerKey, build_did_document, make_verification_method
from certificates.places import issuer_did
from certificates.vault import get_keyring
from core import clock
from core.extensions import site_identity
from core.prepared import PreparedQuery

log = logging.getLogger(__name__)

Kind = SigningKey.Kind


def get_credential_key() -> tuple[SigningKey, CredentialKey]:
    """The key that signs credentials now; made where there is none yet. One query."""
    row = _get_or_make(Kind.ED25519)
    return row, CredentialKey(get_keyring().open(bytes(row.sealed_private), bound_to=row.public))


def get_pdf_identity() -> tuple[SigningKey, PdfIdentity]:
    """The identity that signs PDF files now; made where there is none yet. One query."""
    row = _get_or_make(Kind.PDF)
    private = get_keyring().open(bytes(row.sealed_private), bound_to=row.public)
    return row, PdfIdentity(certificate_pem=row.public, private_key=private)


def _get_or_make(kind: str) -> SigningKey:
    standing = SigningKey.objects.filter(kind=kind, retired_at__isnull=True)
    if found := standing.first():
        return found
    try:
        with transaction.atomic():
            return _make_key(kind)
    except IntegrityError:
        # Another worker made it meanwhile.
        return standing.get()


def _make_key(kind: str) -> SigningKey:
    if kind == Kind.ED25519:
        key = CredentialKey.generate()
        public, private = key.multikey, key.seed
    else:
        identity = _make_pdf_identity()
        public, private = identity.certificate_pem, identity.private_key
    row = SigningKey.objects.create(
        kind=kind, public=public, sealed_private=get_keyring().seal(private, bound_to=public)
    )
    log.info("A signing key of the kind %s was made.", kind)
    return row


def _make_pdf_identity() -> PdfIdentity:
    name = site_identity().name.get("en") or settings.WAGTAIL_SITE_NAME
    # pyHanko reads the machine's clock: an identity that begins later than it would sign nothing.
    now = min(clock.now(), timezone.now())
    return generate_pdf_identity(common_name=name, organization=name, url=settings.PUBLIC_ORIGIN, now=now)


@transaction.atomic
def rotate_signing_key(*, kind: str, compromised: bool = False, actor: Subject | None = None) -> SigningKey:
    """Retire the key of that kind and make the next one.

    What the old one signed still verifies, unless it is `compromised`: then nothing it signed does, and
    `manage.py reconcile` signs anew what the records still prove.
    """
    now = clock.now()
    standing = SigningKey.objects.select_for_update().filter(kind=kind, retired_at__isnull=True)
    for row in standing:
        row.retired_at = now
        row.revoked_at = now if compromised else None
        row.save(update_fields=["retired_at", "revoked_at"])
    made = _make_key(kind)
    record_audit(
        actor=actor,
        action="certificate.key_rotated",
        target=made,
        details={"kind": kind, "compromised": compromised},
    )
    return made


# Every key that ever signed credentials, the oldest first.
READ_KEYS: Final = PreparedQuery(
    lambda: SigningKey.objects.filter(kind=Kind.ED25519).order_by("created_at"),
    fields=[field.attname for field in SigningKey._meta.concrete_fields if field.attname != "sealed_private"],
)


def list_credential_keys() -> list[SigningKey]:
    """Every key that ever signed credentials, the oldest first. One query."""
    return READ_KEYS.objects()


def describe_issuer(rows: Iterable[SigningKey]) -> dict[str, Any]:
    """The issuer's DID document, of these keys."""
    return build_did_document(
        did=issuer_did(),
        issuer_keys=[IssuerKey(multikey=row.public, revoked_at=row.revoked_at) for row in rows],
    )


def find_signer(document: dict[str, Any], rows: Iterable[SigningKey]) -> SigningKey | None:
    """The row of the key that made a document's first proof."""
    proofs = document.get("proof") or [{}]
    method = (proofs[0] if isinstance(proofs, list) else proofs).get("verificationMethod")
    did = issuer_did()
    return next((row for row in rows if make_verification_method(did, row.public) == method), None)
