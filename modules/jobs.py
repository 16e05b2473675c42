"""What this floor does in the queue for who asked: issuing an edition of a course."""

from __future__ import annotations

import uuid
from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.jobs import JobKind, Outcome, Progress, register_kind
from accounts.models import Job, Subject
from accounts.services import Request, ask_job, finish_job
from core.errors import NotFound
from core.languages import reading_language
from modules.pages import CoursePage
from modules.selectors import latest_edition
from modules.services import issue_course_edition

EDITION: Final = "course_edition"


def ask_for_edition(*, course: CoursePage, asker: Subject, note: str, job_id: uuid.UUID) -> Job:
    """The job that issues the next edition of a course. `course` is the page in the source language."""
    titles = {course.locale.language_code: course.title}
    for page in CoursePage.objects.filter(translation_key=course.translation_key).select_related("locale"):
        titles[page.locale.language_code] = page.title
    return ask_job(
        asker=asker,
        request=Request(
            job_id=job_id,
            kind=EDITION,
            about=str(course.translation_key),
            title=titles,
            params={"page": course.pk, "note": note},
        ),
    )


def run(*, job: Job, progress: Progress) -> None:
    """Issue the edition, and say so, in one transaction: done once, or not at all."""
    with transaction.atomic():
        course = CoursePage.objects.select_related("locale").filter(pk=job.params["page"]).first()
        if course is None:
            raise NotFound(_("The course is not there any more, so no edition was issued."))
        # The page's row is locked by whoever issues, so what is newest now is what it will be compared with.
        CoursePage.objects.select_for_update(of=("self",)).get(pk=course.pk)
        before = latest_edition(course.translation_key)
        edition = issue_course_edition(
            course_page=course, issued_by=job.asker, note=job.params["note"], progress=progress
        )
        finish_job(
            job=job,
            result={
                "edition": str(edition.pk),
                "number": edition.number,
                "new": before is None or before.pk != edition.pk,
            },
        )


def _say_title(job: Job) -> str:
    return str(job.title.get(reading_language()) or job.title.get("en", ""))


def describe(job: Job) -> Outcome:
    number = int(job.result.get("number", 0))
    if job.result.get("new"):
        sentence = _(
            "Edition %(number)d of “%(title)s” was issued. Learners who are enrolled keep the edition they have."
        ) % {"number": number, "title": _say_title(job)}
    else:
        sentence = _("Nothing was issued: edition %(number)d has this text already.") % {"number": number}
    return Outcome(
        sentence,
        url=reverse("modules_admin:editions", args=[job.params["page"]]),
        label=_("The editions of this course"),
    )


def register_jobs() -> None:
    register_kind(
        JobKind(
            code=EDITION,
            run=run,
            name=lambda job: _("Issue an edition of “%(title)s”") % {"title": _say_title(job)},
            describe=describe,
            steps={
                "reading": gettext_lazy("reading the pages"),
                "compiling": gettext_lazy("compiling the steps in both languages"),
                "writing": gettext_lazy("writing the edition"),
            },
            in_cms=True,
            back=lambda job: (
                _("The editions of this course"),
                reverse("modules_admin:editions", args=[job.params["page"]]),
            ),
        )
    )
