"""*All my data* as a job: a person's whole record as a ZIP."""

from __future__ import annotations

from typing import Any

from django.core.files import File
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.export import write_archive
from accounts.jobs import JobKind, Outcome, Progress, register_kind
from accounts.models import Job
from accounts.services import finish_job
from core import clock

KIND = "own_data"


def run(*, job: Job, progress: Progress) -> None:
    """Write the archive; its file is the job's."""
    with write_archive(subject=job.asker, language=job.language) as archive, transaction.atomic():
        finish_job(
            job=job,
            content=File(archive),
            name=_("my-data-%(day)s.zip") % {"day": f"{clock.now():%Y-%m-%d}"},
            content_type="application/zip",
        )


def is_own(user: Any, job: Job) -> bool:
    """Nobody else gets it, administrators neither."""
    return bool(job.asker.user_id == user.pk)


def register_own_data() -> None:
    register_kind(
        JobKind(
            code=KIND,
            run=run,
            name=lambda job: _("All my data, ZIP"),
            describe=lambda job: Outcome(
                _("Everything held about you, and your files, with a note that says what is what.")
            ),
            may_fetch=is_own,
            back=lambda job: (_("My data"), reverse("accounts:data")),
        )
    )
