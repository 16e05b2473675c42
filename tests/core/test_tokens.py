"""Forms' tokens are Django's: it unmasks them, and takes the form that they come with."""

from __future__ import annotations

import re

import pytest
from django.middleware.csrf import CSRF_TOKEN_LENGTH, _unmask_cipher_token
from django.test import Client

from core.tokens import mask_secret

SECRET = "aZ09" * 8


def test_django_finds_the_secret_again() -> None:
    tokens = {mask_secret(SECRET) for _turn in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {CSRF_TOKEN_LENGTH}
    assert {_unmask_cipher_token(token) for token in tokens} == {SECRET}


def test_every_sign_comes_up_in_a_mask() -> None:
    signs = {sign for _turn in range(200) for sign in mask_secret(SECRET)[:32]}
    assert len(signs) == 62


@pytest.mark.django_db
def test_a_form_is_taken_with_it_and_refused_without() -> None:
    client = Client(enforce_csrf_checks=True)
    path = "/en/accounts/login/"
    # The first page makes the secret, the second masks that of the cookie.
    pages = [client.get(path).content.decode() for _turn in range(2)]
    tokens = [re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0] for page in pages]
    assert tokens[0] != tokens[1]
    assert len({_unmask_cipher_token(token) for token in tokens}) == 1
    sent = {"login": "nobody@example.org", "password": "not this one"}
    for token in tokens:
        assert client.post(path, {**sent, "csrfmiddlewaretoken": token}).status_code == 200
    assert client.post(path, {**sent, "csrfmiddlewaretoken": mask_secret("b" * 32)}).status_code == 403
    assert client.post(path, sent).status_code == 403
