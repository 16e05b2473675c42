"""What never changes is read once a process: editions, their texts and their competencies.

Only what is immutable, or named by all the facts it was made of, may be kept here: another process would not hear of
a change. What is about a person is kept for a minute at most (`seconds`), so that it is gone soon after it is erased.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.db.models import Model

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """So many values by key; the one used longest ago goes first. Safe among threads.

    With `seconds` a value goes once it is that old, whether it is used or not.
    """

    def __init__(self, most: int, *, seconds: float | None = None) -> None:
        self.most = most
        self.seconds = seconds
        self._values: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: K) -> V | None:
        """The value, if it is kept."""
        with self._lock:
            if self.seconds is not None:
                self._drop_old(time.monotonic() - self.seconds)
            found = self._values.get(key)
            if found is None:
                return None
            if self.seconds is None:
                self._values.move_to_end(key)
            return found[0]

    def keep(self, key: K, value: V) -> V:
        """Keep a value, and give it back."""
        with self._lock:
            self._values[key] = value, time.monotonic()
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)
        return value

    def read(self, key: K, make: Callable[[], V]) -> V:
        """The value, made where it is not kept. Two threads may both make it; they make the same."""
        found = self.find(key)
        return found if found is not None else self.keep(key, make())

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._values.clear()

    def _drop_old(self, before: float) -> None:
        """Where values age, they stand in the order in which they were kept."""
        while self._values:
            key, (_value, since) = next(iter(self._values.items()))
            if since > before:
                break
            del self._values[key]


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
    return tuple(known.get(field.attname) for field in row._meta.concrete_fields)
