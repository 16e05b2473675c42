"""News to a person: in the site at once, by e-mail from the queue."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Subject
from lms.models import Notice


def notify(*, subject: Subject, kind: str, about: str, params: dict[str, Any], path: str = "") -> Notice:
    """Tell a person something once, in the transaction of the fact; the e-mail is a task of the same one.

    `path` is an address of the site without the language.
    """
    from lms.tasks import send_notice

    notice, made = Notice.objects.get_or_create(
        subject=subject, kind=kind, about=about, defaults={"params": params, "url": path}
    )
    if made:
        send_notice.enqueue(str(notice.pk))
    return notice


@transaction.atomic
def send_again(*, notice: Notice) -> bool:
    """Put the e-mail of a notice that was given up, or of which nobody knows, into the queue; whether it was."""
    from lms.tasks import send_notice

    unsent = [Notice.Mail.UNKNOWN, Notice.Mail.GIVEN_UP]
    if not Notice.objects.filter(pk=notice.pk, mail__in=unsent).update(mail=Notice.Mail.WAITING):
        return False
    send_notice.enqueue(str(notice.pk))
    return True
