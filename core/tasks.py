"""The lease of a background task: a task whose worker died runs again, once."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core import clock

log = logging.getLogger(__name__)


class LeaseExpired(Exception):
    """A task was taken up twice and neither worker finished it."""


def release_expired_tasks() -> tuple[int, int]:
    """Put back tasks that ran past their lease, and fail those that did so twice; returns both counts. Two queries."""
    limit = clock.now() - timedelta(seconds=settings.TASK_LEASE_SECONDS)
    released = failed = 0
    with transaction.atomic():
        expired = DBTaskResult.objects.select_for_update(skip_locked=True).filter(
            status=TaskResultStatus.RUNNING, started_at__lt=limit
        )
        for task in expired:
            if len(task.worker_ids) < 2:
                task.status = TaskResultStatus.READY
                task.save(update_fields=["status"])
                released += 1
                log.warning("Task %s (%s) outlived its lease and runs again.", task.id, task.task_path)
            else:
                task.set_failed(LeaseExpired("Two workers took up this task and neither finished it."))
                failed += 1
                log.error("Task %s (%s) outlived its lease twice and failed.", task.id, task.task_path)
    return released, failed


def put_back(*, worker_id: str) -> int:
    """Give the queue back what this worker had taken up when the database went away; returns how many. Two queries.

    That the database went away is no fault of the task's, so it does not count as one of its two tries.
    """
    with transaction.atomic():
        taken = DBTaskResult.objects.select_for_update(skip_locked=True).filter(
            status=TaskResultStatus.RUNNING, worker_ids__contains=[worker_id]
        )
        count = 0
        for task in taken:
            if task.worker_ids[-1] == worker_id:
                task.status = TaskResultStatus.READY
                task.worker_ids = task.worker_ids[:-1]
                task.save(update_fields=["status", "worker_ids"])
                count += 1
                log.warning("Task %s (%s) lost the database and runs again.", task.id, task.task_path)
    return count
