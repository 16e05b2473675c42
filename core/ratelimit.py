"""How often something may be asked, counted in the cache that all processes share."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext

from core.errors import TooMany

DATABASE_CACHE: Final = "django.core.cache.backends.db.DatabaseCache"


@dataclass(frozen=True, slots=True)
class Limit:
    """``amount`` times in each period of ``seconds``."""

    amount: int
    seconds: int


def find_address(request: HttpRequest) -> str:
    """The address of whoever asks, as told by the last proxy that is trusted."""
    count = settings.TRUSTED_PROXY_COUNT
    if count:
        chain = [
            part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()
        ]
        if len(chain) >= count:
            return chain[-count]
    return str(request.META.get("REMOTE_ADDR", ""))


def seconds_now() -> float:
    """The moment by which periods are counted, in seconds since 1970."""
    return time.time()


def consume(*, action: str, key: str, limit: Limit) -> None:
    """Count one use by ``key``; TooMany where the limit was reached, with the seconds until the next period.

    Call it before the view's own transaction: where that is rolled back, so would the count be.
    """
    now = seconds_now()
    period = int(now // limit.seconds)
    hashed = hashlib.sha256(key.encode("utf-8")).hexdigest()[:32]
    if _count(f"limit:{action}:{hashed}:{period}", seconds=limit.seconds) > limit.amount:
        wait = max(1, int((period + 1) * limit.seconds - now) + 1)
        raise TooMany(
            ngettext(
                "That was asked too often. Nothing was changed; try again in %(count)s second.",
                "That was asked too often. Nothing was changed; try again in %(count)s seconds.",
                wait,
            )
            % {"count": wait},
            retry_after=wait,
        )


def _count(name: str, *, seconds: int) -> int:
    if settings.CACHES["default"]["BACKEND"] == DATABASE_CACHE:
        # Its counting is a read and a write, so two at once would count as one.
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            return _add_one(name, seconds=seconds)
    return _add_one(name, seconds=seconds)


def _add_one(name: str, *, seconds: int) -> int:
    if cache.add(name, 1, timeout=seconds + 1):
        return 1
    try:
        return int(cache.incr(name))
    except ValueError:
        # It ended between the two calls.
        cache.set(name, 1, timeout=seconds + 1)
        return 1


def limit_by_address(
    action: str, limit: Limit
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A view that answers 429, with a page that says when to try again, past the limit of an address."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                consume(action=action, key=find_address(request), limit=limit)
            except TooMany as error:
                response = render(request, "429.html", {"error": error}, status=429)
                response["Retry-After"] = str(error.retry_after)
                return response
            return view(request, *args, **kwargs)

        return limited

    return decorate
