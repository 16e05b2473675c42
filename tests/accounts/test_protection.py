"""Tries are counted, answers tell strangers nothing, sessions are renewed, and one is asked again for what matters."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.http import QueryDict
from django.test import Client

from accounts.mail import compose_mail
from accounts.models import LegalHold, Organization, Role, User
from accounts.sealing import make_cipher
from accounts.services import end_role, grant_role
from accounts.suspended import PURPOSE
from certificates.models import Certificate
from config import settings as served
from core import clock
from tests.factories.accounts import PASSWORD, code_for, make_user
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
WRONG = "not the password"
LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])


def log_in(client: Client, email: str, password: str = PASSWORD, **how: Any) -> Any:
    return client.post("/en/accounts/login/", {"login": email, "password": password}, **how)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def read(answer: Any, *without: str) -> str:
    """A page without what differs from one request to the next."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    for words in without:
        page = page.replace(words, "")
    return page


class TestTries:
    """With the limits of the site as it is served, which the tests otherwise do without."""

    @pytest.fixture(autouse=True)
    def _served(self, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = served.ACCOUNT_RATE_LIMITS

    def test_an_address_is_closed_after_five_wrong_passwords_wherever_they_come_from(
        self, learner: User
    ) -> None:
        for number in range(5):
            log_in(Client(REMOTE_ADDR=f"198.51.100.{number}"), learner.email, WRONG)
        last = Client(REMOTE_ADDR="198.51.100.9")
        assert "too many tries" in log_in(last, learner.email).content.decode()
        assert not is_in(last)

    def test_an_address_that_nobody_has_is_closed_alike(self, learner: User) -> None:
        pages = []
        for email in (learner.email, "nobody@example.ca"):
            client = Client(REMOTE_ADDR="203.0.113.7" if email == learner.email else "203.0.113.8")
            for _try in range(5):
                log_in(client, email, WRONG)
            pages.append(read(log_in(client, email, WRONG), email))
        assert pages[0] == pages[1]

    def test_one_place_may_not_try_many_addresses(self) -> None:
        client = Client(REMOTE_ADDR="203.0.113.9")
        for number in range(10):
            log_in(client, f"nobody{number}@example.ca", WRONG)
        assert "too many tries" in log_in(client, "somebody@example.ca", WRONG).content.decode()

    def test_a_made_up_forwarding_address_is_no_way_round(self, learner: User) -> None:
        client = Client(REMOTE_ADDR="203.0.113.10")
        for number in range(10):
            log_in(
                client,
                f"nobody{number}@example.ca",
                WRONG,
                headers={"x-forwarded-for": f"192.0.2.{number}", "forwarded": f"for=192.0.2.{number}"},
            )
        answer = log_in(client, "x@example.ca", WRONG, headers={"x-forwarded-for": "192.0.2.77"})
        assert "too many tries" in answer.content.decode()

    def test_codes_of_the_second_step_are_counted_too(self, learner: User) -> None:
        secret = totp.generate_totp_secret()
        totp.TOTP.activate(learner, secret)
        client = Client()
        log_in(client, learner.email)
        for _try in range(6):
            answer = client.post("/en/accounts/2fa/authenticate/", {"code": "000000"})
        right = code_for(secret)
        answer = client.post("/en/accounts/2fa/authenticate/", {"code": right})
        assert answer.status_code in (200, 429)
        assert not is_in(client)

    def test_mails_to_one_address_are_limited(self, learner: User, mailoutbox: list[Any]) -> None:
        for number in range(8):
            Client(REMOTE_ADDR=f"198.51.100.{number}").post(
                "/en/accounts/password/reset/", {"email": learner.email}
            )
        assert len(mailoutbox) <= 5


class TestNothingIsTold:
    """Whether an address has an account is said in no wording, status, address or number of mails."""

    @LANGUAGES
    def test_at_sign_in(self, learner: User, language: str) -> None:
        closed = make_user(is_active=False)
        pages = {
            read(Client().post(f"/{language}/accounts/login/", {"login": email, "password": WRONG}), email)
            for email in (learner.email, closed.email, "nobody@example.ca")
        }
        assert len(pages) == 1

    @LANGUAGES
    def test_when_a_password_is_forgotten(self, learner: User, language: str, mailoutbox: list[Any]) -> None:
        said = set()
        for email in (learner.email, "nobody@example.ca"):
            client = Client()
            answer = client.post(f"/{language}/accounts/password/reset/", {"email": email})
            said.add((answer.status_code, answer["Location"], read(client.get(answer["Location"]), email)))
        assert len(said) == 1
        assert [message.to for message in mailoutbox] == [[learner.email], ["nobody@example.ca"]]

    @LANGUAGES
    def test_at_sign_up(self, learner: User, language: str, mailoutbox: list[Any]) -> None:
        said = set()
        for email in (learner.email, "new@example.ca"):
            client = Client()
            form = {
                "name": "Sam",
                "email": email,
                "preferred_language": language,
                "time_zone": "America/Toronto",
                "password1": "seven green canoes 4",
                "password2": "seven green canoes 4",
                "privacy": "on",
            }
            answer = client.post(f"/{language}/accounts/signup/", form)
            said.add((answer.status_code, answer["Location"], read(client.get(answer["Location"]), email)))
        assert len(said) == 1
        assert len(mailoutbox) == 2

    def test_nor_by_the_work_that_is_done(self, learner: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """A password is hashed as often for an address that nobody has."""
        from django.contrib.auth.hashers import MD5PasswordHasher

        hashed: list[str] = []
        encode = MD5PasswordHasher.encode
        monkeypatch.setattr(
            MD5PasswordHasher,
            "encode",
            lambda self, password, salt: (hashed.append(password), encode(self, password, salt))[1],
        )
        counts = []
        for email in (learner.email, "nobody@example.ca"):
            hashed.clear()
            log_in(Client(), email, WRONG)
            counts.append(len(hashed))
        assert counts[0] == counts[1] > 0


class TestSessions:
    def test_signing_in_makes_a_new_key(self, learner: User) -> None:
        client = Client()
        session = client.session
        session["seen"] = "before"
        session.save()
        client.cookies["sessionid"] = before = session.session_key
        log_in(client, learner.email)
        assert is_in(client)
        assert client.cookies["sessionid"].value not in ("", before)
        stale = Client()
        stale.cookies["sessionid"] = before
        assert stale.get("/en/my/profile/").status_code == 302

    def test_a_session_that_has_ended_opens_nothing(self, learner: User, sign_in: SignIn) -> None:
        client = sign_in(learner)
        assert client.get("/en/my/profile/").status_code == 200
        Session.objects.update(expire_date=clock.now() - timedelta(seconds=1))
        assert client.get("/en/my/profile/").status_code == 302

    def test_signing_out_ends_the_key(self, learner: User, sign_in: SignIn) -> None:
        client = sign_in(learner)
        key = client.cookies["sessionid"].value
        client.post("/en/accounts/logout/")
        stale = Client()
        stale.cookies["sessionid"] = key
        assert stale.get("/en/my/profile/").status_code == 302

    def test_a_role_that_is_granted_or_ended_makes_a_new_key(
        self, learner: User, network: Organization, college: Organization
    ) -> None:
        client = Client()
        log_in(client, learner.email)
        keys = [client.cookies["sessionid"].value]
        client.get("/en/teach/")
        assert client.cookies["sessionid"].value == keys[0], "Nothing has changed."
        role = grant_role(user=learner, organization=college, what=Role.What.INSTRUCTOR)
        client.get("/en/teach/")
        keys.append(client.cookies["sessionid"].value)
        client.get("/en/teach/")
        assert client.cookies["sessionid"].value == keys[1]
        end_role(role=role)
        client.get("/en/teach/")
        keys.append(client.cookies["sessionid"].value)
        assert len(set(keys)) == 3
        for key in keys[:2]:
            stale = Client()
            stale.cookies["sessionid"] = key
            assert stale.get("/en/my/profile/").status_code == 302
        assert client.get("/en/my/profile/").status_code == 200
        assert {row.session_key for row in UserSession.objects.filter(user=learner)} == {keys[2]}

    @pytest.mark.django_db(transaction=True)
    def test_so_does_turning_on_the_second_step(self, learner: User) -> None:
        client = Client()
        log_in(client, learner.email)
        before = client.cookies["sessionid"].value
        page = client.get("/en/accounts/2fa/totp/activate/").content.decode()
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
        assert found
        secret = found.group(1).replace(" ", "")
        code = code_for(secret)
        client.post("/en/accounts/2fa/totp/activate/", {"code": code})
        assert client.cookies["sessionid"].value != before
        assert client.get("/en/my/profile/").status_code == 200

    def test_cookies_are_for_this_site_alone(self, learner: User, settings: Any) -> None:
        """As they are when the site is served by HTTPS; see also `tests/config/test_settings.py`."""
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
        settings.LANGUAGE_COOKIE_SECURE = True
        client = Client()
        seen: dict[str, Any] = {}
        for answer in (
            client.get("/en/accounts/login/", secure=True),
            log_in(client, learner.email, secure=True),
            client.get("/en/language/fr/", secure=True),
            client.post("/language/", {"language": "fr"}, secure=True),
            client.post("/en/my/profile/", {"name": ""}, secure=True),
        ):
            seen |= answer.cookies
        assert {"sessionid", "csrftoken", "language"} <= set(seen)
        for name, cookie in seen.items():
            assert cookie["secure"], name
            assert cookie["samesite"] == "Lax", name
            assert not cookie["domain"], name
            assert cookie["httponly"] or name in {"csrftoken", "language"}, name


class TestAskedAgain:
    """Before a role is changed or a certificate revoked, whoever signed in a while ago says who they are."""

    @pytest.fixture
    def certificate(self, learner: User) -> Certificate:
        return make_certificate(user=learner)

    @pytest.fixture
    def office(self, officer: User, sign_in: SignIn) -> Client:
        """Signed in long ago."""
        officer.user_permissions.add(Permission.objects.get(codename="access_admin"))
        return sign_in(officer)

    @LANGUAGES
    def test_what_was_typed_is_kept_and_done(
        self, certificate: Certificate, office: Client, language: str
    ) -> None:
        office.cookies["language"] = language
        path = f"/admin/certificates/{certificate.pk}/revoke/"
        form = {"client_id": str(uuid.uuid4()), "reason": "integrity", "note": "Une œuvre d’autrui."}
        answer = office.post(path, form)
        asked = answer["Location"]
        assert asked.startswith(f"/{language}/accounts/reauthenticate/")
        assert not certificate.statuses.filter(status="revoked").exists()
        page = office.get(asked).content.decode()
        assert f'<html lang="{language}">' in page
        wrong = office.post(asked, {"password": WRONG, "next": path})
        assert wrong.status_code == 200
        done = office.post(asked, {"password": PASSWORD, "next": path})
        assert done["Location"] == f"/admin/certificates/{certificate.pk}/"
        assert certificate.statuses.filter(status="revoked").count() == 1
        assert "Une œuvre d’autrui." in office.get(done["Location"]).content.decode()

    def test_once_in_five_minutes(self, certificate: Certificate, office: Client) -> None:
        asked = office.get(f"/admin/certificates/{certificate.pk}/revoke/")["Location"]
        office.post(asked, {"password": PASSWORD})
        for what in ("revoke", "reissue"):
            assert office.get(f"/admin/certificates/{certificate.pk}/{what}/").status_code == 200

    @pytest.mark.parametrize("what", ["a role granted", "a role ended", "a factor reset", "a hold placed"])
    def test_before_anything_of_another_person_changes(
        self, administrator: User, registrar: User, learner: User, sign_in: SignIn, what: str
    ) -> None:
        administrator.user_permissions.add(Permission.objects.get(codename="access_admin"))
        client = sign_in(administrator)
        role = registrar.roles.get()
        path, form = {
            "a role granted": (
                f"people/{learner.pk}/grant/",
                {"organization": str(role.organization_id), "what": "instructor"},
            ),
            "a role ended": (f"roles/{role.pk}/end/", {}),
            "a factor reset": (f"people/{registrar.pk}/second-step/", {}),
            "a hold placed": (f"people/{learner.pk}/hold/", {"reason": "File 12."}),
        }[what]
        answer = client.post(f"/admin/{path}", form)
        assert "/reauthenticate/" in answer["Location"]
        role.refresh_from_db()
        assert role.ended_at is None
        assert not Role.objects.filter(user=learner, what="instructor").exists()
        assert not LegalHold.objects.exists()

    def test_by_the_code_where_there_is_a_second_factor(
        self, certificate: Certificate, office: Client, officer: User
    ) -> None:
        secret = totp.generate_totp_secret()
        totp.TOTP.activate(officer, secret)
        path = f"/admin/certificates/{certificate.pk}/revoke/"
        form = {"client_id": str(uuid.uuid4()), "reason": "integrity", "note": ""}
        office.post(path, form)
        code = code_for(secret)
        office.post(f"/en/accounts/2fa/reauthenticate/?next={path}", {"code": code, "next": path})
        assert certificate.statuses.filter(status="revoked").count() == 1

    def test_what_waits_is_sealed_and_no_more_than_is_needed(
        self, certificate: Certificate, office: Client, officer: User
    ) -> None:
        """In the session stands nothing of what was typed, no password, no cookie and nothing of the server's own."""
        path = f"/admin/certificates/{certificate.pk}/revoke/"
        form = {"client_id": str(uuid.uuid4()), "reason": "integrity", "note": "Une œuvre", "password": WRONG}
        office.post(path, form, SECRET_OF_THE_SERVER="a-sealing-key")
        session = Session.objects.get(session_key=office.cookies["sessionid"].value)
        (sealed,) = session.get_decoded()["account_reauthentication_state"].values()
        for word in ("integrity", "vre", WRONG, "a-sealing-key", office.cookies["sessionid"].value, path):
            assert word not in sealed
        told = json.loads(make_cipher(PURPOSE).decrypt(sealed))
        assert set(told) == {"path", "path_info", "method", "GET", "POST", "person"}
        assert set(QueryDict(told["POST"])) == {"client_id", "reason", "note"}

    @pytest.mark.parametrize("fault", ["an hour later", "another key", "another person"])
    def test_what_cannot_be_opened_is_not_done(
        self, certificate: Certificate, office: Client, learner: User, settings: Any, fault: str
    ) -> None:
        path = f"/admin/certificates/{certificate.pk}/revoke/"
        office.post(path, {"client_id": str(uuid.uuid4()), "reason": "integrity", "note": ""})
        later = timedelta(minutes=61) if fault == "an hour later" else timedelta()
        session = office.session
        state = session["account_reauthentication_state"]
        if fault == "another key":
            state["request"] = f"{state['request'][:-8]}AAAAAAA="
        if fault == "another person":
            told = json.loads(make_cipher(PURPOSE).decrypt(state["request"]))
            told["person"] = str(learner.pk)
            state["request"] = make_cipher(PURPOSE).encrypt(json.dumps(told).encode()).decode()
        session["account_reauthentication_state"] = state
        session.save()
        with clock.set_to(clock.now() + later):
            done = office.post(
                f"/en/accounts/reauthenticate/?next={path}", {"password": PASSWORD, "next": path}
            )
        assert done["Location"] == path, "They are led to where they were."
        assert not certificate.statuses.filter(status="revoked").exists()

    def test_another_persons_session_does_not_do_what_was_typed(
        self, certificate: Certificate, office: Client, learner: User
    ) -> None:
        """On a shared computer: who signs in next says who they are, and nothing is done for the first."""
        path = f"/admin/certificates/{certificate.pk}/revoke/"
        office.post(path, {"client_id": str(uuid.uuid4()), "reason": "integrity", "note": ""})
        office.post("/en/accounts/logout/")
        log_in(office, learner.email)
        office.post(f"/en/accounts/reauthenticate/?next={path}", {"password": PASSWORD, "next": path})
        assert not certificate.statuses.filter(status="revoked").exists()


class TestMail:
    def test_links_stand_on_the_hosts_that_are_ours(
        self, learner: User, mailoutbox: list[Any], settings: Any
    ) -> None:
        path = "/en/accounts/password/reset/"
        evil = Client().post(path, {"email": learner.email}, headers={"host": "evil.example"})
        assert evil.status_code == 400
        Client().post(path, {"email": learner.email}, headers={"x-forwarded-host": "evil.example"})
        (message,) = mailoutbox
        assert "evil.example" not in str(message.message())
        assert "http://testserver/en/accounts/password/reset/key/" in message.body

    @pytest.mark.parametrize(
        "words", ["Sam\r\nBcc: everyone@example.ca", "Sam\nSubject: x", "Sam\u2028Bcc: a"]
    )
    def test_a_name_starts_no_header(
        self, learner: User, words: str, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from core import extensions

        identity = extensions.site_identity()
        names = {"en": words, "fr": words}
        monkeypatch.setattr(
            "accounts.mail.site_identity",
            lambda: type(identity)(
                name=names, short_name=names, tagline=names, about=names, contact_email="a@example.ca"
            ),
        )
        learner.name = words
        message = compose_mail(
            to=learner.email,
            template="notice",
            context={"user": learner, "text": words, "address": "https://example.org/"},
            language="en",
        )
        message.send()
        sent = mailoutbox[0].message()
        assert sent["Bcc"] is None
        assert len(sent.get_all("Subject")) == 1
        assert mailoutbox[0].recipients() == [learner.email]

    @pytest.mark.parametrize("email", ["a@example.ca\nBcc: b@example.ca", "a@example.ca, b@example.ca"])
    def test_an_address_is_one_address(self, email: str, mailoutbox: list[Any]) -> None:
        Client().post("/en/accounts/password/reset/", {"email": email})
        assert mailoutbox == []
