"""News of something published makes search anew: by one task, however much news there is, and never too early."""

from __future__ import annotations

import pytest
from django.db import connections, transaction
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from cms.receivers import refresh_search_soon
from cms.tasks import refresh_search_entries


def waiting() -> int:
    return DBTaskResult.objects.filter(task_path=refresh_search_entries.module_path).count()


def count_for_a_worker() -> int:
    """How many tasks a worker could take up now, on a connection of its own."""
    other = connections["default"].copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM django_tasks_database_dbtaskresult WHERE status = 'READY' FOR UPDATE SKIP LOCKED"
            )
            return len(cursor.fetchall())
    finally:
        other.close()


@pytest.mark.django_db
def test_much_news_is_one_task() -> None:
    for _each in range(3):
        refresh_search_soon()
    assert waiting() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "status", [TaskResultStatus.RUNNING, TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
)
def test_a_task_that_was_begun_has_not_seen_the_news(status: TaskResultStatus) -> None:
    refresh_search_soon()
    DBTaskResult.objects.update(status=status)
    refresh_search_soon()
    assert waiting() == 2


@pytest.mark.django_db(transaction=True)
def test_a_task_that_waits_is_not_begun_before_the_news_is_there() -> None:
    refresh_search_soon()
    assert count_for_a_worker() == 1
    with transaction.atomic():
        refresh_search_soon()
        assert count_for_a_worker() == 0
    assert count_for_a_worker() == 1
    assert waiting() == 1
