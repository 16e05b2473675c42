"""The first day of an empty site, without the demo: one command makes the administrator, and empty screens lead on."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from cms.identity import forget_frame
from tests.browser.walks import find_faults, find_overflow, press
from tests.factories.accounts import code_for

WORDS = "harbour lichen trumpet nine"


@pytest.fixture
def empty_site(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = False
    settings.STAFF_SECOND_FACTOR = True
    forget_frame()
    call_command("setup_site", stdout=io.StringIO())
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WORDS}\n"))
    call_command(
        "create_administrator",
        "ada@network.example",
        name="Ada First",
        password_stdin=True,
        stdout=io.StringIO(),
    )


def test_the_first_administrator(empty_site: None, make_page: Callable[..., Any]) -> None:
    page = make_page()
    page.goto("/admin/")
    assert "/accounts/login/" in page.url
    page.fill("[name=login]", "ada@network.example")
    page.fill("[name=password]", WORDS)
    press(page, "main form button.btn")

    # A second step is asked for before the CMS opens.
    assert "/2fa/totp/activate/" in page.url
    secret = re.sub(r"\s", "", page.locator("code").first.text_content())
    page.fill("[name=code]", code_for(secret))
    press(page, "main form button.btn")
    assert "/2fa/recovery-codes/" in page.url
    response = page.goto("/admin/")
    assert response.status == 200
    assert page.url.endswith("/admin/")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_empty_screens_lead_on(empty_site: None, make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce")
    faults: list[str] = []

    def look(path: str) -> None:
        page.set_viewport_size({"width": 1280, "height": 900})
        response = page.goto(f"/{language}{path}")
        assert response.status == 200
        assert page.locator("main h1").count() == 1
        assert page.locator("main a[href]").count() >= 1, f"{page.url} leads nowhere"
        assert not page.locator(".demo-band").count()
        faults.extend(find_faults(page))
        page.set_viewport_size({"width": 320, "height": 640})
        faults.extend(find_overflow(page))

    for path in ("/", "/trainings/", "/standards/", "/certificates/check/", "/search/?q=rural"):
        look(path)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/{language}/accounts/login/")
    page.fill("[name=login]", "ada@network.example")
    page.fill("[name=password]", WORDS)
    press(page, "main form button.btn")
    for path in ("/my/", "/my/competencies/", "/my/certificates/"):
        look(path)
    assert not faults, "\n".join(faults)
