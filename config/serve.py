"""``make run``: everything the site needs on one machine, started in order and stopped together.

The database (where it is the embedded one), migrations, starting content, the server and the background worker. Once
the site is ready, a part that ends by itself is started again. A server or a database that cannot stay up stops
everything; a background worker that cannot rests for a while, and people go on learning meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
# On a machine that is busy with other things a start takes minutes; a part that ends is noticed at once.
START_SECONDS: Final = 240
STOP_SECONDS: Final = 15
# A part that ends so often within so long a time will not stay up.
MOST_ENDS: Final = 5
ENDS_WITHIN_SECONDS: Final = 60
# How long a background worker rests then: what kills it, a task or a lack of memory, may pass.
REST_SECONDS: Final = 30
SERVER: Final = "The server"


class Stopped(Exception):
    """Somebody asked the site to stop."""


def stop_on_signal(number: int, frame: FrameType | None) -> None:
    raise Stopped


def check_port(*, host: str, port: int) -> None:
    """Refuse, before anything is started, where the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            sys.exit(f"Port {port} may not be used without more rights. Choose another: make run PORT=8000")
        except OSError:
            sys.exit(
                f"Port {port} is taken, perhaps by another “make run”. Nothing was started. "
                f"Stop that, or choose another port: make run PORT={port + 1 if port < 65535 else 8000}"
            )


def start(*command: str) -> subprocess.Popen[bytes]:
    """A child in a session of its own, so that Ctrl-C reaches only this process, which stops all in order."""
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


def wait_until_ready(*, url: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Return when the site answers; leave where a part ends first or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        check_children(children)
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"The site did not answer within {START_SECONDS} seconds; what it said stands above.")


def check_children(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            sys.exit(f"{name} ended by itself (code {child.returncode}), so everything is stopped.")


class Keeper:
    """Starts parts that ended by themselves again: a killed process, a database that crashed."""

    def __init__(
        self, commands: dict[str, list[str]], children: dict[str, subprocess.Popen[bytes]], embedded: Any
    ) -> None:
        self.commands = commands
        self.children = children
        self.embedded = embedded
        self.ends: dict[str, list[float]] = {}
        self.rests: dict[str, float] = {}

    def look(self) -> None:
        """One look; leaves where what people need ends again and again."""
        if self.embedded is not None and self.embedded.revive():
            self._note("The database", is_needed=True)
        for name, child in self.children.items():
            if child.poll() is None:
                continue
            if name not in self.rests:
                # What it started and left behind would hold its port.
                end_session(child)
                self.rests[name] = self._note(
                    f"{name} (code {child.returncode})", part=name, is_needed=name == SERVER
                )
            if time.monotonic() >= self.rests[name]:
                del self.rests[name]
                self.children[name] = start(*self.commands[name])

    def _note(self, said: str, *, part: str = "", is_needed: bool) -> float:
        """Note that a part ended; when it is to be started again."""
        now = time.monotonic()
        ends = [at for at in self.ends.get(part, []) if now - at < ENDS_WITHIN_SECONDS] + [now]
        self.ends[part] = ends
        if len(ends) < MOST_ENDS:
            print(f"  {said} ended by itself and was started again.", flush=True)
            return now
        often = f"{said} ended by itself {len(ends)} times within a minute"
        if is_needed:
            sys.exit(f"{often}, so everything is stopped.")
        print(
            f"  {often}. It is started again in {REST_SECONDS} seconds; its tasks wait, the site goes on.",
            flush=True,
        )
        return now + REST_SECONDS


def end_session(child: subprocess.Popen[bytes]) -> None:
    """Kill what a part that has ended left running in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def stop_children(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask every child to end, and its whole session to, where it does not in time."""
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children.values():
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def run_step(part: str) -> None:
    """One part of the preparation, in a process of its own, because it has a database role of its own."""
    child = start(sys.executable, "-m", "config.prepare", part)
    try:
        code = child.wait()
    except BaseException:
        stop_children({part: child})
        raise
    if code:
        sys.exit("The start ended there. What went wrong stands above; nothing is running any more.")


def describe_server(settings: Any, *, host: str) -> list[str]:
    """The command of the web server: Django's own while developing, else Granian."""
    if settings.DEBUG:
        return [sys.executable, "manage.py", "runserver", f"{host}:{settings.PORT}"]
    cores = os.cpu_count() or 1
    workers = int(os.environ.get("WEB_WORKERS", "") or min(4, max(2, cores)))
    threads = int(os.environ.get("WEB_THREADS", "") or 4)
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        host,
        "--port",
        str(settings.PORT),
        "--workers",
        str(workers),
        "--blocking-threads",
        str(threads),
        "--backlog",
        "1024",
        "--no-ws",
        "--log-level",
        "warning",
        "--respawn-failed-workers",
        "config.wsgi:application",
    ]


def describe_workers() -> dict[str, list[str]]:
    """The commands of the background workers: one a core, four at most.

    They step back behind whoever waits for a page.
    """
    cores = os.cpu_count() or 1
    count = max(1, int(os.environ.get("TASK_WORKERS", "") or min(4, cores)))
    nice = os.environ.get("TASK_NICE", "") or "10"
    command = [sys.executable, "manage.py", "work", "--interval", "0.5", "--nice", nice]
    if count == 1:
        return {"The background worker": command}
    return {f"Background worker {number}": command for number in range(1, count + 1)}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from config.postgres import EmbeddedPostgresError

    host = os.environ.get("HOST", "127.0.0.1")
    if settings.DEMO and host not in {"127.0.0.1", "::1", "localhost"}:
        sys.exit(
            "DEMO=1 makes accounts whose password everybody knows, so it is served to this machine only. "
            "Unset HOST, or unset DEMO."
        )
    try:
        check_port(host=host, port=settings.PORT)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_on_signal)

    url = f"http://{host}:{settings.PORT}"
    embedded = settings.EMBEDDED_POSTGRES
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        if embedded is not None:
            print(f"  Starting PostgreSQL under {embedded.folder} …", flush=True)
            embedded.say = lambda text: print(f"  {text}", flush=True)
            embedded.acquire()
        run_step("database")
        run_step("content")
        print("  Starting the server and the background work …", flush=True)
        commands = {
            SERVER: describe_server(settings, host=host),
            **describe_workers(),
        }
        for name, command in commands.items():
            children[name] = start(*command)
        wait_until_ready(url=url, children=children)
        print_welcome(url=url, demo=settings.DEMO)
        keeper = Keeper(commands, children, embedded)
        while True:
            keeper.look()
            time.sleep(0.5)
    except Stopped:
        print("\n  Stopping …", flush=True)
    except EmbeddedPostgresError as error:
        sys.exit(str(error))
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop_children(children)
        if embedded is not None:
            embedded.release()
    print("  Everything is stopped.", flush=True)


def print_welcome(*, url: str, demo: bool) -> None:
    print(f"\n  The site is ready:  {url}/en/   {url}/fr/\n  The CMS:            {url}/admin/", flush=True)
    if demo:
        print(
            f"  The demo's cast:    {url}/demo/\n\n"
            "  Sign in with the password  safer-communities  as\n"
            "    learner@demo.example                 a learner\n"
            "    instructor@demo.example              an instructor\n"
            "    author@demo.example                  an author of courses\n"
            "    committee@demo.example               the standards committee\n"
            "    registrar@college.demo.example       a college's registrar\n"
            "    coordinator@town.demo.example        a municipality's coordinator\n"
            "    admin@demo.example                   the administrator",
            flush=True,
        )
    print("\n  Ctrl-C stops everything.\n", flush=True)


if __name__ == "__main__":
    main()
