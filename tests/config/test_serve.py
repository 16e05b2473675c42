"""`make run` on a port that is taken, and the embedded server's life."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import postgres, serve
from config.postgres import APP_ROLE, DATABASE, OWNER_ROLE, EmbeddedPostgres, EmbeddedPostgresError

ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "config.serve"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "DEMO": "1", "DATA_DIR": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert f"Port {port} is taken" in result.stderr
    assert not (tmp_path / "postgres").exists()


@pytest.fixture
def server(tmp_path: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(tmp_path / "postgres", throwaway=True)


def test_the_first_starts_it_and_the_last_stops_it(server: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(server.folder, throwaway=True)
    server.acquire()
    try:
        second.acquire()
        server.release()
        assert second._is_running()
    finally:
        server.release()
        second.release()
    assert not second._is_running()


def test_it_has_an_owner_and_a_role_for_the_application(server: EmbeddedPostgres) -> None:
    server.acquire()
    try:
        with psycopg.connect(host=str(server.socket_folder), user=OWNER_ROLE, dbname=DATABASE) as link:
            link.execute("CREATE TABLE probe (id int)")
        with (
            psycopg.connect(host=str(server.socket_folder), user=APP_ROLE, dbname=DATABASE) as link,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            link.execute("SELECT * FROM probe")
    finally:
        server.release()


def test_data_of_a_version_that_is_gone_are_left_alone(server: EmbeddedPostgres) -> None:
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match="was made by PostgreSQL 9"):
        server.acquire()


def test_data_outlive_the_server(server: EmbeddedPostgres) -> None:
    server.acquire()
    with psycopg.connect(host=str(server.socket_folder), user=OWNER_ROLE, dbname=DATABASE) as link:
        link.execute("CREATE TABLE probe AS SELECT 42 AS answer")
    server.release()
    server.acquire()
    try:
        with psycopg.connect(host=str(server.socket_folder), user=OWNER_ROLE, dbname=DATABASE) as link:
            assert link.execute("SELECT answer FROM probe").fetchone() == (42,)
    finally:
        server.release()


class TestKeeping:
    """Parts that end by themselves: real processes that end at once."""

    STAYS = [sys.executable, "-c", "import time; time.sleep(60)"]
    ENDS = [sys.executable, "-c", ""]
    WORKER = "Background worker 1"

    @pytest.fixture
    def keep(self) -> Iterator[Callable[..., serve.Keeper]]:
        children: dict[str, subprocess.Popen[bytes]] = {}

        def make(**commands: list[str]) -> serve.Keeper:
            named = {serve.SERVER: commands["server"], self.WORKER: commands["worker"]}
            children.update({name: serve.start(*command) for name, command in named.items()})
            return serve.Keeper(named, children, None)

        yield make
        serve.stop_children(children)

    def look_until(self, keeper: serve.Keeper, found: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not found():
            assert time.monotonic() < deadline
            keeper.look()
            time.sleep(0.02)

    def test_a_worker_that_cannot_stay_up_rests_and_the_site_goes_on(
        self, keep: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(serve, "REST_SECONDS", 1)
        keeper = keep(server=self.STAYS, worker=self.ENDS)
        server = keeper.children[serve.SERVER]
        self.look_until(keeper, lambda: bool(keeper.rests))
        resting = keeper.children[self.WORKER]
        said = capsys.readouterr().out
        assert said.count("was started again") == serve.MOST_ENDS - 1
        assert "the site goes on" in said
        keeper.look()
        assert keeper.children[self.WORKER] is resting
        self.look_until(keeper, lambda: keeper.children[self.WORKER] is not resting)
        assert keeper.children[serve.SERVER] is server
        assert server.poll() is None

    def test_a_server_that_cannot_stay_up_stops_everything(self, keep: Any) -> None:
        keeper = keep(server=self.ENDS, worker=self.STAYS)
        with pytest.raises(
            SystemExit, match=r"The server .* 5 times within a minute, so everything is stopped"
        ):
            self.look_until(keeper, lambda: False)


@pytest.mark.parametrize(
    ("limit", "megabytes"),
    [("536870912", 128), ("2147483648", 256), ("1099511627776", None), ("max", None)],
)
def test_the_embedded_server_takes_memory_by_the_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, megabytes: int | None
) -> None:
    """An eighth of it, or of what the container may use; never too little, never more than a gigabyte."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    monkeypatch.setattr(postgres, "_MEMORY_LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PHYS_PAGES": 6 * 2**20, "SC_PAGE_SIZE": 4096}[name])
    assert postgres.choose_buffers() == f"'{megabytes or 1024}MB'"
