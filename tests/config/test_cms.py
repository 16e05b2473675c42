"""The CMS opens in a browser under its policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from wagtail.models import Page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def editor_page(make_page: Callable[..., Any], live_server: Any) -> Any:
    """A page of a signed-in administrator, by the session's cookie."""
    person = get_user_model().objects.create_superuser(
        "admin@example.ca", "a-long-enough-password", name="Admin"
    )
    client = Client()
    client.force_login(person)
    page = make_page()
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_the_desk_the_explorer_and_an_editor_open(editor_page: Any) -> None:
    editor_page.goto("/admin/")
    editor_page.get_by_role("heading", name="CMNCP").wait_for()
    root = Page.objects.get(depth=1)
    editor_page.goto(f"/admin/pages/{root.pk}/add_subpage/")
    kind = editor_page.locator("main a[href*='/admin/pages/add/']").first
    kind.click()
    editor_page.locator("input[name=title]").fill("A page")
