"""The test database: migrated once into a template, then copied.

A copy takes a fraction of a second. So each process of a parallel run has its own database, a run whose migrations are
those of the last run migrates nothing, and a test that commits (a browser test) gets a fresh copy afterwards instead
of a flush, which would also take away what migrations made: the root page, the languages, the groups.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

BUILDING_LOCK = 7_310_552


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
    """A digest of everything that decides what a migrated database looks like."""
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


def build_template() -> str:
    """The name of a migrated database, made now where none is there."""
    name = f"template_{describe_schema()}"
    with connect_to_server() as link:
        link.execute("SELECT pg_advisory_lock(%s)", [BUILDING_LOCK])
        known = [row[0] for row in link.execute("SELECT datname FROM pg_database")]
        if name in known:
            return name
        for old in known:
            if old.startswith(("template_", "building_")):
                drop_database(link, old)
        building = name.replace("template_", "building_")
        link.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(building)))
        point_to(building)
        call_command("migrate", interactive=False, verbosity=0)
        connection.close()
        link.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name))
        )
    return name


def drop_database(link: psycopg.Connection[Any], name: str) -> None:
    link.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


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


def point_to(name: str) -> None:
    """Make Django use the database ``name``."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def choose_name() -> str:
    """One database a process, so that several runs can share a server."""
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
