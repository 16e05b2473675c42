"""Background work of the course engine."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from smtplib import SMTPException
from typing import Any, Final

from django.conf import settings
from django.db import transaction
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
    """E-mail a notice to a person who asked for e-mails; at most once, however often the task runs (ADR 88).

    Where the mail server fails it is tried again later. While a mail is under way no row is locked, so that the person
    can read the notice on the site meanwhile.
    """
    key = uuid.UUID(notice_id)
    if not _claim(key):
        return
    try:
        state = _send(key)
    except (SMTPException, OSError):
        # The server took nothing: it refused, or the line broke before it had answered.
        _try_later(notice_id, tries)
    except Exception:
        _note(key, Notice.Mail.GIVEN_UP)
        raise
    else:
        _note(key, state)


@transaction.atomic
def _claim(key: uuid.UUID) -> bool:
    """Commit that the mail is being sent, before it is; whether it may be.

    One that is found so was begun by a worker that died: nobody knows whether the mail went out, and it stays at that.
    """
    notice = Notice.objects.select_for_update(skip_locked=True).filter(pk=key).first()
    if notice is None or notice.mail not in {Notice.Mail.WAITING, Notice.Mail.SENDING}:
        return False
    known = notice.mail == Notice.Mail.WAITING
    notice.mail = Notice.Mail.SENDING if known else Notice.Mail.UNKNOWN
    notice.save(update_fields=["mail"])
    if not known:
        log.error("Whether the e-mail about notice %s was sent is not known; it is not sent again.", key)
    return known


def _note(key: uuid.UUID, state: str) -> None:
    fields: dict[str, Any] = {"mail": state}
    if state == Notice.Mail.SENT:
        fields["emailed_at"] = clock.now()
    Notice.objects.filter(pk=key).update(**fields)


@transaction.atomic
def _try_later(notice_id: str, tries: int) -> None:
    key = uuid.UUID(notice_id)
    if tries >= len(WAITS):
        _note(key, Notice.Mail.GIVEN_UP)
        log.exception("The e-mail about notice %s was given up; it stands on the site.", notice_id)
        return
    log.warning("The e-mail about notice %s could not be sent and is tried again.", notice_id)
    _note(key, Notice.Mail.WAITING)
    send_notice.using(run_after=clock.now() + WAITS[tries]).enqueue(notice_id, tries + 1)


def _send(key: uuid.UUID) -> str:
    """Send it now; what became of it."""
    from accounts.mail import send_mail_to

    notice = Notice.objects.select_related("subject__user").filter(pk=key).first()
    user = notice.subject.user if notice else None
    if notice is None or user is None:
        return Notice.Mail.UNWANTED
    if not has_consent(subject_id=notice.subject_id, purpose=Consent.Purpose.NOTICES_BY_EMAIL):
        return Notice.Mail.UNWANTED
    language = user.preferred_language
    with translation.override(language):
        text = say_notice(notice)
    # Addresses of screens have the language before them; what has none leads nowhere.
    address = f"{settings.PUBLIC_ORIGIN}/{language}{notice.url}" if notice.url.startswith("/") else ""
    send_mail_to(user=user, template="notice", context={"text": text, "address": address})
    return Notice.Mail.SENT


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
