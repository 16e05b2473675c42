"""What never changes is read once a process: editions, their texts and their competencies.

Only what is immutable, or named by all the facts it was made of, may be kept here: another process would not hear of
a change. What is about a person is kept for a minute at most (`seconds`), so that it is gone soon after it is erased.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.db.models import Model

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Entry(Generic[V]):
    """A value, since when it is kept, and in which turn it was last used."""

    __slots__ = ("since", "used", "value")

    def __init__(self, value: V, *, used: int) -> None:
        self.value = value
        self.since = time.monotonic()
        self.used = used


class Kept(Generic[K, V]):
    """So many values by key; where room is wanted, those go that were used longest ago. Safe among threads.

    With `seconds` a value goes once it is that old, whether it is used or not.
    """

    def __init__(self, most: int, *, seconds: float | None = None) -> None:
        self.most = most
        self.seconds = seconds
        self._entries: dict[K, _Entry[V]] = {}
        # Counts what was kept, by two: what is found after it was used later than it, and both before the next.
        self._turn = 0
        self._lock = threading.Lock()

    def find(self, key: K) -> V | None:
        """The value, if it is kept."""
        if self.seconds is not None:
            self._drop_old(time.monotonic() - self.seconds)
        entry = self._entries.get(key)
        if entry is None:
            return None
        # One key is hashed once: no list of what was used last, only a number.
        entry.used = self._turn
        return entry.value

    def keep(self, key: K, value: V) -> V:
        """Keep a value, and give it back."""
        with self._lock:
            # A dictionary keeps the order in which keys came; this one comes last.
            self._entries.pop(key, None)
            if len(self._entries) >= self.most:
                self._make_room()
            self._entries[key] = _Entry(value, used=self._turn + 1)
            self._turn += 2
        return value

    def read(self, key: K, make: Callable[[], V]) -> V:
        """The value, made where it is not kept. Two threads may both make it; they make the same."""
        found = self.find(key)
        return found if found is not None else self.keep(key, make())

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._entries.clear()

    def _make_room(self) -> None:
        """Some at once, as they are looked for among all."""
        entries = self._entries.items()
        for key, _entry in heapq.nsmallest(1 + self.most // 20, entries, key=lambda item: item[1].used):
            del self._entries[key]

    def _drop_old(self, before: float) -> None:
        """Where values age, they stand in the order in which they were kept."""
        with self._lock:
            while self._entries:
                key, entry = next(iter(self._entries.items()))
                if entry.since > before:
                    break
                del self._entries[key]


class Once(tuple[V, ...]):
    """A sequence that is made once and kept, so that it is the same only as itself; nothing in it is compared."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Shown:
    """What a part of a page is drawn from. Two are equal where they would show the same, which `shows` tells.

    Its part of a page can then be kept under it (`{% kept %}`): all that the part shows must follow from that,
    the language and the time zone.
    """

    @property
    def shows(self) -> tuple[Hashable, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Shown) and self.shows == other.shows

    def __hash__(self) -> int:
        return hash(self.shows)


def columns_of(row: Model) -> tuple[Any, ...]:
    """Every column of a row, as facts."""
    known = row.__dict__
    return tuple([known.get(field.attname) for field in row._meta.concrete_fields])
