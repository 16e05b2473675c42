"""News from below that certificates hear."""

from __future__ import annotations

from typing import Any

from lms.models import Enrolment


def hear_course_completed(*, enrolment: Enrolment, **kwargs: Any) -> None:
    """A course is complete: its certificate is issued by a task of the same transaction."""
    from certificates.tasks import issue_certificate_task

    issue_certificate_task.enqueue(str(enrolment.pk))
