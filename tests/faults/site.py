"""A whole site of a test's own, on an embedded PostgreSQL of its own, whose parts can be killed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from config.postgres import DATABASE, SUPERUSER, EmbeddedPostgres, find_programs
from tests import database

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 12
TASKS = "django_tasks_database_dbtaskresult"


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(what: str, ready: Any, *, seconds: float = 60) -> Any:
    """Poll until `ready()` gives something; it may fail meanwhile."""
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if found := ready():
                return found
        except (OSError, psycopg.Error) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} seconds. {last or ''}")


class Site:
    """``with Site(folder, learners=20) as site``: started, filled, stopped at the end."""

    def __init__(self, folder: Path, *, learners: int) -> None:
        self.folder = folder
        self.port = find_free_port()
        self.learners = learners
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.cast: list[dict[str, str]] = []
        self.log = folder / "site.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "DEMO": "1",
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "LOG_LEVEL": "WARNING",
            "WEB_WORKERS": "2",
            "WEB_THREADS": "4",
            "TASK_LEASE_SECONDS": str(LEASE_SECONDS),
        }

    def __enter__(self) -> Site:
        self.postgres.acquire()
        self._copy_tables()
        self.cast = json.loads(self.run("-m", "tests.faults.fill_site", str(self.learners)))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.serve_site"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for("The start of the site", self.is_alive, seconds=300)
        return self

    def __exit__(self, *error: object) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)
        self.postgres.release()

    def _copy_tables(self) -> None:
        """The migrated tables of the tests' own server, which is much faster than migrating again."""
        tests = settings.EMBEDDED_POSTGRES
        if tests is None:
            self.run("manage.py", "migrate", "--verbosity", "0")
            return
        programs = find_programs(self.postgres.data)
        dump = subprocess.run(
            [
                str(programs / "pg_dump"),
                "-h",
                str(tests.socket_folder),
                "-U",
                SUPERUSER,
                database.build_template(),
            ],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            [
                *(str(programs / "psql"), "-h", str(self.postgres.socket_folder), "-U", SUPERUSER),
                *("-d", DATABASE, "-q", "-v", "ON_ERROR_STOP=1"),
            ],
            input=dump.stdout,
            check=True,
            capture_output=True,
        )

    def run(self, *command: str, given: str = "") -> str:
        """A Python command in the site's environment; what it printed."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.env,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
        return done.stdout

    def is_alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)

    @contextlib.contextmanager
    def link(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection to the site's database as its superuser."""
        with psycopg.connect(
            host=str(self.postgres.socket_folder), user=SUPERUSER, dbname=DATABASE, autocommit=True
        ) as link:
            yield link

    # --- Faults ---------------------------------------------------------------------------------------------------

    def find_children(self, command: str) -> list[tuple[int, list[int]]]:
        """The parts of this site that were started by such a command, each with the processes that it started."""
        assert self.process is not None
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,args="], check=True, capture_output=True, text=True
        ).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        under: dict[int, list[int]] = {}
        for number, parent, _args in rows:
            under.setdefault(int(parent), []).append(int(number))
        return [
            (int(number), under.get(int(number), []))
            for number, parent, args in rows
            if int(parent) == self.process.pid and command in args
        ]

    def kill_web(self) -> int:
        """kill -9 for every process that answers requests, but not for the one that starts them."""
        answering = [number for _main, started in self.find_children("granian") for number in started]
        for number in answering:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return len(answering)

    def kill_worker(self, *, in_a_task: bool = True, seconds: float = 20) -> bool:
        """kill -9 for the background worker, in the middle of a task where one comes; whether it was."""
        found = [number for number, _started in self.find_children("manage.py work")]
        busy = False
        with self.link() as link:
            deadline = time.monotonic() + seconds
            while in_a_task and time.monotonic() < deadline and not busy:
                row = link.execute(
                    f"SELECT 1 FROM {TASKS} WHERE status = 'RUNNING' "
                    "AND started_at > now() - interval '5 seconds'"
                ).fetchone()
                busy = row is not None
                time.sleep(0.005)
        for number in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return busy

    def cut_connections(self) -> int:
        """End every connection of the application, at work or idle."""
        with self.link() as link:
            row = link.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename LIKE 'safer_%'"
            ).fetchone()
        assert row is not None
        return int(row[0])

    @contextlib.contextmanager
    def database_away(self) -> Iterator[None]:
        """PostgreSQL stopped at once, as in a crash, and kept away; the site starts it again by itself."""
        with (self.postgres.folder / "start.lock").open("a+") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            self.postgres._run("pg_ctl", "-D", self.postgres.data, "-m", "immediate", "-w", "stop")
            yield

    def wait_for_database(self) -> None:
        def answers() -> bool:
            with self.link():
                return True

        wait_for("The return of the database", answers)

    def wait_for_queue(self, *, seconds: float) -> None:
        """Until nothing waits and nothing runs."""

        def is_empty() -> bool:
            with self.link() as link:
                return (
                    link.execute(f"SELECT 1 FROM {TASKS} WHERE status IN ('READY', 'RUNNING')").fetchone()
                    is None
                )

        wait_for("The end of the queue", is_empty, seconds=seconds)
