"""Two-step sign-in: turned on, asked for, kept by staff."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from accounts.adapter import SecondFactorAdapter
from accounts.models import Organization, Role, User
from accounts.services import grant_role
from tests.factories.accounts import PASSWORD, code_for

pytestmark = pytest.mark.django_db


def enter(user: User) -> Client:
    client = Client()
    client.post("/en/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def turn_on(client: Client) -> tuple[str, Any]:
    """Turn on the app as a person does; the secret and the last answer."""
    page = client.get("/en/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found
    secret = found.group(1).replace(" ", "")
    answer = client.post("/en/accounts/2fa/totp/activate/", {"code": code_for(secret)})
    # A code is good once; the tests sign in within the same half minute.
    cache.clear()
    return secret, answer


class TestTurningOn:
    def test_it_is_asked_for_at_the_next_sign_in(
        self, learner: User, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            secret, answer = turn_on(enter(learner))
        assert answer["Location"] == "/en/accounts/2fa/recovery-codes/"
        assert mailoutbox[0].subject == "Two-step sign-in is on"

        client = Client()
        answer = client.post("/en/accounts/login/", {"login": learner.email, "password": PASSWORD})
        assert answer["Location"] == "/en/accounts/2fa/authenticate/"
        assert "_auth_user_id" not in client.session
        answer = client.post("/en/accounts/2fa/authenticate/", {"code": "000000"})
        assert "This code is not right" in answer.content.decode()
        client.post("/en/accounts/2fa/authenticate/", {"code": code_for(secret)})
        assert client.session["_auth_user_id"] == str(learner.pk)

    def test_a_recovery_code_lets_in_once(self, learner: User) -> None:
        client = enter(learner)
        turn_on(client)
        page = client.get("/en/accounts/2fa/recovery-codes/").content.decode()
        codes = re.findall(r'<code class="num">(\w+)</code>', page)
        assert len(codes) == 10
        text = client.get("/en/accounts/2fa/recovery-codes/download/")
        assert all(code in text.content.decode() for code in codes)
        for expected in (True, False):
            other = Client()
            other.post("/en/accounts/login/", {"login": learner.email, "password": PASSWORD})
            other.post("/en/accounts/2fa/authenticate/", {"code": codes[0]})
            assert ("_auth_user_id" in other.session) is expected

    def test_the_secret_is_not_in_the_database_in_clear(self, learner: User, settings: Any) -> None:
        secret, _answer = turn_on(enter(learner))
        data = Authenticator.objects.get(user=learner, type=Authenticator.Type.TOTP).data
        assert secret not in str(data)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key of the site, as long as it has to be for this"
        assert SecondFactorAdapter().decrypt(data["secret"]) == secret

    def test_the_picture_needs_no_script_and_no_style(self, learner: User) -> None:
        page = enter(learner).get("/en/accounts/2fa/totp/activate/")
        picture = re.search(
            r"<svg.*?</svg>", page.content.decode()[page.content.decode().index("qr-frame") :], re.S
        )
        assert picture
        assert "style" not in picture.group(0)
        assert "data:" not in picture.group(0)
        assert "'unsafe-inline'" not in page["Content-Security-Policy"]

    def test_turning_it_off_is_told(self, learner: User, mailoutbox: list[Any]) -> None:
        client = enter(learner)
        turn_on(client)
        client.post("/en/accounts/2fa/totp/deactivate/")
        assert not Authenticator.objects.filter(user=learner).exists()
        assert mailoutbox[-1].subject == "Two-step sign-in is off"

    def test_an_old_sign_in_is_asked_once_more(
        self, learner: User, sign_in: Callable[[User], Client]
    ) -> None:
        answer = sign_in(learner).get("/en/accounts/2fa/totp/activate/")
        assert answer["Location"].startswith("/en/accounts/reauthenticate/")


class TestStaff:
    @pytest.fixture(autouse=True)
    def _enforced(self, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = True

    def test_staff_are_led_to_it_when_they_sign_in(self, author: User) -> None:
        answer = Client().post("/en/accounts/login/", {"login": author.email, "password": PASSWORD})
        assert answer["Location"] == "/en/accounts/2fa/totp/activate/"

    @pytest.mark.parametrize("path", ["/admin/", "/admin/pages/", "/en/teach/", "/fr/teach/some-offering/"])
    def test_and_from_every_staff_screen(
        self, author: User, sign_in: Callable[[User], Client], path: str
    ) -> None:
        answer = sign_in(author).get(path)
        assert answer.status_code == 302
        assert answer["Location"].endswith("/accounts/2fa/totp/activate/")

    def test_the_api_answers_in_its_shape(self, author: User, sign_in: Callable[[User], Client]) -> None:
        answer = sign_in(author).get("/api/v1/anything/")
        assert answer.status_code == 403
        assert answer.json()["code"] == "second_factor_required"

    def test_a_role_granted_while_signed_in_counts_at_once(
        self, stranger: User, network: Organization, sign_in: Callable[[User], Client]
    ) -> None:
        client = sign_in(stranger)
        grant_role(user=stranger, organization=network, what=Role.What.CERTIFICATES)
        assert client.get("/admin/")["Location"].endswith("/2fa/totp/activate/")

    def test_afterwards_they_go_where_they_wanted(self, administrator: User) -> None:
        client = enter(administrator)
        client.get("/admin/people/?q=x")
        _secret, answer = turn_on(client)
        page = client.get(answer["Location"]).content.decode()
        assert 'href="/admin/people/?q=x"' in page
        assert not client.get("/admin/people/?q=x")["Location"].endswith("/2fa/totp/activate/")

    def test_their_own_screens_stay_open(self, author: User, sign_in: Callable[[User], Client]) -> None:
        assert sign_in(author).get("/en/my/data/").status_code == 200

    def test_others_are_not_asked(self, instructor: User, sign_in: Callable[[User], Client]) -> None:
        answer = sign_in(instructor).get("/admin/")
        assert not answer["Location"].endswith("/2fa/totp/activate/")

    def test_staff_cannot_turn_it_off(self, author: User) -> None:
        client = enter(author)
        turn_on(client)
        answer = client.post("/en/accounts/2fa/totp/deactivate/")
        assert "it stays on" in answer.content.decode()
        assert Authenticator.objects.filter(user=author, type=Authenticator.Type.TOTP).exists()
