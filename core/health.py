"""Liveness and readiness, for load balancers and monitors."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from core import clock
from core.caching import never_kept

log = logging.getLogger(__name__)

# A queue whose first task has waited longer has no worker.
LONGEST_WAIT: Final = timedelta(minutes=5)


class NotReady(Exception):
    """A part is not ready; the text says why."""


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReady(f"{len(waiting)} migrations are waiting. Run “manage.py migrate”.")


def check_storage() -> None:
    name = default_storage.save(f"readyz/{uuid.uuid4().hex}", ContentFile(b"ready"))
    default_storage.delete(name)


def check_queue() -> None:
    """Tasks that could run are taken up, and none has outlived its lease. Two queries."""
    now = clock.now()
    longest = now - LONGEST_WAIT
    due = Q(run_after=get_date_max(), enqueued_at__lt=longest) | Q(run_after__lt=longest)
    if DBTaskResult.objects.filter(due, status=TaskResultStatus.READY).exists():
        raise NotReady("Tasks wait in the queue and nobody takes them. Start “manage.py work”.")
    limit = now - timedelta(seconds=2 * settings.TASK_LEASE_SECONDS)
    if DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING, started_at__lt=limit).exists():
        raise NotReady("A task has run past its lease and nobody took it back. Start “manage.py work”.")


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": check_database,
    "migrations": check_migrations,
    "storage": check_storage,
    "queue": check_queue,
}


@never_kept
@require_safe
def show_liveness(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_kept
@require_safe
def show_readiness(request: HttpRequest) -> JsonResponse:
    """Each part and whether it is ready; 503 where one is not. What exactly is wrong stands in the log."""
    parts: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check()
        except NotReady as error:
            log.warning("Not ready: %s: %s", name, error)
            parts[name] = str(error)
        except Exception:
            log.exception("Not ready: %s", name)
            parts[name] = "failed"
        else:
            parts[name] = "ok"
    ready = all(state == "ok" for state in parts.values())
    body = {"status": "ready" if ready else "not ready", "parts": parts}
    return JsonResponse(body, status=200 if ready else 503)
