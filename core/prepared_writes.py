"""Writes whose SQL is made once a process, and several of them in one round trip.

What `core.prepared` is for reading: Django compiles an INSERT or an UPDATE anew each time, which costs more than
running it. The columns, and how values are adapted to them, come from the model; a change of the model changes them
with it. Only what every saved answer passes through is written this way. docs/performance.md says what it saves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import AutoField, BigAutoField, Field
from django.db.transaction import TransactionManagementError

from core.prepared import Plan, PreparedQuery, fetch_together

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Statement:
    """SQL with its values, to be run alone or together with others."""

    sql: str
    values: tuple[Any, ...]

    def run(self) -> list[Any]:
        """Run it; the rows it returns. One query."""
        return fetch_all([self])[0]


def run_together(statements: Sequence[Statement]) -> None:
    """Run statements in their order, in one round trip, in the transaction that is open. Where one fails, all do."""
    if statements:
        require_transaction()
        fetch_all(statements)


def run_with_next(statements: Sequence[Statement]) -> None:
    """Run statements with whatever comes next in the transaction that is open, at the latest with its COMMIT: for what
    nobody reads back and no constraint is expected to refuse, it spares a round trip. Where one fails, so does that.
    """
    require_transaction()
    link: Any = connections[DEFAULT_DB_ALIAS]
    if link.queries_logged or link.execute_wrappers:
        fetch_all(statements)
    else:
        link.line.held += [(one.sql, one.values) for one in statements]


def fetch_all(statements: Sequence[Statement]) -> list[list[Any]]:
    """The rows that each statement returns. One round trip."""
    return fetch_together([(one.sql, one.values) for one in statements])


def require_transaction() -> None:
    """What is locked, or half of several writes, is worth nothing outside of a transaction."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("This has to be done in a transaction.")


def _quote(*names: str) -> str:
    return ", ".join(map(connection.ops.quote_name, names))


# What psycopg adapts as it is. Everything else goes the way of its field.
_NATIVE: Final[dict[type, type]] = {
    models.UUIDField: UUID,
    models.DateTimeField: datetime,
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.PositiveIntegerField: int,
}


def _with_native(fields: Iterable[Field[Any, Any]]) -> list[tuple[str, type | None, Field[Any, Any]]]:
    """Fields by the name of their value, with the type that needs no adapting."""
    return [
        (field.attname, _NATIVE.get(type(getattr(field, "target_field", field))), field) for field in fields
    ]


def _prepare(fields: Iterable[tuple[str, type | None, Field[Any, Any]]], row: models.Model) -> list[Any]:
    values = []
    for name, native, field in fields:
        value = getattr(row, name)
        adapted = native is not None and (value is None or type(value) is native)
        values.append(value if adapted else field.get_db_prep_save(value, connection))
    return values


class PreparedInsert(Generic[M]):
    """`save()` of a new row of a model without signals, its SQL made once.

    With `ignore_conflicts` a row that breaks a unique constraint is passed over; else it is an error.
    """

    def __init__(self, model: type[M], *, ignore_conflicts: bool = False) -> None:
        self.model = model
        self.ignore_conflicts = ignore_conflicts

    @cached_property
    def _fields(self) -> list[tuple[str, type | None, Field[Any, Any]]]:
        made = (AutoField, BigAutoField)
        return _with_native(
            field for field in self.model._meta.concrete_fields if not isinstance(field, made)
        )

    @cached_property
    def _sql(self) -> str:
        columns = _quote(*(cast(str, field.column) for _name, _native, field in self._fields))
        places = ", ".join(["%s"] * len(self._fields))
        conflict = " ON CONFLICT DO NOTHING" if self.ignore_conflicts else ""
        table, key = self.model._meta.db_table, cast(str, self.model._meta.pk.column)
        return (
            f"INSERT INTO {_quote(table)} ({columns}) VALUES ({places}){conflict} "  # noqa: S608
            f"RETURNING {_quote(key)}"
        )

    def insert(self, row: M) -> bool:
        """Insert one row, its new key set on it; False where a unique constraint keeps it out. One query."""
        found = Statement(self._sql, tuple(_prepare(self._fields, row))).run()
        if not found:
            return False
        row.pk = found[0][0]
        row._state.adding = False
        row._state.db = connection.alias
        return True


