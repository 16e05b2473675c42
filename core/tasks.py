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
