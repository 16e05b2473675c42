"""Jobs: asked for once, taken up as often as workers die, finished once. See docs/adr/0085."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.core.files.base import ContentFile, File
from django.db import transaction

from accounts.models import Job, JobPart, Subject, private_storage
from accounts.services.texts import delete_file
from core import clock
from core.errors import NotFound
from core.languages import reading_language

log = logging.getLogger(__name__)

FILE_DAYS: Final = 7
ROW_DAYS: Final = 90
# Parts of a large job wait behind what somebody waits for.
PART_PRIORITY: Final = -10


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked: of what kind, about what (a key, and its name by language), under the form's key."""

    job_id: uuid.UUID
    kind: str
    about: str = ""
    title: Mapping[str, str] | None = None
    params: Mapping[str, Any] | None = None


@transaction.atomic
def ask_job(*, asker: Subject, request: Request) -> Job:
    """The job, put into the queue in this transaction; the same one for the same key.

    So is one that this person asked before, about the same in the same language, while it is not over.
    """
    from accounts.tasks import run_job

    language = reading_language()
    # The person's row is the lock: two presses at once are one after the other.
    Subject.objects.select_for_update().get(pk=asker.pk)
    found = Job.objects.filter(pk=request.job_id).first()
    if found is not None:
        if found.asker_id != asker.pk:
            raise NotFound("This key belongs to somebody else's job.")
        return found
    under_way = Job.objects.filter(
        asker=asker, kind=request.kind, about=request.about, language=language, finished_at__isnull=True
    ).first()
    if under_way is not None:
        return under_way
    job = Job.objects.create(
        id=request.job_id,
        asker=asker,
        kind=request.kind,
        about=request.about,
        title=dict(request.title or {}),
        params=dict(request.params or {}),
        language=language,
    )
    run_job.enqueue(str(job.pk))
    return job


def find_asked(*, asker: Subject, job_id: uuid.UUID) -> Job | None:
    """The job that this person asked by that form already. One query."""
    return Job.objects.filter(pk=job_id, asker=asker).first()


@transaction.atomic
def take_up(job_id: uuid.UUID) -> Job | None:
    """Note that a worker begins; None where the job is over, split into parts, or gone."""
    job = Job.objects.select_for_update().filter(pk=job_id, finished_at__isnull=True).first()
    if job is None or job.parts.exists():
        return None
    job.state, job.started_at, job.tries = Job.State.RUNNING, clock.now(), job.tries + 1
    job.save(update_fields=["state", "started_at", "tries"])
    return job


def finish_job(
    *,
    job: Job,
    result: Mapping[str, Any] | None = None,
    content: bytes | File[Any] | None = None,
    name: str = "",
    content_type: str = "",
) -> bool:
    """Note what came of a job, and keep its file. Call it in the transaction of what was done.

    False where the job was over already: then what the caller did must be undone, or harmless.
    """
    with transaction.atomic():
        locked = Job.objects.select_for_update().filter(pk=job.pk, finished_at__isnull=True).first()
        if locked is None:
            return False
        locked.state, locked.finished_at = Job.State.DONE, clock.now()
        locked.result = dict(result or {})
        locked.done = locked.total
        if content is not None:
            _keep_file(locked, content, name=name, content_type=content_type)
        locked.save()
    return True


def _keep_file(job: Job, content: bytes | File[Any], *, name: str, content_type: str) -> None:
    """Save a file under the job's one name; what a worker that died left there goes first."""
    storage = private_storage()
    path = Job._meta.get_field("file").generate_filename(job, name)
    if storage.exists(path):
        storage.delete(path)
    job.file.save(name, ContentFile(content) if isinstance(content, bytes) else content, save=False)
    job.file_name, job.content_type, job.size = name[:200], content_type, job.file.size
    job.file_until = clock.now() + timedelta(days=FILE_DAYS)


@transaction.atomic
def fail_job(*, job_id: uuid.UUID, problem: str, result: Mapping[str, Any] | None = None) -> bool:
    """Note that a job came to nothing, with a sentence for who asked; whether it was still under way."""
    return bool(
        Job.objects.filter(pk=job_id, finished_at__isnull=True).update(
            state=Job.State.FAILED, finished_at=clock.now(), problem=problem, result=dict(result or {})
        )
    )


