"""PostgreSQL's side of a backup: rows out of one snapshot by COPY, and into empty tables by COPY.

No program of PostgreSQL's is called: what is read and written is what any server from version 15 on speaks, and the
tables are made by our own migrations. Sequences are set by ``ALTER SEQUENCE``, which a failed transaction undoes;
foreign keys are taken off while rows come in and put on, and so proved, afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from psycopg import sql

from core.backup.archive import CHUNK
from core.backup.errors import BackupRefused
from core.backup.manifest import Column, Sequence, TableData

MIGRATIONS: Final = "django_migrations"
# Who was signed in. A session that was ended since must not come back, so none does: people sign in again.
LEFT_OUT: Final = frozenset({"django_session", "usersessions_usersession"})
# How values are written, whatever the server's or the role's defaults are.
FORMATS: Final = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60s",
    # An error is better than rows that a policy hides.
    "row_security": "off",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the database: its tables with their columns, and where its sequences stand."""

    tables: Mapping[str, tuple[Column, ...]]
    sequences: tuple[Sequence, ...]
    server_version: int


def quote(name: str) -> str:
    return str(connection.ops.quote_name(name))


def fetch(statement: str, parameters: Collection[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)
        return list(cursor.fetchall())


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def server_version() -> int:
    """PostgreSQL's own number: 180004 is 18.4."""
    return int(fetch("SHOW server_version_num")[0][0])


def cache_tables() -> set[str]:
    """Tables that hold nothing but a cache; they are emptied, and never kept."""
    backend = "django.core.cache.backends.db.DatabaseCache"
    return {"core_cache"} | {
        str(cache["LOCATION"]) for cache in settings.CACHES.values() if cache["BACKEND"] == backend
    }


def our_tables() -> set[str]:
    """What the models of this software name, and Django's record of migrations."""
    return {*connection.introspection.django_table_names(include_views=False), MIGRATIONS}


def describe_tables() -> dict[str, tuple[Column, ...]]:
    """Every table of the schema with its columns and types; computed columns apart. One query."""
    found: dict[str, list[Column]] = {}
    for table, column, kind in fetch(
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0
          AND NOT a.attisdropped AND a.attgenerated = ''
        ORDER BY c.relname, a.attnum
        """
    ):
        found.setdefault(table, []).append((column, kind))
    return {table: tuple(columns) for table, columns in found.items()}


def _set_formats() -> None:
    for name, value in FORMATS.items():
        execute(f"SET LOCAL {name} = '{value}'")
    if server_version() >= 170000:
        execute("SET LOCAL transaction_timeout = 0")


# -- Out --------------------------------------------------------------------------------------------------------------


@contextmanager
def hold_snapshot() -> Iterator[Snapshot]:
    """Everything read inside is of one moment, on Django's own connection: by COPY and by the ORM alike.

    The tables are locked against migrations first, since a table that is rewritten would look empty to the snapshot.
    """
    ours = our_tables()
    expected = {table for table in describe_tables() if table in ours}
    refuse_unreadable(expected)
    with transaction.atomic(durable=True):
        execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _set_formats()
        execute(f"LOCK TABLE {', '.join(map(quote, sorted(expected)))} IN ACCESS SHARE MODE")
        tables = {table: columns for table, columns in describe_tables().items() if table in ours}
        if set(tables) != expected:
            raise BackupRefused(
                _(
                    "The tables changed while the backup began: a migration seems to run. Try again when it is done."
                )
            )
        yield Snapshot(tables=tables, sequences=_read_sequences(tables), server_version=server_version())


def refuse_unreadable(tables: Collection[str]) -> None:
    """The role must be able to read every table."""
    hidden = [name for name in sorted(tables) if not _has_right(name, "SELECT")]
    if hidden:
        raise BackupRefused(
            _(
                "The database role “%(role)s” may not read the table %(table)s, so nothing was backed up. Give the "
                "role that owns the tables in DATABASE_OWNER_URL."
            )
            % {"role": current_role(), "table": hidden[0]}
        )


def _has_right(table: str, right: str) -> bool:
    return bool(fetch("SELECT has_table_privilege(%s, %s)", [quote(table), right])[0][0])


def current_role() -> str:
    return str(fetch("SELECT current_user")[0][0])


def _owned_sequences(tables: Collection[str]) -> list[tuple[str, str, str]]:
    """Table, column and sequence, for every column that numbers itself. One query."""
    return [
        (table, column, sequence)
        for table, column, sequence in fetch(
            """
            SELECT t.relname, a.attname, s.relname
            FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
            JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            JOIN pg_class t ON t.oid = d.refobjid
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
            WHERE s.relkind = 'S' AND n.nspname = current_schema()
            ORDER BY t.relname, a.attname
            """
        )
        if table in tables
    ]


def _read_sequences(tables: Collection[str]) -> tuple[Sequence, ...]:
    """Sequences do not keep to snapshots: what is read is later, and so safe. One query each."""
    found = []
    for table, column, sequence in _owned_sequences(tables):
        last, is_called = fetch(f"SELECT last_value, is_called FROM {quote(sequence)}")[0]  # noqa: S608
        found.append(Sequence(table=table, column=column, next_value=last + is_called))
    return tuple(found)


def copy_out(table: str, columns: Iterable[Column]) -> Iterator[bytes]:
    """The rows of a table in COPY's text format, in chunks of about a megabyte; a row is a line."""
    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(*_name_columns(table, columns))
    kept: list[bytes] = []
    length = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:
            kept.append(bytes(row))
            length += len(row)
            if length >= CHUNK:
                yield b"".join(kept)
                kept, length = [], 0
    yield b"".join(kept)


def _name_columns(table: str, columns: Iterable[Column]) -> tuple[sql.Identifier, sql.Composed]:
    return sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(name) for name, _kind in columns)


# -- In ---------------------------------------------------------------------------------------------------------------


def refuse_without_ownership() -> None:
    """Who restores must own the tables, and be able to make some where there are none."""
    (may_create, foreign, encoding) = fetch(
        """
        SELECT has_schema_privilege(current_schema(), 'CREATE'),
               (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname = ANY(%s)
                  AND NOT pg_has_role(c.relowner, 'USAGE')),
               current_setting('server_encoding')
        """,
        [sorted(our_tables())],
    )[0]
    if not may_create or foreign:
        raise BackupRefused(
            _(
                "The database role “%(role)s” does not own the tables, so it cannot restore. Nothing was changed. "
                "Give the address of the owner in DATABASE_OWNER_URL (and do not set DATABASE_ROLE)."
            )
            % {"role": current_role()}
        )
    if encoding != "UTF8":
        raise BackupRefused(
            _(
                "The database keeps its texts as %(encoding)s, and must keep them as UTF8. Nothing was changed."
            )
            % {"encoding": encoding}
        )


def count_others(roles: Collection[str]) -> int:
    """Connections to this database by these roles, other than ours: web and worker processes. One query."""
    return int(
        fetch(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND usename = ANY(%s)",
            [list(roles)],
        )[0][0]
    )


def find_filled(tables: Collection[str]) -> list[str]:
    """Those of the tables that have a row. One query."""
    names = sorted(tables)
    if not names:
        return []
    parts = [f"SELECT %s WHERE EXISTS (SELECT FROM {quote(name)})" for name in names]  # noqa: S608
    return sorted(row[0] for row in fetch(" UNION ALL ".join(parts), names))


@contextmanager
def take_off_foreign_keys(tables: Collection[str]) -> Iterator[None]:
    """Without foreign keys inside; afterwards they are put on again, and every row is proved.

    Triggers rest meanwhile: what comes in is no news, and rows that they added once are in the backup too.
    """
    keys = [
        (table, name, definition)
        for table, name, definition in fetch(
            "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k "
            "JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE k.contype = 'f' AND n.nspname = current_schema() ORDER BY 1, 2"
        )
        if table in tables
    ]
    for table, name, _definition in keys:
        execute(f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(name)}")
    for table in sorted(tables):
        execute(f"ALTER TABLE {quote(table)} DISABLE TRIGGER USER")
    yield
    for table in sorted(tables):
        execute(f"ALTER TABLE {quote(table)} ENABLE TRIGGER USER")
    for table, name, definition in keys:
        execute(f"ALTER TABLE {quote(table)} ADD CONSTRAINT {quote(name)} {definition}")


def prepare_loading() -> None:
    """Inside the transaction of a restore."""
    _set_formats()


def empty_tables(tables: Collection[str]) -> None:
    execute(f"TRUNCATE {', '.join(map(quote, sorted(tables)))}")


def copy_in(data: TableData, chunks: Iterable[bytes]) -> None:
    """Put the rows into an empty table; raises BackupRefused where their number is not the one promised."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(*_name_columns(data.table, data.columns))
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for chunk in chunks:
                copy.write(chunk)
        if cursor.rowcount != data.rows:
            raise BackupRefused(
                _("The table %(table)s took %(found)d rows instead of %(promised)d. Nothing was changed.")
                % {"table": data.table, "found": cursor.rowcount, "promised": data.rows}
            )


def set_sequences(sequences: Iterable[Sequence], *, tables: Collection[str]) -> None:
    """Let numbers go on where they stood, and in any case behind the greatest there is."""
    promised = {(row.table, row.column): row.next_value for row in sequences}
    for table, column, name in _owned_sequences(tables):
        greatest = fetch(f"SELECT max({quote(column)}) FROM {quote(table)}")[0][0] or 0  # noqa: S608
        next_value = max(promised.get((table, column), 1), greatest + 1)
        execute(f"ALTER SEQUENCE {quote(name)} RESTART WITH {int(next_value)}")


def analyze(tables: Iterable[str]) -> None:
    """Let the planner know what came in."""
    execute(f"ANALYZE {', '.join(map(quote, sorted(tables)))}")


# -- Which restore this database is of -------------------------------------------------------------------------------


def mark_restored(mark: str) -> None:
    """Write down, in the transaction that restores, which restore it is: a comment on Django's migrations."""
    statement = sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(MIGRATIONS), sql.Literal(mark))
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.connection))


def read_mark() -> str:
    """The mark of the last restore, empty where there was none."""
    rows = fetch(
        "SELECT obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = current_schema() AND c.relname = %s",
        [MIGRATIONS],
    )
    return str(rows[0][0] or "") if rows else ""
