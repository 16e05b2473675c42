"""A partner institution's word about a certificate of its own cohort."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization, Subject
from accounts.services import record_audit
from certificates.checks import fold_status
from certificates.models import Attestation, Certificate
from certificates.rules import Status
from certificates.services.status import NotNow, lock_certificate
from core import clock


@transaction.atomic
def attest_certificate(
    *,
    certificate: Certificate,
    organization: Organization,
    officer: Subject,
    client_id: uuid.UUID,
    credits: Decimal | None = None,
) -> Attestation:
    """Countersign a certificate that stands, once an institution; a repeat gives the first attestation.

    It was made after the issue, so it stands on the verification page and is not printed on the PDF.
    """
    certificate = lock_certificate(certificate.pk)
    if found := Attestation.objects.filter(certificate=certificate, organization=organization).first():
        return found
    status = fold_status(certificate, certificate.statuses.all(), at=clock.now())
    if status.status is not Status.VALID:
        raise NotNow(_("Only a certificate that stands can be countersigned. Nothing was changed."))
    made = Attestation.objects.create(
        certificate=certificate,
        organization=organization,
        officer=officer,
        decision=Attestation.Decision.COUNTERSIGNED,
        credits=credits,
        client_id=client_id,
    )
    record_audit(
        actor=officer,
        action="certificate.attested",
        subject=certificate.subject,
        target=certificate,
        details={"organization": str(organization.pk)},
    )
    return made
