"""Background work of the course engine."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django_tasks import task

from accounts.models import Consent
from accounts.selectors import has_consent
from core import clock
from lms.models import Notice
from lms.texts import say_notice

log = logging.getLogger(__name__)

# Waits between tries to send an e-mail.
WAITS: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))


@task()
def send_notice(notice_id: str, tries: int = 0) -> None:
    """E-mail a notice to a person who asked for e-mails; once, even where the task runs again.

    Where the mail server fails it is tried again later. While a mail is under way no row is locked, so that the person
    can read the notice on the site meanwhile.
    """
    key = uuid.UUID(notice_id)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key.int % (2**63)])
            if not cursor.fetchone()[0]:
                return
        try:
            _send(key)
        except (SMTPException, OSError):
            if tries >= len(WAITS):
                log.exception("The e-mail about notice %s was given up; it stands on the site.", notice_id)
                return
            log.warning("The e-mail about notice %s could not be sent and is tried again.", notice_id)
            send_notice.using(run_after=clock.now() + WAITS[tries]).enqueue(notice_id, tries + 1)


def _send(key: uuid.UUID) -> None:
    from accounts.mail import send_mail_to

    notice = Notice.objects.select_related("subject__user").filter(pk=key, emailed_at__isnull=True).first()
    user = notice.subject.user if notice else None
    if notice is None or user is None:
        return
    if not has_consent(subject_id=notice.subject_id, purpose=Consent.Purpose.NOTICES_BY_EMAIL):
        return
    language = user.preferred_language
    with translation.override(language):
        text = say_notice(notice)
    # Addresses of screens have the language before them; what has none leads nowhere.
    address = f"{settings.PUBLIC_ORIGIN}/{language}{notice.url}" if notice.url.startswith("/") else ""
    send_mail_to(user=user, template="notice", context={"text": text, "address": address})
    Notice.objects.filter(pk=key).update(emailed_at=clock.now())


@task()
def submit_overdue_attempt(attempt_id: str) -> None:
    """Hand in what was saved of an attempt whose time is over."""
    from assessments.models import Attempt
    from assessments.services import submit_overdue
    from lms.services.sittings import lock_context

    with transaction.atomic():
        attempt = Attempt.objects.select_related("sitting").filter(pk=uuid.UUID(attempt_id)).first()
        if attempt is not None:
            lock_context(attempt)
            submit_overdue(attempt=attempt)
