"""The demo keeps its promises: the cast, the places of the public contract, the states of certificates."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import clear_url_caches

from accounts.models import User
from certificates.models import Certificate, StatusEntry
from cms.demo.cast import COHORT, FINISHERS, PASSWORD, PLAYERS, demo_enrolments, key_of
from cms.demo.learning import Walker
from cms.demo.load import load_demo
from core import clock
from lms.models import Enrolment, LearningEvent, Offering
from modules.selectors import outline_of
from tests.database import run_tasks

pytestmark = pytest.mark.usefixtures("seeded_site")

PROMISED = {
    "learner@demo.example",
    "instructor@demo.example",
    "author@demo.example",
    "committee@demo.example",
    "registrar@college.demo.example",
    "coordinator@town.demo.example",
    "admin@demo.example",
}


def sign_in(email: str, password: str = PASSWORD) -> Client:
    """As by the ordinary screen."""
    client = Client()
    answer = client.post("/en/accounts/login/", {"login": email, "password": password})
    assert answer.status_code == 302, answer.content.decode()
    assert "_auth_user_id" in client.session
    return client


def read_contract() -> dict[str, Any]:
    answer = Client().get("/demo/", headers={"accept": "application/json"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_the_contract_is_kept() -> None:
    found = read_contract()
    assert set(found) == {"accounts", "certificates", "offering", "lesson", "standards"}
    assert {account["email"] for account in found["accounts"]} == PROMISED
    assert all(set(account) == {"role", "email", "password"} for account in found["accounts"])
    assert {account["password"] for account in found["accounts"]} == {"safer-communities"}
    assert set(found["certificates"]) == {"valid", "superseded", "revoked", "expired"}
    for path in (*found["certificates"].values(), found["offering"], found["lesson"], found["standards"]):
        assert path.startswith("/"), path


def test_each_place_opens_for_whom_it_is_meant() -> None:
    found = read_contract()
    for path in (*found["certificates"].values(), found["standards"]):
        assert Client().get(path).status_code == 200, path
    assert sign_in("instructor@demo.example").get(found["offering"]).status_code == 200
    assert sign_in("learner@demo.example").get(found["lesson"]).status_code == 200
    # And not for others.
    assert Client().get(found["lesson"]).status_code == 302
    assert sign_in("coordinator@town.demo.example").get(found["lesson"]).status_code == 404
    assert sign_in("learner@demo.example").get(found["offering"]).status_code in {403, 404}


def test_everyone_of_the_cast_can_sign_in() -> None:
    for player in PLAYERS:
        assert sign_in(player.email).get("/en/my/").status_code == 200


@pytest.mark.parametrize("role", ["author", "committee", "admin"])
def test_who_works_in_the_cms_comes_in(role: str) -> None:
    player = next(player for player in PLAYERS if player.role == role)
    assert sign_in(player.email).get("/admin/").status_code == 200


@pytest.mark.parametrize("role", [player.role for player in PLAYERS])
def test_one_press_signs_in_as_somebody(role: str) -> None:
    client = Client()
    answer = client.post("/demo/sign-in/", {"role": role}, follow=True)
    assert answer.status_code == 200
    assert answer.wsgi_request.user.email == next(player.email for player in PLAYERS if player.role == role)


def test_nobody_else_is_signed_in_by_a_press() -> None:
    assert Client().post("/demo/sign-in/", {"role": "nobody"}).status_code == 404
    assert Client().get("/demo/sign-in/").status_code == 405


def test_certificates_stand_in_their_four_states() -> None:
    places = read_contract()["certificates"]
    for state, words in {"revoked": "Revoked", "expired": "xpired", "superseded": "eplaced"}.items():
        text = Client().get(places[state], headers={"accept-language": "en"}).content.decode()
        assert words in text, state
    first = {
        certificate.enrolment_id: certificate
        for certificate in Certificate.objects.filter(supersedes__isnull=True)
    }
    last = {
        state: StatusEntry.objects.filter(certificate=first[key]).order_by("-id")[0].status
        for state, key in demo_enrolments().items()
    }
    assert last == {"valid": "issued", "superseded": "superseded", "revoked": "revoked", "expired": "issued"}
    newer = Certificate.objects.get(supersedes=first[demo_enrolments()["superseded"]])
    text = Client().get(places["superseded"]).content.decode()
    assert f"/certificates/{newer.pk}/" in text


def test_the_tour_leads_somewhere() -> None:
    text = Client().get("/demo/", headers={"accept": "text/html"}).content.decode()
    for path in {path for path in re.findall(r'href="(/[^"#?]*)"', text) if not path.startswith("/static/")}:
        assert Client().get(path).status_code in {200, 302}, path


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_tour_ends_in_a_certificate(language: str) -> None:
    client = Client(headers={"accept-language": language})
    client.get("/demo/", headers={"accept": "text/html"})
    enrolment = Enrolment.objects.get(pk=key_of(COHORT, FINISHERS[language]))
    steps = list(outline_of(enrolment.edition).iter_steps())
    last = f"/{language}/learn/{enrolment.pk}/{steps[-1].slug}/"
    answer = client.post("/demo/sign-in/", {"role": "finisher", "next": last})
    assert answer.status_code == 302
    assert answer["Location"] == last
    walker = Walker(enrolment, language, clock.now())
    assert [step.key for step in steps if not walker.is_complete(step)] == [steps[-1].key]
    assert walker.quiz(steps[-1], right=1, number=2).passed
    run_tasks()
    assert Certificate.objects.filter(enrolment_id=enrolment.pk).exists()


def count_everything() -> dict[str, int]:
    kinds = (User, Enrolment, Offering, LearningEvent, Certificate, StatusEntry)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def test_loading_again_doubles_nothing() -> None:
    before = count_everything()
    assert before["Enrolment"] >= 26
    load_demo(report=lambda _line: None)
    assert count_everything() == before


@pytest.fixture
def without_demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The addresses of a site that was started without the demo."""
    from config import urls

    monkeypatch.setattr(settings, "DEMO", False)
    importlib.reload(urls)
    clear_url_caches()
    yield
    monkeypatch.undo()
    importlib.reload(urls)
    clear_url_caches()


def test_without_the_demo_it_is_not_there(without_demo: None) -> None:
    for path in ("/demo/", "/demo/mail/"):
        assert Client().get(path, follow=True).status_code == 404, path
    client = Client()
    client.post("/demo/sign-in/", {"role": "admin"}, follow=True)
    assert "_auth_user_id" not in client.session
    assert "/demo/" not in Client().get("/en/").content.decode()
    with pytest.raises(CommandError):
        call_command("load_demo")
