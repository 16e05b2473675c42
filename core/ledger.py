"""Ledgers in the database: tables whose rows are never changed nor deleted.

Three guards, from the inside out: `core.models.LedgerModel` refuses in Python, a row trigger refuses in SQL, and the
application's role lacks the right. There is no ``TRUNCATE`` trigger, because a test flush truncates.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from psycopg import sql

FUNCTION: Final = "core_refuse_ledger_change"
TRIGGER: Final = "core_append_only"
FROZEN_TRIGGER: Final = "core_frozen"

# 23001 is restrict_violation, which Django raises as IntegrityError.
CREATE_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger % is only ever added to: its rows are neither changed nor deleted. '
                    'Record a new entry that says what is so now.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$
"""


class AppendOnly(Operation):
    """A migration operation that makes a table a ledger: ``AppendOnly("lms_learningevent")``.

    The trigger is also the register of ledgers: `find_ledgers` lists the tables that have it.
    """

    reversible = True
    reduces_to_sql = True
    atomic = True

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.table], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing in Django's picture of the models changes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        quoted = schema_editor.quote_name(self.table)
        schema_editor.execute(CREATE_FUNCTION, params=None)
        schema_editor.execute(
            f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OR DELETE ON {quoted} "
            f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()",
            params=None,
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        quoted = schema_editor.quote_name(self.table)
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {TRIGGER} ON {quoted}", params=None)

    def describe(self) -> str:
        return f"Refuse changes and deletions in the ledger {self.table}"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.table}_append_only"


class Frozen(AppendOnly):
    """A migration operation that freezes all columns of a table but some: ``Frozen("t", changing=["status"])``.

    For a row that is immutable save for what becomes of it. It is not deleted either.
    """

    def __init__(self, table: str, changing: list[str]) -> None:
        super().__init__(table)
        self.changing = changing

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.table, self.changing], {}

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        quoted = schema_editor.quote_name(self.table)
        changing = ", ".join(schema_editor.quote_value(column) for column in self.changing)
        schema_editor.execute(CREATE_FUNCTION, params=None)
        schema_editor.execute(
            f"CREATE TRIGGER {FROZEN_TRIGGER} BEFORE UPDATE ON {quoted} FOR EACH ROW "
            f"WHEN ((to_jsonb(NEW) - ARRAY[{changing}]) IS DISTINCT FROM (to_jsonb(OLD) - ARRAY[{changing}])) "
            f"EXECUTE FUNCTION {FUNCTION}()",
            params=None,
        )
        schema_editor.execute(
            f"CREATE TRIGGER {FROZEN_TRIGGER}_delete BEFORE DELETE ON {quoted} "
            f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()",
            params=None,
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        quoted = schema_editor.quote_name(self.table)
        for trigger in (FROZEN_TRIGGER, f"{FROZEN_TRIGGER}_delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger} ON {quoted}", params=None)

    def describe(self) -> str:
        return f"Freeze {self.table} but for {', '.join(self.changing)}"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.table}_frozen"


def find_ledgers(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables that have the trigger, sorted. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = %s AND pg_table_is_visible(c.oid) ORDER BY c.relname",
            [TRIGGER],
        )
        return [row[0] for row in cursor.fetchall()]


def find_frozen(connection: BaseDatabaseWrapper) -> dict[str, list[str]]:
    """The tables that are frozen, each with the columns that may change, as their triggers say. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = %s AND pg_table_is_visible(c.oid) ORDER BY c.relname",
            [FROZEN_TRIGGER],
        )
        rows = cursor.fetchall()
    found = {}
    for table, definition in rows:
        (changing, *_same) = re.findall(r"ARRAY\[(.*?)\]", definition)
        found[table] = re.findall(r"'(\w+)'", changing)
    return found


def grant_app_role(connection: BaseDatabaseWrapper, *, role: str) -> list[str]:
    """Give the application's role what serving needs, and no more; returns the ledgers.

    It reads and writes rows, but makes no tables, adds to ledgers only, changes of a frozen row what may change, and
    does not touch Django's own record of migrations. Safe to run again; run by the owner of the tables.
    """
    ledgers = find_ledgers(connection)
    name = sql.Identifier(role)
    statements = [
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(name),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
    ]
    statements += [
        sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name)
        for table in ledgers
    ]
    for table, changing in find_frozen(connection).items():
        where, columns = sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, changing))
        statements += [
            sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(where, name),
            sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(columns, where, name),
        ]
    if "django_migrations" in connection.introspection.table_names():
        statements.append(
            sql.SQL("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM {}").format(name)
        )
    with connection.cursor() as cursor:
        for statement in statements:
            # The owner of a schema that others made cannot revoke there; PostgreSQL warns and goes on.
            cursor.execute(statement.as_string(cursor.connection))
    return ledgers


def finish_migration(*, using: str, **kwargs: Any) -> None:
    """After the last app's migrations: the shared cache's table, then the rights of the application's role."""
    call_command("createcachetable", database=using, verbosity=0)
    if settings.DATABASE_APP_ROLE:
        grant_app_role(connections[using], role=settings.DATABASE_APP_ROLE)
