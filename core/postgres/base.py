"""Django's PostgreSQL backend, with idle connections kept by the process and looked at before they are used again.

A server is stopped, restarted, replaced; a proxy cuts idle lines. Whoever takes a kept connection then must not get a
dead one, and nobody should wait for a server that is away. psycopg's pool was tried first: with its health check a
page costs one more round trip; without it every connection that was cut fails one request; while the server is away
each request waits for the pool's timeout; and afterwards its growing pauses keep the site away for about as long
again (docs/adr/0060). Here:

- a kept connection is looked at without a word to the server: an idle one on which something can be read was ended
  by the other side. One that was idle for long is asked, since a line may be dead without a sign;
- where none is kept, a new one is made at once, and refused at once where the server is away;
- so the site is back with the first request after the server is.

A process has as many connections as it has threads at work, and keeps at most ``KEEP_CONNECTIONS`` of them.
"""

from __future__ import annotations

import atexit
import select
import time
from collections import deque
from typing import Any, Final, cast

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from core.postgres.lines import Line

# A line that was silent for longer is asked whether it is still there.
LONGEST_SILENCE: Final = 30.0
# What is prepared is planned once for all values, not for each anew. Left to itself the server goes on planning what
# takes a list, as it cannot know how long that is: a millisecond for four joins. What Django's cursor sends has its
# values in its text and is planned for them.
PLANNED_ONCE: Final = "SET plan_cache_mode = force_generic_plan"
# So many runs until psycopg prepares a statement that nobody asked it to.
NEVER_BY_ITSELF: Final = 2**62


class Shelf:
    """Idle connections to one database; the one used last is taken first. Safe among threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._idle: deque[tuple[Line, float]] = deque()

    def take(self) -> Line | None:
        """A connection that stands, or nothing. Those that were cut meanwhile are dropped."""
        while True:
            try:
                line, since = self._idle.pop()
            except IndexError:
                return None
            connection = line.connection
            if not was_cut(connection) and (
                time.monotonic() - since < LONGEST_SILENCE or answers(connection)
            ):
                return line
            connection.close()

    def put(self, line: Line) -> bool:
        """Keep it, unless enough are kept."""
        if len(self._idle) >= self.most:
            return False
        self._idle.append((line, time.monotonic()))
        return True

    def clear(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop()[0].connection.close()


def was_cut(connection: psycopg.Connection[Any]) -> bool:
    """Whether an idle connection is no good any more, as far as this side can tell. No round trip."""
    if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    # The server has nothing to say to who has asked nothing, but that it ends.
    return bool(watch.poll(0))


def answers(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server still answers. One round trip."""
    try:
        connection.execute("")
    except psycopg.Error:
        return False
    return True


_shelves: dict[tuple[Any, ...], Shelf] = {}


def empty_shelves() -> None:
    """Close every idle connection of this process."""
    for shelf in _shelves.values():
        shelf.clear()


atexit.register(empty_shelves)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for where a connection comes from and where it goes.

    `line` is the connection for what is prepared on the server.
    """

    line: Line

    _found: tuple[str, Shelf | None] | None = None

    @property
    def _shelf(self) -> Shelf | None:
        """Where connections to this database are kept; nowhere where the settings keep none."""
        told = self.settings_dict
        # The name alone may change while a process runs: a test's database, a benchmark's.
        if self._found is None or self._found[0] != told["NAME"]:
            self._found = told["NAME"], self._find_shelf()
        return self._found[1]

    def _find_shelf(self) -> Shelf | None:
        told = self.settings_dict
        most = int(told.get("KEEP_CONNECTIONS") or 0)
        if not most:
            return None
        key = tuple(str(told.get(name, "")) for name in ("NAME", "USER", "HOST", "PORT"))
        return _shelves.get(key) or _shelves.setdefault(key, Shelf(most))

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        if self.settings_dict.get("PREPARE"):
            # Only what asks for it (`core.prepared`) is prepared, however often another statement runs.
            params["prepare_threshold"] = NEVER_BY_ITSELF
        return params

    def connect(self) -> None:
        """Take a connection that is kept, as Django's leaves a new one; else make one."""
        shelf = self._shelf
        kept = shelf.take() if shelf is not None else None
        if kept is None:
            super().connect()
            return
        self.in_atomic_block = self.needs_rollback = self.closed_in_transaction = self.errors_occurred = False
        self.savepoint_ids, self.atomic_blocks, self.run_on_commit = [], [], []
        self.health_check_enabled = self.settings_dict["CONN_HEALTH_CHECKS"]
        self.health_check_done = self.autocommit = True
        max_age = self.settings_dict["CONN_MAX_AGE"]
        self.close_at = None if max_age is None else time.monotonic() + max_age
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        self.connection = kept.connection
        self.line = kept
        kept.held = []

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self.settings_dict.get("PREPARE"):
            # Not an option of the connection: a pooler between refuses those that it does not know.
            cast(Any, self.connection).execute(PLANNED_ONCE)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection: Any = super().get_new_connection(conn_params)
        self.line = Line(connection)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """Django's cursor; what is held comes before whatever it runs."""
        if self.line.held:
            self.line.run_all([])
        return super().create_cursor(name)

    def _commit(self) -> None:
        if self.connection is not None and self.line.held:
            with self.wrap_database_errors:
                self.line.commit()
        else:
            super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        if self.connection is not None:
            self.line.held = []
        super()._rollback()  # type: ignore[misc]

    def _close(self) -> None:
        connection: Any = self.connection
        if connection is None:
            return
        shelf = self._shelf
        whole = (
            not self.in_atomic_block
            and not connection.closed
            and connection.autocommit
            and connection.pgconn.transaction_status == TransactionStatus.IDLE
        )
        if not (whole and shelf is not None and shelf.put(self.line)):
            with self.wrap_database_errors:
                connection.close()
