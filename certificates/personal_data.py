"""What this floor holds about a person: for *My data*, the download, and the erasure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.services import read_texts
from certificates import texts
from certificates.models import CertificateContent, CorrectionRequest, ShareLink, StatusEntry
from certificates.places import verification_url
from certificates.selectors import certificates_of_holder
from certificates.services import withdraw_erased
from certificates.services.files import discard_files
from core import clock
from core.extensions import PersonalRecords
from core.languages import reading_language


class CertificatesPersonalData:
    """The answer of this floor to `core.extensions.personal_data`. Five queries to export, none a row."""

    def export(self, *, subject_id: uuid.UUID, language: str) -> Sequence[PersonalRecords]:
        with translation.override(language):
            parts = [self._certificates(subject_id), self._links(subject_id), self._requests(subject_id)]
        return [part for part in parts if part.rows]

    @transaction.atomic
    def erase(self, *, subject_id: uuid.UUID) -> None:
        """Facts, credential and files go; number, dates and digest stay, with the status *withdrawn*."""
        contents = CertificateContent.objects.select_for_update(of=("self",)).filter(
            certificate__subject=subject_id, erased_at__isnull=True
        )
        for content in contents.select_related("certificate"):
            discard_files(content)
            content.facts = content.credential = None
            content.salt = ""
            content.erased_at = clock.now()
            content.save()
            withdraw_erased(certificate=content.certificate)
        ShareLink.objects.filter(certificate__subject=subject_id, closed_at__isnull=True).update(
            closed_at=clock.now()
        )
        ShareLink.objects.filter(certificate__subject=subject_id).update(label="")
        CorrectionRequest.objects.filter(certificate__subject=subject_id, closed_at__isnull=True).update(
            closed_at=clock.now()
        )

    def _certificates(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows: list[dict[str, Any]] = []
        files: list[tuple[str, Any]] = []
        certificates = list(certificates_of_holder(subject_id))
        entries: dict[uuid.UUID, list[StatusEntry]] = {row.pk: [] for row in certificates}
        for entry in StatusEntry.objects.filter(certificate__in=entries):
            entries[entry.certificate_id].append(entry)
        notes = read_texts(entry.note_id for row in entries.values() for entry in row)
        for certificate in certificates:
            content = certificate.content
            for language in ("en", "fr"):
                if file := content.pdf_in(language):
                    files.append((f"{certificate.number}-{language}.pdf", file))
            rows.append(
                {
                    "number": certificate.number,
                    "name": content.facts["holder_name"] if content.facts else None,
                    "course": content.facts["course_title"][reading_language()] if content.facts else None,
                    "issued": certificate.issued_at.isoformat(timespec="seconds"),
                    "expires": certificate.expires_on.isoformat() if certificate.expires_on else None,
                    "page": verification_url(certificate.pk),
                    "history": [
                        {
                            "when": entry.recorded_at.isoformat(timespec="seconds"),
                            "what": texts.say_entry(entry.status),
                            "why": texts.say_reason(entry.reason),
                            "note": notes[entry.note_id].text if entry.note_id in notes else None,
                        }
                        for entry in entries[certificate.pk]
                    ],
                    "facts": content.facts,
                    "credential": content.credential,
                    "digest": certificate.digest,
                }
            )
        return PersonalRecords(
            name="certificates",
            title=_("Certificates"),
            rows=rows,
            retention=_(
                "As long as your account. When that is erased, your name and what was certified go; number, dates, "
                "digest and the word “withdrawn” stay, so that nobody can make up a certificate with that number."
            ),
            files=files,
            labels={
                "number": _("Number"),
                "name": _("Name"),
                "course": _("Course"),
                "issued": pgettext("certificate", "Issued"),
                "expires": _("Expires"),
                "page": _("Page"),
            },
        )

    def _links(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows = [
            {
                "number": link.certificate.number,
                "label": link.label or None,
                "made": link.created_at.isoformat(timespec="seconds"),
                "ends": link.ends_at.isoformat(timespec="seconds") if link.ends_at else None,
                "closed": link.closed_at.isoformat(timespec="seconds") if link.closed_at else None,
            }
            for link in ShareLink.objects.filter(certificate__subject=subject_id).select_related(
                "certificate"
            )
        ]
        return PersonalRecords(
            name="share_links",
            title=_("Share links"),
            rows=rows,
            retention=_("As long as your account; for whom you made them is erased with it."),
            labels={
                "number": _("Certificate"),
                "label": _("For whom"),
                "made": _("Made"),
                "ends": _("Ends"),
                "closed": _("Closed"),
            },
        )

    def _requests(self, subject_id: uuid.UUID) -> PersonalRecords:
        requests = list(
            CorrectionRequest.objects.filter(certificate__subject=subject_id).select_related("certificate")
        )
        words = read_texts(key for request in requests for key in (request.name_id, request.note_id))
        rows = [
            {
                "number": request.certificate.number,
                "name": words[request.name_id].text if request.name_id in words else None,
                "note": words[request.note_id].text if request.note_id in words else None,
                "asked": request.asked_at.isoformat(timespec="seconds"),
                "closed": request.closed_at.isoformat(timespec="seconds") if request.closed_at else None,
            }
            for request in requests
        ]
        return PersonalRecords(
            name="certificate_corrections",
            title=_("Corrections you asked for"),
            rows=rows,
            retention=_("As long as your account; your words are erased with it."),
            labels={
                "number": _("Certificate"),
                "name": _("Name"),
                "note": _("Note"),
                "asked": _("Asked"),
                "closed": _("Closed"),
            },
        )


answer = CertificatesPersonalData()
