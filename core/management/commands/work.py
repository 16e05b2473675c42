"""Background work: the queue's worker, with leases taken back while it runs.

The worker outlives its database: while that is away it waits, and what it had taken up goes back into the queue.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection
from django_tasks import TaskResult
from django_tasks.signals import task_finished, task_started
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from core.extensions import chores
from core.outage import is_outage
from core.request_id import current_request_id
from core.tasks import put_back, release_expired_tasks

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 30
PRUNE_EVERY_SECONDS: Final = 3600
KEEP_RESULTS_DAYS: Final = 14
OUTAGE_PAUSE_SECONDS: Final = 1.0


def name_task(sender: Any, task_result: TaskResult, **kwargs: Any) -> None:
    """Log lines of a task carry its id as those of a request do."""
    current_request_id.set(str(task_result.id))


def unname_task(sender: Any, **kwargs: Any) -> None:
    current_request_id.set("-")


class SteadyWorker(db_worker.Worker):
    """The queue's worker, but the database may go away and come back.

    The library's worker ends where the queue cannot be read, and calls a task failed whose connection was cut: nobody
    would ever run it again.
    """

    def run(self) -> None:
        while self.running:
            try:
                put_back(worker_id=self.worker_id)
                release_expired_tasks()
                super().run()
            except (DatabaseError, InterfaceError) as error:
                if not is_outage(error):
                    raise
                log.warning("The database is away; the queue waits. %s", str(error).strip())
                connection.close()
                time.sleep(OUTAGE_PAUSE_SECONDS)
            else:
                return

    def run_task(self, db_task_result: DBTaskResult) -> None:
        fail = db_task_result.set_failed

        def fail_unless_away(error: BaseException) -> None:
            if is_outage(error):
                raise error
            fail(error)

        # The library notes every error as the end of the task; one of the database goes up to `run` instead.
        db_task_result.set_failed = fail_unless_away
        super().run_task(db_task_result)


class LeaseKeeper(threading.Thread):
    """Looks every half minute for tasks whose worker died, sooner where leases are short, and forgets old results.

    It also does the floors' chores.
    """

    def __init__(self) -> None:
        super().__init__(name="lease-keeper", daemon=True)
        self.finished = threading.Event()

    def run(self) -> None:
        pause = min(LOOK_EVERY_SECONDS, settings.TASK_LEASE_SECONDS / 4)
        pruned = time.monotonic()
        while not self.finished.wait(pause):
            try:
                release_expired_tasks()
                for chore in chores:
                    chore()
                if time.monotonic() - pruned > PRUNE_EVERY_SECONDS:
                    call_command("prune_db_task_results", min_age_days=KEEP_RESULTS_DAYS, verbosity=0)
                    pruned = time.monotonic()
            except Exception:
                log.exception("Expired leases or chores could not be seen to; the next look comes soon.")
            finally:
                connection.close()


class Command(db_worker.Command):
    help = "Run background tasks until stopped. Any number of these may run."

    def configure_logging(self, verbosity: int) -> None:
        """The settings say what is logged and how."""

    def handle(self, **options: Any) -> None:
        task_started.connect(name_task, dispatch_uid="core.name_task")
        task_finished.connect(unname_task, dispatch_uid="core.unname_task")
        # The library's command names its worker by this.
        plain = db_worker.Worker
        db_worker.Worker = SteadyWorker  # type: ignore[misc]
        keeper = LeaseKeeper()
        keeper.start()
        try:
            super().handle(**options)
        finally:
            db_worker.Worker = plain  # type: ignore[misc]
            keeper.finished.set()
