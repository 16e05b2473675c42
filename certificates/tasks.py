"""Background work of certificates: each task may run twice and has one result."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import Final

from django_tasks import task

from certificates.pdf_signing import PdfSigningError
from core import clock
from core.pdf import PdfError
from lms.models import Enrolment

log = logging.getLogger(__name__)

# Waits between tries to print: what fails for a moment (a full disk, a storage that does not answer) is tried again.
WAITS: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))


@task()
def issue_certificate_task(enrolment_id: str) -> str:
    """Issue the certificate of a completed course; the same one where the task runs again."""
    from certificates.services import NotEarned, issue_certificate

    enrolment = Enrolment.objects.select_related("subject").get(pk=uuid.UUID(enrolment_id))
    try:
        return issue_certificate(enrolment=enrolment).number
    except NotEarned as error:
        # Reopened or erased since the task was made: there is nothing to repeat.
        log.warning("No certificate was issued for enrolment %s: %s", enrolment_id, error)
        return ""


@task()
def print_certificate_task(certificate_id: str, tries: int = 0) -> bool:
    """Make the PDFs of a certificate; tried again later where that fails, and mended by `reconcile` after that."""
    from certificates.services import print_certificate

    try:
        return print_certificate(certificate_id=uuid.UUID(certificate_id))
    except PdfError:
        # The facts themselves cannot be drawn: that does not pass. The certificate and its page stand without a PDF.
        log.exception("The PDF of certificate %s cannot be drawn.", certificate_id)
        return False
    except (PdfSigningError, OSError):
        if tries >= len(WAITS):
            log.exception("The PDF of certificate %s was given up; run manage.py reconcile.", certificate_id)
            return False
        log.warning("The PDF of certificate %s failed and is tried again.", certificate_id, exc_info=True)
        later = print_certificate_task.using(run_after=clock.now() + WAITS[tries])
        later.enqueue(certificate_id, tries + 1)
        return False


# Behind everything that somebody waits for.
@task(priority=-20)
def draw_pictures_task(certificate_id: str) -> bool:
    """Draw the pictures of a certificate's PDFs."""
    from certificates.services import draw_pictures

    return draw_pictures(certificate_id=uuid.UUID(certificate_id))
