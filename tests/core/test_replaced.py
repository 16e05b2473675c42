"""What is put in the place of Django's own does the same: what holds for a request holds in its thread and no other."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib.util
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings, settings
from django.middleware import csrf
from django.test import override_settings
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from django.utils import timezone, translation

from core import replaced
from core.tokens import mask_secret, unmask_token


def say() -> tuple[str | None, str, str, str | None]:
    return (
        translation.get_language(),
        timezone.get_current_timezone_name(),
        get_script_prefix(),
        get_urlconf(),
    )


def test_each_place_of_djangos_is_where_it_was() -> None:
    """A later Django may keep them elsewhere; then this is to be looked at again."""
    for module, name in replaced._PLACES:
        assert hasattr(module, name), (module, name)
    # A test that changes settings may have had Django make its own again.
    replaced.replace_in_django()
    for module, name in replaced._PLACES:
        assert isinstance(getattr(module, name), threading.local), (module, name)


def test_a_thread_sees_its_own_and_an_event_loop_that_of_its_thread() -> None:
    async def say_later() -> tuple[str | None, str, str, str | None]:
        await asyncio.sleep(0)
        return say()

    def compare(elsewhere: ThreadPoolExecutor) -> None:
        before = elsewhere.submit(say).result()
        with translation.override("fr"), timezone.override(dt.UTC):
            set_script_prefix("/under/")
            set_urlconf("config.urls")
            here = say()
            assert here == ("fr", "UTC", "/under/", "config.urls")
            assert elsewhere.submit(say).result() == before
            assert elsewhere.submit(lambda: asyncio.run(say_later())).result() == before
            assert asyncio.run(say_later()) == here
        assert say()[0] != "fr"

    # Threads of their own: in that of the tests a browser's event loop may run.
    with ThreadPoolExecutor(max_workers=1) as one, ThreadPoolExecutor(max_workers=1) as other:
        one.submit(compare, other).result()


def test_settings_have_nothing_that_stands_for_what_they_wrap() -> None:
    """A later Django may give them such a thing; it would be found by what Django's own way of asking refuses."""
    masked = [
        name for name in vars(LazySettings) if not getattr(vars(LazySettings)[name], "_mask_wrapped", True)
    ]
    assert masked == []
    assert LazySettings.__getattribute__ is object.__getattribute__
    with override_settings(SITE_ID=7):
        assert settings.SITE_ID == 7
    with pytest.raises(AttributeError):
        _ = settings.NO_SUCH_SETTING


def test_a_token_is_read_as_django_reads_it() -> None:
    """By a copy of Django's module that nothing was replaced in."""
    assert csrf._unmask_cipher_token is unmask_token
    spec = importlib.util.find_spec("django.middleware.csrf")
    assert spec is not None
    assert spec.loader is not None
    own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own)
    assert own._unmask_cipher_token is not unmask_token
    for _turn in range(50):
        secret = own._get_new_csrf_string()
        for token in (own._mask_cipher_secret(secret), mask_secret(secret)):
            assert unmask_token(token) == own._unmask_cipher_token(token) == secret
