"""Filled databases: `bench_<learners>`, made once and kept, and the copy that a run works in."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from bench import people, stage
from config.postgres import APP_ROLE, EmbeddedPostgres

# The site with the learners whom all others are made like.
MODELS: Final = "bench_models"
# Learners of the second offering, who write once each.
WRITERS_SHARES: Final = {"complete_step": people.READY, "submit_attempt": people.ANSWERED}


def describe_base() -> str:
    """What a filled database depends on: the schema, the course's edition, and how learners are made."""
    from django.apps import apps
    from django.db import connection

    from modules.models import CourseEdition

    digest = hashlib.sha256(people.VERSION.encode())
    digest.update(repr(people.MODELS).encode() + repr(people.COPIES).encode())
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        digest.update(repr(cursor.fetchall()).encode())
    digest.update(repr(list(CourseEdition.objects.order_by("pk").values_list("digest", flat=True))).encode())
    digest.update(str(sorted(apps.all_models)).encode())
    return digest.hexdigest()[:16]


def make_filled(
    embedded: EmbeddedPostgres, *, learners: int, writers: int, say: Callable[[str], None]
) -> str:
    """The name of the database with so many learners in the cohort and so many who write, made where it is missing."""
    from lms.roster import fold_backlogs

    stage.point_to(stage.BASE)
    base = describe_base()
    if stage.read_mark(embedded, MODELS) != base:
        stage.point_to("postgres")
        stage.copy(embedded, source=stage.BASE, name=MODELS)
        stage.point_to(MODELS)
        people.make_models(say)
        stage.write_mark(embedded, MODELS, base)
    mark = f"{base} {writers}"
    name = f"bench_{learners}"
    found = stage.read_mark(embedded, name)
    # One with more writers than are needed serves too.
    if found and found.split()[0] == mark.split(maxsplit=1)[0] and int(found.split()[1]) >= writers:
        return name
    started = time.monotonic()
    say(f"Filling a database with {learners:,} learners (kept for the next time) …")
    stage.point_to("postgres")
    stage.copy(embedded, source=MODELS, name=name)
    with stage.connect(embedded, name) as link:
        link.execute("CREATE TABLE bench_note (id bigserial PRIMARY KEY, note text NOT NULL)")
        link.execute(f"GRANT ALL ON bench_note, bench_note_id_seq TO {APP_ROLE}")
        row = link.execute(
            "SELECT count(*) FROM lms_enrolment e JOIN lms_offering o ON o.id = e.offering_id WHERE o.slug = %s",
            [people.COHORT],
        ).fetchone()
        missing = learners - (row[0] if row else 0) - people.FINISHERS
        people.make_copies(link, ["finished-en"] * people.FINISHERS, start=1)
        chosen = people.choose_models(missing)
        number = people.FINISHERS + 1
        for first in range(0, len(chosen), 2500):
            part = chosen[first : first + 2500]
            people.make_copies(link, part, start=number)
            number += len(part)
        for models in WRITERS_SHARES.values():
            part = [models[place % len(models)] for place in range(writers)]
            people.make_copies(link, part, start=number)
            number += len(part)
        # Copying wakes no trigger, so that of the rosters is made up for.
        link.execute(
            "INSERT INTO lms_rostertouch (id, enrolment_id, offering_id)"
            " SELECT gen_random_uuid(), id, offering_id FROM lms_enrolment"
        )
        stage.point_to(name)
        people.finish_copies(range(1, people.FINISHERS + 1))
        # What the worker does while nobody looks at an offering; the bench runs none.
        fold_backlogs()
        link.execute("VACUUM (ANALYZE, FREEZE)")
    stage.point_to(stage.BASE)
    stage.write_mark(embedded, name, mark)
    say(f"  done in {time.monotonic() - started:.0f} s")
    return name


def begin_run(embedded: EmbeddedPostgres, source: str) -> None:
    """A fresh copy of a filled database, in which this process and the servers work."""
    stage.point_to("postgres")
    stage.copy(embedded, source=source, name=stage.RUN)
    stage.point_to(stage.RUN)
