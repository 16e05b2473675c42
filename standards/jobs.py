"""What this floor does in the queue for who asked: issuing an edition of the standards."""

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
from standards.models import FrameworkEdition
from standards.pages import FrameworkPage
from standards.services import issue_framework_edition

EDITION: Final = "framework_edition"


def ask_for_edition(*, framework: FrameworkPage, asker: Subject, status: str, job_id: uuid.UUID) -> Job:
    """The job that issues the next edition of a framework, as a draft for consultation or adopted."""
    pages = FrameworkPage.objects.filter(translation_key=framework.translation_key).select_related("locale")
    return ask_job(
        asker=asker,
        request=Request(
            job_id=job_id,
            kind=EDITION,
            about=str(framework.translation_key),
            title={page.locale.language_code: page.title for page in pages},
            params={"page": framework.pk, "status": status},
        ),
    )


def run(*, job: Job, progress: Progress) -> None:
    """Issue the edition, and say so, in one transaction: done once, or not at all."""
    with transaction.atomic():
        # The row is the lock for numbering, as it is for whoever issues without a job.
        page = FrameworkPage.objects.select_for_update(of=("self",)).filter(pk=job.params["page"]).first()
        if page is None:
            raise NotFound(_("The standards are not there any more, so no edition was issued."))
        known = set(
            FrameworkEdition.objects.filter(framework_key=page.translation_key).values_list("pk", flat=True)
        )
        progress(doing="issuing")
        edition = issue_framework_edition(
            framework_page=page, status=job.params["status"], issued_by=job.asker
        )
        finish_job(
            job=job,
            result={
                "edition": str(edition.pk),
                "number": edition.number,
                "new": edition.pk not in known,
            },
        )


def _say_title(job: Job) -> str:
    return str(job.title.get(reading_language()) or job.title.get("en", ""))


def describe(job: Job) -> Outcome:
    number = int(job.result.get("number", 0))
    if job.result.get("new"):
        sentence = _("Edition %(number)d of “%(title)s” was issued.") % {
            "number": number,
            "title": _say_title(job),
        }
    else:
        sentence = _("Nothing was issued: edition %(number)d has this text already.") % {"number": number}
    return Outcome(
        sentence, url=reverse("standards_admin:editions"), label=_("The editions of the standards")
    )


def register_jobs() -> None:
    register_kind(
        JobKind(
            code=EDITION,
            run=run,
            name=lambda job: _("Issue an edition of “%(title)s”") % {"title": _say_title(job)},
            describe=describe,
            steps={"issuing": gettext_lazy("reading the pages and writing the edition")},
            in_cms=True,
            back=lambda job: (_("The editions of the standards"), reverse("standards_admin:editions")),
        )
    )
