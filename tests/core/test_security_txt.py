"""A weakness can be reported, and an operator who has not said where is told so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import checks
from django.test import Client

from core import clock
from core.security_txt import warn_of_missing_address


def test_it_says_where_and_until_when(client: Client) -> None:
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert lines["Contact"] == "mailto:security@testserver"
    assert lines["Preferred-Languages"] == "en, fr"
    assert lines["Canonical"] == "http://testserver/.well-known/security.txt"
    ends = datetime.fromisoformat(lines["Expires"])
    assert timedelta(days=30) < ends - clock.now() < timedelta(days=365)


@pytest.mark.django_db
def test_without_an_address_there_is_none(client: Client, settings: Any) -> None:
    settings.SECURITY_CONTACT = ""
    assert client.get("/.well-known/security.txt").status_code == 404


def test_a_site_in_service_is_warned_of_it(settings: Any) -> None:
    assert warn_of_missing_address() == []
    settings.SECURITY_CONTACT = ""
    assert warn_of_missing_address() == [], "On one's own machine nobody asks."
    settings.OWN_MACHINE = False
    (warning,) = warn_of_missing_address()
    assert warning.level == checks.WARNING
    assert warning in checks.run_checks(tags=[checks.Tags.security])
