"""Background work: the queue's worker, with leases taken back while it runs."""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

from django.core.management import call_command
from django.db import connection
from django_tasks import TaskResult
from django_tasks.signals import task_finished, task_started
from django_tasks_db.management.commands.db_worker import Command as WorkerCommand

from core.request_id import current_request_id
from core.tasks import release_expired_tasks

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 30
PRUNE_EVERY_LOOKS: Final = 120
KEEP_RESULTS_DAYS: Final = 14


def name_task(sender: Any, task_result: TaskResult, **kwargs: Any) -> None:
    """Log lines of a task carry its id as those of a request do."""
    current_request_id.set(str(task_result.id))


def unname_task(sender: Any, **kwargs: Any) -> None:
    current_request_id.set("-")


class LeaseKeeper(threading.Thread):
    """Looks every half minute for tasks whose worker died, and now and then forgets old results."""

    def __init__(self) -> None:
        super().__init__(name="lease-keeper", daemon=True)
        self.finished = threading.Event()

    def run(self) -> None:
        looks = 0
        while not self.finished.wait(LOOK_EVERY_SECONDS):
            looks += 1
            try:
                release_expired_tasks()
                if looks % PRUNE_EVERY_LOOKS == 0:
                    call_command("prune_db_task_results", min_age_days=KEEP_RESULTS_DAYS, verbosity=0)
            except Exception:
                log.exception("Expired leases could not be looked for; the next look is in half a minute.")
            finally:
                connection.close()


class Command(WorkerCommand):
    help = "Run background tasks until stopped. Any number of these may run."

    def configure_logging(self, verbosity: int) -> None:
        """The settings say what is logged and how."""

    def handle(self, **options: Any) -> None:
        task_started.connect(name_task, dispatch_uid="core.name_task")
        task_finished.connect(unname_task, dispatch_uid="core.unname_task")
        release_expired_tasks()
        keeper = LeaseKeeper()
        keeper.start()
        try:
            super().handle(**options)
        finally:
            keeper.finished.set()
