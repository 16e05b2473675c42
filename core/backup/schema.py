"""The state of the tables: which migrations made them, and how tables of an earlier state are made again."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.backup.database import cache_tables, describe_tables, execute, our_tables, quote
from core.backup.errors import BackupRefused

State = frozenset[tuple[str, str]]


def read_state() -> State:
    """The migrations that made this database's tables; none where there are no tables. Two queries."""
    return frozenset(MigrationRecorder(connection).applied_migrations())


@cache
def load_migrations() -> MigrationLoader:
    """The migrations that this software has, whatever the database has. Not to be altered."""
    # The loader's type says a connection; without one it looks at no database.
    return MigrationLoader(None)


def find_unknown(state: State) -> list[str]:
    """Migrations that this software does not have: they are of a later one, or of a part that is gone."""
    loader = load_migrations()
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    return sorted(f"{app}.{name}" for app, name in state - known)


def count_waiting(state: State) -> int:
    """How many migrations of this software the database does not have yet."""
    return len(set(load_migrations().graph.nodes) - _nodes_of(state))


def _nodes_of(state: State) -> set[tuple[str, str]]:
    """The nodes of the graph that a state has come through; a squashed migration counts for those it replaces."""
    return {
        key
        for key, migration in load_migrations().graph.nodes.items()
        if key in state or (migration.replaces and set(migration.replaces) <= state)
    }


def is_same_state(one: State, other: State) -> bool:
    """Whether two records of migrations made the same tables; a squashed migration is as good as its parts."""
    return (
        bool(one) == bool(other)
        and _nodes_of(one) == _nodes_of(other)
        and find_unknown(one) == find_unknown(other)
    )


def refuse_unfinished_state(state: State) -> None:
    """A backup is made by the software that the database belongs to."""
    if unknown := find_unknown(state):
        raise BackupRefused(
            _(
                "The database belongs to a later version of the software (it has the migration %(name)s). Back it up "
                "with that version."
            )
            % {"name": unknown[0]}
        )
    if waiting := count_waiting(state):
        raise BackupRefused(
            ngettext(
                "The database waits for %(count)d migration. Back it up with the version of the software that it "
                "belongs to, or run “manage.py migrate” first.",
                "The database waits for %(count)d migrations. Back it up with the version of the software that it "
                "belongs to, or run “manage.py migrate” first.",
                waiting,
            )
            % {"count": waiting}
        )


def refuse_later_state(state: State) -> None:
    """A backup is restored by the software that made it, or by a later one."""
    if unknown := find_unknown(state):
        raise BackupRefused(
            _(
                "The backup was made by a later version of the software (it has the migration %(name)s). Nothing was "
                "changed. Restore it with that version, or a later one."
            )
            % {"name": unknown[0]}
        )


def make_tables(state: State) -> None:
    """Make the tables of exactly that state, in place of those that are there. Each migration is a transaction.

    Only for a database that holds nothing yet. No news is sent: contents and rights follow with the data.
    """
    drop_tables()
    executor = MigrationExecutor(connection)
    nodes = _nodes_of(state)
    plan: list[tuple[Any, bool]] = [
        (migration, backwards)
        for migration, backwards in executor.migration_plan(
            executor.loader.graph.leaf_nodes(), clean_start=True
        )
        if (migration.app_label, migration.name) in nodes
    ]
    executor.migrate([], plan=plan)


def drop_tables() -> None:
    ours = our_tables() | cache_tables()
    found = [name for name in describe_tables() if name in ours]
    if found:
        execute(f"DROP TABLE {', '.join(map(quote, found))} CASCADE")


def compare_columns(
    wanted: dict[str, tuple[tuple[str, str], ...]], *, left_out: Collection[str]
) -> list[str]:
    """Tables whose columns are not those of a backup, or that only one of both has."""
    ours = our_tables()
    found = {name: set(columns) for name, columns in describe_tables().items() if name in ours}
    names = (set(wanted) | set(found)) - set(left_out)
    return sorted(name for name in names if found.get(name) != set(wanted.get(name, ())))
