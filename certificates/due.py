"""What is earned and not there yet: certificates of completed courses, and their PDFs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from lms.models import Enrolment, Offering
from lms.texts import language

_LACKS_CERTIFICATE = Q(certificates__isnull=True)
_LACKS_PDF = Q(certificates__content__facts__isnull=False) & (
    Q(certificates__content__pdf_en="") | Q(certificates__content__pdf_fr="")
)


def due_enrolments() -> QuerySet[Enrolment]:
    """Completed enrolments of people who are still there that lack their certificate, or a PDF of one."""
    return Enrolment.objects.filter(
        _LACKS_CERTIFICATE | _LACKS_PDF, progress__completed_at__isnull=False, subject__erased_at__isnull=True
    )


def list_due(*, offering_id: uuid.UUID) -> list[uuid.UUID]:
    """The keys of an offering's due enrolments, the first to complete first. One query."""
    rows = due_enrolments().filter(offering=offering_id).order_by("progress__completed_at", "pk")
    return list(dict.fromkeys(rows.values_list("pk", flat=True)))


@dataclass(frozen=True, kw_only=True)
class DueOffering:
    """An offering with what it lacks."""

    offering: Offering
    missing: int
    unprinted: int

    @property
    def title(self) -> str:
        return self.offering.title_in(language())


def list_due_offerings() -> list[DueOffering]:
    """The offerings in which something is due, those with the most first. Two queries."""
    counts = {
        row["offering"]: row
        for row in due_enrolments()
        .values("offering")
        .annotate(
            missing=Count("pk", filter=_LACKS_CERTIFICATE, distinct=True),
            unprinted=Count("pk", filter=_LACKS_PDF, distinct=True),
        )
        .order_by()
    }
    found = [
        DueOffering(
            offering=offering,
            missing=counts[offering.pk]["missing"],
            unprinted=counts[offering.pk]["unprinted"],
        )
        for offering in Offering.objects.filter(pk__in=counts).select_related("organization")
    ]
    return sorted(found, key=lambda due: (-due.missing - due.unprinted, due.offering.slug))
