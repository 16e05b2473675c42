"""A session brings its person along in one round trip, and is believed only as far as Django would."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.sessions import SessionStore
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/en/my/data/"


@pytest.fixture
def visitor(learner: User) -> Client:
    client = Client()
    client.post("/en/accounts/login/", {"login": learner.email, "password": PASSWORD})
    assert client.get(PAGE).status_code == 200
    return client


def load(client: Client) -> SessionStore:
    store = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert store.get("_auth_user_id")
    return store


def test_who_signed_in_comes_with_the_session(
    visitor: Client, learner: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        store = load(visitor)
    assert store.person == learner


def test_a_session_that_is_listed_for_somebody_else_is_still_its_own_persons(
    visitor: Client, learner: User, other_learner: User
) -> None:
    UserSession.objects.update(user=other_learner)
    assert load(visitor).person == other_learner
    answer = visitor.get(PAGE)
    assert answer.context["user"] == learner
    assert other_learner.email not in answer.content.decode()


def test_one_that_is_not_listed_is_read_as_before(visitor: Client, learner: User) -> None:
    UserSession.objects.all().delete()
    assert load(visitor).person is None
    assert visitor.get(PAGE).context["user"] == learner


@pytest.mark.parametrize("change", ["locked", "password"])
def test_who_may_not_come_in_any_more_does_not(visitor: Client, learner: User, change: str) -> None:
    if change == "locked":
        User.objects.filter(pk=learner.pk).update(is_active=False)
    else:
        other = User.objects.get(pk=learner.pk)
        other.set_password("another one, set elsewhere")
        other.save()
    assert visitor.get(PAGE).status_code == 302


def test_after_signing_out_the_key_opens_nothing(visitor: Client) -> None:
    key = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    visitor.post("/en/accounts/logout/")
    visitor.cookies[settings.SESSION_COOKIE_NAME] = key
    assert visitor.get(PAGE).status_code == 302
