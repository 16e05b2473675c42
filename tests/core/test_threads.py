"""What holds for a request holds in its thread and in no other."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from django.utils import timezone, translation

from core import threads


def say() -> tuple[str | None, str, str, str | None]:
    return (
        translation.get_language(),
        timezone.get_current_timezone_name(),
        get_script_prefix(),
        get_urlconf(),
    )


def test_each_place_of_djangos_is_where_it_was() -> None:
    """A later Django may keep them elsewhere; then this is to be looked at again."""
    for module, name in threads._PLACES:
        assert isinstance(getattr(module, name), threading.local), (module, name)


def test_a_thread_sees_its_own_and_an_event_loop_that_of_its_thread() -> None:
    async def say_later() -> tuple[str | None, str, str, str | None]:
        await asyncio.sleep(0)
        return say()

    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        before = elsewhere.submit(say).result()
        with translation.override("fr"), timezone.override(dt.UTC):
            set_script_prefix("/under/")
            set_urlconf("config.urls")
            try:
                here = say()
                assert here == ("fr", "UTC", "/under/", "config.urls")
                assert elsewhere.submit(say).result() == before
                assert elsewhere.submit(lambda: asyncio.run(say_later())).result() == before
                assert asyncio.run(say_later()) == here
            finally:
                set_script_prefix("/")
                set_urlconf(None)
        assert say()[0] == "en"
