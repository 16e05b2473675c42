"""Who may open what: every route of this floor, for every kind of person."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, get_resolver

from accounts import services
from accounts.models import Consent, LegalHold, PersonalText, Role, User

pytestmark = pytest.mark.django_db

CAST = ["learner", "instructor", "author", "committee", "officer", "registrar", "coordinator", "stranger"]

# Route: its path, the method, and what a visitor, the person it is about, somebody else, and an administrator get.
# 302 for a visitor is the way to the log-in; `own` is the learner.
ROUTES = {
    "accounts:profile": ("/en/my/profile/", "get", 302, 200, 200, 200),
    "accounts:session_end": ("/en/my/devices/0/end/", "post", 302, 404, 404, 404),
    "accounts:data": ("/en/my/data/", "get", 302, 200, 200, 200),
    "accounts:data_download": ("/en/my/data/download/", "get", 302, 200, 200, 200),
    "accounts:consent_withdraw": ("/en/my/data/consents/{consent}/withdraw/", "post", 302, 302, 404, 404),
    "accounts:text_erase": ("/en/my/data/texts/{text}/erase/", "get", 302, 200, 404, 404),
    "accounts:erase": ("/en/my/data/erase/", "get", 302, 200, 200, 200),
    "accounts:erased": ("/en/erased/", "get", 200, 302, 302, 302),
    "accounts:file": ("/en/files/{text}/", "get", 302, 404, 404, 404),
}
ADMIN_ROUTES = {
    "people": "/admin/people/",
    "person": "/admin/people/{person}/",
    "grant": "/admin/people/{person}/grant/",
    "place_hold": "/admin/people/{person}/hold/",
    "reset_factor": "/admin/people/{person}/second-step/",
    "end": "/admin/roles/{role}/end/",
    "holds": "/admin/holds/",
    "lift_hold": "/admin/holds/{hold}/lift/",
    "audit": "/admin/audit/",
}


@pytest.fixture
def keys(learner: User) -> dict[str, Any]:
    subject = services.subject_of(learner)
    return {
        "consent": services.give_consent(
            subject=subject, purpose=Consent.Purpose.NOTICES_BY_EMAIL, wording="Yes.", language="en"
        ).pk,
        "text": services.save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text="Words.").pk,
        "person": learner.pk,
        "role": Role.objects.get(user=learner).pk,
        "hold": LegalHold.objects.create(subject=subject, reason="Lifted.", lifted_at=subject.created_at).pk,
    }


@pytest.fixture(autouse=True)
def _groups_may_enter(db: None) -> None:
    permission = Permission.objects.get(codename="access_admin")
    for name in ("Administrators", "Authors", "Committee", "Certificates officers"):
        Group.objects.get_or_create(name=name)[0].permissions.add(permission)


def test_the_table_has_every_route() -> None:
    resolver = get_resolver("accounts.urls")
    names = {
        f"accounts:{pattern.name}" for pattern in resolver.url_patterns if isinstance(pattern, URLPattern)
    }
    assert names == set(ROUTES)
    from accounts.wagtail_hooks import register_urls

    (included,) = register_urls()
    assert {pattern.name for pattern in included.url_patterns} == set(ADMIN_ROUTES)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ROUTES)
def test_each_person_gets_what_the_table_says(
    name: str,
    keys: dict[str, Any],
    visitor: Client,
    learner: User,
    stranger: User,
    administrator: User,
    sign_in: Callable[[User], Client],
) -> None:
    path, method, *expected = ROUTES[name]
    path = path.format(**keys)
    got = []
    for client in (visitor, sign_in(learner), sign_in(stranger), sign_in(administrator)):
        answer = getattr(client, method)(path)
        if answer.streaming:
            assert b"".join(answer.streaming_content)
        got.append(answer.status_code)
    assert got == expected


@pytest.mark.parametrize("name", ADMIN_ROUTES)
@pytest.mark.parametrize("person", CAST)
def test_only_administrators_see_the_office(
    name: str,
    person: str,
    keys: dict[str, Any],
    request: pytest.FixtureRequest,
    sign_in: Callable[[User], Client],
) -> None:
    path = ADMIN_ROUTES[name].format(**keys)
    client = sign_in(request.getfixturevalue(person))
    for answer in (client.get(path), client.post(path)):
        # Wagtail leads to its first page, with a sentence, or to the log-in whoever may not enter it at all.
        assert answer.status_code == 302
        assert answer["Location"] == "/admin/" or "/accounts/login/" in answer["Location"]
    assert not Role.objects.filter(user=keys["person"], ended_at__isnull=False).exists()


@pytest.mark.parametrize("name", ADMIN_ROUTES)
def test_a_visitor_is_led_to_the_log_in(name: str, keys: dict[str, Any], visitor: Client) -> None:
    answer = visitor.get(ADMIN_ROUTES[name].format(**keys))
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


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
