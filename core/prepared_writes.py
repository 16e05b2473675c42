"""Writes whose SQL is made once a process, and several of them in one round trip.

What `core.prepared` is for reading: Django compiles an INSERT or an UPDATE anew each time, which costs more than
running it. The columns, and how values are adapted to them, come from the model; a change of the model changes them
with it. Only what every saved answer passes through is written this way. docs/performance.md says what it saves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from django.db import connection, models
from django.db.models import AutoField, BigAutoField, Field
from django.db.transaction import TransactionManagementError

from core.prepared import PreparedQuery, _Compiled

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Statement:
    """SQL with its values, to be run alone or together with others."""

    sql: str
    values: tuple[Any, ...]

    def run(self) -> list[Any]:
        """Run it; the rows it returns. One query."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            return cursor.fetchall() if cursor.description else []


def run_together(statements: Iterable[Statement | None]) -> None:
    """Run statements in their order, in one round trip, in the transaction that is open. Where one fails, all do.

    The values are put into the text by the client (psycopg's `ClientCursor`, Django's default), so that the server can
    be sent several statements at once; where an operator has them bound by the server, each is sent alone.
    """
    several = [one for one in statements if one is not None]
    if not several:
        return
    require_transaction()
    if connection.features.uses_server_side_binding:
        for one in several:
            one.run()
        return
    with connection.cursor() as cursor:
        sql = ";\n".join(one.sql for one in several)
        cursor.execute(sql, [value for one in several for value in one.values])


def require_transaction() -> None:
    """What is locked, or half of several writes, is worth nothing outside of a transaction."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("This has to be done in a transaction.")


def _quote(*names: str) -> str:
    return ", ".join(map(connection.ops.quote_name, names))


def _prepare(fields: Sequence[Field[Any, Any]], row: models.Model) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]


class PreparedInsert(Generic[M]):
    """`bulk_create` of a model without signals, its SQL made once.

    With `ignore_conflicts` a row that breaks a unique constraint is passed over; with `unique` and `update` (names of
    fields) the row that is there gets the new values instead; else it is an error.
    """

    def __init__(
        self,
        model: type[M],
        *,
        ignore_conflicts: bool = False,
        unique: Sequence[str] = (),
        update: Sequence[str] = (),
    ) -> None:
        self.model = model
        self.ignore_conflicts = ignore_conflicts
        self.unique = tuple(unique)
        self.update = tuple(update)

    @cached_property
    def _fields(self) -> list[Field[Any, Any]]:
        made = (AutoField, BigAutoField)
        return [field for field in self.model._meta.concrete_fields if not isinstance(field, made)]

    def _columns(self, names: Iterable[str]) -> list[str]:
        return [cast(str, self.model._meta.get_field(name).column) for name in names]

    @cached_property
    def _head(self) -> str:
        columns = _quote(*(cast(str, field.column) for field in self._fields))
        return f"INSERT INTO {_quote(self.model._meta.db_table)} ({columns}) VALUES "  # noqa: S608

    @cached_property
    def _row(self) -> str:
        return f"({', '.join(['%s'] * len(self._fields))})"

    @cached_property
    def _tail(self) -> str:
        if not self.unique:
            return " ON CONFLICT DO NOTHING" if self.ignore_conflicts else ""
        new = ", ".join(f"{name} = EXCLUDED.{name}" for name in map(_quote, self._columns(self.update)))
        return f" ON CONFLICT ({_quote(*self._columns(self.unique))}) DO UPDATE SET {new}"

    @cached_property
    def _returning(self) -> str:
        return f" RETURNING {_quote(cast(str, self.model._meta.pk.column))}"

    def statement(self, rows: Sequence[M], *, returning: bool = False) -> Statement | None:
        """What inserts these rows, to be run together with other things; nothing where there are none."""
        if not rows:
            return None
        sql = self._head + ", ".join([self._row] * len(rows)) + self._tail
        values = tuple(value for row in rows for value in _prepare(self._fields, row))
        return Statement(sql + self._returning if returning else sql, values)

    def insert(self, row: M) -> bool:
        """Insert one row, its new key set on it; False where a unique constraint keeps it out. One query."""
        statement = self.statement([row], returning=True)
        found = statement.run() if statement else []
        if not found:
            return False
        row.pk = found[0][0]
        row._state.adding = False
        row._state.db = connection.alias
        return True


class PreparedUpdate(Generic[M]):
    """`save(update_fields=…)` of a model without signals, its SQL made once."""

    def __init__(self, model: type[M], fields: Sequence[str]) -> None:
        self.model = model
        self.names = tuple(fields)

    @cached_property
    def _fields(self) -> list[Field[Any, Any]]:
        return [cast("Field[Any, Any]", self.model._meta.get_field(name)) for name in self.names]

    @cached_property
    def _sql(self) -> str:
        columns = ", ".join(f"{_quote(cast(str, field.column))} = %s" for field in self._fields)
        table, key = self.model._meta.db_table, cast(str, self.model._meta.pk.column)
        return f"UPDATE {_quote(table)} SET {columns} WHERE {_quote(key)} = %s"  # noqa: S608

    def statement(self, row: M) -> Statement:
        """What writes these columns of a row that is there."""
        return Statement(self._sql, (*_prepare(self._fields, row), row.pk))


class PreparedLock(PreparedQuery[M]):
    """A `PreparedQuery` that locks what it reads until the transaction ends: its own rows, and those of `also`.

    `FOR NO KEY UPDATE`: two that change a row wait for each other; who only refers to it by a foreign key does not
    wait. `also` names related models whose rows are locked with it.
    """

    def __init__(self, *args: Any, also: Sequence[type[models.Model]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._also = tuple(also)
        # Apart from what reads without a lock, so that no thread ever runs that one.
        self._locking: _Compiled | None = None

    def objects(self, **given: object) -> list[M]:
        """The rows as objects, locked. One query."""
        require_transaction()
        compiled = self._locking or self._compile_lock()
        return [self._make(row) for row in self._run(compiled, given)]

    def _compile_lock(self) -> _Compiled:
        compiled = self._compile()
        tables = (self._build().model, *self._also)
        locked = _quote(*(model._meta.db_table for model in tables))
        self._locking = replace(compiled, sql=f"{compiled.sql} FOR NO KEY UPDATE OF {locked}")
        return self._locking
