"""Real workers for tests that kill them: `work` as a process of its own, in the test's database."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from tests.faults.site import wait_for

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """``manage.py work`` of this test, to be killed."""

    def __init__(self, *, mail_port: int = 1) -> None:
        name = str(connection.settings_dict["NAME"])
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "work", "--interval", "0.05", "--no-startup-delay"],
            cwd=ROOT,
            env={
                **kept,
                "PYTHONPATH": str(ROOT),
                "DJANGO_SETTINGS_MODULE": "tests.faults.worker_settings",
                "DATA_DIR": str(Path(settings.DATA_DIR).parent),
                "WORKER_DATABASE": name,
                "WORKER_FILES": str(settings.STORAGES["private"]["OPTIONS"]["location"]),
                "WORKER_MAIL_PORT": str(mail_port),
                **({"DATABASE_URL": os.environ["DATABASE_URL"]} if "DATABASE_URL" in os.environ else {}),
            },
        )

    def kill(self) -> None:
        """As `kill -9` does: it can do nothing any more."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def worker(**options: Any) -> Iterator[Worker]:
    made = Worker(**options)
    try:
        yield made
    finally:
        made.kill()


@contextlib.contextmanager
def held(query: str, values: list[Any] | None = None, *, kept: bool = False) -> Iterator[None]:
    """Hold what a statement locks, from a connection of its own, until the end of the block; what it wrote is undone,
    or `kept`.
    """
    parts = connection.get_connection_params()
    with psycopg.connect(
        host=parts.get("host"), user=parts["user"], dbname=parts["dbname"], password=parts.get("password")
    ) as link:
        link.execute(sql.SQL(query), values)  # type: ignore[arg-type]
        yield
        if kept:
            link.commit()
        else:
            link.rollback()


def wait_until_it_waits() -> None:
    """Until a worker stands before what the test holds: it is in the middle of its work."""

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND wait_event_type = 'Lock'"
            )
            return bool(cursor.fetchone()[0])

    wait_for("The worker’s wait", waits, seconds=240)
