"""What certificates rest on, so that it is not deleted under them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import ngettext

from certificates.models import Certificate


def say_uses(*, kind: str, key: uuid.UUID) -> Sequence[str]:
    """A sentence where certificates were issued for this course, training or offering. One query."""
    names = {
        "course": "enrolment__edition__course_key",
        "training": "enrolment__edition__training_key",
        "offering": "enrolment__offering",
        "organization": "enrolment__offering__partner",
    }
    if kind not in names:
        return []
    count = Certificate.objects.filter(**{names[kind]: key}).count()
    if not count:
        return []
    return [
        ngettext(
            "%(count)d certificate was issued for it.", "%(count)d certificates were issued for it.", count
        )
        % {"count": count}
    ]
