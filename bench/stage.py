"""Where it is played: databases of their own under `var/bench`, and the servers.

`safer` is made once as `make run` makes it, with the demo. From it comes a filled database for each number of learners,
kept for the next time, and each run works in a copy of that, so every run begins with the same rows.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.postgres import APP_ROLE, DATABASE, OWNER_ROLE, SUPERUSER, EmbeddedPostgres

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = Path(os.environ.get("BENCH_DIR", ROOT / "var" / "bench")).resolve()
SITE_PORT: Final = int(os.environ.get("BENCH_PORT", "8765"))
YARD_PORT: Final = SITE_PORT + 1
RUN: Final = "bench_run"


def set_environment() -> None:
    """What every process of the bench reads: the demo's settings on the bench's own data, without debugging."""
    for name in ("DEBUG", "DATABASE_URL", "DATABASE_OWNER_URL", "CACHE_URL", "DATABASE_ROLE"):
        os.environ.pop(name, None)
    os.environ.update(
        DATA_DIR=str(FOLDER),
        DEMO="1",
        PORT=str(SITE_PORT),
        LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="config.settings",
    )


def stop_on_signals() -> None:
    """Let who ends the bench by a signal end its servers too, as Ctrl-C does."""

    signals = (signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, _frame: object) -> None:
        # Once is enough: a second one must not break off what the first began.
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for one in signals:
        signal.signal(one, stop)


def start_postgres() -> EmbeddedPostgres:
    """The embedded server with the site's own settings, shared with whoever runs beside."""
    embedded = EmbeddedPostgres(FOLDER / "postgres", say=lambda text: print(f"  {text}", flush=True))
    embedded.acquire()
    return embedded


def prepare_site() -> None:
    """Migrations, static files, starting content and the demo, as `make run` does."""
    for part in ("database", "content"):
        subprocess.run([sys.executable, "-m", "config.prepare", part], cwd=ROOT, check=True)


@contextlib.contextmanager
def connect(embedded: EmbeddedPostgres, name: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, for what only the bench does."""
    with psycopg.connect(
        host=str(embedded.socket_folder), user=SUPERUSER, dbname=name, autocommit=True
    ) as link:
        yield link


def point_to(name: str) -> None:
    """Let this process's Django work in another database of the same server."""
    from django.conf import settings
    from django.db import connection

    from core.postgres.base import empty_shelves

    connection.close()
    empty_shelves()
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name


def drop(embedded: EmbeddedPostgres, name: str) -> None:
    with connect(embedded, "postgres") as link:
        link.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def copy(embedded: EmbeddedPostgres, *, source: str, name: str) -> None:
    """A fresh database with the rows of another one. Nobody may be connected to that."""
    drop(embedded, name)
    with connect(embedded, "postgres") as link:
        link.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(source), sql.Identifier(OWNER_ROLE)
            )
        )


def read_mark(embedded: EmbeddedPostgres, name: str) -> str | None:
    """What was noted about a database; None where there is none."""
    with connect(embedded, "postgres") as link:
        row = link.execute(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s",
            [name],
        ).fetchone()
    return row[0] if row else None


def write_mark(embedded: EmbeddedPostgres, name: str, mark: str) -> None:
    with connect(embedded, "postgres") as link:
        link.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))


def address_of(embedded: EmbeddedPostgres, *, role: str, name: str = RUN) -> str:
    return f"postgresql://{role}@/{name}?host={quote(str(embedded.socket_folder), safe='')}"


# --- Servers --------------------------------------------------------------------------------------------------------


class Server:
    """A server that was started, and what its processes have used."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        port: int,
        environ: dict[str, str],
        path: str,
        environ_of: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.child = subprocess.Popen(
            command, cwd=ROOT, env={**(environ_of or os.environ), **environ}, start_new_session=True
        )
        self.port = port
        try:
            self._wait(f"http://127.0.0.1:{port}{path}")
        except BaseException:
            self.stop()
            raise

    def _wait(self, url: str, seconds: int = 120) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.name} ended by itself (code {self.child.returncode}).")
            try:
                urllib.request.urlopen(url, timeout=5)
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
            else:
                return
        raise RuntimeError(f"{self.name} did not answer within {seconds} seconds.")

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far."""
        return sum(used for session, _parent, used in _read_processes() if session == self.child.pid)

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=15)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


def postgres_cpu_seconds(embedded: EmbeddedPostgres) -> float:
    """Processor time of the database's processes that are there now."""
    head = int((embedded.data / "postmaster.pid").read_text().split("\n", 1)[0])
    return sum(used for _session, parent, used in _read_processes() if parent == head)


def _read_processes() -> Iterator[tuple[int, int, float]]:
    """(session, parent, seconds of processor time with those of its ended children) of every process."""
    tick = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        yield int(fields[3]), int(fields[1]), sum(map(int, fields[11:15])) / tick


def site_environ(embedded: EmbeddedPostgres) -> dict[str, str]:
    """The site on the run's database, as the two roles of the embedded server."""
    return {
        "DATABASE_URL": address_of(embedded, role=APP_ROLE),
        "DATABASE_OWNER_URL": address_of(embedded, role=OWNER_ROLE),
    }


def start_site(embedded: EmbeddedPostgres, command: list[str] | None = None, **environ: str) -> Server:
    """The web server as `make run` starts it. The background worker is not started, so that nothing runs beside."""
    from django.conf import settings

    from config.serve import describe_server

    return Server(
        "The site",
        command or describe_server(settings, host="127.0.0.1"),
        port=SITE_PORT,
        environ={**site_environ(embedded), **environ},
        path="/healthz",
    )


def bare_environ() -> dict[str, str]:
    """Without the site's settings, which the yardstick does not use."""
    return {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}


def yard_environ(embedded: EmbeddedPostgres, edition: str) -> dict[str, str]:
    return {"BENCH_DATABASE": address_of(embedded, role=APP_ROLE), "BENCH_EDITION": edition}


def start_yardstick(embedded: EmbeddedPostgres, edition: str) -> Server:
    """gunicorn with three sync workers, as the issue says."""
    command = [sys.executable, "-m", "gunicorn", "--workers", "3", "--bind", f"127.0.0.1:{YARD_PORT}"]
    return Server(
        "The yardstick",
        [*command, "--log-level", "error", "bench.yardstick:application"],
        port=YARD_PORT,
        environ=yard_environ(embedded, edition),
        path="/",
        environ_of=bare_environ(),
    )


BASE: Final = DATABASE
