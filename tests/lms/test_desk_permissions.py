"""Who may open what on the instructor's desk: every address, every method, every kind of person."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, PersonalText, Role, User
from accounts.services import end_role, save_file, save_text, subject_of
from assessments.models import Attempt
from assessments.services import save_submission
from lms import urls_desk
from lms.models import Offering
from lms.permissions import may_teach, offerings_for, teaches_learner
from lms.services import begin_attempt
from tests.factories.accounts import make_role, make_user
from tests.factories.lms import make_offering
from tests.lms.desk import Desk

SignIn = Callable[[User], Client]

# name → (path after the offering's, what an instructor gets by GET, and by POST of nothing)
ADDRESSES = {
    "offerings": ("", 200, 405),
    "offering": ("", 200, 405),
    "offering_export": ("export/", 405, 302),
    "marking": ("marking/", 200, 405),
    "mark": ("marking/{attempt}/", 200, 200),
    "learner": ("{enrolment}/", 200, 405),
    "learner_attempt": ("{enrolment}/attempts/{quiz}/", 200, 405),
    "learner_withdraw": ("{enrolment}/withdraw/", 200, 200),
    "learner_reinstate": ("{enrolment}/reinstate/", 200, 200),
    "learner_extend": ("{enrolment}/extend/", 200, 200),
    "learner_grant": ("{enrolment}/grant/", 200, 200),
}


@pytest.fixture
def people(
    learner: User, instructor: User, administrator: User, stranger: User, registrar: User, other_learner: User
) -> dict[str, User]:
    other = make_user(email="other.instructor@cast.example", name="Olga Other")
    make_role(user=other, what=Role.What.INSTRUCTOR)
    return {
        "learner": learner,
        "other_learner": other_learner,
        "instructor": instructor,
        "other_instructor": other,
        "registrar": registrar,
        "administrator": administrator,
        "stranger": stranger,
    }


def test_the_table_has_every_address() -> None:
    assert {pattern.name for pattern in urls_desk.urlpatterns} == set(ADDRESSES)


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name != "offerings"])
def test_every_address(
    desk: Desk, people: dict[str, User], sign_in: SignIn, visitor: Client, name: str
) -> None:
    enrolment = desk.enrol(people["learner"])
    work = desk.hand_in(enrolment)
    quiz = Attempt.objects.get(sitting__context=enrolment.pk, sitting__edition__kind="quiz")
    path, got, posted = ADDRESSES[name]
    url = desk.url + path.format(enrolment=enrolment.pk, attempt=work.pk, quiz=quiz.pk)
    # A learner of the offering and its registrar know that it is there; the others do not.
    expected = {
        "instructor": (got, posted),
        "administrator": (got, posted),
        "learner": (403, 403),
        "registrar": (403, 403),
        "other_learner": (404, 404),
        "other_instructor": (404, 404),
        "stranger": (404, 404),
    }
    if posted == 405:
        # A method that no one may use is refused before anyone is asked who they are.
        expected = {who: (status, 405) for who, (status, _posted) in expected.items()}
    if got == 405:
        expected = {who: (405, status) for who, (_got, status) in expected.items()}
    for who, (status, posted_status) in expected.items():
        client = sign_in(people[who])
        assert client.get(url).status_code == status, who
        assert client.post(url).status_code == posted_status, who
    answer = visitor.post(url) if got == 405 else visitor.get(url)
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]
    assert visitor.post(url).status_code == (405 if posted == 405 else 302)


def test_administrators_see_to_all(desk: Desk, people: dict[str, User], learner: User) -> None:
    assert may_teach(people["administrator"], desk.offering)
    assert desk.offering in offerings_for(people["administrator"])


def test_other_things_under_this_offering_are_not_there(
    desk: Desk, learner: User, instructor: User, sign_in: SignIn
) -> None:
    """A learner, an attempt and work of another offering are 404 under one's own, even for who teaches both."""
    elsewhere = Desk(
        course=desk.course,
        offering=make_offering(edition=desk.course.edition, organization=desk.offering.organization),
    )
    enrolment = elsewhere.enrol(learner)
    work = elsewhere.hand_in(enrolment)
    client = sign_in(instructor)
    for path in (
        f"{enrolment.pk}/",
        f"{enrolment.pk}/withdraw/",
        f"marking/{work.pk}/",
        f"{enrolment.pk}/attempts/{work.pk}/",
    ):
        assert client.get(desk.url + path).status_code == 404, path
        assert client.get(elsewhere.url + path).status_code == (404 if "attempts" in path else 200), path
    assert client.get(f"{desk.url}{uuid.uuid4()}/").status_code == 404


