"""What an administrator should know of e-mails: those that were not sent."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import ngettext

from core.extensions import WorkNote
from lms.models import Notice

UNSENT = (Notice.Mail.UNKNOWN, Notice.Mail.GIVEN_UP)


def note_unsent_mail() -> Sequence[WorkNote]:
    """How many e-mails were given up, or may not have gone out. One query."""
    count = Notice.objects.filter(mail__in=UNSENT).count()
    if not count:
        return []
    return [
        WorkNote(
            ngettext(
                "%(count)d e-mail was not sent, or it is not known whether it was. The notice stands on the site.",
                "%(count)d e-mails were not sent, or it is not known whether they were. The notices stand on the "
                "site.",
                count,
            )
            % {"count": count},
            url=reverse("lms_admin:unsent_mail"),
        )
    ]