# What JSON does not know, and the server reads from its text.
_AS_TEXT: Final[dict[type, type[str]]] = {UUID: str, datetime: str, Decimal: str}


def _write_as_text(value: object) -> str:
    write = _AS_TEXT.get(type(value))
    if write is None:
        raise TypeError(f"A {type(value).__name__} cannot be written in a row.")
    return write(value)


_write_json: Final = json.JSONEncoder(default=_write_as_text).encode


class PreparedRows(Generic[M]):
    """An INSERT of rows that are given as dictionaries: any number of them is one statement with one value.

    The server takes the rows out of a JSON text. An object of the model for each row, and each of its values adapted
    by itself, would take a hundred and fifty calls a row; this takes a few. `fields` names the columns that every row
    has (of a foreign key the one with its key); all others must do without a value. What a value may be: what JSON
    knows, a key, a moment, a decimal.

    A row that breaks a unique constraint is an error; with `ignore_conflicts` it is passed over; with `unique` and
    `update` (names of fields) the row that is there gets the new values instead.
    """

    def __init__(
        self,
        model: type[M],
        fields: Sequence[str],
        *,
        ignore_conflicts: bool = False,
        unique: Sequence[str] = (),
        update: Sequence[str] = (),
    ) -> None:
        self.model = model
        self.names = tuple(fields)
        self.ignore_conflicts = ignore_conflicts
        self.unique = tuple(unique)
        self.update = tuple(update)

    def _fields(self, names: Iterable[str]) -> list[Field[Any, Any]]:
        return [cast("Field[Any, Any]", self.model._meta.get_field(name)) for name in names]

    def _columns(self, names: Iterable[str]) -> list[str]:
        return [cast(str, field.column) for field in self._fields(names)]

    @cached_property
    def _sql(self) -> str:
        types = [field.db_type(connection) for field in self._fields(self.names)]
        given = ", ".join(f"{_quote(name)} {kind}" for name, kind in zip(self.names, types, strict=True))
        return (
            f"INSERT INTO {_quote(self.model._meta.db_table)} ({_quote(*self._columns(self.names))}) "  # noqa: S608
            f"SELECT {_quote(*self.names)} FROM jsonb_to_recordset(%s::jsonb) AS given({given}){self._conflict}"
        )

    @property
    def _conflict(self) -> str:
        if not self.unique:
            return " ON CONFLICT DO NOTHING" if self.ignore_conflicts else ""
        new = ", ".join(f"{name} = EXCLUDED.{name}" for name in map(_quote, self._columns(self.update)))
        return f" ON CONFLICT ({_quote(*self._columns(self.unique))}) DO UPDATE SET {new}"

    def statements(self, rows: Sequence[Mapping[str, object]]) -> list[Statement]:
        """What inserts these rows in their order, to be run together with other things; none where there are none."""
        return [Statement(self._sql, (_write_json(rows),))] if rows else []


class PreparedUpdate(Generic[M]):
    """`save(update_fields=…)` of a model without signals, its SQL made once."""

    def __init__(self, model: type[M], fields: Sequence[str]) -> None:
        self.model = model
        self.names = tuple(fields)

    @cached_property
    def _fields(self) -> list[tuple[str, type | None, Field[Any, Any]]]:
        return _with_native(cast("Field[Any, Any]", self.model._meta.get_field(name)) for name in self.names)

    @cached_property
    def _sql(self) -> str:
        columns = ", ".join(
            f"{_quote(cast(str, field.column))} = %s" for _name, _native, field in self._fields
        )
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

    def rows(self, **given: object) -> list[Sequence[Any]]:
        """The rows, locked. One query."""
        require_transaction()
        return super().rows(**given)

    def _compile(self) -> Plan:
        plan = super()._compile()
        tables: list[type[models.Model]] = [self._build().model, *self._also]
        locked = _quote(*(model._meta.db_table for model in tables))
        return replace(plan, sql=f"{plan.sql} FOR NO KEY UPDATE OF {locked}")
