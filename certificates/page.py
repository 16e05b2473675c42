"""The page of one certificate: what is shown of it to whom, checked now."""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import Consent
from accounts.selectors import standing_consents
from certificates import texts
from certificates.checks import Check, ContentCheck, add_status, check_content, issuer_day
from certificates.facts import CertificateFacts
from certificates.issuer import READ_KEYS
from certificates.models import (
    Attestation,
    Certificate,
    CertificateContent,
    ShareLink,
    SigningKey,
    StatusEntry,
)
from certificates.permissions import Access, find_access
from certificates.rules import Status
from certificates.selectors import issuer_name, public_path
from certificates.wording import describe_level, format_minutes
from core import clock
from core.extensions import site_identity
from core.kept import Kept, Shown, columns_of
from core.prepared import PreparedQuery, given_uuid, version_of
from core.questions import Question, ask_together
from lms.texts import language
from lms.words import say_number
from modules.selectors import kept_edition


@dataclass(frozen=True, kw_only=True)
class Line:
    """A competency on the page."""

    code: str
    title: str
    url: str
    level: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """One thing that became of a certificate."""

    when: str
    what: str
    why: str
    url: str = ""
    number: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the check: what was found, and by what. `state` is done or wait."""

    title: str
    note: str
    state: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CertificatePage(Shown):
    """One certificate as its verification page shows it to one visitor, in the language in force.

    `rows` are the columns of all that was read of it, besides the certificate's own.
    """

    certificate: Certificate
    content: CertificateContent
    check: Check
    access: Access
    consented: bool
    attestations: Sequence[Attestation] = field(default_factory=tuple)
    token: str = ""
    rows: tuple[Hashable, ...] = ()

    @cached_property
    def shows(self) -> tuple[Hashable, ...]:
        certificate = self.certificate
        related = (certificate, certificate.supersedes, self.replaced_by, certificate.enrolment)
        return (
            *[columns_of(row) if row else None for row in related],
            self.rows,
            self.access.reason,
            self.consented,
            self.token,
            # The page tells the minute in which it was checked, and the day decides what has expired.
            self.check.at.replace(second=0, microsecond=0),
            issuer_day(self.check.at),
        )

    @property
    def facts(self) -> CertificateFacts | None:
        """The certified facts, for those who may see them."""
        return self.check.facts if self.access.full else None

    @property
    def banner(self) -> texts.Banner:
        return texts.write_banner(self.check, issuer=issuer_name())

    @property
    def number(self) -> str:
        return self.certificate.number

    @property
    def course_title(self) -> str:
        """What was certified is no personal fact, and is always said."""
        if self.check.facts:
            return self.check.facts.course_title.in_(_language())
        return self.certificate.enrolment.edition.title_in(language()) if self.certificate.enrolment else ""

    @property
    def course_note(self) -> str:
        if self.check.facts is None:
            return ""
        edition = _("Course edition %(number)d") % {"number": self.check.facts.course_edition}
        parts = [edition]
        if self.check.facts.minutes:
            parts.append(
                _("about %(time)s") % {"time": format_minutes(self.check.facts.minutes, _language())}
            )
        if self.access.full:
            parts.append(
                _("completed in French")
                if self.check.facts.completed_in == "fr"
                else _("completed in English")
            )
        return ", ".join(parts)

    @property
    def delivered_by(self) -> str:
        facts = self.check.facts
        return facts.delivered_by.in_(_language()) if facts and facts.delivered_by else ""

    @property
    def issuer(self) -> str:
        if self.check.facts:
            return self.check.facts.issuer.name.in_(_language())
        names = site_identity().name
        return names.get(language()) or names.get("en") or ""

    @property
    def contact(self) -> str:
        return site_identity().contact_email

    @property
    def issued_on(self) -> str:
        day = self.check.facts.issued_on if self.check.facts else issuer_day(self.certificate.issued_at)
        return texts.say_day(day)

    @property
    def completed_on(self) -> str:
        return texts.say_day(self.certificate.completed_on)

    @property
    def validity(self) -> str:
        if self.certificate.expires_on is None:
            return _("No expiry date")
        return _("Valid until %(date)s") % {"date": texts.say_day(self.certificate.expires_on)}

    @property
    def framework_title(self) -> str:
        facts = self.check.facts
        if facts is None:
            return ""
        return _("%(title)s, edition %(number)d") % {
            "title": facts.framework_title.in_(_language()),
            "number": facts.framework_edition,
        }

    @property
    def framework_url(self) -> str:
        if self.certificate.enrolment is None:
            return ""
        edition = self.certificate.enrolment.edition.framework_edition
        return reverse("standards:edition", args=[edition.slug, edition.number])

    @property
    def competencies(self) -> list[Line]:
        return [
            Line(
                code=item.code,
                title=item.title.in_(_language()),
                url=reverse("standards:competency", args=[item.uri.rsplit("/", 1)[-1]]),
                level=describe_level(item.level).in_(_language()),
                evidence=item.evidence.in_(_language()),
            )
            for item in (self.facts.competencies if self.facts else ())
        ]

    @property
    def attested(self) -> list[dict[str, str]]:
        """What partners said of it since it was issued."""
        return [
            {
                "name": row.organization.name_in(language()),
                "date": texts.say_date(row.recorded_at, year=True),
                "credits": say_number(row.credits) if row.credits is not None else "",
            }
            for row in self.attestations
        ]

    @property
    def replaced_by(self) -> Certificate | None:
        return getattr(self.certificate, "superseded_by", None)

    @property
    def why(self) -> str:
        """Why it does not stand any more, where the ledger says so."""
        if self.check.status.entry is None or self.check.status.status is Status.VALID:
            return ""
        return texts.say_reason(self.check.status.reason)

    @property
    def history(self) -> list[HistoryLine]:
        lines = []
        for entry in self.check.status.history:
            why = texts.say_reason(entry.reason)
            url, number = "", ""
            if entry.status == "superseded" and self.replaced_by:
                url, number = public_path(self.replaced_by.pk), self.replaced_by.number
            elif entry.status == "issued" and self.certificate.supersedes:
                url, number = public_path(self.certificate.supersedes.pk), self.certificate.supersedes.number
            lines.append(
                HistoryLine(
                    when=texts.say_instant(entry.at),
                    what=texts.say_entry(entry.status),
                    why=why,
                    url=url,
                    number=number,
                )
            )
        return lines

    @property
    def steps(self) -> list[Step]:
        """How it was checked, each step with what was found."""
        return [*self._signature_steps(), self._status_step()]

    def _signature_steps(self) -> list[Step]:
        check = self.check
        if check.signed is None:
            return [
                Step(
                    title=_("The signature cannot be checked any more."),
                    note=_("The signed text was erased with the holder's data."),
                    state="wait",
                )
            ]
        signer = check.signer
        key = (
            _("%(issuer)s, key of %(date)s, Ed25519")
            % {"issuer": issuer_name(), "date": texts.say_date(signer.created_at, year=True)}
            if signer
            else ""
        )
        signed = Step(
            title=_("The signature is genuine.") if check.signed else _("The signature does not fit."),
            note=key,
            state="done" if check.signed else "wait",
        )
        digest = self.certificate.digest
        shown = f"sha-256 {digest[:4]} {digest[4:8]} … {digest[-4:]}"
        unchanged = Step(
            title=_("The text is the text that was signed.")
            if check.unchanged
            else _("The text is not the text that was signed."),
            note=shown,
            state="done" if check.unchanged else "wait",
        )
        return [signed, unchanged]

    def _status_step(self) -> Step:
        status = self.check.status
        title = {
            Status.VALID: _("It has not been revoked or replaced."),
            Status.SUPERSEDED: _("It has been replaced."),
            Status.REVOKED: _("It has been revoked."),
            Status.EXPIRED: _("It has expired; it was never revoked or replaced."),
            Status.WITHDRAWN: _("It has been withdrawn."),
        }[status.status]
        note = _("Status record read at %(time)s") % {"time": texts.say_time(self.check.at)}
        return Step(title=title, note=note, state="done" if status.status is Status.VALID else "wait")

    @property
    def unprintable(self) -> str:
        """The characters of the name that no typeface of the PDF has: then there is no PDF."""
        from core.pdf import find_unprintable

        return find_unprintable(self.check.facts.holder_name) if self.check.facts else ""

    @property
    def pdf_url(self) -> str:
        return self._file_url("certificates_public:pdf")

    @property
    def json_url(self) -> str:
        return self._file_url("certificates_public:credential")

    def _file_url(self, name: str) -> str:
        share = f"&share={self.token}" if self.access.reason == "shared" else ""
        return f"{reverse(name, args=[self.certificate.pk])}?lang={language()}{share}"

    @property
    def pdf_size(self) -> str:
        """The size of the PDF in words; empty while there is none."""
        return say_file_size(self.content.pdf_in(language()))

    @property
    def json_size(self) -> str:
        return texts.say_size(len(write_json(self.content.credential)))


def _language() -> Any:
    return language()


def say_file_size(file: Any) -> str:
    """The size of a stored file; empty where there is none."""
    try:
        return texts.say_size(file.size) if file else ""
    except OSError:
        return ""


def write_json(document: Any) -> bytes:
    """A JSON document as it is served."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


