"""Two gigabytes over a real line to the real server: refused before they are read, and nothing of them is left."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest
from django.test import Client, override_settings

from config.serve import describe_server
from tests.faults.site import ROOT, find_free_port, wait_for

MEGABYTE: Final = 1024 * 1024
TWO_GIGABYTES: Final = 2048 * MEGABYTE
BLOCK: Final = b"x" * 65_536
# What a line and the server's own buffers hold.
UNDER_WAY: Final = 32 * MEGABYTE


@dataclass
class Server:
    """The web server as the site has it, without a database: nothing here gets so far."""

    port: int
    process: subprocess.Popen[bytes]
    coming_in: Path

    def workers(self) -> list[int]:
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True)
        pairs = (line.split() for line in listed.stdout.splitlines())
        return [int(number) for number, parent in pairs if int(parent) == self.process.pid]

    def peak(self) -> int:
        """The most memory that any of its processes had, in bytes; where the system does not say, what they have."""
        found = 0
        for number in self.workers():
            told = Path(f"/proc/{number}/status")
            if told.exists():
                line = next(line for line in told.read_text().splitlines() if line.startswith("VmHWM"))
                found = max(found, int(line.split()[1]) * 1024)
            else:
                said = subprocess.run(
                    ["ps", "-o", "rss=", "-p", str(number)], check=True, capture_output=True
                )
                found = max(found, int(said.stdout) * 1024)
        return found

    def send(
        self, path: str, headers: dict[str, str], *, total: int, chunked: bool = False
    ) -> tuple[int, str]:
        """A POST whose body is sent until nobody takes it any more; how much was, and the answer."""
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            line.sendall("\r\n".join([*lines, "", ""]).encode())
            sent = 0
            try:
                while sent < total:
                    line.sendall(b"10000\r\n" + BLOCK + b"\r\n" if chunked else BLOCK)
                    sent += len(BLOCK)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = b""
            while part := line.recv(65_536):
                answer += part
                if b"</html>" in answer or b'"errors"' in answer:
                    break
        return sent, answer.decode(errors="replace")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("large")
    coming_in = folder / "coming-in"
    coming_in.mkdir()
    port = find_free_port()
    told = SimpleNamespace(DEBUG=False, PORT=port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            describe_server(told, host="127.0.0.1"),
            cwd=ROOT,
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "DATA_DIR": str(folder / "data"),
                "TMPDIR": str(coming_in),
                "WEB_WORKERS": "1",
                "PYTHONPATH": str(ROOT),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    made = Server(port=port, process=process, coming_in=coming_in)

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return b" 200 " in line.recv(200)

    try:
        wait_for("The start of the server", answers, seconds=120)
        yield made
    finally:
        process.terminate()
        process.wait(timeout=60)


FORM: Final = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/en/learn/x/work/", FORM, "What you sent is larger than 64 MB"),
        ("/fr/learn/x/work/", FORM, "Ce que vous avez envoyé dépasse 64 Mo"),
        ("/admin/images/add/", FORM, "What you sent is larger than 64 MB"),
        ("/fr/accounts/login/", {"Content-Type": "application/x-www-form-urlencoded"}, "dépasse 5 Mo"),
        ("/api/v1/certificates/checks/", {"Content-Type": "application/json"}, '"code": "too_large"'),
        ("/en/nothing/here/", {}, "What you sent is larger than 5 MB"),
    ],
)
def test_two_gigabytes_are_refused_before_they_are_read(
    server: Server, path: str, headers: dict[str, str], said: str
) -> None:
    before = server.peak()
    sent, answer = server.send(path, {**headers, "Content-Length": str(TWO_GIGABYTES)}, total=TWO_GIGABYTES)
    assert answer.startswith("HTTP/1.1 413 "), answer[:500]
    assert said in answer
    assert "Traceback" not in answer
    assert "content-security-policy" in answer.lower()
    assert sent < UNDER_WAY
    assert server.peak() - before < 2 * UNDER_WAY
    assert list(server.coming_in.rglob("*.upload*")) == []


@pytest.mark.parametrize("path", ["/fr/learn/x/work/", "/api/v1/certificates/checks/"])
def test_so_are_those_that_do_not_say_how_many_they_are(server: Server, path: str) -> None:
    before = server.peak()
    headers = {**FORM, "Transfer-Encoding": "chunked"}
    sent, answer = server.send(path, headers, total=TWO_GIGABYTES, chunked=True)
    assert answer.startswith("HTTP/1.1 411 "), answer[:500]
    assert ("length_required" in answer) if path.startswith("/api/") else ("n’a pas dit la taille" in answer)
    assert sent < UNDER_WAY
    assert server.peak() - before < 2 * UNDER_WAY
    assert list(server.coming_in.rglob("*.upload*")) == []


def test_many_at_once_hold_up_nobody(server: Server) -> None:
    answers: list[str] = []

    def run() -> None:
        told = {**FORM, "Content-Length": str(TWO_GIGABYTES)}
        answers.append(server.send("/en/learn/x/work/", told, total=TWO_GIGABYTES)[1])

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer[:12] for answer in answers] == ["HTTP/1.1 413"] * 12


def test_a_file_whose_sender_goes_away_is_not_left(server: Server) -> None:
    """Within the limits, so it is read, and written while it comes in; then the line is cut."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(
            b"POST /en/accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + head
        )
        for _ in range(160):
            line.sendall(BLOCK)
        wait_for("A file that comes in", lambda: list(server.coming_in.rglob("*.upload*")), seconds=30)
    wait_for("Its end", lambda: not list(server.coming_in.rglob("*.upload*")), seconds=30)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("", 200),
        ("0", 200),
        ("5242880", 200),
        ("5242881", 413),
        ("9" * 30, 413),
        ("-1", 200),
        ("x", 200),
        ("²", 200),
    ],
)
def test_what_a_request_says_of_its_size(told: str, status: int) -> None:
    """Whatever is no number is none, as Django reads it."""
    assert Client().get("/healthz", CONTENT_LENGTH=told).status_code == status


@override_settings(MAX_REQUEST_BYTES=100)
def test_the_limit_is_a_setting() -> None:
    kind = "multipart/form-data; boundary=x"
    assert Client().get("/healthz", CONTENT_LENGTH="101", CONTENT_TYPE=kind).status_code == 413
