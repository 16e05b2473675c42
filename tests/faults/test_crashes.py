"""Processes killed, connections cut, the database stopped, under a load: nothing that was acknowledged is lost.

A minute in `make test`; `make soak` goes on for ten (`SOAK_SECONDS`).
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import Crowd, Person
from tests.faults.site import Site, wait_for

SOAK_SECONDS = int(os.environ.get("SOAK_SECONDS", "0"))
LEARNERS = 6 + SOAK_SECONDS // 4


def say(sentence: str) -> None:
    if SOAK_SECONDS:
        print(f"  {time.strftime('%H:%M:%S')} {sentence}", flush=True)


def kill_web(site: Site, crowd: Crowd) -> None:
    """Every web process at once."""
    say("The web processes are killed.")
    assert site.kill_web() >= 2
    wait_for("The return of the site", site.is_alive)


def cut_connections(site: Site, crowd: Crowd) -> None:
    """Every connection to the database, three times in a row."""
    say("Connections are cut.")
    for _ in range(3):
        site.cut_connections()
        time.sleep(0.2)


def stop_database(site: Site, crowd: Crowd) -> None:
    """The database stops as in a crash; people get a calm page meanwhile, in their language."""
    say("The database is stopped.")
    person: Person = crowd._writers[0]
    with site.database_away():
        for language, sentence in (("en", "tries again by itself"), ("fr", "réessaie d’elle-même")):
            status, headers, body = person.send(f"/{language}/learn/{person.enrolment}/")
            assert status == 503, body[:500]
            assert headers["retry-after"] == "5"
            assert sentence in body
            assert 'http-equiv="refresh"' in body
        assert site.is_alive()
    started = time.monotonic()
    site.wait_for_database()
    wait_for(
        "A page after the database came back",
        lambda: person.send(f"/en/learn/{person.enrolment}/")[0] == 200,
        seconds=15,
    )
    say(f"It came back, and a page {time.monotonic() - started:.1f} s after.")


def kill_worker(site: Site, crowd: Crowd) -> None:
    """The background worker, in the middle of a task where there is one."""
    busy = site.kill_worker(seconds=5)
    say(f"The worker is killed{' in the middle of a task' if busy else ''}.")


FAULTS: tuple[Callable[[Site, Crowd], None], ...] = (kill_worker, cut_connections, stop_database, kill_web)


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with django_db_blocker.unblock(), Site(tmp_path_factory.mktemp("site"), learners=LEARNERS) as site:
        yield site


def test_nothing_acknowledged_is_lost(site: Site, tmp_path: Path) -> None:
    until = time.monotonic() + SOAK_SECONDS
    with Crowd(port=site.port, cast=site.cast, pause=1.0 if not SOAK_SECONDS else 6.0) as crowd:
        wait_for("The first learner", lambda: crowd.notes.finished or crowd.failed)
        for fault in FAULTS:
            fault(site, crowd)
        stops: list[float] = []
        while time.monotonic() < until and not crowd.failed:
            fault = random.choice(FAULTS)
            # A database that ends five times within a minute stops the site, as it is meant to.
            if fault is stop_database:
                stops = [at for at in stops if time.monotonic() - at < 60]
                if len(stops) >= 3:
                    continue
                stops.append(time.monotonic())
            fault(site, crowd)
            time.sleep(random.uniform(1, 8))
    notes = crowd.notes
    log = site.log.read_text()
    assert not crowd.failed, (crowd.failed, log[-3000:])
    assert not notes.wrong, notes.wrong[:5]
    assert notes.finished
    site.wait_for_database()
    site.wait_for_queue(seconds=120 + SOAK_SECONDS)
    say(
        f"{notes.acknowledged} requests acknowledged, {notes.calm} calm refusals, {notes.broken_lines} broken lines, "
        f"{len(notes.finished)} courses finished."
    )

    found = json.loads(site.run("-m", "tests.faults.check_site", given=json.dumps(notes.to_json())))
    assert not found, (found[:10], log[-3000:])
    assert "is stopped" not in log
