"""The language, the time zone and the way of addresses that hold for a request are kept in its thread.

Django keeps them in asgiref's `Local`, which can follow a task of an event loop to other threads, and takes seven calls
of Python to be asked: three hundred a page. The site is served by WSGI, a thread a request, where both say the same
(docs/adr/0101).
"""

from __future__ import annotations

import threading
from typing import Any, Final

from django.urls import base as addresses
from django.utils import timezone
from django.utils.translation import trans_real

_PLACES: Final[tuple[tuple[Any, str], ...]] = (
    (trans_real, "_active"),
    (timezone, "_active"),
    (addresses, "_prefixes"),
    (addresses, "_urlconfs"),
)


def keep_in_threads() -> None:
    """Put Python's own `threading.local` in the place of each. Once, before anything is in them."""
    for module, name in _PLACES:
        if not isinstance(getattr(module, name), threading.local):
            setattr(module, name, threading.local())
