"""Finds facts without their consequence, and mends them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from certificates.checks import digest_facts
from certificates.facts import CertificateFacts
from certificates.models import Certificate, CertificateContent
from certificates.pdf_signing import PdfSigningError
from certificates.services.files import discard_files, print_certificate
from certificates.services.issue import NotEarned, issue_certificate, sign_content
from core.pdf import PdfError
from lms.models import Enrolment

log = logging.getLogger(__name__)

Report = Callable[[str], object]


def issue_missing(*, report: Report) -> int:
    """Issue the certificates of completed courses that have none."""
    issued = 0
    completed = Enrolment.objects.filter(
        progress__completed_at__isnull=False, certificates__isnull=True, subject__erased_at__isnull=True
    ).order_by("progress__completed_at")
    for enrolment in completed:
        try:
            certificate = issue_certificate(enrolment=enrolment)
        except NotEarned as error:
            report(_("Enrolment %(key)s: %(sentence)s") % {"key": enrolment.pk, "sentence": error})
            continue
        issued += 1
        report(_("Certificate %(number)s was issued.") % {"number": certificate.number})
    return issued


def sign_anew(*, report: Report) -> int:
    """Sign again, with the key in use, what a key that was compromised had signed: credentials and PDFs.

    Only what the digest recorded at issue still proves is signed.
    """
    signed = 0
    compromised = Q(credential_key__revoked_at__isnull=False) | Q(pdf_key__revoked_at__isnull=False)
    for key in CertificateContent.objects.filter(compromised, facts__isnull=False).values_list(
        "pk", flat=True
    ):
        signed += _sign_anew(key, report=report)
    return signed


@transaction.atomic
def _sign_anew(key: uuid.UUID, *, report: Report) -> int:
    content = (
        CertificateContent.objects.select_for_update(of=("self",))
        .select_related("certificate", "credential_key", "pdf_key")
        .get(pk=key)
    )
    certificate = content.certificate
    if content.facts is None or digest_facts(content.facts, salt=content.salt) != certificate.digest:
        report(
            _("Certificate %(number)s: its facts are not those of its digest, so it is not signed.")
            % {"number": certificate.number}
        )
        return 0
    if content.credential_key and content.credential_key.revoked_at:
        sign_content(certificate, content, CertificateFacts.from_document(content.facts))
    if content.pdf_key and content.pdf_key.revoked_at:
        discard_files(content)
        content.pdf_key = None
    content.save()
    report(_("Certificate %(number)s was signed anew.") % {"number": certificate.number})
    return 1


def print_missing(*, report: Report) -> int:
    """Make the PDFs that are missing."""
    printed = 0
    missing = Certificate.objects.filter(content__facts__isnull=False).filter(
        Q(content__pdf_en="") | Q(content__pdf_fr="")
    )
    for certificate in missing:
        try:
            if print_certificate(certificate_id=certificate.pk):
                printed += 1
                report(_("The PDFs of certificate %(number)s were made.") % {"number": certificate.number})
        except (PdfError, PdfSigningError) as error:
            report(
                _("Certificate %(number)s: its PDF cannot be made. %(error)s")
                % {"number": certificate.number, "error": error}
            )
    return printed
