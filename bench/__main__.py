"""``make bench``: ten screens beside the yardstick, five rounds in alternation, with 1,000 learners and with 10,000.

    python -m bench [--only lesson,catalogue] [--learners 1000] [--rounds 5] [--requests 200]

Starts the site as `make run` does, without debugging, on its own data under `var/bench`. See `docs/performance.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from typing import Any, Final

from bench import stage

SIZES: Final = os.environ.get("LEARNERS") or "1000,10000"
GROWTH: Final = 1.3


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), help="rows, separated by commas")
    parser.add_argument("--learners", default=SIZES, help="how many, or several numbers separated by commas")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS") or 5))
    parser.add_argument("--requests", type=int, default=int(os.environ.get("REQUESTS") or 200))
    parser.add_argument(
        "--fresh-lines", action="store_true", help="a new connection for each request to the site too"
    )
    return parser.parse_args()


def main() -> None:
    wanted = read_arguments()
    started = time.monotonic()
    stage.set_environment()
    stage.stop_on_signals()
    embedded = stage.start_postgres()
    stage.prepare_site()
    import django

    django.setup()
    from bench.rows import KINDS, MORE

    names = wanted.only.split(",") if wanted.only else list(KINDS)
    unknown = set(names) - set(KINDS) - set(MORE)
    if unknown:
        sys.exit(f"There is no row {', '.join(sorted(unknown))}. There are {', '.join([*KINDS, *MORE])}.")
    rows = []
    for learners in [int(number) for number in wanted.learners.split(",")]:
        rows += measure_size(embedded, learners, names, wanted)
    stage.point_to("postgres")
    stage.drop(embedded, stage.RUN)
    report(rows, names, minutes=(time.monotonic() - started) / 60, whole=not wanted.only)


def measure_size(
    embedded: Any, learners: int, names: list[str], wanted: argparse.Namespace
) -> list[dict[str, Any]]:
    """All rows with one number of learners."""
    from bench import fill
    from bench.rows import needed
    from modules.models import CourseEdition

    # Never fewer than a whole run takes, so that a short run and a long one share what was filled.
    writers = max(needed(wanted.requests, wanted.rounds), needed(200, 5))
    source = fill.make_filled(
        embedded, learners=learners, writers=writers, say=lambda text: print(f"  {text}", flush=True)
    )
    fill.begin_run(embedded, source)
    say_size(learners)
    edition = str(CourseEdition.objects.order_by("pk").values_list("pk", flat=True)[0])
    servers = [stage.start_site(embedded), stage.start_yardstick(embedded, edition)]
    try:
        return [measure_row(name, learners, servers[0], servers[1], wanted) for name in names]
    finally:
        for server in reversed(servers):
            server.stop()


def say_size(learners: int) -> None:
    """What is in the database, in numbers."""
    from assessments.models import Response
    from bench.people import COURSE
    from lms.models import Enrolment, Evidence, LearningEvent
    from modules.models import CourseEdition
    from modules.selectors import outline_of

    edition = CourseEdition.objects.filter(slug=COURSE).order_by("-number")[0]
    steps = len(list(outline_of(edition).iter_steps()))
    print(
        f"\n  {learners:,} learners in the cohort, {Enrolment.objects.count():,} enrolments in all; the course has"
        f" {steps} steps.\n  Ledgers: {LearningEvent.objects.count():,} learning events, "
        f"{Response.objects.count():,} responses, {Evidence.objects.count():,} pieces of evidence.",
        flush=True,
    )


def measure_row(
    name: str, learners: int, site: stage.Server, yard: stage.Server, wanted: argparse.Namespace
) -> dict[str, Any]:
    """One row beside the yardstick: yardstick, page, yardstick, page …; the medians of all rounds."""
    from django.core.wsgi import get_wsgi_application

    from bench.client import Ask, ask_in_turn
    from bench.inside import call, count_queries
    from bench.rows import CLIENTS, TARGETS, make_row

    row = make_row(name, port=site.port, requests=wanted.requests, rounds=wanted.rounds)
    form = ("Content-Type", "application/x-www-form-urlencoded")
    bare = (
        Ask(
            method="POST",
            path="/",
            headers=(form,),
            body=b"note=A+note+of+the+bench",
            words=("A note of the bench</h1>",),
        )
        if row.writes
        else Ask(path="/", words=("</h1>",))
    )
    # Every worker and thread has answered before the clock starts; the count is of a process that knows the course.
    ask_in_turn(site.port, row.draw(2 * CLIENTS))
    ask_in_turn(yard.port, [bare] * 2 * CLIENTS)
    application = get_wsgi_application()
    call(application, row.draw(1)[0])
    queries = count_queries(application, row.draw(1)[0])
    yards, pages = [], []
    cpu = {"site": 0.0, "yard": 0.0}
    for _ in range(wanted.rounds):
        before = yard.cpu_seconds()
        yards.append(
            run_round(
                yard.port,
                [bare] * wanted.requests,
                [[bare] * (wanted.requests // CLIENTS)] * CLIENTS,
                keep=True,
            )
        )
        cpu["yard"] += yard.cpu_seconds() - before
        single, shares = row.make_round()
        before = site.cpu_seconds()
        pages.append(run_round(site.port, single, shares, keep=not wanted.fresh_lines))
        cpu["site"] += site.cpu_seconds() - before
    proof = row.prove()
    count = wanted.rounds * (wanted.requests + wanted.requests // CLIENTS * CLIENTS)
    p50 = statistics.median(one.p50 for one in pages)
    rps = statistics.median(one.rps for one in pages)
    found = {
        "name": name,
        "p50_ms": round(p50 * 1000, 2),
        "p95_ms": round(statistics.median(one.p95 for one in pages) * 1000, 2),
        "rps": round(rps, 1),
        "ratio_p50": round(p50 / statistics.median(one.p50 for one in yards), 2),
        "ratio_rps": round(statistics.median(one.rps for one in yards) / rps, 2),
        "queries": queries,
        "learners": learners,
        # Printed, but no part of the contract: what the web processes used, noise of other programs apart.
        "cpu_ms": round(cpu["site"] / count * 1000, 2),
        "ratio_cpu": round(cpu["site"] / max(cpu["yard"], 1e-9), 2),
        "target": TARGETS.get(name),
    }
    yard_p50 = statistics.median(one.p50 for one in yards) * 1000
    print(
        f"  {name:18} {found['p50_ms']:7.2f} ms beside {yard_p50:.2f} ms: {found['ratio_p50']:.2f} ×"
        f"{'   ' + proof if proof else ''}",
        flush=True,
    )
    return found


def run_round(port: int, single: list[Any], shares: list[list[Any]], *, keep: bool) -> Any:
    from bench.client import Round, ask_at_once, ask_in_turn

    seconds, _answers = ask_in_turn(port, single, keep=keep)
    took, _all = ask_at_once(port, shares, keep=keep)
    return Round(seconds=seconds, rps=sum(map(len, shares)) / took)


CONTRACT: Final = ("name", "p50_ms", "p95_ms", "rps", "ratio_p50", "ratio_rps", "queries", "learners")


def report(rows: list[dict[str, Any]], names: list[str], *, minutes: float, whole: bool) -> None:
    """The table, printed last; the same as JSON in `var/bench.json` where every row was measured."""
    target = stage.ROOT / "var" / ("bench.json" if whole else "bench-part.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(
        json.dumps([{key: row[key] for key in CONTRACT} for row in rows], indent=1) + "\n", encoding="utf-8"
    )
    print(f"\n  {minutes:.1f} minutes; written to {target.relative_to(stage.ROOT)}\n")
    heads = (
        "learners",
        "p50 ms",
        "p95 ms",
        "a second",
        "queries",
        "cpu ms",
        "× cpu",
        "× p50",
        "at most",
        "× rps",
        "at most",
    )
    print(f"{'':18}" + "".join(f"{head:>10}" for head in heads))
    for name in names:
        known = [row for row in rows if row["name"] == name]
        for row in known:
            print(describe(row))
        if len(known) > 1:
            growth = known[-1]["p50_ms"] / known[0]["p50_ms"]
            relative = known[-1]["ratio_p50"] / known[0]["ratio_p50"]
            print(
                f"{'':18}{'growth':>10}{growth:>10.2f}{'':>50}{relative:>10.2f}{GROWTH:>10}"
                f"   {'met' if relative <= GROWTH else 'MISSED'}"
            )


def describe(row: dict[str, Any]) -> str:
    most = row["target"]
    values = (
        row["learners"],
        row["p50_ms"],
        row["p95_ms"],
        row["rps"],
        row["queries"],
        row["cpu_ms"],
        row["ratio_cpu"],
    )
    line = f"{row['name']:18}" + "".join(f"{value:>10}" for value in values)
    line += f"{row['ratio_p50']:>10}{most or '–':>10}{row['ratio_rps']:>10}{2 * most if most else '–':>10}"
    if most:
        line += "   met" if row["ratio_p50"] <= most and row["ratio_rps"] <= 2 * most else "   MISSED"
    return line


if __name__ == "__main__":
    main()
