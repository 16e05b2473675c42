"""What the REST API says, and to whom; who may ask at all stands in `test_every_route`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Organization, User
from accounts.services import subject_of
from certificates import services
from certificates.models import Certificate
from lms.models import Standing
from lms.services import withdraw_learner
from tests.factories.certificates import make_certificate, make_course_edition
from tests.factories.lms import finish_lesson, make_course, make_enrolment, make_offering
from tests.lms.desk import Desk, enrol_many

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
API = "/api/v1/"


def ask(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(API + path, query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def count_queries(client: Client, path: str) -> int:
    client.get(API + path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(API + path).status_code == 200
    return len(found)


class TestCatalogue:
    def test_a_course_in_both_languages(self, visitor: Client) -> None:
        course = make_course(slug="rural", title="Rural safety")
        make_offering(edition=course.edition, slug="open", seats=2)
        make_offering(edition=course.edition, slug="unlisted", is_listed=False)
        (row,) = ask(visitor, "courses/")["results"]
        assert row["title"] == {"en": "Rural safety", "fr": "Rural safety en français"}
        whole = ask(visitor, "courses/rural/")
        assert [step["slug"] for module in whole["modules"] for step in module["steps"]] == [
            "reading",
            "plain",
            "quiz",
            "work",
        ]
        assert [(one["slug"], one["seats_left"]) for one in whole["offerings"]] == [("open", 2)]

    def test_no_answer_key_is_in_it(self, visitor: Client) -> None:
        make_course(slug="rural")
        assert "correct" not in visitor.get(f"{API}courses/rural/").text

    def test_pages_are_led_through_by_a_cursor(self, visitor: Client) -> None:
        for number in range(3):
            make_course(slug=f"course-x{number}")
        first = ask(visitor, "courses/", limit=2)
        assert len(first["results"]) == 2
        rest = visitor.get(first["next"]).json()
        assert [row["slug"] for row in rest["results"]] == ["course-x2"]
        assert rest["next"] is None

    @pytest.mark.parametrize("cursor", ["nonsense", "cD0lMDA=", "cj14", "é"])
    def test_a_cursor_that_was_not_made_here_names_no_page(self, visitor: Client, cursor: str) -> None:
        answer = visitor.get(f"{API}courses/", {"cursor": cursor})
        assert answer.status_code == 404
        assert set(answer.json()) == {"code", "message", "errors"}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/api/v1/courses/", "modules_courseedition"),
        ("/api/v1/certificates/6f1c0f4e-6b3a-4d52-9c5e-2f4f4b1f7a10/", "certificates_certificate"),
        ("/ims/case/v1p1/CFPackages/6f1c0f4e-6b3a-4d52-9c5e-2f4f4b1f7a10", "standards_frameworkedition"),
    ],
)
def test_a_fault_of_ours_has_the_shape_of_every_refusal(path: str, table: str, language: str) -> None:
    """A table that is gone: a program gets JSON in its language, and learns nothing of what broke."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
    logging.disable(logging.CRITICAL)
    try:
        answer = Client(raise_request_exception=False).get(path, headers={"accept-language": language})
    finally:
        logging.disable(logging.NOTSET)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert set(answer.json()) == {"code", "message", "errors"}
    assert answer.json()["code"] == "failed"
    assert ("The fault is ours" in answer.json()["message"]) == (language == "en")
    assert table not in answer.text
    assert "no-store" in answer["Cache-Control"]


class TestMine:
    def test_my_enrolments_with_progress(self, learner: User, other_learner: User, sign_in: SignIn) -> None:
        course = make_course(slug="rural")
        offering = make_offering(edition=course.edition)
        enrolment = make_enrolment(user=learner, offering=offering)
        make_enrolment(user=other_learner, offering=offering)
        finish_lesson(enrolment, course.steps["reading"])
        (row,) = ask(sign_in(learner), "my/enrolments/")["results"]
        assert row["id"] == str(enrolment.pk)
        assert row["progress"]["steps_complete"] == 1
        assert row["progress"]["steps_required"] == 4

    def test_my_standing_says_why(self, learner: User, other_learner: User, sign_in: SignIn) -> None:
        course = make_course()
        desk = Desk(course=course, offering=make_offering(edition=course.edition))
        enrolment = desk.enrol(learner)
        desk.reach_quiz(enrolment)
        desk.sit_quiz(enrolment, right=4)
        rows = ask(sign_in(learner), "my/standing/")["results"]
        assert {row["competency"]["code"] for row in rows} == {"A1", "A2", "B2"}
        held = next(row for row in rows if row["competency"]["code"] == "A1")
        assert held["state"] == "held"
        assert held["evidence"][0]["kind"] == "attempt"
        assert (held["evidence"][0]["points"], held["evidence"][0]["bearing"]) == ("4", "holds")
        assert ask(sign_in(other_learner), "my/standing/")["results"] == []

    def test_my_certificates(self, learner: User, other_learner: User, sign_in: SignIn) -> None:
        certificate = make_certificate(user=learner)
        make_certificate(user=other_learner)
        (row,) = ask(sign_in(learner), "my/certificates/")["results"]
        assert (row["number"], row["status"]) == (certificate.number, "valid")
        assert row["holder_name"] == learner.name