def test_a_named_instructor_of_another_organization_teaches(desk: Desk, people: dict[str, User]) -> None:
    other = people["other_instructor"]
    assert not may_teach(other, desk.offering)
    desk.offering.instructors.add(other)
    assert may_teach(other, desk.offering)
    assert list(offerings_for(other)) == [desk.offering]


def test_who_is_no_instructor_any_more_teaches_nothing(desk: Desk, instructor: User) -> None:
    desk.offering.instructors.add(instructor)
    end_role(role=instructor.roles.get())
    assert not may_teach(instructor, desk.offering)
    assert not offerings_for(instructor).exists()


def test_the_list_shows_ones_own(
    desk: Desk, people: dict[str, User], sign_in: SignIn, visitor: Client
) -> None:
    make_offering(edition=desk.course.edition, title="Somebody else's")
    own = sign_in(people["instructor"]).get("/en/teach/").content.decode()
    assert desk.offering.title_en in own
    assert "Somebody else" not in own
    assert "Somebody else" in sign_in(people["administrator"]).get("/en/teach/").content.decode()
    assert (
        "You do not teach an offering yet" in sign_in(people["stranger"]).get("/en/teach/").content.decode()
    )
    assert visitor.get("/en/teach/").status_code == 302


class TestFiles:
    """An instructor opens what was handed in to them, and nothing else of the learner."""

    @pytest.fixture
    def file(self, learner: User) -> PersonalText:
        upload = SimpleUploadedFile("plan.txt", b"Our plan.")
        return save_file(subject=subject_of(learner), upload=upload)

    def test_work_that_was_handed_in(
        self, desk: Desk, learner: User, people: dict[str, User], file: PersonalText, sign_in: SignIn
    ) -> None:
        url = f"/en/files/{file.pk}/"
        instructor = sign_in(people["instructor"])
        assert instructor.get(url).status_code == 404
        desk.hand_in(desk.enrol(learner), files=[file])
        answer = instructor.get(url)
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == b"Our plan."
        assert AuditEntry.objects.filter(action="file.opened", target_id=str(file.pk)).count() == 1
        for who in ("other_instructor", "other_learner", "stranger", "registrar"):
            assert sign_in(people[who]).get(url).status_code == 404, who

    def test_a_reflection_is_nobodys_business(self, desk: Desk, learner: User, instructor: User) -> None:
        enrolment = desk.enrol(learner)
        subject = enrolment.subject
        words = save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text="Mine alone.")
        assert teaches_learner(instructor, subject.pk)
        assert not teaches_learner(instructor, subject.pk, text=words)

    def test_a_draft_is_not_handed_in(
        self, desk: Desk, learner: User, instructor: User, file: PersonalText
    ) -> None:
        enrolment = desk.enrol(learner)
        desk.reach_quiz(enrolment)
        desk.sit_quiz(enrolment, right=4)
        attempt = begin_attempt(
            enrolment=enrolment, step_key=desk.course.steps["work"], attempt_id=uuid.uuid4(), language="en"
        )
        save_submission(attempt=attempt, text="Not yet.", files=[file], client_id=uuid.uuid4())
        assert not teaches_learner(instructor, enrolment.subject_id, text=file)

    def test_work_for_another_offering(
        self, desk: Desk, learner: User, instructor: User, file: PersonalText
    ) -> None:
        elsewhere = Desk(course=desk.course, offering=make_offering(edition=desk.course.edition))
        elsewhere.hand_in(elsewhere.enrol(learner), files=[file])
        desk.enrol(learner)
        assert Offering.objects.count() == 2
        assert teaches_learner(instructor, subject_of(learner).pk)
        assert not teaches_learner(instructor, subject_of(learner).pk, text=file)
