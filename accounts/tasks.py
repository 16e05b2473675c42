"""The tasks that run jobs, and what becomes of a job whose worker died."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django_tasks import task

from accounts.jobs import Progress, find_kind
from accounts.models import Job, JobPart
from accounts.services.jobs import close_part, fail_job, give_back, take_up
from core.errors import DomainError
from core.outage import is_outage

log = logging.getLogger(__name__)


@task()
def run_job(job_id: str) -> None:
    """Do what somebody asked. A refusal is told to them; a fault of ours too, and then fails the task."""
    job = take_up(uuid.UUID(job_id))
    if job is None:
        return
    progress = Progress(job)
    with translation.override(job.language):
        try:
            find_kind(job.kind).run(job=job, progress=progress)
        except DomainError as error:
            fail_job(job_id=job.pk, problem=str(error))
        except Exception as error:
            if not is_outage(error):
                fail_job(job_id=job.pk, problem=say_our_fault())
            raise
        finally:
            progress.close()


@task()
def run_job_part(job_id: str, number: int) -> None:
    """Do one part of a job. A part that fails is counted as such, and the others go on."""
    part = JobPart.objects.select_related("job").filter(job=uuid.UUID(job_id), number=number).first()
    if part is None or part.closed_at is not None:
        return
    Job.objects.filter(pk=part.job_id, state=Job.State.WAITING).update(state=Job.State.RUNNING)
    with translation.override(part.job.language):
        try:
            result = find_kind(part.job.kind).part(part=part)
        except Exception as error:
            if not is_outage(error):
                close_part(part=part, result={}, failed=True)
            raise
        close_part(part=part, result=result)


def say_our_fault() -> str:
    return _("Something went wrong on our side, and it was noted. Nothing was changed. You can ask again.")


def say_given_up() -> str:
    return _(
        "The work was begun several times and stopped each time. Nothing was changed. You can ask again."
    )


def hear_given_back(*, task: Any, **kwargs: Any) -> None:
    """Say on the job's page that its worker is gone and that it begins again by itself."""
    if task.task_path == run_job.module_path:
        give_back(job_id=uuid.UUID(task.args_kwargs["args"][0]))


def hear_given_up(*, task: Any, **kwargs: Any) -> None:
    """Say that nobody will try a third time."""
    arguments = task.args_kwargs["args"]
    if task.task_path == run_job.module_path:
        job = Job.objects.filter(pk=uuid.UUID(arguments[0])).first()
        with translation.override(job.language if job else "en"):
            fail_job(job_id=uuid.UUID(arguments[0]), problem=say_given_up())
    elif task.task_path == run_job_part.module_path:
        part = JobPart.objects.filter(job=uuid.UUID(arguments[0]), number=arguments[1]).first()
        if part is not None:
            close_part(part=part, result={}, failed=True)
