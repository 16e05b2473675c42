"""A NUL character is refused at the door."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/en/search/?q=%00",
        "/en/trainings/?a%00=1",
        "/en/%00/",
        "/certificates/00000000-0000-0000-0000-000000000007/?share=a%00b",
        "/media/editions/%00.svg",
    ],
)
def test_in_an_address(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text


def test_in_a_form(client: Client) -> None:
    form = {"login": "a\0@example.ca", "password": "x"}
    assert client.post("/en/accounts/login/", form).status_code == 400


def test_a_file_may_have_it(client: Client) -> None:
    upload = SimpleUploadedFile("a.png", b"\x89PNG\0\0")
    assert client.post("/en/accounts/login/", {"file": upload}).status_code == 200


def test_the_api_refuses_it_in_its_shape(client: Client) -> None:
    answer = client.get("/api/v1/courses/?cursor=%00")
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "errors"}


def test_what_is_only_written_like_it_is_no_nul(client: Client) -> None:
    assert client.get("/en/search/", {"q": "%00"}).status_code == 200
