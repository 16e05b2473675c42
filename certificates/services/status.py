"""What becomes of a certificate: revoked, reinstated, superseded, withdrawn. Each is an entry of its ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText, Subject
from accounts.services import record_audit, save_text
from certificates.checks import fold_status
from certificates.facts import CertificateFacts
from certificates.gather import gather_facts
from certificates.models import Certificate, CertificateContent, CorrectionRequest, StatusEntry
from certificates.places import verification_url
from certificates.rules import Entered, allowed_entries
from certificates.services.issue import TRIES, Draft, lock_enrolment, tell_holder, write_certificate
from core import clock
from core.errors import DomainError, InvalidInput
from core.pdf import find_unprintable

LONGEST_NAME = 120

REVOKING = (
    StatusEntry.Reason.INTEGRITY,
    StatusEntry.Reason.ISSUED_IN_ERROR,
    StatusEntry.Reason.KEY_COMPROMISED,
)
CORRECTING = (StatusEntry.Reason.NAME_CHANGED, StatusEntry.Reason.FACTS_CORRECTED)
REINSTATING = (StatusEntry.Reason.APPEAL_UPHELD, StatusEntry.Reason.ISSUED_IN_ERROR)


class NotNow(DomainError):
    """What was asked does not fit the certificate's status."""

    code = "status_does_not_allow"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A certificate to be issued anew: with another name, or with the facts as the records have them now.

    `holder_name` empty: the name stays. `client_id` makes a repeat give the first result.
    """

    certificate: Certificate
    reason: str
    actor: Subject
    client_id: uuid.UUID
    holder_name: str = ""
    note: str = ""


def lock_certificate(certificate_id: uuid.UUID) -> Certificate:
    """The certificate with its content, for one writer at a time: the content's row is what is locked. One query.

    A ledger row is never locked: the application's role may not.
    """
    content = (
        CertificateContent.objects.select_for_update(of=("self",))
        .select_related("certificate__subject", "certificate__achievement")
        .get(pk=certificate_id)
    )
    return content.certificate


def _keep_note(certificate: Certificate, *, actor: Subject, note: str) -> uuid.UUID | None:
    if not note.strip():
        return None
    return save_text(
        subject=certificate.subject, author=actor, kind=PersonalText.Kind.REASON, text=note.strip()
    ).id


def _require(certificate: Certificate, entered: Entered, sentence: str) -> None:
    status = fold_status(certificate, certificate.statuses.all(), at=clock.now())
    if entered not in allowed_entries(status):
        raise NotNow(sentence)


def _enter(
    certificate: Certificate,
    *,
    status: str,
    reason: str,
    actor: Subject | None,
    note: str,
    client_id: uuid.UUID,
) -> StatusEntry:
    note_id = _keep_note(certificate, actor=actor, note=note) if actor else None
    entry = StatusEntry.objects.create(
        certificate=certificate,
        status=status,
        reason=reason,
        actor=actor,
        note_id=note_id,
        client_id=client_id,
    )
    record_audit(
        actor=actor,
        action=f"certificate.{status}",
        subject=certificate.subject,
        target=certificate,
        details={"reason": reason, "number": certificate.number},
    )
    return entry


def _find_repeat(certificate: Certificate, client_id: uuid.UUID) -> StatusEntry | None:
    return StatusEntry.objects.filter(certificate=certificate, client_id=client_id).first()


@transaction.atomic
def revoke_certificate(
    *, certificate: Certificate, reason: str, actor: Subject, client_id: uuid.UUID, note: str = ""
) -> StatusEntry:
    """Say that a certificate is not to be relied on, and why. A repeat gives the first entry."""
    certificate = lock_certificate(certificate.pk)
    if found := _find_repeat(certificate, client_id):
        return found
    if reason not in REVOKING:
        raise InvalidInput(_("Choose why it is revoked."), errors={"reason": [_("Choose a reason.")]})
    _require(certificate, Entered.REVOKED, _("This certificate is revoked already. Nothing was changed."))
    entry = _enter(
        certificate,
        status=StatusEntry.Status.REVOKED,
        reason=reason,
        actor=actor,
        note=note,
        client_id=client_id,
    )
    tell_holder(certificate, kind="certificate_revoked", about=f"certificate-status:{entry.client_id}")
    return entry


@transaction.atomic
def reinstate_certificate(
    *, certificate: Certificate, reason: str, actor: Subject, client_id: uuid.UUID, note: str = ""
) -> StatusEntry:
    """Take a revocation back: it stands again as it stood before. A repeat gives the first entry."""
    certificate = lock_certificate(certificate.pk)
    if found := _find_repeat(certificate, client_id):
        return found
    if reason not in REINSTATING:
        raise InvalidInput(_("Choose why it is reinstated."), errors={"reason": [_("Choose a reason.")]})
    _require(
        certificate,
        Entered.REINSTATED,
        _("This certificate is not revoked, so there is nothing to reinstate. Nothing was changed."),
    )
    entry = _enter(
        certificate,
        status=StatusEntry.Status.REINSTATED,
        reason=reason,
        actor=actor,
        note=note,
        client_id=client_id,
    )
    tell_holder(certificate, kind="certificate_reinstated", about=f"certificate-status:{entry.client_id}")
    return entry


def supersede_certificate(correction: Correction) -> Certificate:
    """Issue a corrected certificate under a new number; the old one says that it was replaced, why, and by which.

    A repeat gives the first result. The consent to show the old one is not taken over: it was given for that one.
    """
    for _try in range(TRIES):
        try:
            return _supersede(correction)
        except IntegrityError:
            continue
    return _supersede(correction)


@transaction.atomic
def _supersede(correction: Correction) -> Certificate:
    old = lock_certificate(correction.certificate.pk)
    if _find_repeat(old, correction.client_id):
        return Certificate.objects.get(supersedes=old)
    if correction.reason not in CORRECTING:
        raise InvalidInput(_("Choose what is corrected."), errors={"reason": [_("Choose a reason.")]})
    _require(
        old,
        Entered.SUPERSEDED,
        _("Only a certificate that stands or has expired can be corrected. Nothing was changed."),
    )
    if old.enrolment_id is None or old.content.facts is None:
        raise NotNow(_("Its facts are gone, so it cannot be issued anew. Nothing was changed."))
    frozen = CertificateFacts.from_document(old.content.facts)
    name = check_holder_name(correction.holder_name or frozen.holder_name)
    enrolment = lock_enrolment(old.enrolment_id)
    now = clock.now()

    def gather(certificate_id: uuid.UUID, number: str) -> CertificateFacts:
        fresh = gather_facts(
            enrolment=enrolment,
            certificate_id=certificate_id,
            number=number,
            holder_name=name,
            issued_at=now,
        )
        # It ends when the one that it replaces would have ended.
        if correction.reason == StatusEntry.Reason.FACTS_CORRECTED:
            return replace(fresh, expires_on=frozen.expires_on)
        return replace(
            frozen,
            number=number,
            holder_name=name,
            issued_on=fresh.issued_on,
            issuer=fresh.issuer,
            verification_url=verification_url(certificate_id),
        )

    made = write_certificate(
        Draft(
            achievement=old.achievement,
            enrolment=enrolment,
            gather=gather,
            issued_at=now,
            reason=correction.reason,
            supersedes=old,
            actor=correction.actor,
            client_id=uuid.uuid5(correction.client_id, "issued"),
        )
    )
    _enter(
        old,
        status=StatusEntry.Status.SUPERSEDED,
        reason=correction.reason,
        actor=correction.actor,
        note=correction.note,
        client_id=correction.client_id,
    )
    _close_requests(old, actor=correction.actor)
    tell_holder(made, kind="certificate_replaced")
    return made


def _close_requests(certificate: Certificate, *, actor: Subject) -> None:
    CorrectionRequest.objects.filter(certificate=certificate, closed_at__isnull=True).update(
        closed_at=clock.now(), closed_by=actor, reissued=True
    )


def check_holder_name(name: str) -> str:
    """The name with single spaces; InvalidInput where it is empty, too long or cannot be printed."""
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > LONGEST_NAME:
        sentence = _("Write the name as it should stand on the certificate, in at most 120 characters.")
        raise InvalidInput(sentence, errors={"holder_name": [sentence]})
    if missing := find_unprintable(tidy):
        sentence = _("The typefaces of the certificate do not have these characters: %(characters)s") % {
            "characters": " ".join(missing)
        }
        raise InvalidInput(sentence, errors={"holder_name": [sentence]})
    return tidy


def withdraw_erased(*, certificate: Certificate) -> StatusEntry:
    """The last entry of a certificate whose holder was erased: number, dates and digest stay."""
    found = certificate.statuses.filter(status=StatusEntry.Status.WITHDRAWN).first()
    if found is not None:
        return found
    return StatusEntry.objects.create(
        certificate=certificate,
        status=StatusEntry.Status.WITHDRAWN,
        reason=StatusEntry.Reason.ERASED,
        client_id=uuid.uuid5(certificate.pk, "withdrawn"),
    )
