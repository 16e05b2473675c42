"""Beside the table of `tests/config/test_every_route.py`: Wagtail's people, and screens in both languages."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _groups_may_enter(db: None) -> None:
    permission = Permission.objects.get(codename="access_admin")
    for name in ("Administrators", "Authors", "Committee", "Certificates officers"):
        Group.objects.get_or_create(name=name)[0].permissions.add(permission)


@pytest.mark.parametrize("person", ["author", "committee", "officer"])
@pytest.mark.parametrize("path", ["/admin/organizations/", "/admin/organizations/new/", "/admin/users/"])
def test_organizations_are_for_administrators(
    person: str, path: str, request: pytest.FixtureRequest, sign_in: Callable[[User], Client]
) -> None:
    answer = sign_in(request.getfixturevalue(person)).get(path)
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/"


def test_wagtails_own_people_screens_are_for_superusers(
    administrator: User, sign_in: Callable[[User], Client]
) -> None:
    for path in ("/admin/users/", "/admin/groups/"):
        assert sign_in(administrator).get(path)["Location"] == "/admin/"


def test_a_key_that_nobody_has_is_404(administrator: User, sign_in: Callable[[User], Client]) -> None:
    assert sign_in(administrator).get(f"/admin/people/{uuid.uuid4()}/").status_code == 404


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "path",
    [
        "accounts/login/",
        "accounts/signup/",
        "accounts/password/reset/",
        "accounts/password/reset/done/",
        "accounts/password/reset/key/done/",
        "accounts/password/reset/key/abc-def/",
        "accounts/confirm-email/",
        "accounts/confirm-email/not:a:key/",
        "accounts/inactive/",
        "erased/",
    ],
)
def test_the_open_screens_answer_visitors_in_both_languages(
    visitor: Client, language: str, path: str
) -> None:
    answer = visitor.get(f"/{language}/{path}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f'<html lang="{language}">' in page
    assert "style=" not in page
    assert "onclick" not in page
    assert page.count("<h1") == 1


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "path",
    [
        "accounts/email/",
        "accounts/password/change/",
        "accounts/2fa/",
        "accounts/2fa/totp/activate/",
        "accounts/sessions/",
        "accounts/logout/",
        "my/profile/",
        "my/data/",
        "my/data/erase/",
    ],
)
def test_the_account_screens_answer_in_both_languages(learner: User, language: str, path: str) -> None:
    client = Client()
    client.post("/en/accounts/login/", {"login": learner.email, "password": "safer-communities"})
    answer = client.get(f"/{language}/{path}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f'<html lang="{language}">' in page
    assert "style=" not in page
    assert page.count("<h1") == 1
