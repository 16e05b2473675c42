"""Readiness, and the leases of background tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core import clock
from core.health import CHECKS
from core.tasks import release_expired_tasks

pytestmark = pytest.mark.django_db


@task()
def note() -> str:
    """A task for these tests."""
    return "noted"


def test_a_site_that_can_serve_is_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200, response.content
    assert response.json()["parts"] == dict.fromkeys(CHECKS, "ok")


def test_a_queue_that_nobody_serves_is_told(client: Client) -> None:
    note.enqueue()
    assert client.get("/readyz").status_code == 200
    DBTaskResult.objects.update(enqueued_at=clock.now() - timedelta(minutes=6))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "nobody takes them" in response.json()["parts"]["queue"]


def test_a_part_that_fails_tells_no_details(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("/secret/path is full")

    monkeypatch.setitem(CHECKS, "storage", fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["storage"] == "failed"
    assert b"secret" not in response.content


def leave_running(*, workers: int, minutes: int) -> DBTaskResult:
    note.enqueue()
    row: Any = DBTaskResult.objects.latest("enqueued_at")
    for number in range(workers):
        row.claim(f"worker-{number}")
    DBTaskResult.objects.filter(pk=row.pk).update(started_at=clock.now() - timedelta(minutes=minutes))
    return row


def test_a_task_whose_worker_died_runs_again_once() -> None:
    row = leave_running(workers=1, minutes=11)
    assert release_expired_tasks() == (1, 0)
    row.refresh_from_db()
    assert row.status == TaskResultStatus.READY
    row.claim("worker-2")
    DBTaskResult.objects.filter(pk=row.pk).update(started_at=clock.now() - timedelta(minutes=11))
    assert release_expired_tasks() == (0, 1)
    row.refresh_from_db()
    assert row.status == TaskResultStatus.FAILED
    assert row.exception_class_path == "core.tasks.LeaseExpired"


def test_a_task_within_its_lease_is_left_alone() -> None:
    row = leave_running(workers=1, minutes=5)
    assert release_expired_tasks() == (0, 0)
    row.refresh_from_db()
    assert row.status == TaskResultStatus.RUNNING