class TestDesk:
    @pytest.fixture
    def desk(self, instructor: User, college: Organization) -> Desk:
        course = make_course()
        return Desk(course=course, offering=make_offering(edition=course.edition, organization=college))

    def test_my_offerings_and_their_learners(
        self, desk: Desk, instructor: User, learner: User, other_learner: User, sign_in: SignIn
    ) -> None:
        make_offering(edition=desk.course.edition)
        left = desk.enrol(other_learner)
        withdraw_learner(enrolment=left, actor=subject_of(instructor), reason="", client_id=uuid.uuid4())
        desk.enrol(learner)
        client = sign_in(instructor)
        assert [row["slug"] for row in ask(client, "offerings/")["results"]] == [desk.offering.slug]
        rows = ask(client, f"offerings/{desk.offering.slug}/learners/")["results"]
        assert [(row["name"], row["state"]) for row in rows] == [
            (learner.name, "active"),
            (other_learner.name, "withdrawn"),
        ]
        assert AuditEntry.objects.filter(action="offering.exported").count() == 1

    def test_pages_of_learners_cost_the_same_at_one_and_many(
        self, desk: Desk, instructor: User, learner: User, sign_in: SignIn
    ) -> None:
        client = sign_in(instructor)
        path = f"offerings/{desk.offering.slug}/learners/"
        desk.enrol(learner)
        one = count_queries(client, path)
        enrol_many(desk, 120)
        assert count_queries(client, path) == one
        first = ask(client, path)
        assert len(first["results"]) == 50
        assert first["next"]


