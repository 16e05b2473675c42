"""What a person should know."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.urls import reverse

from core.prepared import PreparedQuery, given_text, given_uuid
from core.questions import Question
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


def _unread() -> QuerySet[Notice]:
    return Notice.objects.filter(subject_id=given_uuid("subject"), read_at__isnull=True).order_by(
        "-created_at"
    )


_read_all: Final = PreparedQuery(lambda: _unread()[:MOST])
_read_of_enrolment: Final[PreparedQuery[Any]] = PreparedQuery(
    lambda: (
        _unread()
        .annotate(enrolment_key=KeyTextTransform("enrolment", "params"))
        .filter(enrolment_key=given_text("enrolment"))[:MOST]
    )
)


def read_notices(subject_id: uuid.UUID) -> list[NoticeView]:
    """What a person has not read yet, the newest first. One query."""
    return say_notices(_read_all.objects(subject=subject_id))


def ask_notices(subject_id: uuid.UUID, enrolment_id: uuid.UUID) -> Question[Notice]:
    """What a person has not read yet of one enrolment, the newest first; for `say_notices`."""
    return Question(_read_of_enrolment, {"subject": subject_id, "enrolment": str(enrolment_id)})


def say_notices(rows: Iterable[Notice]) -> list[NoticeView]:
    return [NoticeView(notice=row, text=say_notice(row)) for row in rows]
