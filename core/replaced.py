"""What of Django's own is replaced, because every request asks for it many times (docs/adr/0101). Each does the same.

- The language, the time zone and the way of addresses that hold for a request, and connections, are kept in its
  thread. Django keeps them in asgiref's `Local`, which can follow a task of an event loop to other threads, and takes
  up to seven calls of Python to be asked: hundreds a page. The site is served by WSGI, a thread a request, where both
  say the same.
- `settings` is asked fifty times a request, and looks each time, in Python, whether what it gives stands for something
  of what it wraps. Nothing that `LazySettings` has does, so it is asked as any object is.
- A form's token is read by `core.tokens`. The check that compares it stays Django's.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from django.conf import LazySettings
from django.core.cache import caches
from django.db import connections
from django.middleware import csrf
from django.urls import base as addresses
from django.utils import timezone
from django.utils.translation import trans_real

from core.tokens import unmask_token

_PLACES: Final[tuple[tuple[Any, str], ...]] = (
    (trans_real, "_active"),
    (timezone, "_active"),
    (addresses, "_prefixes"),
    (addresses, "_urlconfs"),
    (connections, "_connections"),
    (caches, "_connections"),
)


def replace_in_django() -> None:
    """Put each in its place. Once, before anything is in them."""
    for module, name in _PLACES:
        if not isinstance(getattr(module, name), threading.local):
            setattr(module, name, threading.local())
    for owner, name, ours in (
        (LazySettings, "__getattribute__", object.__getattribute__),
        (csrf, "_unmask_cipher_token", unmask_token),
    ):
        setattr(owner, name, ours)
