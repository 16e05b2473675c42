"""``make bench``: the screens people read most, beside the yardstick, five rounds in alternation.

Starts the site as `make run` does, without debugging, on its own data under `var/bench`, with the demo's cohort and as
many more learners as `LEARNERS` says. The screens that write are not measured yet.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SITE_PORT, YARD_PORT = 8765, 8766
ROUNDS: Final = int(os.environ.get("ROUNDS", "5"))
REQUESTS: Final = int(os.environ.get("REQUESTS", "200"))
LEARNERS: Final = int(os.environ.get("LEARNERS", "1000"))


def wait_for(url: str, seconds: int = 600) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2)
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"{url} did not answer within {seconds} seconds.")


def main() -> None:
    os.environ.update(
        DATA_DIR=str(ROOT / "var" / "bench"),
        DEMO="1",
        PORT=str(SITE_PORT),
        LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    os.environ.pop("DEBUG", None)
    children = [subprocess.Popen([sys.executable, "-m", "config.serve"], cwd=ROOT)]
    try:
        wait_for(f"http://127.0.0.1:{SITE_PORT}/readyz")
        import django

        django.setup()
        from bench import people

        people.add_learners(LEARNERS)
        targets, environ = people.find_targets(SITE_PORT)
        children.append(
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "--workers",
                    "3",
                    "--bind",
                    f"127.0.0.1:{YARD_PORT}",
                    "--log-level",
                    "error",
                    "bench.yardstick:application",
                ],
                cwd=ROOT,
                env={**{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}, **environ},
            )
        )
        wait_for(f"http://127.0.0.1:{YARD_PORT}/")
        report(measure(targets))
    finally:
        for child in reversed(children):
            child.terminate()
        for child in children:
            child.wait(timeout=60)


def measure(targets: list[Any]) -> list[dict[str, Any]]:
    """The medians of all rounds: yardstick, page, yardstick, page …"""
    from bench.measure import Target, run_round

    yardstick = Target(name="yardstick", port=YARD_PORT, path="/", words="<h1>")
    rows = []
    for target in targets:
        yards, pages = [], []
        for _ in range(ROUNDS):
            yards.append(run_round(yardstick, requests=REQUESTS))
            pages.append(run_round(target, requests=REQUESTS))
        p50 = statistics.median(one.p50 for one in pages)
        rps = statistics.median(one.rps for one in pages)
        rows.append(
            {
                "name": target.name,
                "p50_ms": round(p50 * 1000, 2),
                "p95_ms": round(statistics.median(one.p95 for one in pages) * 1000, 2),
                "rps": round(rps, 1),
                "ratio_p50": round(p50 / statistics.median(one.p50 for one in yards), 2),
                "ratio_rps": round(statistics.median(one.rps for one in yards) / rps, 2),
                "queries": target.queries,
                "learners": LEARNERS,
            }
        )
        print(f"  {target.name} done", flush=True)
    return rows


def report(rows: list[dict[str, Any]]) -> None:
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "bench.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    heads = ("p50 ms", "p95 ms", "a second", "× yardstick", "× throughput", "queries")
    print(f"{'':16}" + "".join(f"{head:>14}" for head in heads))
    for row in rows:
        values = (row[name] for name in ("p50_ms", "p95_ms", "rps", "ratio_p50", "ratio_rps", "queries"))
        print(f"{row['name']:16}" + "".join(f"{value:>14}" for value in values))


if __name__ == "__main__":
    main()