class TestVerification:
    @pytest.fixture
    def certificate(self, learner: User, college: Organization) -> Certificate:
        offering = make_offering(edition=make_course_edition(), organization=college, partner=college)
        return make_certificate(user=learner, offering=offering)

    def test_by_number_key_and_address_and_only_what_the_holder_consents_to(
        self, certificate: Certificate, visitor: Client, learner: User
    ) -> None:
        for name in (certificate.number, str(certificate.pk)):
            row = ask(visitor, f"certificates/{name}/")
            assert (row["number"], row["status"], row["stands"]) == (certificate.number, "valid", True)
            assert row["facts"] is None
            assert learner.name not in visitor.get(f"{API}certificates/{name}/").text
        services.show_publicly(certificate=certificate, language="en")
        facts = ask(visitor, f"certificates/{certificate.number}/")["facts"]
        assert facts["holder_name"] == learner.name
        services.stop_showing(certificate=certificate)
        assert ask(visitor, f"certificates/{certificate.number}/")["facts"] is None

    def test_by_a_share_link_while_it_is_open(self, certificate: Certificate, visitor: Client) -> None:
        link = services.make_share_link(certificate=certificate, link_id=uuid.uuid4())
        path = f"certificates/{certificate.number}/"
        assert ask(visitor, path, share=link.token)["facts"]
        assert ask(visitor, path, share="x")["facts"] is None
        services.close_share_link(link=link)
        assert ask(visitor, path, share=link.token)["facts"] is None

    def test_the_api_and_the_page_agree_on_who_sees_the_name(
        self,
        certificate: Certificate,
        request: pytest.FixtureRequest,
        sign_in: SignIn,
        learner: User,
    ) -> None:
        people = ("learner", "other_learner", "registrar", "officer", "instructor", "stranger", "coordinator")
        seen = []
        for who in people:
            client = sign_in(request.getfixturevalue(who))
            in_page = learner.name in client.get(f"/certificates/{certificate.pk}/").text
            in_api = ask(client, f"certificates/{certificate.number}/")["facts"] is not None
            assert in_page == in_api, who
            seen.append(in_api)
        assert seen == [True, False, True, True, False, False, False]
        assert AuditEntry.objects.filter(action="certificate.opened").count() == 4

    def test_a_revoked_one_does_not_stand_and_says_why(
        self, certificate: Certificate, visitor: Client, officer: User
    ) -> None:
        services.revoke_certificate(
            certificate=certificate,
            actor=subject_of(officer),
            reason="integrity",
            note="Not for everyone.",
            client_id=uuid.uuid4(),
        )
        row = ask(visitor, f"certificates/{certificate.number}/")
        assert (row["status"], row["stands"]) == ("revoked", False)
        assert [(one["status"], one["reason"]) for one in row["history"]][-1] == ("revoked", "integrity")
        assert "Not for everyone." not in str(row)

    @pytest.mark.parametrize(
        ("reference", "word"),
        [
            ("2026-041837-5Q", "never issued"),
            ("2026-041837-5X", "check on the others"),
            ("hello", "year"),
            (str(uuid.UUID(int=7)), ""),
        ],
    )
    def test_what_is_not_there_says_why(self, visitor: Client, reference: str, word: str) -> None:
        answer = visitor.get(f"{API}certificates/{reference}/")
        assert answer.status_code == 404
        body = answer.json()
        assert body["code"] == "not_found"
        assert word in body["message"]

    def test_who_walks_through_numbers_is_slowed(self, certificate: Certificate, visitor: Client) -> None:
        for _try in range(30):
            assert visitor.get(f"{API}certificates/{certificate.number}/").status_code == 200
        answer = visitor.get(f"{API}certificates/{certificate.number}/")
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        # The page counts the same tries.
        assert visitor.get("/en/certificates/check/", {"number": certificate.number}).status_code == 429

    def test_a_registrar_checks_many_at_a_constant_cost(
        self, certificate: Certificate, registrar: User, sign_in: SignIn
    ) -> None:
        client = sign_in(registrar)

        def check(numbers: list[str]) -> tuple[list[Any], int]:
            with CaptureQueriesContext(connection) as found:
                answer = client.post(
                    f"{API}certificates/checks/", {"numbers": numbers}, content_type="application/json"
                )
            assert answer.status_code == 200, answer.content
            return answer.json()["results"], len(found)

        check([certificate.number])
        (row,), one = check([certificate.number])
        assert row["certificate"]["holder_name"] == "Lea Lavallée-Smith"
        others = [make_certificate().number for _one in range(5)]
        rows, many = check([certificate.number, *others, "2026-1", str(certificate.pk)])
        assert many == one
        assert [bool(row["certificate"]) for row in rows] == [True] * 6 + [False, True]
        # Not of this college's cohorts, and without consent.
        assert {row["certificate"]["holder_name"] for row in rows[1:6]} == {None}
        assert rows[6]["problem"]

    def test_two_hundred_and_no_more(self, registrar: User, sign_in: SignIn) -> None:
        client = sign_in(registrar)
        for count, status in ((200, 200), (201, 400), (0, 400)):
            answer = client.post(
                f"{API}certificates/checks/", {"numbers": ["x"] * count}, content_type="application/json"
            )
            assert answer.status_code == status
        assert set(answer.json()["errors"]) == {"numbers"}


@pytest.mark.parametrize(
    "path", ["my/enrolments/", "my/standing/", "my/certificates/", "offerings/", "courses/"]
)
def test_every_list_costs_the_same_at_one_and_many(
    path: str, administrator: User, sign_in: SignIn, college: Organization
) -> None:
    client = sign_in(administrator)

    def learn() -> None:
        course = make_course()
        enrolment = make_enrolment(
            user=administrator, offering=make_offering(edition=course.edition, organization=college)
        )
        finish_lesson(enrolment, course.steps["reading"])
        finish_lesson(enrolment, course.steps["plain"])
        offering = make_offering(edition=make_course_edition(), organization=college)
        make_certificate(user=administrator, offering=offering)

    learn()
    one = count_queries(client, path)
    learn()
    learn()
    assert count_queries(client, path) == one
    assert Standing.objects.filter(subject__user=administrator).count() >= 3


def test_an_address_that_the_api_does_not_have_is_said_in_its_shape(visitor: Client) -> None:
    for answer in (
        visitor.get(f"{API}nothing/"),
        visitor.post(f"{API}a/b"),
        visitor.get(f"{API}certificates/a%2Fb/"),
    ):
        assert answer.status_code == 404
        assert set(answer.json()) == {"code", "message", "errors"}


def test_a_write_needs_the_token_that_a_page_of_ours_gives(registrar: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(registrar)
    answer = client.post(f"{API}certificates/checks/", {"numbers": ["x"]}, content_type="application/json")
    assert answer.status_code == 403
    assert set(answer.json()) == {"code", "message", "errors"}
