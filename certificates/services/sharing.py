"""What a holder decides: who sees the certificate, and whether its name is to be corrected."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Consent, PersonalText, Subject
from accounts.services import give_consent, record_audit, save_text, withdraw_consent
from certificates.models import Certificate, CorrectionRequest, ShareLink
from certificates.services.status import check_holder_name, lock_certificate
from core import clock
from core.errors import DomainError, InvalidInput

# The sentence that is agreed to; it is kept with the consent in the language in which it was read.
CONSENT_WORDING: Final = gettext_noop(
    "Show my name, the competencies and their evidence to anyone who has the address or the number of this certificate."
)
MOST_LINKS: Final = 50


class TooManyLinks(DomainError):
    code = "too_many_links"


@transaction.atomic
def show_publicly(*, certificate: Certificate, language: str) -> Consent:
    """Record the holder's consent to this one certificate. A second time while it stands gives the first row."""
    return give_consent(
        subject=certificate.subject,
        purpose=Consent.Purpose.CERTIFICATE_PUBLIC,
        wording=_(CONSENT_WORDING),
        language=language,
        about=certificate.pk,
    )


@transaction.atomic
def stop_showing(*, certificate: Certificate) -> None:
    """Withdraw it. Nothing happens where none stands."""
    standing = Consent.objects.filter(
        subject=certificate.subject,
        purpose=Consent.Purpose.CERTIFICATE_PUBLIC,
        about=certificate.pk,
        withdrawn_at__isnull=True,
    )
    for consent in standing:
        withdraw_consent(consent=consent)


@transaction.atomic
def make_share_link(
    *, certificate: Certificate, link_id: uuid.UUID, label: str = "", ends_at: datetime | None = None
) -> ShareLink:
    """A link that shows this certificate to whoever has it. A repeat gives the first one."""
    lock_certificate(certificate.pk)
    if found := ShareLink.objects.filter(pk=link_id).first():
        if found.certificate_id != certificate.pk:
            raise InvalidInput(
                _("The key of what was sent was used for something else. Load the page again and try again.")
            )
        return found
    if ShareLink.objects.filter(certificate=certificate, closed_at__isnull=True).count() >= MOST_LINKS:
        raise TooManyLinks(_("There are 50 open links already. Close one that is no longer needed."))
    return ShareLink.objects.create(
        id=link_id, certificate=certificate, label=" ".join(label.split())[:100], ends_at=ends_at
    )


def close_share_link(*, link: ShareLink) -> ShareLink:
    """From now on the link shows nothing more than anyone sees."""
    ShareLink.objects.filter(pk=link.pk, closed_at__isnull=True).update(closed_at=clock.now())
    link.refresh_from_db()
    return link


@transaction.atomic
def request_correction(
    *, certificate: Certificate, holder_name: str, note: str, request_id: uuid.UUID
) -> CorrectionRequest:
    """Ask an officer for another name on the certificate. One request stands at a time; a repeat gives it."""
    name = check_holder_name(holder_name)
    certificate = lock_certificate(certificate.pk)
    standing = CorrectionRequest.objects.filter(certificate=certificate, closed_at__isnull=True).first()
    if standing is not None:
        return standing
    subject = certificate.subject
    kept = save_text(subject=subject, kind=PersonalText.Kind.CERTIFICATE_NAME, text=name)
    words = (
        save_text(subject=subject, kind=PersonalText.Kind.REASON, text=note.strip()) if note.strip() else None
    )
    made = CorrectionRequest.objects.create(
        id=request_id, certificate=certificate, name_id=kept.pk, note_id=words.pk if words else None
    )
    record_audit(actor=subject, action="certificate.correction_asked", subject=subject, target=certificate)
    return made


@transaction.atomic
def close_correction_request(*, request: CorrectionRequest, actor: Subject) -> CorrectionRequest:
    """Close a request without reissuing; the holder is told."""
    from certificates.services.issue import tell_holder

    changed = CorrectionRequest.objects.filter(pk=request.pk, closed_at__isnull=True).update(
        closed_at=clock.now(), closed_by=actor
    )
    request.refresh_from_db()
    if changed:
        record_audit(
            actor=actor,
            action="certificate.correction_declined",
            subject=request.certificate.subject,
            target=request.certificate,
        )
        tell_holder(request.certificate, kind="certificate_not_corrected", about=f"correction:{request.pk}")
    return request
