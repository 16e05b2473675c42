"""The queue's worker outlives its database, and what it had taken up runs again."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.management.commands.work import SteadyWorker
from core.outage import is_outage
from core.tasks import put_back
from tests.database import connect_to_server

RUNS: list[str] = []


@task()
def cut_own_line(mark: str) -> None:
    """The first time, somebody ends its connection while it works."""
    RUNS.append(mark)
    if RUNS.count(mark) == 1:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            number = cursor.fetchone()[0]
        with connect_to_server() as link:
            link.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@task()
def fail_by_itself() -> None:
    raise ValueError("A fault of the task's own.")


def make_worker() -> SteadyWorker:
    return SteadyWorker(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=f"tests-{uuid.uuid4()}",
        excluded_queue_names=[],
    )


@pytest.mark.django_db(transaction=True)
def test_a_task_whose_line_was_cut_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.management.commands.work.OUTAGE_PAUSE_SECONDS", 0.0)
    mark = str(uuid.uuid4())
    cut_own_line.enqueue(mark)
    make_worker().run()
    row: Any = DBTaskResult.objects.get()
    assert row.status == TaskResultStatus.SUCCESSFUL
    assert RUNS.count(mark) == 2
    assert len(row.worker_ids) == 1, "A lost database is no try of the task's."


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_its_own_is_the_end_of_a_task() -> None:
    fail_by_itself.enqueue()
    make_worker().run()
    row: Any = DBTaskResult.objects.get()
    assert row.status == TaskResultStatus.FAILED
    assert row.exception_class_path == "builtins.ValueError"


@pytest.mark.django_db
def test_only_what_this_worker_had_goes_back() -> None:
    for worker in ("mine", "theirs"):
        fail_by_itself.enqueue()
        row: Any = DBTaskResult.objects.filter(status=TaskResultStatus.READY).get()
        row.claim(worker)
    assert put_back(worker_id="mine") == 1
    states = {tuple(row.worker_ids): row.status for row in DBTaskResult.objects.all()}
    assert states == {(): TaskResultStatus.READY, ("theirs",): TaskResultStatus.RUNNING}


@pytest.mark.django_db(transaction=True)
def test_the_worker_ends_at_a_fault_of_the_queues_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that cannot be read for another reason is not tried for ever."""
    error = OperationalError("deadlock detected")
    error.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")
    assert not is_outage(error)

    def fail(*, worker_id: str) -> int:
        raise error

    monkeypatch.setattr("core.management.commands.work.put_back", fail)
    with pytest.raises(OperationalError):
        make_worker().run()
