"""Background work: the queue's worker, which also looks after the tasks of workers that died.

The worker outlives its database: while that is away it waits, and what it had taken up goes back into the queue.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
import time
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection
from django_tasks import TaskResult
from django_tasks.signals import task_finished, task_started
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from core.collector import spare_the_collector
from core.extensions import chores
from core.outage import is_outage
from core.request_id import current_request_id
from core.tasks import DeathWatch, SignOfLife, make_worker_id, put_back, release_expired_tasks

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 30
LOOK_FOR_DEAD_EVERY_SECONDS: Final = 2
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

    def __init__(self, *, sign: SignOfLife | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.sign = sign

    def run(self) -> None:
        while self.running:
            try:
                # Before anything is taken up: a task whose worker shows no sign of life is given to another.
                if self.sign is not None:
                    self.sign.show()
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
    """Shows that this worker lives, looks after tasks whose worker died or hangs, and does the chores."""

    def __init__(self, sign: SignOfLife) -> None:
        super().__init__(name="lease-keeper", daemon=True)
        self.sign = sign
        self.watch = DeathWatch()
        self.finished = threading.Event()

    def run(self) -> None:
        lease_pause = min(LOOK_EVERY_SECONDS, settings.TASK_LEASE_SECONDS / 4)
        looked = pruned = time.monotonic()
        while not self.finished.wait(LOOK_FOR_DEAD_EVERY_SECONDS):
            now = time.monotonic()
            try:
                self.sign.show()
                self.watch.look()
                if now - looked > lease_pause:
                    release_expired_tasks()
                    for chore in chores:
                        chore()
                    looked = now
                if now - pruned > PRUNE_EVERY_SECONDS:
                    call_command("prune_db_task_results", min_age_days=KEEP_RESULTS_DAYS, verbosity=0)
                    pruned = now
            except Exception as error:
                if is_outage(error):
                    log.warning("The database is away; dead workers wait. %s", str(error).strip())
                else:
                    log.exception("Dead workers or chores could not be seen to; the next look comes soon.")
            finally:
                connection.close()


class Command(db_worker.Command):
    help = "Run background tasks until stopped. Any number of these may run."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(worker_id=None)
        parser.add_argument(
            "--nice",
            type=int,
            default=0,
            help="How much to step back behind other processes of this machine, 0 to 19 (default: %(default)s).",
        )

    def configure_logging(self, verbosity: int) -> None:
        """The settings say what is logged and how."""

    def handle(self, **options: Any) -> None:
        if nice := options.pop("nice"):
            os.nice(nice)
        options["worker_id"] = options["worker_id"] or make_worker_id()
        task_started.connect(name_task, dispatch_uid="core.name_task")
        task_finished.connect(unname_task, dispatch_uid="core.unname_task")
        sign = SignOfLife(options["worker_id"])
        # The library's command names its worker by this.
        plain = db_worker.Worker
        db_worker.Worker = partial(SteadyWorker, sign=sign)  # type: ignore[misc,assignment]
        spare_the_collector()
        keeper = LeaseKeeper(sign)
        keeper.start()
        try:
            super().handle(**options)
        finally:
            db_worker.Worker = plain  # type: ignore[misc]
            keeper.finished.set()
            sign.hide()
