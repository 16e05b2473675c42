"""The one place where the time of day is read, once an operation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

_set_to: ContextVar[datetime | None] = ContextVar("clock_set_to", default=None)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _set_to.get() or timezone.now()


@contextmanager
def set_to(moment: datetime) -> Iterator[None]:
    """Let an operation happen at another moment: for the demo's past, and for tests. Aware moments only."""
    if moment.tzinfo is None:
        raise ValueError("The clock is set to aware moments only.")
    token = _set_to.set(moment)
    try:
        yield
    finally:
        _set_to.reset(token)
