"""E-mails: whole in both languages, safe against what people type."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
from django.test import override_settings

from accounts.mail import compose_mail, one_line, send_mail_to
from accounts.models import User
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db

LETTERS = {
    "account/already_exists": {"password_reset_url": "https://example.ca/reset"},
    "account/unknown": {"signup_url": "https://example.ca/signup"},
    "account/confirm_address": {"activate_url": "https://example.ca/confirm"},
    "account/welcome": {"activate_url": "https://example.ca/confirm"},
    "account/reset_password": {"password_reset_url": "https://example.ca/reset"},
    "account/set_password": {"password_reset_url": "https://example.ca/reset"},
    "account/erased": {},
    "account/second_factor_reset": {},
    "account/notification": {"headline": "H", "sentence": "S.", "timestamp": None, "ip": "192.0.2.1"},
}


@pytest.mark.parametrize("template", LETTERS)
def test_each_letter_is_whole_in_both_languages(template: str) -> None:
    texts = {}
    for language in ("en", "fr"):
        message = compose_mail(
            to="a@example.ca",
            template=template,
            context={"email": "a@example.ca", **LETTERS[template]},
            language=language,
        )
        html = message.alternatives[0].content
        assert f'<html lang="{language}">' in html
        assert message.extra_headers["Content-Language"] == language
        assert message.subject.strip()
        for address in LETTERS[template].values():
            if isinstance(address, str) and address.startswith("https://"):
                assert address in message.body
                assert f'href="{address}"' in html
        texts[language] = message.body
    assert texts["en"] != texts["fr"]


def test_it_goes_to_the_person_in_their_language(other_learner: User, mailoutbox: list[Any]) -> None:
    send_mail_to(
        user=other_learner,
        template="account/reset_password",
        context={"password_reset_url": "https://x.example"},
    )
    (message,) = mailoutbox
    assert message.to == [other_learner.email]
    assert message.subject == "Choisissez un nouveau mot de passe"
    assert "/fr/" in message.body


def test_what_people_type_starts_no_header(mailoutbox: list[Any]) -> None:
    user = make_user(name="Eve\r\nBcc: everyone@example.ca")
    send_mail_to(
        user=user,
        template="account/notification",
        context={"headline": f"Hello {user.name}", "sentence": user.name, "timestamp": None, "ip": ""},
    )
    (message,) = mailoutbox
    parsed = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == "Hello Eve Bcc: everyone@example.ca"


def test_markup_in_a_name_is_shown_as_text(mailoutbox: list[Any]) -> None:
    user = make_user(name="<b>Bold</b> & sons")
    send_mail_to(
        user=user,
        template="account/notification",
        context={"headline": "H", "sentence": f"Hello {user.name}.", "timestamp": None, "ip": ""},
    )
    (message,) = mailoutbox
    assert "Hello <b>Bold</b> & sons." in message.body
    assert "Hello &lt;b&gt;Bold&lt;/b&gt; &amp; sons." in message.alternatives[0].content


@override_settings(DEFAULT_FROM_EMAIL="Someone <post@example.ca>")
def test_the_sender_is_named_in_the_language_of_the_person() -> None:
    english, french = (
        compose_mail(to="a@example.ca", template="account/erased", context={}, language=language)
        for language in ("en", "fr")
    )
    assert english.from_email.endswith("<post@example.ca>")
    assert french.from_email.endswith("<post@example.ca>")
    assert english.from_email != french.from_email


def test_one_line_keeps_words_apart() -> None:
    assert one_line("a\r\n\tb\x00c\u2028d") == "a b c d"
