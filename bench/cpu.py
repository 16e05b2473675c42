"""``python -m bench.cpu [ROW …] [--learners 1000] [--requests 100] [--profile]``: processor time, inside one process.

For a busy machine, where times on the clock say little: each row's requests are answered by the application in this
process, on the same rows as `make bench`, and its processor time is counted. The yardstick is what gunicorn's processes
use for theirs. What PostgreSQL uses is in neither, so the quotient is only near that of the p50s.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from typing import Any

from bench import stage
from bench.client import Ask, ask_in_turn, check


def use(application: Any, asks: list[Ask]) -> float:
    """Milliseconds of processor time a request; every answer checked afterwards."""
    from bench.inside import call

    started = time.process_time()
    answers = [call(application, ask) for ask in asks]
    used = time.process_time() - started
    for ask, answer in zip(asks, answers, strict=True):
        check(ask, answer)
    return used / len(asks) * 1000


def use_yardstick(embedded: Any, edition: str) -> tuple[float, float]:
    """Milliseconds of processor time that gunicorn and the bare view use for a reading and a writing request."""
    form = ("Content-Type", "application/x-www-form-urlencoded")
    read, write = Ask(path="/"), Ask(method="POST", path="/", headers=(form,), body=b"note=A+note")
    server = stage.start_yardstick(embedded, edition)
    try:
        return min(_use_server(server, read) for _ in range(3)), min(
            _use_server(server, write) for _ in range(3)
        )
    finally:
        server.stop()


def _use_server(server: stage.Server, ask: Ask, count: int = 400) -> float:
    ask_in_turn(server.port, [ask] * 20)
    before = server.cpu_seconds()
    ask_in_turn(server.port, [ask] * count)
    return (server.cpu_seconds() - before) / count * 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cpu", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--learners", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--profile", action="store_true", help="also say which functions it goes to")
    wanted = parser.parse_args()
    stage.set_environment()
    stage.stop_on_signals()
    embedded = stage.start_postgres()
    stage.prepare_site()
    import django

    django.setup()
    from django.core.wsgi import get_wsgi_application

    from bench import fill
    from bench.inside import count_queries
    from bench.rows import KINDS, TARGETS, Writing, make_row, needed
    from modules.models import CourseEdition

    source = fill.make_filled(
        embedded,
        learners=wanted.learners,
        writers=needed(200, 5),
        say=lambda text: print(f"  {text}", flush=True),
    )
    fill.begin_run(embedded, source)
    application = get_wsgi_application()
    edition = str(CourseEdition.objects.order_by("pk").values_list("pk", flat=True)[0])
    reading, writing = use_yardstick(embedded, edition)
    print(f"\n  The yardstick uses {reading:.2f} ms, the one that writes {writing:.2f} ms.\n")
    print(f"{'':18}{'queries':>10}{'cpu ms':>10}{'× yard':>10}{'p50 at most':>14}")
    for name in wanted.rows or list(KINDS):
        row = make_row(name, port=0, requests=wanted.requests, rounds=3)
        if isinstance(row, Writing):
            row.loader = application
        use(application, row.draw(20))
        queries = count_queries(application, row.draw(1)[0])
        used = min(use(application, row.draw(wanted.requests)) for _ in range(3))
        bare = writing if row.writes else reading
        print(
            f"{name:18}{queries:>10}{used:>10.2f}{used / bare:>10.2f}{TARGETS.get(name, '–'):>14}", flush=True
        )
        row.prove()
        if wanted.profile:
            profile(application, row.draw(wanted.requests))
    stage.point_to("postgres")
    stage.drop(embedded, stage.RUN)


def profile(application: Any, asks: list[Ask]) -> None:
    with cProfile.Profile() as found:
        use(application, asks)
    pstats.Stats(found).sort_stats("tottime").print_stats(25)
    pstats.Stats(found).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