# The verification page is what a registrar waits for on a telephone: its queries are compiled once.
_read_certificate: Final = PreparedQuery(
    lambda: Certificate.objects.filter(pk=given_uuid("certificate")).annotate(
        content_version=version_of("content"),
        consented=Exists(
            standing_consents(purpose=Consent.Purpose.CERTIFICATE_PUBLIC).filter(
                subject_id=OuterRef("subject_id"), about=OuterRef("pk")
            )
        ),
    ),
    joined=("subject", "supersedes", "superseded_by", "enrolment", "enrolment__offering"),
    extra=("content_version", "consented"),
)
_read_content: Final = PreparedQuery(lambda: CertificateContent.objects.filter(pk=given_uuid("certificate")))
_read_status: Final = PreparedQuery(
    lambda: StatusEntry.objects.filter(certificate_id=given_uuid("certificate"))
)
_read_attestations: Final = PreparedQuery(
    lambda: _countersigned().filter(certificate_id=given_uuid("certificate")), joined=("organization",)
)


def _countersigned() -> QuerySet[Attestation]:
    return Attestation.objects.filter(decision=Attestation.Decision.COUNTERSIGNED)


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """The columns of a content, and what was found of it."""

    columns: tuple[Any, ...]
    found: ContentCheck


# By all that the check rests on. It holds a name, so not for long.
_checked: Final[Kept[tuple[Any, ...], _Checked]] = Kept(256, seconds=60)
_CONTENT_COLUMNS: Final = [field.attname for field in CertificateContent._meta.concrete_fields]


