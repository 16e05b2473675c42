"""The officers' screens in the CMS."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditEntry, User
from certificates import services
from certificates.models import Certificate, CorrectionRequest
from tests.certificates.test_services import revoke, status_of
from tests.factories.accounts import PASSWORD
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db

LIST = "/admin/certificates/"


@pytest.fixture
def enter(sign_in: Callable[[User], Client]) -> Callable[..., Client]:
    """A client of somebody who may enter the CMS; `fresh`: they have just said who they are."""

    def make(user: User, *, fresh: bool = True) -> Client:
        user.user_permissions.add(Permission.objects.get(codename="access_admin"))
        client = sign_in(user)
        if fresh:
            answer = client.post("/en/accounts/reauthenticate/?next=/admin/", {"password": PASSWORD})
            assert answer.status_code == 302
        return client

    return make


def read(response: object) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", text.replace("\xa0", " ").replace("&#x27;", "'"))


@pytest.mark.parametrize(("who", "status"), [("officer", 200), ("administrator", 200), ("author", 403)])
def test_officers_and_administrators_only(
    request: pytest.FixtureRequest, enter: Callable[..., Client], learner: User, who: str, status: int
) -> None:
    certificate = make_certificate(user=learner)
    client = enter(request.getfixturevalue(who))
    expected = status if status == 200 else 302  # the CMS leads home, and says why
    for path in ("", f"{certificate.pk}/", f"{certificate.pk}/revoke/", f"{certificate.pk}/reissue/"):
        assert client.get(LIST + path).status_code == expected, path
    assert client.get(f"{LIST}{uuid.uuid4()}/").status_code == (404 if status == 200 else 302)


def test_found_by_number_name_and_status(
    enter: Callable[..., Client], officer: User, learner: User, other_learner: User
) -> None:
    mine, other = make_certificate(user=learner), make_certificate(user=other_learner)
    revoke(other, officer)
    client = enter(officer)

    def numbers(**query: str) -> set[str]:
        said = read(client.get(LIST, query))
        return {row.number for row in (mine, other) if row.number in said}

    assert numbers() == {mine.number, other.number}
    assert numbers(q="lavallée") == {mine.number}
    assert numbers(q=other.number[5:11]) == {other.number}
    assert numbers(status="revoked") == {other.number}
    assert numbers(status="valid") == {mine.number}
    assert numbers(status="asked") == set()
    services.request_correction(certificate=mine, holder_name="Léa", note="", request_id=uuid.uuid4())
    assert numbers(status="asked") == {mine.number}
    assert "No certificate matches" in read(client.get(LIST, {"q": "nobody"}))


def test_the_list_costs_the_same_at_one_and_many(enter: Callable[..., Client], officer: User) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = enter(officer)
    counts = []
    for number in (1, 3):
        for _row in range(number):
            make_certificate()
        client.get(LIST)
        with CaptureQueriesContext(connection) as found:
            client.get(LIST)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_opening_a_record_is_logged(enter: Callable[..., Client], officer: User, learner: User) -> None:
    certificate = make_certificate(user=learner)
    said = read(enter(officer).get(f"{LIST}{certificate.pk}/"))
    assert "Lea Lavallée-Smith" in said
    assert "Every requirement was met." in said
    assert AuditEntry.objects.filter(action="certificate.opened", target_id=str(certificate.pk)).count() == 1


def test_revoked_and_reinstated_after_a_question(
    enter: Callable[..., Client], officer: User, learner: User
) -> None:
    certificate = make_certificate(user=learner)
    client = enter(officer)
    url = f"{LIST}{certificate.pk}/revoke/"
    assert "Do not rely on it" in read(client.get(url))
    assert client.post(url, {"client_id": str(uuid.uuid4())}).status_code == 422
    assert status_of(certificate) == "valid"
    values = {"client_id": str(uuid.uuid4()), "reason": "integrity", "note": "The work of another."}
    for _again in range(2):
        assert client.post(url, values).status_code == 302
    assert certificate.statuses.filter(status="revoked").count() == 1
    said = read(client.get(f"{LIST}{certificate.pk}/"))
    assert "The work of another." in said
    assert "Odile Officer" in said
    client.post(
        f"{LIST}{certificate.pk}/reinstate/", {"client_id": str(uuid.uuid4()), "reason": "appeal_upheld"}
    )
    assert status_of(certificate) == "valid"


def test_a_correction_that_was_asked_for(enter: Callable[..., Client], officer: User, learner: User) -> None:
    certificate = make_certificate(user=learner)
    services.request_correction(
        certificate=certificate, holder_name="Léa Lavallée", note="An accent.", request_id=uuid.uuid4()
    )
    client = enter(officer)
    said = read(client.get(f"{LIST}{certificate.pk}/"))
    assert "Léa Lavallée" in said
    assert "An accent." in said
    url = f"{LIST}{certificate.pk}/reissue/"
    assert 'value="Léa Lavallée"' in client.get(url).content.decode()
    values = {"client_id": str(uuid.uuid4()), "holder_name": "Léa 李", "reason": "name_changed"}
    assert "do not have these characters" in read(client.post(url, values))
    assert client.post(url, {**values, "holder_name": "Léa Lavallée"}).status_code == 302
    new = Certificate.objects.get(supersedes=certificate)
    assert new.content.facts["holder_name"] == "Léa Lavallée"
    assert CorrectionRequest.objects.get().reissued


def test_a_request_is_closed_without_reissuing(
    enter: Callable[..., Client], officer: User, learner: User
) -> None:
    certificate = make_certificate(user=learner)
    asked = services.request_correction(
        certificate=certificate, holder_name="The Queen", note="", request_id=uuid.uuid4()
    )
    assert enter(officer).post(f"{LIST}requests/{asked.pk}/close/").status_code == 302
    asked.refresh_from_db()
    assert asked.closed_at
    assert not asked.reissued
    assert certificate.subject.notices.filter(kind="certificate_not_corrected").count() == 1


def test_acting_asks_who_one_is(enter: Callable[..., Client], officer: User, learner: User) -> None:
    certificate = make_certificate(user=learner)
    client = enter(officer, fresh=False)
    for action in ("revoke", "reissue", "reinstate"):
        response = client.get(f"{LIST}{certificate.pk}/{action}/")
        assert response.status_code == 302
        assert "reauthenticate" in response["Location"]
        client.post(
            f"{LIST}{certificate.pk}/{action}/", {"client_id": str(uuid.uuid4()), "reason": "integrity"}
        )
    assert status_of(certificate) == "valid"
