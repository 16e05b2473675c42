"""Asking for a page many times, and what that took."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Target:
    """A page: where it is, who asks (a cookie), and words that must stand in every answer."""

    name: str
    port: int
    path: str
    words: str
    cookie: str = ""


@dataclass(kw_only=True)
class Round:
    """Seconds of each answer, and answers a second with eight asking at once."""

    seconds: list[float] = field(default_factory=list)
    rps: float = 0.0

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]


class WrongAnswer(RuntimeError):
    """A page did not say what it must; a fast error is no result."""


def ask(connection: http.client.HTTPConnection, target: Target) -> float:
    """One request on an open connection; its seconds. Refuses an answer without the words."""
    headers = {"Cookie": target.cookie} if target.cookie else {}
    started = time.perf_counter()
    connection.request("GET", target.path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    took = time.perf_counter() - started
    if response.status != 200 or target.words.encode() not in body:
        raise WrongAnswer(
            f"{target.name}: {target.path} answered {response.status} without “{target.words}”."
        )
    return took


def run_round(target: Target, *, requests: int, clients: int = 8) -> Round:
    """So many requests one after the other, then as many by eight clients at once."""
    result = Round()
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    ask(connection, target)
    result.seconds = [ask(connection, target) for _ in range(requests)]
    connection.close()
    failures: list[Exception] = []

    def work() -> None:
        own = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
        try:
            for _ in range(requests // clients):
                ask(own, target)
        except Exception as error:
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    result.rps = clients * (requests // clients) / (time.perf_counter() - started)
    return result