def _check(certificate: Certificate, keys: Sequence[SigningKey]) -> tuple[CertificateContent, ContentCheck]:
    """The content of a certificate, checked. One query, none where it was checked within a minute."""

    def check() -> _Checked:
        content = _read_content.first(certificate=certificate.pk)
        assert content is not None
        return _Checked(columns=columns_of(content), found=check_content(certificate, content, keys=keys))

    version: str = certificate.content_version  # type: ignore[attr-defined]
    key = (version, *columns_of(certificate), *(columns_of(row) for row in keys))
    checked = _checked.read(key, check)
    # An object of its own for each page: a file that one reader opened is not another's.
    content = CertificateContent.from_db("default", _CONTENT_COLUMNS, checked.columns)
    certificate._state.fields_cache["content"] = content
    return content, checked.found


def read_page(
    *, certificate_id: uuid.UUID, user: Any, token: str = "", at: datetime | None = None
) -> CertificatePage | None:
    """One certificate, checked now, for one visitor; None where there is none.

    One round trip of four queries; one more query where its content was not checked within a minute, with a share link,
    and for the roles of who is signed in.
    """
    certificates, keys, entries, attestations = ask_together(
        Question.of(_read_certificate, certificate=certificate_id),
        Question.of(READ_KEYS),
        Question.of(_read_status, certificate=certificate_id),
        Question.of(_read_attestations, certificate=certificate_id),
    )
    if not certificates:
        return None
    certificate = certificates[0]
    if certificate.enrolment is not None:
        certificate.enrolment.edition = kept_edition(certificate.enrolment.edition_id)
    at = at or clock.now()
    access = find_access(
        user=user,
        certificate=certificate,
        consented=certificate.consented,
        shared=is_shared(certificate, token, at=at),
    )
    content, found = _check(certificate, keys)
    return CertificatePage(
        certificate=certificate,
        content=content,
        check=add_status(certificate, found, entries=entries, at=at),
        access=access,
        consented=certificate.consented,
        attestations=attestations,
        token=token,
        rows=(
            certificate.content_version,
            *map(columns_of, (*keys, *entries, *attestations)),
            *(columns_of(row.organization) for row in attestations),
        ),
    )


def is_shared(certificate: Certificate, token: str, *, at: datetime) -> bool:
    """Whether the token is of an open share link of this certificate. One query, none without a token."""
    if not token:
        return False
    link = ShareLink.objects.filter(certificate=certificate, token=token).first()
    return link is not None and link.is_open(at)
