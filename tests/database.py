"""The test database: migrated once into a template, then copied.

A copy takes a second or two. So each process of a parallel run has its own database, a run whose migrations are those
of the last run migrates nothing, and after a test that commits (a browser test) the database is as it was copied; a
flush would also take away what migrations made: the root page, the languages, the groups.

A second template, the seeded one, also holds the site's first pages, the content packs and the demo. Loading them
takes more than a minute, so it happens once for all processes, and again only where code or content has changed.
A copy is a thousand files, so a process keeps one of each template and puts back what a test changed instead: the rows
that differ, and the sequences. Where a test left other tables, triggers or rights than it found, it copies anew.

`python -m tests.database` makes both before a test asks for them: beside `make check`, or while other tests run.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from config.postgres import SUPERUSER

BUILDING_LOCK = 7_310_552
SEEDING_LOCK = 7_310_553


@contextmanager
def connect_to_server() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server that stands in no test database."""
    parts = {**settings.DATABASES["default"], **connection.settings_dict}
    with psycopg.connect(
        host=parts["HOST"],
        port=parts["PORT"] or None,
        user=parts["USER"],
        password=parts["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    ) as link:
        yield link


def describe_schema() -> str:
    """A digest of everything that decides what a migrated database looks like, or the one that is given.

    `tests.mutants` gives that of the tree without a fault: most faults change no table, and each would migrate anew.
    """
    if given := os.environ.get("TEST_SCHEMA"):
        return given
    digest = hashlib.sha256()
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for path in sorted(Path(config.path, "migrations").glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    ours = ("core/ledger.py", "config/settings.py", "tests/settings.py", "tests/database.py")
    for path in (Path(settings.BASE_DIR, name) for name in ours):
        digest.update(path.read_bytes())
    for name in sorted(f"{item.name}=={item.version}" for item in distributions()):
        digest.update(name.encode())
    return digest.hexdigest()[:16]


@cache
def build_template() -> str:
    """The name of a migrated database, made now where none is there; the same for the whole run of this process."""
    name = f"template_{describe_schema()}"
    with connect_to_server() as link:
        link.execute("SELECT pg_advisory_lock(%s)", [BUILDING_LOCK])
        known = list_databases(link)
        if name in known:
            return name
        for old in known:
            if old.startswith(("template_", "building_")):
                drop_database(link, old)
        building = name.replace("template_", "building_")
        link.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(building)))
        point_to(building)
        call_command("migrate", interactive=False, verbosity=0)
        finish_template(link, building=building, name=name)
    return name


def describe_seed() -> str:
    """A digest of everything that decides what the seeded site looks like."""
    digest = hashlib.sha256(describe_schema().encode())
    for floor in settings.FLOORS:
        for path in sorted(Path(settings.BASE_DIR, floor).rglob("*")):
            if path.is_file() and path.suffix not in {".pyc", ".pyo"}:
                digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def build_seeded_template(*, template: str) -> str:
    """The name of a database with the first pages, the packs and the demo, made now where none is there.

    The files that loading writes are kept beside it, for `copy_seeded_files`.
    """
    name = f"seeded_{describe_seed()}"
    ordinary = connection.settings_dict["NAME"]
    with connect_to_server() as link:
        link.execute("SELECT pg_advisory_lock(%s)", [SEEDING_LOCK])
        known = list_databases(link)
        if name in known and seeded_files(name).is_dir():
            return name
        for old in known:
            if old.startswith(("seeded_", "seeding_")):
                drop_database(link, old)
                shutil.rmtree(seeded_files(old), ignore_errors=True)
        building = name.replace("seeded_", "seeding_")
        try:
            copy_template(template=template, name=building)
            for command in ("setup_site", "load_content", "load_demo"):
                call_command(command, stdout=io.StringIO(), stderr=io.StringIO())
            run_tasks()
            keep = seeded_files(name)
            for part in ("media", "private"):
                shutil.copytree(_files_of(part), keep / part, dirs_exist_ok=True)
            finish_template(link, building=building, name=name)
        finally:
            point_to(ordinary)
    return name


def seeded_files(name: str) -> Path:
    """Where the files of a seeded template are kept."""
    return Path(settings.DATA_DIR, "seeded", name)


def _files_of(part: str) -> Path:
    alias = {"media": "default", "private": "private"}[part]
    folder = Path(settings.STORAGES[alias]["OPTIONS"]["location"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def copy_seeded_files(name: str) -> None:
    """Put the files of a seeded template where this process looks for them."""
    for part in ("media", "private"):
        shutil.copytree(seeded_files(name) / part, _files_of(part), dirs_exist_ok=True)


def run_tasks() -> None:
    """Do everything that waits in the queue, as a worker would; a task of ours that fails fails the test.

    In a thread of its own: in that of a browser test an event loop runs already, and signing needs one for itself.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(_run_tasks).result()


def _run_tasks() -> None:
    from django_tasks_db.management.commands.db_worker import Worker
    from django_tasks_db.models import DBTaskResult

    try:
        Worker(
            queue_names=["*"],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id="tests",
            excluded_queue_names=[],
        ).run()
        # Wagtail's index of references fails over rows made and taken away in one load; the next save mends it.
        ours = DBTaskResult.objects.failed().exclude(task_path__startswith="wagtail.")
        failed = [f"{result.task_path}:\n{result.traceback}" for result in ours]
    finally:
        connection.close()
    assert not failed, "\n".join(failed)


def list_databases(link: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in link.execute("SELECT datname FROM pg_database")]


def finish_template(link: psycopg.Connection[Any], *, building: str, name: str) -> None:
    """Give a template its name, now that it is whole."""
    connection.close()
    link.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name))
    )


def drop_database(link: psycopg.Connection[Any], name: str) -> None:
    """Drop it, whoever is connected to it.

    On the embedded server as its superuser: a connection of the superuser's that has just been closed may still be
    there, and nobody else may end it.
    """
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    if settings.EMBEDDED_POSTGRES is None:
        link.execute(statement)
        return
    folder = str(settings.EMBEDDED_POSTGRES.socket_folder)
    with psycopg.connect(host=folder, user=SUPERUSER, dbname="postgres", autocommit=True) as mighty:
        mighty.execute(statement)


def use_copy(template: str) -> None:
    """Make Django use this process's own copy of a template, in which nothing has happened yet."""
    name = f"{choose_name()}_{template.partition('_')[0]}"
    connection.close()
    before = _contents.get(name)
    if before is not None and before.template == template and put_back(before, name=name):
        point_to(name)
        return
    _contents.pop(name, None)
    copy_template(template=template, name=name)
    # Only where a superuser may come in can rows be put back past the triggers that keep ledgers.
    if settings.EMBEDDED_POSTGRES is not None:
        with _connect_as_superuser(name) as link:
            _contents[name] = Contents(
                template,
                _read_schema(link),
                _read_definitions(link),
                _read_rows(link),
                _read_sequences(link),
            )


def drop_copies() -> None:
    """Drop what this process copied."""
    with connect_to_server() as link:
        for name in list_databases(link):
            if name.startswith(f"{choose_name()}_"):
                drop_database(link, name)


def copy_template(*, template: str, name: str) -> None:
    """A fresh copy under ``name``, in place of what was there."""
    connection.close()
    with connect_to_server() as link:
        drop_database(link, name)
        link.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    point_to(name)


@dataclass(slots=True)
class Contents:
    """What stands in a fresh copy of a template: rows by table, as COPY writes them, and where sequences are."""

    template: str
    schema: tuple[Any, ...]
    definitions: tuple[Any, ...]
    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]


_contents: dict[str, Contents] = {}


def put_back(before: Contents, *, name: str) -> bool:
    """Make the rows and sequences of a database what they were; False where its tables are others now."""
    with _connect_as_superuser(name) as link:
        _send_others_away(link)
        schema = _read_schema(link)
        if schema != before.schema:
            # A restored backup makes constraints anew that are the same.
            if _read_definitions(link) != before.definitions:
                return False
            before.schema = schema
        link.execute("SET LOCAL session_replication_role = replica")
        now = _read_rows(link)
        for table in sorted({*now, *before.rows}):
            rows = before.rows.get(table, b"")
            if now.get(table, b"") != rows:
                link.execute(f"DELETE FROM {table}".encode())
                with link.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    copy.write(rows)
        for sequence, (value, called) in _read_sequences(link).items():
            if before.sequences[sequence] != (value, called):
                link.execute("SELECT setval(%s::regclass, %s, %s)", [sequence, *before.sequences[sequence]])
    return True


@contextmanager
def _connect_as_superuser(name: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database of the embedded server; one transaction."""
    assert settings.EMBEDDED_POSTGRES is not None
    folder = str(settings.EMBEDDED_POSTGRES.socket_folder)
    with psycopg.connect(host=folder, user=SUPERUSER, dbname=name) as link:
        yield link


def _send_others_away(link: psycopg.Connection[Any]) -> None:
    """End every other connection to this database, as dropping it by force would, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while link.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}".encode()).fetchall():
        link.commit()
    link.commit()


def _read_digests(link: psycopg.Connection[Any], statement: LiteralString) -> tuple[Any, ...]:
    found = link.execute(statement).fetchone()
    assert found is not None
    return tuple(found)


def _read_schema(link: psycopg.Connection[Any]) -> tuple[Any, ...]:
    """What changes where tables, triggers, functions or rights do."""
    return _read_digests(
        link,
        "SELECT (SELECT md5(string_agg(concat_ws(' ', oid, relname, relacl), ',' ORDER BY oid))"
        " FROM pg_class WHERE relnamespace = 'public'::regnamespace),"
        " (SELECT md5(string_agg(concat_ws(' ', oid, attname, atttypid, attnotnull, attacl), ',' ORDER BY oid, attnum))"
        " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace),"
        " (SELECT md5(string_agg(concat_ws(' ', oid, tgenabled), ',' ORDER BY oid)) FROM pg_trigger),"
        " (SELECT md5(string_agg(concat_ws(' ', oid, convalidated), ',' ORDER BY oid)) FROM pg_constraint),"
        " (SELECT md5(string_agg(concat_ws(' ', oid, prosrc), ',' ORDER BY oid))"
        " FROM pg_proc WHERE pronamespace = 'public'::regnamespace)",
    )


def _read_definitions(link: psycopg.Connection[Any]) -> tuple[Any, ...]:
    """The same by what things are and not by which: takes longer."""
    return _read_digests(
        link,
        "SELECT (SELECT md5(string_agg(concat_ws(' ', relname, relkind, relacl), ',' ORDER BY relname))"
        " FROM pg_class WHERE relnamespace = 'public'::regnamespace),"
        " (SELECT md5(string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull, attacl), ','"
        " ORDER BY attrelid::regclass::text, attnum))"
        " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace),"
        " (SELECT md5(string_agg(indexdef, ',' ORDER BY indexdef)) FROM pg_indexes WHERE schemaname = 'public'),"
        " (SELECT md5(string_agg(concat_ws(' ', tgrelid::regclass, tgfoid::regproc, tgtype, tgenabled,"
        " CASE WHEN NOT tgisinternal THEN pg_get_triggerdef(oid) END), ','"
        " ORDER BY tgrelid::regclass::text, tgfoid::regproc::text, tgtype, tgenabled, tgconstrrelid::regclass::text,"
        " CASE WHEN NOT tgisinternal THEN tgname END)) FROM pg_trigger),"
        " (SELECT md5(string_agg(concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid),"
        " convalidated), ',' ORDER BY conrelid::regclass::text, conname))"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace),"
        " (SELECT md5(string_agg(concat_ws(' ', proname, prosrc), ',' ORDER BY proname, prosrc))"
        " FROM pg_proc WHERE pronamespace = 'public'::regnamespace)",
    )


def _read_rows(link: psycopg.Connection[Any]) -> dict[str, bytes]:
    """The rows of every table that was ever written to."""
    tables = link.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND pg_relation_size(oid) > 0"
    ).fetchall()
    rows = {}
    for (table,) in tables:
        with link.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
            rows[table] = b"".join(copy)
    return rows


def _read_sequences(link: psycopg.Connection[Any]) -> dict[str, tuple[int, bool]]:
    """The value of each sequence, and whether it was given out."""
    found = link.execute(
        "SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value), last_value IS NOT NULL"
        " FROM pg_sequences WHERE schemaname = 'public'"
    ).fetchall()
    return {name: (value, called) for name, value, called in found}


def point_to(name: str) -> None:
    """Make Django use the database ``name``."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def choose_name() -> str:
    """What the databases of a process begin with, so that several runs can share a server."""
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"


def main() -> None:
    """Make both templates, or find that they are there."""
    import django
    from django.test.utils import setup_test_environment

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    if settings.EMBEDDED_POSTGRES is not None:
        settings.EMBEDDED_POSTGRES.acquire()
    try:
        django.setup()
        setup_test_environment()
        build_seeded_template(template=build_template())
    finally:
        if settings.EMBEDDED_POSTGRES is not None:
            settings.EMBEDDED_POSTGRES.release()


if __name__ == "__main__":
    main()
