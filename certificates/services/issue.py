"""Issuing: facts frozen, a number drawn, the credential signed and verified, all in one transaction.

The PDFs follow in a task of their own: drawing may fail where issuing must not, and the verification page is whole
without them.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Subject
from certificates import numbers
from certificates.checks import check_certificate, digest_facts
from certificates.facts import CertificateFacts
from certificates.gather import find_holder_name, gather_facts
from certificates.issuer import get_credential_key, list_credential_keys
from certificates.models import Achievement, Certificate, CertificateContent, StatusEntry
from certificates.openbadges import proof, status_list
from certificates.openbadges.credential import HolderIdentity, build_credential
from certificates.openbadges.did import make_verification_method
from certificates.places import LIST_LENGTH, credential_addresses
from certificates.rules import check_eligibility
from core import clock
from core.errors import DomainError
from lms.models import CourseProgress, Enrolment, LearningEvent
from lms.outlines import steps_of
from lms.services import notify
from modules.selectors import kept_edition

log = logging.getLogger(__name__)

# Two transactions may draw the same number; the constraint stops one of them, and it draws again.
TRIES = 3


class NotEarned(DomainError):
    """Not every requirement has its record, so nothing is certified."""

    code = "not_earned"


class SigningFailed(RuntimeError):
    """What was signed does not verify: nothing is issued."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A certificate before it is written: whose, for what, and who gathers its facts once a number is drawn."""

    achievement: Achievement
    enrolment: Enrolment
    gather: Callable[[uuid.UUID, str], CertificateFacts]
    issued_at: datetime
    reason: str
    supersedes: Certificate | None = None
    actor: Subject | None = None
    client_id: uuid.UUID | None = None
    print_later: bool = True


def lock_enrolment(enrolment_id: uuid.UUID) -> Enrolment:
    """The enrolment, locked for the transaction, with all that facts are gathered from.

    One query, and two for an edition that the process has not read.
    """
    enrolment = (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("offering__partner", "offering__organization", "subject__user")
        .get(pk=enrolment_id)
    )
    enrolment.edition = kept_edition(enrolment.edition_id)
    return enrolment


def issue_certificate(*, enrolment: Enrolment, print_later: bool = True) -> Certificate:
    """The certificate of a completed enrolment: issued once, and the same one whenever it is asked for again.

    Its PDFs are made by a task, unless whoever calls says that they make them.

    Raises NotEarned where a requirement has no record, or where nobody is left to name.
    """
    for _try in range(TRIES):
        try:
            return _issue(enrolment.pk, print_later=print_later)
        except IntegrityError:
            log.warning("A certificate's number or place was taken meanwhile; another is drawn.")
    return _issue(enrolment.pk, print_later=print_later)


@transaction.atomic
def _issue(enrolment_id: uuid.UUID, *, print_later: bool) -> Certificate:
    enrolment = lock_enrolment(enrolment_id)
    found = Certificate.objects.filter(enrolment=enrolment, supersedes__isnull=True).first()
    if found is not None:
        return found
    _require_earned(enrolment)
    holder_name = find_holder_name(enrolment)
    if not holder_name:
        raise NotEarned(_("The person's data were erased, so there is nobody to certify."))
    now = clock.now()
    achievement, _made = Achievement.objects.get_or_create(
        kind=Achievement.Kind.COURSE, key=enrolment.edition.course_key
    )
    certificate = write_certificate(
        Draft(
            achievement=achievement,
            enrolment=enrolment,
            gather=lambda certificate_id, number: gather_facts(
                enrolment=enrolment,
                certificate_id=certificate_id,
                number=number,
                holder_name=holder_name,
                issued_at=now,
            ),
            issued_at=now,
            reason=StatusEntry.Reason.COMPLETED,
            print_later=print_later,
        )
    )
    tell_holder(certificate, kind="certificate_issued")
    return certificate


