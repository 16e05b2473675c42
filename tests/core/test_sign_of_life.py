"""A worker shows that it lives; what a dead one had taken up is given to another, what a living one has is not."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.tasks import DeathWatch, SignOfLife, make_worker_id, task_given_back, task_given_up

pytestmark = pytest.mark.django_db(transaction=True)


@task()
def note() -> None:
    """Nothing."""


def take(*worker_ids: str) -> DBTaskResult:
    """A task that these took up, one after the other."""
    note.enqueue()
    row = DBTaskResult.objects.latest("enqueued_at")
    for worker in worker_ids:
        row.claim(worker)
    return row


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> DeathWatch:
    """Without the grace that a broken line has: two looks are enough."""
    monkeypatch.setattr(DeathWatch, "GRACE_SECONDS", 0.0)
    return DeathWatch()


def test_who_shows_that_it_lives_keeps_its_task(watch: DeathWatch) -> None:
    sign = SignOfLife(make_worker_id())
    row = take(sign.worker_id)
    sign.show()
    assert watch.look() == 0
    sign.hide()
    assert watch.look() == 1
    row.refresh_from_db()
    assert row.status == TaskResultStatus.READY
    # The next one shows itself, too.
    other = SignOfLife(make_worker_id())
    row.claim(other.worker_id)
    other.show()
    assert watch.look() == 0
    other.hide()


def test_one_look_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeathWatch, "GRACE_SECONDS", 3600.0)
    watch = DeathWatch()
    take(make_worker_id())
    assert [watch.look(), watch.look()] == [0, 0]


def test_a_line_that_was_cut_is_made_again(watch: DeathWatch) -> None:
    sign = SignOfLife(make_worker_id())
    take(sign.worker_id)
    sign.show()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
        )
        assert cursor.fetchall() == [(True,)]
    sign.show()
    assert watch.look() == 0
    sign.hide()


def test_three_dead_workers_are_enough_and_others_are_told(watch: DeathWatch) -> None:
    told: list[tuple[str, uuid.UUID]] = []

    def hear_back(*, task: Any, **kwargs: Any) -> None:
        told.append(("back", task.pk))

    def hear_up(*, task: Any, **kwargs: Any) -> None:
        told.append(("up", task.pk))

    task_given_back.connect(hear_back)
    task_given_up.connect(hear_up)
    first = take(make_worker_id())
    again = take(make_worker_id(), make_worker_id())
    last = take(make_worker_id(), make_worker_id(), make_worker_id())
    assert watch.look() == 3
    task_given_back.disconnect(hear_back)
    task_given_up.disconnect(hear_up)
    assert sorted(told) == sorted([("back", first.pk), ("back", again.pk), ("up", last.pk)])
    last.refresh_from_db()
    assert last.status == TaskResultStatus.FAILED


def test_a_worker_that_promises_no_sign_is_judged_by_its_lease_alone(watch: DeathWatch) -> None:
    take("a-worker-of-an-earlier-version")
    assert watch.look() == 0


def test_looking_costs_two_queries_however_much_runs(
    watch: DeathWatch, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        watch.look()
    sign = SignOfLife(make_worker_id())
    sign.show()
    for _ in range(5):
        take(sign.worker_id)
    with django_assert_num_queries(2):
        watch.look()
    sign.hide()
