"""What never changes is read once a process: editions, their texts and their competencies.

Only what is immutable may be kept here: another process would not hear of a change. Nothing about a person is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.db.models import Model

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """So many values by key; the one used longest ago goes first. Safe among threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: K) -> V | None:
        """The value, if it is kept."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, key: K, value: V) -> V:
        """Keep a value, and give it back."""
        with self._lock:
            self._values[key] = value
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


class Shown:
    """What a part of a page is drawn from. Two are equal where they would show the same, which `facts` tells.

    Its part of a page can then be kept under it (`{% kept %}`): all that the part shows must follow from the facts,
    the language and the time zone.
    """

    @property
    def facts(self) -> tuple[Hashable, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Shown) and self.facts == other.facts

    def __hash__(self) -> int:
        return hash(self.facts)


def columns_of(row: Model) -> tuple[Any, ...]:
    """Every column of a row, as facts."""
    known = row.__dict__
    return tuple(known.get(field.attname) for field in row._meta.concrete_fields)