@transaction.atomic
def give_back(*, job_id: uuid.UUID) -> None:
    """Note that the worker is gone and the job waits for another."""
    Job.objects.filter(pk=job_id, finished_at__isnull=True, parts__isnull=True).update(
        state=Job.State.WAITING
    )


# --- Parts --------------------------------------------------------------------------------------------------------


@transaction.atomic
def split_job(*, job: Job, parts: Sequence[Sequence[str]]) -> int:
    """Cut a job into parts, each with the keys of what it is about, and queue them; once. Returns how many.

    The job is done when the last of them is. A job without any part is done now.
    """
    from accounts.tasks import run_job_part

    locked = Job.objects.select_for_update().filter(pk=job.pk, finished_at__isnull=True).first()
    if locked is None or locked.parts.exists():
        return 0
    JobPart.objects.bulk_create(
        [JobPart(job=locked, number=number, keys=list(keys)) for number, keys in enumerate(parts, start=1)]
    )
    Job.objects.filter(pk=locked.pk).update(total=sum(len(keys) for keys in parts), done=0)
    low = run_job_part.using(priority=PART_PRIORITY)
    for number in range(1, len(parts) + 1):
        low.enqueue(str(locked.pk), number)
    if not parts:
        _close_if_last(locked)
    return len(parts)


@transaction.atomic
def close_part(*, part: JobPart, result: Mapping[str, Any], failed: bool = False) -> bool:
    """Note what came of a part, and of the whole where it was the last; whether it was open still."""
    # The job's row first, always: parts that end at once wait for each other here, and exactly one is the last.
    job = Job.objects.select_for_update().get(pk=part.job_id)
    closed = JobPart.objects.filter(pk=part.pk, closed_at__isnull=True).update(
        result={**result, "failed": failed}, closed_at=clock.now()
    )
    if not closed or job.is_over:
        return False
    Job.objects.filter(pk=job.pk).update(done=job.done + len(part.keys))
    _close_if_last(job)
    return True


def _close_if_last(job: Job) -> None:
    from accounts.jobs import find_kind

    parts = list(JobPart.objects.filter(job=job))
    if any(part.closed_at is None for part in parts):
        return
    gathered = dict(find_kind(job.kind).gather(job=job, parts=parts))
    failed = sum(len(part.keys) for part in parts if part.result and part.result.get("failed"))
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.DONE,
        finished_at=clock.now(),
        total=sum(len(part.keys) for part in parts),
        done=sum(len(part.keys) for part in parts),
        result={**gathered, "failed": failed + int(gathered.get("failed", 0))},
    )


# --- The end ------------------------------------------------------------------------------------------------------


def discard_job_files(*, kind: str, about: Sequence[str]) -> int:
    """Delete the files that such jobs made, because somebody who may stand in them was erased; how many."""
    return _discard(Job.objects.filter(kind=kind, about__in=about).exclude(file=""))


@transaction.atomic
def _discard(jobs: Any) -> int:
    count = 0
    for job in jobs.select_for_update():
        transaction.on_commit(partial(delete_file, job.file.storage, job.file.name))
        Job.objects.filter(pk=job.pk).update(file="", file_name="", size=0, file_until=clock.now())
        count += 1
    return count


@transaction.atomic
def forget_jobs_of(*, subject_id: uuid.UUID) -> None:
    """Delete what a person asked, and their files, because they are erased."""
    _discard(Job.objects.filter(asker_id=subject_id).exclude(file=""))
    Job.objects.filter(asker_id=subject_id).delete()


def forget_old_jobs() -> int:
    """Delete files after a week and jobs after 90 days; how many of either.

    A chore of the workers: two queries where there is nothing to delete.
    """
    now = clock.now()
    files = _discard(Job.objects.filter(file_until__lt=now).exclude(file=""))
    with transaction.atomic():
        old = Job.objects.filter(finished_at__lt=now - timedelta(days=ROW_DAYS), file="")
        count, _by_model = old.delete()
    return files + count
