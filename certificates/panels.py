"""What this floor adds to a person's own home."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from accounts.services import subject_of
from certificates.selectors import certificates_of_holder, describe_many
from core.extensions import HomePanel
from lms.models import Enrolment
from lms.texts import language

# After what there is to do in one's courses.
ORDER = 300


def waiting_for_certificate(subject_id: uuid.UUID) -> list[dict[str, str]]:
    """Courses that are complete and whose certificate is still being prepared. One query."""
    found = (
        Enrolment.objects.filter(
            subject=subject_id, progress__completed_at__isnull=False, certificates__isnull=True
        )
        .select_related("edition")
        .defer("edition__outline")
    )
    return [{"title": enrolment.edition.title_in(language())} for enrolment in found]


def show_certificates(*, request: HttpRequest) -> HomePanel | None:
    """“Certificates and evidence”: those one has, those on the way, or how to get the first. Four queries."""
    if not request.user.is_authenticated:
        return None
    subject = subject_of(request.user)
    rows = describe_many(certificates_of_holder(subject.pk)[:5], user=request.user)
    return HomePanel(
        template="certificates/panels/home.html",
        context={"rows": rows, "waiting": waiting_for_certificate(subject.pk)},
        order=ORDER,
    )
