"""A connection over which statements are run that stay prepared on the server, with as little ado as libpq allows.

psycopg's cursor converts a statement's text, looks up how each value is adapted and waits in Python, anew at each
execution: more work than the server has with most of ours. Here the text is converted once a process, the adapters are
looked up once a connection, and libpq waits. Values and rows are adapted by psycopg's own `Transformer` with Django's
adapters, so they are what Django's cursor would give.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator, Sequence
from datetime import UTC
from functools import lru_cache, partial
from itertools import count
from typing import Any, Final, TypeVar, cast

import psycopg
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.generators import fetch_many, pipeline_communicate, send
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.datetime import TimestamptzLoader

T = TypeVar("T")

# SQL with its values.
Asked = tuple[str, Sequence[Any]]
Rows = list[tuple[Any, ...]]

# Where a value goes in a statement, and a sign that is doubled so as not to be one.
PLACE: Final = re.compile(r"%[s%]")


@lru_cache(maxsize=1)
def _adapters() -> AdaptersMap:
    """Django's, but psycopg's own reader in C reads moments: the session's time zone is UTC, as Django sets it."""
    adapters = AdaptersMap(get_adapters_template(use_tz=True, timezone=UTC))
    adapters.register_loader("timestamptz", TimestamptzLoader)
    return adapters


class _Context:
    """What a `Transformer` adapts by; without the connection, which it does not need and would keep alive."""

    connection = None

    @property
    def adapters(self) -> AdaptersMap:
        return _adapters()


def write_literal(value: Any) -> str:
    """A value as it stands in SQL, as Django's cursor would write it."""
    return Transformer(cast(Any, _Context())).as_literal(value).decode()


@lru_cache(maxsize=2000)
def _convert(sql: str) -> bytes:
    """The text with ``$1``, ``$2`` … for ``%s``, as the server wants it."""
    numbers = count(1)
    return PLACE.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql).encode()


class Line:
    """One of psycopg's connections, with the names of what is prepared on it. For one thread at a time.

    What is prepared is never given up: there are as many statements as the code has prepared queries and writes.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._adapt = Transformer(cast(Any, _Context()))
        self._names: dict[tuple[str, tuple[int, ...] | None], bytes] = {}
        # What is to be run before anything else is, or the transaction ends.
        self.held: list[Asked] = []

    def run(self, sql: str, values: Sequence[Any]) -> Rows:
        """The rows that a statement returns; none where it returns none. One round trip."""
        if self.held or self._begins():
            return self.run_all([(sql, values)])[0]
        link = self.connection.pgconn
        return self._read(link, self._bind(sql, values, link.exec_prepared, link.exec_params)())

    def run_all(self, asked: Sequence[Asked]) -> list[Rows]:
        """The rows that each statement returns. One round trip, with what is held and the transaction's BEGIN where it
        is due.

        A statement's error is raised when all is read; those after it were not run.
        """
        sends = self._bind_due(asked)
        return self._exchange(sends)[len(sends) - len(asked) :]

    def commit(self) -> None:
        """Run what is held and end the transaction. One round trip."""
        end = partial(self.connection.pgconn.send_query_params, b"COMMIT", None)
        self._exchange([*self._bind_due(()), end])

    def _bind_due(self, asked: Sequence[Asked]) -> list[Callable[[], None]]:
        """What sends BEGIN where it is due, what is held, and these."""
        link = self.connection.pgconn
        held, self.held = self.held, []
        sends = [
            self._bind(sql, values, link.send_query_prepared, link.send_query_params)
            for sql, values in (*held, *asked)
        ]
        if self._begins():
            sends.insert(0, partial(link.send_query_params, b"BEGIN", None))
        return sends

    def _exchange(self, sends: Sequence[Callable[[], None]]) -> list[Rows]:
        link = self.connection.pgconn
        link.enter_pipeline_mode()
        try:
            results = self.connection.wait(_talk(link, deque([*sends, link.pipeline_sync])))
        finally:
            if link.status == ConnStatus.OK:
                link.exit_pipeline_mode()
        return [self._read(link, result) for result in results]

    def _begins(self) -> bool:
        """Whether a transaction is to begin with the next statement. One of an unusual kind is begun by psycopg."""
        link = self.connection
        if link.autocommit or link.pgconn.transaction_status != TransactionStatus.IDLE:
            return False
        if link.isolation_level is None and link.read_only is None and link.deferrable is None:
            return True
        link.execute("")
        return False

    def _bind(
        self, sql: str, values: Sequence[Any], prepared: Callable[..., T], plain: Callable[..., T]
    ) -> Callable[[], T]:
        """What runs the statement with these values: by its name on the server, or plain where nothing is prepared."""
        adapt = self._adapt
        given = adapt.dump_sequence(values, [PyFormat.AUTO] * len(values))
        if self.connection.prepare_threshold is None:
            return partial(plain, _convert(sql), given, adapt.types, adapt.formats)
        key = sql, adapt.types
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self._prepare(sql, adapt.types)
        return partial(prepared, name, given, adapt.formats)

    def _prepare(self, sql: str, types: Sequence[int] | None) -> bytes:
        """Have the server prepare a statement; its name there."""
        link = self.connection.pgconn
        name = f"site_{len(self._names)}".encode()
        result = link.prepare(name, _convert(sql), types)
        if result.status != ExecStatus.COMMAND_OK:
            raise _error_of(link, result)
        return name

    def _read(self, link: PGconn, result: PGresult) -> Rows:
        if result.status == ExecStatus.TUPLES_OK:
            adapt = self._adapt
            adapt.set_pgresult(result)
            rows = adapt.load_rows(0, result.ntuples, tuple)
            adapt.set_pgresult(None)
            return rows
        if result.status == ExecStatus.COMMAND_OK:
            return []
        raise _error_of(link, result)


def _talk(link: PGconn, sends: deque[Callable[[], None]]) -> Generator[Any, Any, list[PGresult]]:
    """Send everything, and read each result until the server has said that it is through. For psycopg's `wait`."""
    found = yield from pipeline_communicate(link, sends)
    # It stops when all is handed to libpq, which may still hold some of it.
    yield from send(link)
    while not found or found[-1][0].status != ExecStatus.PIPELINE_SYNC:
        found.append((yield from fetch_many(link)))
    return [results[0] for results in found[:-1]]


def _error_of(link: PGconn, result: PGresult) -> psycopg.Error:
    """What went wrong, as psycopg's cursor would raise it."""
    if result.status == ExecStatus.PIPELINE_ABORTED:
        return psycopg.errors.PipelineAborted("A statement before this one failed.")
    if not result.error_field(psycopg.pq.DiagnosticField.SQLSTATE):
        # What the server says has a code. This is libpq's own word: the line was cut, which its status may not show.
        return psycopg.OperationalError(link.get_error_message() or "The connection was lost.")
    return psycopg.errors.error_from_result(result)
