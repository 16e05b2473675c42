"""Sign-up, sign-in, password and address: what a person sees, and what a stranger learns."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import Consent, User
from accounts.signals import person_registered
from tests.factories.accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NEW = "sam.cote@example.ca"
FORM = {
    "name": "  Sam   Côté ",
    "email": NEW.title(),
    "preferred_language": "fr",
    "time_zone": "America/Halifax",
    "password1": "four odd lanterns sing",
    "password2": "four odd lanterns sing",
    "privacy": "on",
}


def find_link(message: Any) -> str:
    found = re.search(r"https?://testserver(/\S+)", message.body)
    assert found, message.body
    return found.group(1)


class TestSignUp:
    def test_a_person_signs_up_confirms_and_is_in(self, visitor: Client, mailoutbox: list[Any]) -> None:
        heard: list[User] = []

        def hear(sender: Any, *, user: User, **kwargs: Any) -> None:
            heard.append(user)

        person_registered.connect(hear)
        try:
            answer = visitor.post("/fr/accounts/signup/", FORM)
        finally:
            person_registered.disconnect(hear)
        assert answer["Location"] == "/fr/accounts/confirm-email/"
        user = User.objects.get(email=NEW)
        assert (user.name, user.preferred_language, user.time_zone) == ("Sam Côté", "fr", "America/Halifax")
        assert user.sort_name.startswith("sam cote")
        assert heard == [user]
        assert user.subject is not None
        consent = Consent.objects.get(subject=user.subject)
        assert consent.purpose == Consent.Purpose.PRIVACY_NOTICE
        assert consent.language == "fr"
        assert consent.wording.startswith("J’ai lu")

        (message,) = mailoutbox
        assert message.to == [NEW]
        assert "confirmez votre adresse" in message.subject.lower()
        assert "_auth_user_id" not in visitor.session

        link = find_link(message)
        assert link.startswith("/fr/")
        assert not EmailAddress.objects.get(user=user).verified, "Opening the link alone confirms nothing."
        visitor.get(link)
        assert not EmailAddress.objects.get(user=user).verified
        answer = visitor.post(link)
        assert EmailAddress.objects.get(user=user).verified
        assert answer["Location"].startswith("/fr/")
        assert visitor.session["_auth_user_id"] == str(user.pk)
        assert visitor.cookies["language"].value == "fr"

    def test_notices_are_a_consent_of_their_own(self, visitor: Client) -> None:
        visitor.post("/en/accounts/signup/", {**FORM, "notices": "on"})
        given = set(Consent.objects.filter(subject__user__email=NEW).values_list("purpose", flat=True))
        assert given == {Consent.Purpose.PRIVACY_NOTICE, Consent.Purpose.NOTICES_BY_EMAIL}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("privacy", ""),
            ("name", "https://spam.example"),
            ("name", "123 456"),
            ("name", "a@b"),
            ("name", "<script>"),
            ("password2", "another one altogether"),
            ("password1", "short"),
            ("time_zone", "Mars/Olympus"),
            ("preferred_language", "de"),
        ],
    )
    def test_what_cannot_be_used_makes_no_account(self, visitor: Client, field: str, value: str) -> None:
        answer = visitor.post("/en/accounts/signup/", {**FORM, field: value})
        assert answer.status_code == 200
        assert 'class="error-summary"' in answer.content.decode()
        assert not User.objects.filter(email=NEW).exists()

    def test_the_language_of_the_page_is_chosen_beforehand(self, visitor: Client) -> None:
        assert '<option value="fr" selected>' in visitor.get("/fr/accounts/signup/").content.decode()
        assert '<option value="en" selected>' in visitor.get("/en/accounts/signup/").content.decode()

    def test_an_address_with_an_account_gets_the_same_answer(
        self, learner: User, other_learner: User, mailoutbox: list[Any]
    ) -> None:
        answers = []
        for email in (NEW, learner.email, other_learner.email):
            client = Client()
            first = client.post("/en/accounts/signup/", {**FORM, "email": email})
            second = client.get(first["Location"])
            said = [str(message) for message in second.context["messages"]]
            page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", second.content.decode())
            answers.append(
                (
                    first.status_code,
                    first["Location"],
                    said[0].replace(email, ""),
                    page.replace(email, ""),
                )
            )
        assert answers[0] == answers[1] == answers[2]
        to_new, to_learner, to_other = mailoutbox
        assert to_new.to == [NEW]
        assert to_learner.subject == "You already have an account"
        assert to_other.subject == "Vous avez déjà un compte", "In the owner's language, not the stranger's."
        assert "/fr/" in find_link(to_other)
        assert User.objects.count() == 3

    def test_a_mail_server_that_fails_is_said_and_loses_nothing(
        self, visitor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(self: Any, **kwargs: Any) -> int:
            raise OSError("no route to the mail server")

        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
        answer = visitor.post("/en/accounts/signup/", FORM, follow=True)
        assert answer.status_code == 200
        assert "could not be sent just now" in answer.content.decode()
        assert User.objects.filter(email=NEW).exists()


class TestSignIn:
    def test_one_lands_at_home_in_ones_language(self, visitor: Client, other_learner: User) -> None:
        answer = visitor.post(
            "/en/accounts/login/", {"login": other_learner.email.upper(), "password": PASSWORD}
        )
        assert answer.status_code == 302
        assert answer["Location"].startswith("/fr/")
        assert visitor.cookies["language"].value == "fr"
        assert visitor.get("/")["Location"] == "/fr/"

    def test_a_page_one_came_from_is_kept(self, visitor: Client, other_learner: User) -> None:
        answer = visitor.post(
            "/en/accounts/login/",
            {"login": other_learner.email, "password": PASSWORD, "next": "/en/my/data/"},
        )
        assert answer["Location"] == "/en/my/data/"

    @pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
    def test_nobody_is_led_off_the_site(self, visitor: Client, learner: User, goal: str) -> None:
        answer = visitor.post(
            "/en/accounts/login/", {"login": learner.email, "password": PASSWORD, "next": goal}
        )
        assert answer["Location"].startswith("/en/")

    def test_an_unknown_address_and_a_wrong_password_read_the_same(self, learner: User) -> None:
        pages = []
        for email in (learner.email, "nobody@example.ca"):
            answer = Client().post("/en/accounts/login/", {"login": email, "password": "not the password"})
            page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
            pages.append(page.replace(email, ""))
        assert pages[0] == pages[1]

    def test_an_address_not_confirmed_does_not_sign_in(self, visitor: Client, mailoutbox: list[Any]) -> None:
        user = make_user(verified=False)
        visitor.post("/en/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert "_auth_user_id" not in visitor.session
        assert [message.to for message in mailoutbox] == [[user.email]]

    def test_wagtails_own_log_in_is_not_a_way_in(self, visitor: Client, author: User) -> None:
        answer = visitor.get("/admin/login/?next=/admin/")
        assert answer["Location"] == "/en/accounts/login/?next=/admin/"
        visitor.post("/admin/login/", {"username": author.email, "password": PASSWORD})
        assert "_auth_user_id" not in visitor.session

    def test_too_many_tries_are_stopped(self, visitor: Client, learner: User, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login_failed": "5/300s/key"}
        form = {"login": learner.email, "password": "not the password"}
        for _try in range(5):
            visitor.post("/en/accounts/login/", form)
        answer = visitor.post("/en/accounts/login/", {**form, "password": PASSWORD})
        assert "too many tries" in answer.content.decode()
        assert "_auth_user_id" not in visitor.session

    def test_an_address_of_the_network_is_slowed_with_a_page(self, visitor: Client, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
        form = {"login": "nobody@example.ca", "password": "not the password"}
        codes = [visitor.post("/en/accounts/login/", form).status_code for _try in range(3)]
        assert codes == [200, 200, 429]


class TestPassword:
    def test_a_new_one_by_the_link(self, visitor: Client, other_learner: User, mailoutbox: list[Any]) -> None:
        visitor.post("/en/accounts/password/reset/", {"email": other_learner.email})
        (message,) = mailoutbox
        assert message.subject == "Choisissez un nouveau mot de passe"
        link = find_link(message)
        assert link.startswith("/fr/")
        hidden = visitor.get(link)["Location"]
        assert "set-password" in hidden
        new = {"password1": "seven green canoes 4", "password2": "seven green canoes 4"}
        visitor.post(hidden, new)
        assert User.objects.get(pk=other_learner.pk).check_password("seven green canoes 4")
        assert "n’est plus valable" in Client().get(link, follow=True).content.decode()

    def test_an_unknown_address_is_told_by_mail_only(self, learner: User, mailoutbox: list[Any]) -> None:
        answers = [
            Client().post("/en/accounts/password/reset/", {"email": email})["Location"]
            for email in (learner.email, "nobody@example.ca")
        ]
        assert answers[0] == answers[1]
        assert mailoutbox[1].to == ["nobody@example.ca"]
        assert mailoutbox[1].subject == "There is no account with this address"

    def test_a_change_is_told_and_signs_out_everywhere(
        self, learner: User, sign_in: Callable[[User], Client], mailoutbox: list[Any]
    ) -> None:
        here, elsewhere = sign_in(learner), sign_in(learner)
        here.post(
            "/en/accounts/password/change/",
            {
                "oldpassword": PASSWORD,
                "password1": "seven green canoes 4",
                "password2": "seven green canoes 4",
            },
        )
        assert elsewhere.get("/en/my/data/").status_code == 302
        (message,) = mailoutbox
        assert message.subject == "Your password was changed"
        assert "127.0.0.1" in message.body


class TestAddress:
    def change(self, client: Client, email: str) -> Any:
        return client.post("/en/accounts/email/", {"email": email, "action_add": "1"})

    def enter(self, user: User) -> Client:
        client = Client()
        client.post("/en/accounts/login/", {"login": user.email, "password": PASSWORD})
        return client

    def test_it_changes_once_the_new_one_is_confirmed(self, learner: User, mailoutbox: list[Any]) -> None:
        client = self.enter(learner)
        self.change(client, "lea.new@example.ca")
        learner.refresh_from_db()
        assert learner.email == "learner@cast.example"
        (message,) = mailoutbox
        assert message.to == ["lea.new@example.ca"]
        client.post(find_link(message))
        learner.refresh_from_db()
        assert learner.email == "lea.new@example.ca"
        assert [row.email for row in EmailAddress.objects.filter(user=learner)] == ["lea.new@example.ca"]
        told = [message for message in mailoutbox if message.subject == "Your e-mail address was changed"]
        assert told
        assert "learner@cast.example" in told[0].body

    def test_another_persons_address_is_not_taken(
        self, learner: User, other_learner: User, mailoutbox: list[Any]
    ) -> None:
        client = self.enter(learner)
        assert self.change(client, other_learner.email).status_code == 302
        for message in mailoutbox:
            if "/confirm-email/" in message.body:
                client.post(find_link(message))
        learner.refresh_from_db()
        assert learner.email == "learner@cast.example"

    def test_an_address_that_waits_in_another_account_is_refused_with_a_sentence(
        self, learner: User, mailoutbox: list[Any]
    ) -> None:
        client = self.enter(learner)
        self.change(client, "race@example.ca")
        make_user(email="race@example.ca", verified=False)
        answer = client.post(find_link(mailoutbox[0]), follow=True)
        assert answer.status_code == 200
        learner.refresh_from_db()
        assert learner.email == "learner@cast.example"


def test_devices_are_listed_and_signed_out_one_by_one(learner: User, other_learner: User) -> None:
    clients = []
    for agent in (
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604",
        "odd",
    ):
        client = Client(headers={"user-agent": agent})
        client.post("/en/accounts/login/", {"login": learner.email, "password": PASSWORD})
        clients.append(client)
    stranger = Client()
    stranger.post("/en/accounts/login/", {"login": other_learner.email, "password": PASSWORD})

    page = clients[0].get("/en/accounts/sessions/").content.decode()
    for words in ("Firefox, Linux", "Safari, iPhone", "A device that does not say what it is", "this device"):
        assert words in page
    phone = UserSession.objects.get(user=learner, user_agent__contains="iPhone")
    assert stranger.post(f"/en/my/devices/{phone.pk}/end/").status_code == 404
    assert clients[0].get(f"/en/my/devices/{phone.pk}/end/").status_code == 405
    clients[0].post(f"/en/my/devices/{phone.pk}/end/")
    assert clients[1].get("/en/my/data/").status_code == 302
    assert clients[2].get("/en/my/data/").status_code == 200
    clients[0].post("/en/accounts/sessions/")
    assert clients[2].get("/en/my/data/").status_code == 302
    assert clients[0].get("/en/my/data/").status_code == 200
