"""What every request passes through."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from core.logs import JsonFormatter, RequestIdFilter
from core.middleware import ContentSecurityPolicyMiddleware, RequestIdMiddleware, TimeZoneMiddleware
from core.request_id import choose_request_id, current_request_id


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(current_request_id.get())


def test_a_request_has_an_id_in_its_answer_and_in_logs() -> None:
    response = RequestIdMiddleware(answer)(RequestFactory().get("/"))
    assert response["X-Request-ID"] == response.content.decode()
    assert len(response["X-Request-ID"]) == 32
    assert current_request_id.get() == "-"


@pytest.mark.parametrize(
    ("offered", "kept"), [("abc-12345678", True), ("a\nb", False), ("x" * 65, False), ("", False)]
)
def test_only_a_harmless_id_is_taken_over(offered: str, kept: bool) -> None:
    assert (choose_request_id(offered) == offered) is kept


def test_a_log_line_is_one_json_object() -> None:
    record = logging.makeLogRecord(
        {"name": "lms", "levelname": "INFO", "msg": "%s enrolled", "args": ("é\n",), "offering": 7}
    )
    token = current_request_id.set("request-1")
    RequestIdFilter().filter(record)
    current_request_id.reset(token)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found = json.loads(line)
    assert found["message"] == "é\n enrolled"
    assert (found["level"], found["request_id"], found["offering"]) == ("info", "request-1", 7)


@pytest.mark.parametrize(
    ("path", "inline"), [("/en/", False), ("/fr/accounts/login/", False), ("/admin/pages/3/", True)]
)
def test_inline_code_is_allowed_in_the_cms_alone(path: str, inline: bool) -> None:
    response = ContentSecurityPolicyMiddleware(answer)(RequestFactory().get(path))
    assert ("unsafe-inline" in response["Content-Security-Policy"]) is inline
    assert "default-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("America/Whitehorse", "America/Whitehorse"),
        ("Nowhere/Land", "America/Toronto"),
        ("", "America/Toronto"),
    ],
)
def test_times_are_shown_where_the_person_is(name: str, zone: str, settings: Any) -> None:
    class Person:
        is_authenticated = True
        time_zone = name

    request = RequestFactory().get("/")
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    request.user = Person()
    response = TimeZoneMiddleware(lambda request: HttpResponse(timezone.get_current_timezone_name()))(request)
    assert response.content.decode() == zone


def test_liveness_needs_no_database(client: Client) -> None:
    response = client.get("/healthz")
    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]
