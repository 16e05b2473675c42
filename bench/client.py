"""A client that costs little: prepared bytes over plain sockets; answers are checked after the clock stopped.

It shares two cores with what it measures, so nothing is built, parsed or searched while the clock runs. A connection is
kept as long as the server keeps it; gunicorn's sync workers do not, so each request to the yardstick opens its own.
"""

from __future__ import annotations

import gzip
import re
import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

HOST: Final = "127.0.0.1"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
PACKED: Final = re.compile(rb"\r\ncontent-encoding: *gzip", re.IGNORECASE)
TIMEOUT: Final = 60


class WrongAnswer(RuntimeError):
    """An answer that is not what the page must say; a fast error is no result."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request as a browser sends it, and what its answer must hold."""

    path: str
    cookie: str = ""
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200
    words: tuple[str, ...] = ()
    # What a redirect must lead to.
    goal: str = ""

    def encode(self, port: int) -> bytes:
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: {HOST}:{port}",
            "User-Agent: bench",
            "Accept-Encoding: gzip",
            *([f"Cookie: {self.cookie}"] if self.cookie else []),
            *(f"{name}: {value}" for name, value in self.headers),
            *([f"Content-Length: {len(self.body)}"] if self.method == "POST" else []),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the line."""

    raw_head: bytes
    raw_body: bytes

    @property
    def status(self) -> int:
        return int(self.raw_head[9:12])

    def header(self, name: str) -> str:
        found = re.search(rb"\r\n" + name.encode() + rb": *([^\r]*)", self.raw_head, re.IGNORECASE)
        return found[1].decode() if found else ""

    def cookies(self) -> dict[str, str]:
        pairs = re.findall(rb"\r\nset-cookie: *([^=]+)=([^;\r]*)", self.raw_head, re.IGNORECASE)
        return {name.decode(): value.decode() for name, value in pairs}

    @property
    def text(self) -> str:
        body = self.raw_body
        if CHUNKED.search(self.raw_head):
            body = _join_chunks(body)
        if PACKED.search(self.raw_head):
            body = gzip.decompress(body)
        return body.decode()


def _join_chunks(body: bytes) -> bytes:
    parts, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


def check(ask: Ask, answer: Answer) -> None:
    """Refuse an answer that is not the one asked for: status, goal, and every one of its words."""
    said = f"{ask.method} {ask.path}"
    if answer.status != ask.status:
        raise WrongAnswer(f"{said} answered {answer.status}, not {ask.status}:\n{answer.text[:800]}")
    if ask.goal and answer.header("location") != ask.goal:
        raise WrongAnswer(f"{said} led to “{answer.header('location')}”, not to “{ask.goal}”.")
    if ask.words:
        text = answer.text
        for word in ask.words:
            if word not in text:
                raise WrongAnswer(f"{said} answered without “{word}”.")


class Line:
    """One client's connection to one server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None
        self.reset()

    def reset(self) -> None:
        self.got: list[bytes] = []
        self.size = 0
        self.head_end = -1
        self.need = -1
        self.head = b""

    def open(self) -> socket.socket:
        if self.socket is None:
            self.socket = socket.create_connection((HOST, self.port), timeout=TIMEOUT)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.socket

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def take(self, chunk: bytes) -> bool:
        """Take what came; whether the answer is whole. An empty chunk: the server has closed."""
        if chunk:
            self.got.append(chunk)
            self.size += len(chunk)
        if self.head_end < 0:
            whole = b"".join(self.got)
            self.head_end = whole.find(b"\r\n\r\n")
            if self.head_end < 0:
                if not chunk:
                    raise WrongAnswer("The server closed the connection without an answer.")
                return False
            self.got = [whole]
            self.head = whole[: self.head_end]
            length = LENGTH.search(self.head)
            if length:
                self.need = self.head_end + 4 + int(length[1])
        if self.need >= 0:
            if self.size >= self.need:
                return True
            if not chunk:
                raise WrongAnswer("The server closed the connection in the midst of an answer.")
            return False
        if CHUNKED.search(self.head):
            return self.got[-1].endswith(b"0\r\n\r\n") or not chunk
        return not chunk

    def finish(self) -> Answer:
        whole = b"".join(self.got)
        answer = Answer(self.head, whole[self.head_end + 4 :])
        if CLOSES.search(self.head) or (self.need < 0 and not CHUNKED.search(self.head)):
            self.close()
        self.reset()
        return answer


def ask_in_turn(port: int, asks: Sequence[Ask], *, keep: bool = True) -> tuple[list[float], list[Answer]]:
    """One client, one request after the other: the seconds of each, and the answers. Checked."""
    sent = [ask.encode(port) for ask in asks]
    line, seconds, answers = Line(port), [], []
    for data in sent:
        if not keep:
            line.close()
        started = time.perf_counter()
        link = line.open()
        link.sendall(data)
        while not line.take(link.recv(262_144)):
            pass
        seconds.append(time.perf_counter() - started)
        answers.append(line.finish())
    line.close()
    for ask, answer in zip(asks, answers, strict=True):
        check(ask, answer)
    return seconds, answers


def ask_at_once(
    port: int, shares: Sequence[Sequence[Ask]], *, keep: bool = True, waits: list[float] | None = None
) -> tuple[float, list[list[Answer]]]:
    """As many clients as there are shares, each with its own connection and session: seconds for all. Checked.

    `waits` takes the seconds of each answer.
    """
    waiting = [[ask.encode(port) for ask in reversed(share)] for share in shares]
    lines = [Line(port) for _ in shares]
    answers: list[list[Answer]] = [[] for _ in shares]
    begun = [0.0 for _ in shares]
    with selectors.DefaultSelector() as selector:

        def send(number: int) -> bool:
            line = lines[number]
            if not waiting[number]:
                line.close()
                return False
            fresh = line.socket is None
            begun[number] = time.perf_counter()
            link = line.open()
            link.sendall(waiting[number].pop())
            if fresh:
                selector.register(link, selectors.EVENT_READ, number)
            return True

        started = time.perf_counter()
        busy = sum(send(number) for number in range(len(shares)))
        while busy:
            for key, _events in selector.select(TIMEOUT):
                number, line = key.data, lines[key.data]
                assert line.socket is not None
                if not line.take(line.socket.recv(262_144)):
                    continue
                if waits is not None:
                    waits.append(time.perf_counter() - begun[number])
                if not keep or not waiting[number] or line.need < 0 or CLOSES.search(line.head):
                    selector.unregister(line.socket)
                    answers[number].append(line.finish())
                    line.close()
                else:
                    answers[number].append(line.finish())
                if not send(number):
                    busy -= 1
        took = time.perf_counter() - started
    for share, got in zip(shares, answers, strict=True):
        for ask, answer in zip(share, got, strict=True):
            check(ask, answer)
    return took, answers


@dataclass(kw_only=True)
class Round:
    """What one round of one target took."""

    seconds: list[float] = field(default_factory=list)
    rps: float = 0.0

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]