def _require_earned(enrolment: Enrolment) -> None:
    """Every required step has its completion record, and the projection has seen it."""
    required = {step.key for step in steps_of(enrolment.edition).steps if step.required}
    done = LearningEvent.objects.filter(
        enrolment=enrolment, verb=LearningEvent.Verb.COMPLETED, step_key__in=required
    ).values_list("step_key", flat=True)
    projected = CourseProgress.objects.filter(enrolment=enrolment, completed_at__isnull=False).exists()
    if not check_eligibility(required, set(done)).eligible or not projected:
        raise NotEarned(_("This course is not complete yet, so no certificate is issued."))


def write_certificate(draft: Draft) -> Certificate:
    """Write a certificate with its facts, its signed credential and its first status, inside a transaction.

    What was signed is verified before anything is kept: raises SigningFailed.
    """
    from certificates.tasks import print_certificate_task

    certificate_id = uuid.uuid4()
    number = numbers.draw_number(
        year=draft.issued_at.year, is_taken=lambda text: Certificate.objects.filter(number=text).exists()
    )
    facts = draft.gather(certificate_id, number)
    document, salt = facts.to_document(), secrets.token_hex(16)
    certificate = Certificate.objects.create(
        id=certificate_id,
        number=number,
        achievement=draft.achievement,
        subject=draft.enrolment.subject,
        enrolment=draft.enrolment,
        issued_at=draft.issued_at,
        completed_on=facts.completed_on,
        expires_on=facts.expires_on,
        digest=digest_facts(document, salt=salt),
        supersedes=draft.supersedes,
        status_index=_draw_place(),
    )
    content = CertificateContent(certificate=certificate, facts=document, salt=salt)
    sign_content(certificate, content, facts)
    content.save(force_insert=True)
    entry = StatusEntry.objects.create(
        certificate=certificate,
        status=StatusEntry.Status.ISSUED,
        reason=draft.reason,
        actor=draft.actor,
        recorded_at=draft.issued_at,
        client_id=draft.client_id or uuid.uuid5(certificate.pk, "issued"),
    )
    found = check_certificate(
        certificate, content, entries=[entry], keys=list_credential_keys(), at=draft.issued_at
    )
    if not (found.signed and found.unchanged):
        raise SigningFailed(f"The credential of {number} does not verify: {found.reasons or 'facts differ'}")
    if draft.print_later:
        print_certificate_task.enqueue(str(certificate.pk))
    return certificate


def sign_content(certificate: Certificate, content: CertificateContent, facts: CertificateFacts) -> None:
    """Put the credential of these facts, signed by the key in use, into the content; the caller saves it.

    The holder stands in it as a salted hash of the name.
    """
    row, key = get_credential_key()
    addresses = credential_addresses(
        certificate_id=certificate.pk,
        achievement_id=certificate.achievement_id,
        status_index=certificate.status_index,
    )
    document = build_credential(
        facts=facts,
        addresses=addresses,
        identities=[HolderIdentity.hidden(identity_type="name", value=facts.holder_name)],
        issued_at=certificate.issued_at,
    )
    content.credential = proof.add_proof(
        document,
        key=key,
        verification_method=make_verification_method(addresses.did, row.public),
        created=clock.now(),
    )
    content.credential_key = row


def _draw_place() -> int:
    """A free place in the first status list that is not nearly full."""
    number = 0
    while True:
        start = number * LIST_LENGTH
        try:
            return start + status_list.draw_index(is_taken=partial(_is_taken, start))
        except status_list.StatusListError:
            number += 1


def _is_taken(start: int, index: int) -> bool:
    return Certificate.objects.filter(status_index=start + index).exists()


def tell_holder(certificate: Certificate, *, kind: str, about: str = "") -> None:
    """A notice to the holder that leads to their certificate."""
    notify(
        subject=certificate.subject,
        kind=kind,
        about=about or f"certificate:{certificate.pk}",
        params={"certificate": str(certificate.pk), "number": certificate.number},
        path=f"/my/certificates/{certificate.pk}/",
    )
