"""Tasks whose worker died or hangs: they run again, so often and no more."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections, transaction
from django.dispatch import Signal
from django.utils.crypto import get_random_string
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core import clock
from core.postgres.base import was_cut

log = logging.getLogger(__name__)

# News of a task, in the transaction that decides about it; each with `task`, a `DBTaskResult`.
task_given_back: Final = Signal()
task_given_up: Final = Signal()

# A worker that hangs takes ten minutes to be found out; one that was killed a moment, and seldom by its task.
MOST_TRIES: Final = 2
MOST_TRIES_OF_KILLED: Final = 3
# Locks of this class are signs of life; the number means nothing.
LIFE_CLASS: Final = 7_310_554
LIVELY: Final = "alive-"


class LeaseExpired(Exception):
    """A task was taken up as often as it may be, and no worker finished it."""


def release_expired_tasks() -> tuple[int, int]:
    """Put back tasks that ran past their lease, and fail those that did so twice; returns both counts. Two queries."""
    limit = clock.now() - timedelta(seconds=settings.TASK_LEASE_SECONDS)
    with transaction.atomic():
        expired = DBTaskResult.objects.select_for_update(skip_locked=True).filter(
            status=TaskResultStatus.RUNNING, started_at__lt=limit
        )
        return _release(expired, why="outlived its lease", most=MOST_TRIES)


def _release(tasks: Iterable[DBTaskResult], *, why: str, most: int) -> tuple[int, int]:
    released = failed = 0
    for task in tasks:
        if len(task.worker_ids) < most:
            task.status = TaskResultStatus.READY
            task.save(update_fields=["status"])
            released += 1
            log.warning("Task %s (%s) %s and runs again.", task.id, task.task_path, why)
            task_given_back.send(sender=DBTaskResult, task=task)
        else:
            task.set_failed(
                LeaseExpired(f"{len(task.worker_ids)} workers took up this task and none finished it.")
            )
            failed += 1
            log.error("Task %s (%s) %s and failed after %d tries.", task.id, task.task_path, why, most)
            task_given_up.send(sender=DBTaskResult, task=task)
    return released, failed


def put_back(*, worker_id: str) -> int:
    """Give the queue back what this worker had taken up when the database went away; returns how many. Two queries.

    That the database went away is no fault of the task's, so it does not count as one of its tries.
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
                task_given_back.send(sender=DBTaskResult, task=task)
    return count


# --- Signs of life ------------------------------------------------------------------------------------------------


def make_worker_id() -> str:
    """A worker's id that promises a sign of life."""
    return f"{LIVELY}{get_random_string(24)}"


def _lock_key(worker_id: str) -> int:
    return int.from_bytes(hashlib.sha256(worker_id.encode()).digest()[:4], "big", signed=True)


class SignOfLife:
    """A lock that this process holds as long as it lives, on a connection of its own (docs/adr/0086)."""

    def __init__(self, worker_id: str) -> None:
        self.worker_id = worker_id
        # Neither Django nor the shelf of kept connections may use this one for anything else.
        self._link = connections["default"].copy()
        self._link.settings_dict["KEEP_CONNECTIONS"] = 0
        self._link.inc_thread_sharing()
        self._one_at_a_time = threading.RLock()

    def show(self) -> None:
        """Take the lock, again where the connection was cut. No round trip while it stands. Raises DatabaseError."""
        with self._one_at_a_time:
            raw = self._link.connection
            if raw is not None:
                if not was_cut(raw):
                    return
                self.hide()
            with self._link.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_lock_shared(%s, %s)", [LIFE_CLASS, _lock_key(self.worker_id)]
                )

    def hide(self) -> None:
        """Let go of it."""
        with self._one_at_a_time:
            try:
                self._link.close()
            except (DatabaseError, InterfaceError, psycopg.Error):
                self._link.connection = None


def _living() -> set[int]:
    """The keys of the workers that show a sign of life. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [LIFE_CLASS],
        )
        # PostgreSQL shows the second key without its sign.
        return {row[0] - 2**32 if row[0] >= 2**31 else row[0] for row in cursor.fetchall()}


class DeathWatch:
    """Looks for tasks whose worker shows no sign of life, and gives back those that it misses twice in a row."""

    # A connection that was cut and made again must not cost a living worker its task.
    GRACE_SECONDS: Final = 1.5

    def __init__(self) -> None:
        self._missed: dict[tuple[uuid.UUID, str], float] = {}

    def look(self) -> int:
        """How many tasks were given back or up. Two queries, none more where every worker lives."""
        running = [
            (key, workers[-1])
            for key, workers in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING)
            .order_by()
            .values_list("id", "worker_ids")
            if workers and workers[-1].startswith(LIVELY)
        ]
        living = _living() if running else set()
        now = time.monotonic()
        missed = {pair for pair in running if _lock_key(pair[1]) not in living}
        self._missed = {pair: self._missed.get(pair, now) for pair in missed}
        dead = [pair for pair, since in self._missed.items() if now - since >= self.GRACE_SECONDS]
        return self._bury(dead) if dead else 0

    def _bury(self, dead: list[tuple[uuid.UUID, str]]) -> int:
        workers = dict(dead)
        with transaction.atomic():
            tasks = DBTaskResult.objects.select_for_update(skip_locked=True).filter(
                pk__in=workers, status=TaskResultStatus.RUNNING
            )
            # Somebody else may have given it back meanwhile, and another worker taken it up.
            released, failed = _release(
                [task for task in tasks if task.worker_ids[-1] == workers[task.pk]],
                why="lost its worker",
                most=MOST_TRIES_OF_KILLED,
            )
        return released + failed
