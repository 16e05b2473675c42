"""Limits are counted exactly, also by several processes over the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory, override_settings

from core import ratelimit
from core.errors import TooMany
from core.ratelimit import Limit, consume, find_address

DATABASE = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"},
}


def test_past_the_limit_it_says_when_to_try_again() -> None:
    limit = Limit(amount=3, seconds=3600)
    for _ in range(3):
        consume(action="probe", key="a", limit=limit)
    with pytest.raises(TooMany, match="Nothing was changed; try again in") as caught:
        consume(action="probe", key="a", limit=limit)
    assert 0 < caught.value.retry_after <= 3601
    consume(action="probe", key="b", limit=limit)
    consume(action="other", key="a", limit=limit)


def test_it_may_be_asked_again_once_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limit(amount=1, seconds=60)
    began = ratelimit.seconds_now()
    consume(action="probe", key="a", limit=limit)
    with pytest.raises(TooMany) as caught:
        consume(action="probe", key="a", limit=limit)
    monkeypatch.setattr(ratelimit, "seconds_now", lambda: began + caught.value.retry_after)
    consume(action="probe", key="a", limit=limit)


@pytest.mark.django_db(transaction=True)
@override_settings(CACHES=DATABASE)
def test_uses_at_the_same_moment_are_all_counted() -> None:
    def use(number: int) -> bool:
        try:
            consume(action="probe", key="a", limit=Limit(amount=10, seconds=86_400))
        except TooMany:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(use, range(24)))
    assert sum(taken) == 10
    cache.clear()


@pytest.mark.parametrize(
    ("proxies", "headers", "address"),
    [
        (0, {"X-Forwarded-For": "6.6.6.6"}, "127.0.0.1"),
        (1, {"X-Forwarded-For": "6.6.6.6, 9.9.9.9"}, "9.9.9.9"),
        (2, {"X-Forwarded-For": "6.6.6.6, 8.8.8.8, 9.9.9.9"}, "8.8.8.8"),
        (1, {}, "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(
    proxies: int, headers: dict[str, str], address: str, settings: Any
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    assert find_address(RequestFactory(headers=headers).get("/")) == address
