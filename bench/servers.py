"""``python -m bench.servers [--rows lesson,save_response] [--rounds 5]``: which web server serves best on this machine.

The same site, rows and databases as `make bench`, under one server after the other. Besides times on the clock it gives
the processor time of the server's processes a request, which noise disturbs least, and the memory that they hold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Final

from bench import stage

PYTHON: Final = [sys.executable, "-m"]
GRANIAN: Final = [
    *PYTHON,
    "granian",
    "--interface",
    "wsgi",
    "--host",
    "127.0.0.1",
    "--port",
    str(stage.SITE_PORT),
]
GUNICORN: Final = [*PYTHON, "gunicorn", "--bind", f"127.0.0.1:{stage.SITE_PORT}", "--log-level", "error"]
APPLICATION: Final = "config.wsgi:application"


def granian(workers: int, threads: int) -> list[str]:
    numbers = ["--workers", str(workers), "--blocking-threads", str(threads)]
    return [*GRANIAN, *numbers, "--backlog", "1024", "--no-ws", "--log-level", "warning", APPLICATION]


def gunicorn(workers: int, threads: int = 0) -> list[str]:
    how = ["--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "5"] if threads else []
    return [*GUNICORN, "--workers", str(workers), *how, APPLICATION]


SERVERS: Final = {
    "granian 2 × 4": granian(2, 4),
    "granian 2 × 1": granian(2, 1),
    "granian 2 × 2": granian(2, 2),
    "granian 3 × 1": granian(3, 1),
    "granian 3 × 2": granian(3, 2),
    "granian 4 × 1": granian(4, 1),
    "gunicorn sync 2": gunicorn(2),
    "gunicorn sync 3": gunicorn(3),
    "gunicorn gthread 2 × 4": gunicorn(2, 4),
    "gunicorn gthread 3 × 2": gunicorn(3, 2),
}


def read_memory(server: stage.Server) -> int:
    """Megabytes that the server's processes hold; what they share is counted once."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == server.child.pid:
                    lines = (entry / "smaps_rollup").read_text().splitlines()
                    total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            except (OSError, StopIteration):
                continue
    return total // 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.servers", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--rows", default="lesson,save_response")
    parser.add_argument("--servers", default="", help="names, separated by commas; all unless given")
    parser.add_argument("--learners", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200)
    wanted = parser.parse_args()
    stage.set_environment()
    stage.stop_on_signals()
    embedded = stage.start_postgres()
    stage.prepare_site()
    import django

    django.setup()
    from bench import fill
    from bench.rows import needed

    chosen = wanted.servers.split(",") if wanted.servers else list(SERVERS)
    source = fill.make_filled(
        embedded,
        learners=wanted.learners,
        writers=needed(200, 5),
        say=lambda text: print(f"  {text}", flush=True),
    )
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    # In turn, so that a slow minute of the machine meets them all.
    fill.begin_run(embedded, source)
    for number in range(wanted.rounds):
        for name in chosen:
            server = stage.start_site(embedded, SERVERS[name])
            try:
                for row in wanted.rows.split(","):
                    found.setdefault((row, name), []).append(measure(row, server, wanted.requests))
            finally:
                server.stop()
        print(f"  round {number + 1} of {wanted.rounds}", flush=True)
    stage.point_to("postgres")
    stage.drop(embedded, stage.RUN)
    heads = ("p50 ms", "p95 ms", "a second", "p95 of 8", "cpu ms", "MB")
    for row in wanted.rows.split(","):
        print(f"\n{row:24}" + "".join(f"{head:>10}" for head in heads))
        for name in chosen:
            rounds = found[row, name]
            values = [statistics.median(one[head] for one in rounds) for head in heads]
            print(f"  {name:22}" + "".join(f"{value:>10.2f}" for value in values))


def measure(name: str, server: stage.Server, requests: int) -> dict[str, float]:
    """One round of one row under one server."""
    from bench.client import Round, ask_at_once, ask_in_turn
    from bench.rows import CLIENTS, make_row

    row = make_row(name, port=server.port, requests=requests, rounds=1)
    ask_in_turn(server.port, row.draw(2 * CLIENTS))
    # Every thread of every worker has answered.
    ask_at_once(server.port, [row.draw(4) for _ in range(2 * CLIENTS)])
    single, shares = row.make_round()
    before = server.cpu_seconds()
    seconds, _answers = ask_in_turn(server.port, single)
    waits: list[float] = []
    took, _all = ask_at_once(server.port, shares, waits=waits)
    used = server.cpu_seconds() - before
    row.prove()
    count = len(single) + sum(map(len, shares))
    result = Round(seconds=seconds, rps=sum(map(len, shares)) / took)
    return {
        "p50 ms": result.p50 * 1000,
        "p95 ms": result.p95 * 1000,
        "a second": result.rps,
        "p95 of 8": statistics.quantiles(waits, n=20)[-1] * 1000,
        "cpu ms": used / count * 1000,
        "MB": float(read_memory(server)),
    }


if __name__ == "__main__":
    main()
