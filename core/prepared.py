"""Queries that are written with the ORM and compiled once a process.

Compiling a queryset to SQL takes several times as long as running it. What every page and every saved answer needs
(who is signed in, the enrolment, where the learner stands) is therefore asked by a `PreparedQuery`; everything else by
plain querysets. See docs/performance.md for what that saves.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import getattr_static
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar, cast

import psycopg
from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Expression, F, Field, Func, QuerySet, signals
from django.db.models.base import ModelState
from django.db.models.fields.files import FileDescriptor
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute

from core.postgres.lines import PLACE, write_literal

M = TypeVar("M", bound=models.Model)


class Given(Expression):
    """Stands in a queryset for a value that is given when it is run."""

    def __init__(self, name: str, output_field: Field[Any, Any], *, sql: str = "%s") -> None:
        super().__init__(output_field=output_field)
        self.name = name
        self.sql = sql

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return self.sql, [self]


def given_uuid(name: str) -> Given:
    """A key that is given when the query is run."""
    return Given(name, models.UUIDField())


def given_text(name: str) -> Given:
    return Given(name, models.TextField())


def given_moment(name: str) -> Given:
    return Given(name, models.DateTimeField())


def is_among(field: str, name: str) -> Func:
    """A condition: the key in `field` is one of those that are given as a list."""
    given = Given(name, ArrayField(models.UUIDField()), sql="%s::uuid[]")
    return Func(
        F(field), given, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=models.BooleanField()
    )


class RowVersion(Func):
    """Which version of a related row stands now, as PostgreSQL knows it: any change to the row makes another.

    It says whether what was worked out from the row before still holds, without the row being read. Only to be compared
    within minutes: the server may use a number again after very long (`xmin` and `ctid`, system columns).
    """

    output_field = models.TextField()

    def as_sql(self, compiler: Any, connection: Any, *given: Any, **extra: Any) -> tuple[str, Any]:
        table = connection.ops.quote_name(self.get_source_expressions()[0].alias)
        return f"{table}.xmin || ' ' || {table}.ctid", ()


def version_of(relation: str) -> RowVersion:
    """The version of a row that the queryset joins; of none where there is no row."""
    return RowVersion(F(f"{relation}__pk"))


@dataclass(frozen=True)
class Plan:
    """A query's SQL, which values it is given when it is run, in their order, and how its rows are read: the columns
    of its own model come first, in the order of `names`.
    """

    sql: str
    given: tuple[str, ...]
    names: Sequence[str]
    compiler: Any
    converters: dict[int, Any]

    def fill(self, given: Mapping[str, object]) -> tuple[Any, ...]:
        """The parameters with what is given."""
        return tuple([given[name] for name in self.given])

    def convert(self, rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """Rows as they came from the server, as the fields want them."""
        if not self.converters:
            return rows
        converted: Iterable[Sequence[Any]] = self.compiler.apply_converters(rows, self.converters)
        return converted


@dataclass(frozen=True)
class _Part:
    """The columns of one model in a row, and where its objects hang."""

    path: tuple[str, ...]
    names: Sequence[str]
    start: int
    key: int
    make: Callable[[Sequence[Any]], models.Model]


def _write_constants(sql: str, parameters: Iterable[Any]) -> tuple[str, tuple[str, ...]]:
    """The SQL with each value that is known already in its place; the names of those that are given later."""
    left = iter(parameters)
    names: list[str] = []

    def write(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%%"
        value = next(left)
        if isinstance(value, Given):
            names.append(value.name)
            return "%s"
        return write_literal(value).replace("%", "%%")

    return PLACE.sub(write, sql), tuple(names)


# A file's takes a name, as `Model.__init__` gives it, and makes a file of it when it is asked for.
_PLAIN_ATTRIBUTES: Final = (DeferredAttribute, ForeignKeyDeferredAttribute, FileDescriptor)


def _maker_of(model: type[models.Model], names: Sequence[str]) -> Callable[[Sequence[Any]], models.Model]:
    """What makes an object of the values of these columns, as `Model.from_db` does.

    Django sends two signals and sets each attribute by itself: forty calls an object. Where nobody hears the signals
    and the model makes its objects as Django does, the values are put in place at once.
    """
    plain: Any = models.Model
    made_by_django = (
        model.__init__ is plain.__init__
        and model.from_db.__func__ is plain.from_db.__func__  # type: ignore[attr-defined]
        and not signals.pre_init.has_listeners(model)
        and not signals.post_init.has_listeners(model)
        # A field may have its own way to take a value, as Wagtail's streams.
        and all(type(getattr_static(model, name)) in _PLAIN_ATTRIBUTES for name in names)
    )

    def make(values: Sequence[Any]) -> models.Model:
        made = model.__new__(model)
        made.__dict__.update(zip(names, values, strict=True))
        state = ModelState()
        state.adding = False
        state.db = DEFAULT_DB_ALIAS
        made._state = state
        return made

    return make if made_by_django else lambda values: model.from_db(DEFAULT_DB_ALIAS, names, values)


class PreparedQuery(Generic[M]):
    """A queryset whose SQL is made once.

    `build` makes the queryset, with a `Given` for each value that differs. `joined` names related objects to read with
    each row, to one only, as in `select_related`; a path stands after its parent. `fields` names the columns to read
    of the model itself, its key among them, where not all are wanted; `extra` the annotations.

    The server plans it once a connection, for whatever is given (`core.postgres.base`). A value that is the same each
    time stands in the SQL, so that the plan can count on it: on an index of only the rows that have it.
    """

    def __init__(
        self,
        build: Callable[[], QuerySet[M, Any]],
        *,
        fields: Sequence[str] | None = None,
        joined: Sequence[str] = (),
        extra: Sequence[str] = (),
    ) -> None:
        self._build = build
        self._fields = fields
        self._joined = joined
        self.extra = tuple(extra)
        self._plan: Plan | None = None
        self._parts: list[_Part] = []
        self._pickers: dict[tuple[str, ...], Callable[[Sequence[Any]], Any]] = {}

    def objects(self, **given: object) -> list[M]:
        """The rows as objects, related ones in place. One query."""
        return [self.make(row) for row in self.rows(**given)]

    def first(self, **given: object) -> M | None:
        """The first row as an object, or nothing. One query."""
        found = self.objects(**given)
        return found[0] if found else None

    def rows(self, **given: object) -> list[Sequence[Any]]:
        """The rows as they are, for many of which little is needed: the columns of the model itself (`fields`, in the
        order of the model), then `extra`. One query.
        """
        plan = self.plan()
        return list(plan.convert(fetch_prepared(plan.sql, plan.fill(given))))

    def plan(self) -> Plan:
        """What is sent and how the answer is read; made once."""
        if self._plan is None:
            self._plan = self._compile()
        return self._plan

    def make(self, row: Sequence[Any]) -> M:
        """The object of a converted row, related ones in place."""
        made: dict[tuple[str, ...], Any] = {}
        for part in self._parts:
            values = row[part.start : part.start + len(part.names)]
            found = None
            if row[part.key] is not None:
                found = part.make(values)
            made[part.path] = found
            parent = made.get(part.path[:-1]) if part.path else None
            if parent is not None:
                parent._state.fields_cache[part.path[-1]] = found
        whole: M = made[()]
        for name, value in zip(self.extra, row[-len(self.extra) :] if self.extra else (), strict=True):
            setattr(whole, name, value)
        return whole

    def picker(self, columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
        """What takes the values of some columns out of a converted row: a tuple, of one column its value."""
        found = self._pickers.get(columns)
        if found is None:
            names = [*self.plan().names, *self.extra]
            found = self._pickers[columns] = itemgetter(*map(names.index, columns))
        return found

    def _compile(self) -> Plan:
        queryset = self._build()
        columns = self._lay_out(queryset.model)
        compiler = queryset.values_list(*columns, *self.extra).query.get_compiler("default")
        sql, given = _write_constants(*compiler.as_sql())
        converters = compiler.get_converters([expression for expression, _sql, _alias in compiler.select])
        return Plan(sql, given, self._parts[0].names, compiler, converters)

    def _lay_out(self, model: type[models.Model]) -> list[str]:
        """The columns to ask for, in the order of the parts."""
        columns: list[str] = []
        parts = []
        for path in ((), *(tuple(name.split("__")) for name in self._joined)):
            of = model
            for name in path:
                of = cast(type[models.Model], of._meta.get_field(name).related_model)
            names = [field.attname for field in of._meta.concrete_fields]
            if not path and self._fields is not None:
                names = [name for name in names if name in self._fields]
            primary = next(field.attname for field in of._meta.concrete_fields if field.primary_key)
            key = len(columns) + names.index(primary)
            parts.append(_Part(path, names, len(columns), key, _maker_of(of, names)))
            columns += ["__".join((*path, name)) for name in names]
        self._parts = parts
        return columns


def fetch_prepared(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement that the server plans once a connection. One query."""
    return fetch_together([(sql, parameters)])[0]


def fetch_together(asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
    """The rows that each of several such statements returns, all in one round trip.

    Where queries are watched (tests that count them, `DEBUG`) they go the usual way of Django's cursor: as one text.
    """
    # `connection` stands for this thread's and looks it up each time it is asked for anything.
    link: Any = connections[DEFAULT_DB_ALIAS]
    if link.queries_logged or link.execute_wrappers:
        return _fetch_watched(link, asked)
    if link.connection is None:
        link.ensure_connection()
    link.validate_no_broken_transaction()
    try:
        return [link.line.run(*asked[0])] if len(asked) == 1 else link.line.run_all(asked)
    except psycopg.Error:
        with link.wrap_database_errors:
            raise


def _fetch_watched(link: Any, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
    found: list[list[tuple[Any, ...]]] = []
    with link.cursor() as cursor:
        sql = ";\n".join(sql for sql, _values in asked)
        cursor.execute(sql, [value for _sql, values in asked for value in values])
        while True:
            found.append(cursor.fetchall() if cursor.description else [])
            if not cursor.nextset():
                return found


def as_key(value: object) -> uuid.UUID:
    """A key as a database or JSON gave it."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
