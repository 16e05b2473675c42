"""Reads of certificates for one screen each, with their cost in queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse

from accounts.models import Consent
from certificates import texts
from certificates.checks import fold_status, issuer_day
from certificates.models import (
    Certificate,
    StatusEntry,
)
from certificates.permissions import Access, find_access
from certificates.querysets import CertificateQuerySet
from certificates.rules import Status
from core import clock
from core.extensions import site_identity
from lms.texts import language


def public_path(certificate_id: uuid.UUID) -> str:
    """The verification page in the language that is being read."""
    return f"{reverse('certificates_public:certificate', args=[certificate_id])}?lang={language()}"


def issuer_name() -> str:
    """The issuer's short name in the language in force."""
    names = site_identity().short_name
    return names.get(language()) or names.get("en") or ""


def whole_certificates() -> CertificateQuerySet:
    """Certificates with all that one of them is shown with, in one query; the heavy texts of editions left out."""
    return Certificate.objects.select_related(
        "content__credential_key",
        "subject",
        "supersedes",
        "superseded_by",
        "enrolment__offering",
        "enrolment__edition__framework_edition",
    ).defer(
        "content__credential_key__sealed_private",
        "enrolment__edition__outline",
        "enrolment__edition__framework_edition__document",
    )


def find_certificate(*, key: uuid.UUID | None = None, number: str = "") -> Certificate | None:
    """The certificate with that key or number. One query."""
    found = Certificate.objects.filter(pk=key) if key else Certificate.objects.filter(number=number)
    return found.first()


def revoked_places(*, start: int, length: int) -> list[int]:
    """Places of a status list whose certificates are not to be relied on: revoked, replaced, withdrawn. One query."""
    rows = (
        Certificate.objects.filter(status_index__gte=start, status_index__lt=start + length)
        .with_status(issuer_day(clock.now()))
        .filter(effective_status__in=[Status.REVOKED, Status.SUPERSEDED, Status.WITHDRAWN])
        .order_by("status_index")
        .values_list("status_index", flat=True)
    )
    return [index - start for index in rows]


@dataclass(frozen=True, kw_only=True)
class ListedCertificate:
    """A certificate in a list: with its status, and the name where the viewer may read it."""

    certificate: Certificate
    status: str
    access: Access
    asked: str = ""

    @property
    def url(self) -> str:
        return public_path(self.certificate.pk)

    @property
    def status_words(self) -> str:
        return texts.say_status(self.status)

    @property
    def state(self) -> str:
        return texts.state_of(self.status)

    @property
    def holder_name(self) -> str:
        facts = self.certificate.content.facts
        return facts["holder_name"] if facts and self.access.full else ""

    @property
    def course_title(self) -> str:
        facts = self.certificate.content.facts
        if facts:
            return str(facts["course_title"][language()])
        return self.certificate.enrolment.edition.title_in(language()) if self.certificate.enrolment else ""

    @property
    def issued_on(self) -> str:
        return texts.say_day(issuer_day(self.certificate.issued_at))

    @property
    def expires_on(self) -> str:
        return texts.say_day(self.certificate.expires_on) if self.certificate.expires_on else ""

    @property
    def replaced_by(self) -> Certificate | None:
        return getattr(self.certificate, "superseded_by", None)

    @property
    def replaced_by_url(self) -> str:
        return public_path(self.replaced_by.pk) if self.replaced_by else ""


def describe_many(certificates: Iterable[Certificate], *, user: Any) -> list[ListedCertificate]:
    """Each certificate with its status and what this viewer may read of it. Two queries for any number, and roles.

    The rows come from `whole_certificates`.
    """
    rows = list(certificates)
    if not rows:
        return []
    at = clock.now()
    entries: dict[uuid.UUID, list[StatusEntry]] = {row.pk: [] for row in rows}
    for entry in StatusEntry.objects.filter(certificate__in=entries):
        entries[entry.certificate_id].append(entry)
    consented = set(
        Consent.objects.filter(
            about__in=entries, purpose=Consent.Purpose.CERTIFICATE_PUBLIC, withdrawn_at__isnull=True
        ).values_list("about", "subject_id")
    )
    return [
        ListedCertificate(
            certificate=row,
            status=fold_status(row, entries[row.pk], at=at).status.value,
            access=find_access(user=user, certificate=row, consented=(row.pk, row.subject_id) in consented),
        )
        for row in rows
    ]


def certificates_of_holder(subject_id: uuid.UUID) -> CertificateQuerySet:
    """A holder's certificates, the newest first."""
    return whole_certificates().filter(subject=subject_id).order_by("-issued_at")


def open_requests() -> Prefetch:
    """For a list of certificates: the correction requests that stand, as `open_requests`."""
    from certificates.models import CorrectionRequest

    return Prefetch(
        "correction_requests",
        queryset=CorrectionRequest.objects.filter(closed_at__isnull=True),
        to_attr="open_requests",
    )
