"""What a person should know."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.urls import reverse

from lms.models import Notice
from lms.texts import NoticeText, say_notice
from lms.words import say_date

# Older news stays in the person's data; a screen shows this many.
MOST = 5


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """A notice in words, with the form's address that marks it as read and leads on."""

    notice: Notice
    text: NoticeText

    @property
    def url(self) -> str:
        return reverse("lms:notice", args=[self.notice.pk])

    @property
    def when(self) -> str:
        return say_date(self.notice.created_at)


def read_notices(subject_id: uuid.UUID, *, enrolment_id: uuid.UUID | None = None) -> list[NoticeView]:
    """What a person has not read yet, the newest first; of one enrolment where it is given. One query."""
    rows = Notice.objects.filter(subject_id=subject_id, read_at__isnull=True).order_by("-created_at")
    if enrolment_id is not None:
        rows = rows.filter(params__enrolment=str(enrolment_id))
    return [NoticeView(notice=row, text=say_notice(row)) for row in rows[:MOST]]
