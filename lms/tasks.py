"""Background work of the course engine."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django_tasks import task

from accounts.models import Consent
from accounts.selectors import has_consent
from core import clock
from lms.models import Notice
from lms.texts import say_notice


@task()
def send_notice(notice_id: str) -> None:
    """E-mail a notice to a person who asked for e-mails; once, even where the task runs again."""
    from accounts.mail import send_mail_to

    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(of=("self",))
            .select_related("subject__user")
            .filter(pk=uuid.UUID(notice_id), emailed_at__isnull=True)
            .first()
        )
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
        notice.emailed_at = clock.now()
        notice.save(update_fields=["emailed_at"])


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
