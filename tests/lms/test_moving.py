"""An offering takes up a newer edition: who goes along, what counts, and who stays."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import override
from wagtail.users.models import UserProfile

from accounts.models import AuditEntry, Job, User
from accounts.services import subject_of
from assessments.models import Attempt
from core.errors import InvalidInput
from lms.models import CourseProgress, Enrolment, EnrolmentEvent, Notice, Offering
from lms.projections import rebuild
from lms.selectors.attempts import read_assessment
from lms.selectors.places import find_place
from lms.services import begin_attempt, withdraw_learner
from lms.services.moving import move_learner, take_up_edition
from lms.signals import course_completed
from lms.texts import say_notice
from modules.models import CourseEdition
from tests.factories.accounts import make_user
from tests.factories.assessments import make_quiz
from tests.factories.certificates import run_tasks
from tests.factories.lms import (
    finish_lesson,
    make_assessed,
    make_course_edition,
    make_enrolment,
    make_lesson,
    make_offering,
    sit_quiz,
)
from tests.faults.workers import held, wait_until_it_waits

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
Editions = tuple[CourseEdition, CourseEdition]
FIRST, SECOND, QUIZ, NEW = (uuid.uuid4() for _ in range(4))


def issue(
    number: int, *, course_key: uuid.UUID, quiz: Any, first: str = "first", more: bool = False
) -> CourseEdition:
    """Two lessons and a quiz; `more`: and a lesson that is new."""
    steps = [
        make_lesson("first", key=FIRST, title=first),
        make_lesson("second", key=SECOND),
        make_assessed("quiz", quiz, key=QUIZ),
    ]
    if more:
        steps.insert(1, make_lesson("new", key=NEW))
    return make_course_edition(
        modules=[steps], course_key=course_key, slug=f"course-of-{course_key}", number=number, order="free"
    )


@pytest.fixture
def quiz() -> Any:
    return make_quiz()


@pytest.fixture
def editions(quiz: Any) -> Editions:
    """The newer one has other words in the first lesson, and a lesson more."""
    key = uuid.uuid4()
    return issue(1, course_key=key, quiz=quiz), issue(2, course_key=key, quiz=quiz, first="mended", more=True)


@pytest.fixture
def offering(editions: Editions) -> Offering:
    return make_offering(edition=editions[0])


@pytest.fixture
def enrolment(offering: Offering, learner: User) -> Enrolment:
    return make_enrolment(user=learner, offering=offering)


@pytest.fixture
def finished() -> Iterator[list[Enrolment]]:
    """Whose course was announced as complete."""
    heard: list[Enrolment] = []

    def hear(*, enrolment: Enrolment, **kwargs: Any) -> None:
        heard.append(enrolment)

    course_completed.connect(hear)
    yield heard
    course_completed.disconnect(hear)


def take_up(offering: Offering, edition: CourseEdition, actor: User) -> Job:
    job = take_up_edition(offering=offering, edition=edition, actor=subject_of(actor), job_id=uuid.uuid4())
    run_tasks()
    job.refresh_from_db()
    return job


def edition_of(enrolment: Enrolment) -> int:
    return Enrolment.objects.get(pk=enrolment.pk).edition.number


def begin_quiz(enrolment: Enrolment) -> Attempt:
    return begin_attempt(enrolment=enrolment, step_key=QUIZ, attempt_id=uuid.uuid4(), language="en")


def test_who_is_at_work_goes_along_and_keeps_what_they_did(
    offering: Offering, editions: Editions, enrolment: Enrolment, administrator: User, learner: User
) -> None:
    finish_lesson(enrolment, FIRST)
    attempt = sit_quiz(enrolment, QUIZ, right=4)
    job = take_up(offering, editions[1], administrator)
    assert (job.state, job.result["moved"], job.done) == (Job.State.DONE, 1, 1)
    assert Offering.objects.get().edition == editions[1]
    assert edition_of(enrolment) == 2
    progress = CourseProgress.objects.get(enrolment=enrolment)
    assert (progress.steps_required, progress.steps_complete, progress.completed_at) == (4, 2, None)
    event = EnrolmentEvent.objects.get(kind="moved")
    assert (event.enrolment, event.actor) == (enrolment, subject_of(administrator))
    assert event.data == {"edition": str(editions[1].pk)}
    assert Notice.objects.filter(subject=subject_of(learner), kind="enrolment_moved").count() == 1
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
        "offering.edition_taken_up",
        "enrolment.moved",
    }
    assert rebuild(check=True) == []
    # The attempt is found in the course that they are in now.
    enrolment.refresh_from_db()
    assert [view.attempt.pk for view in read_assessment(find_place(enrolment, "quiz")).attempts] == [
        attempt.pk
    ]


def test_they_go_on_and_complete_it(
    offering: Offering,
    editions: Editions,
    enrolment: Enrolment,
    administrator: User,
    finished: list[Enrolment],
) -> None:
    for step in (FIRST, SECOND):
        finish_lesson(enrolment, step)
    take_up(offering, editions[1], administrator)
    sit_quiz(enrolment, QUIZ, right=4)
    assert finished == []
    enrolment.refresh_from_db()
    finish_lesson(enrolment, NEW)
    assert finished == [enrolment]
    assert rebuild(check=True) == []


def test_where_nothing_is_left_to_do_the_course_is_complete(
    offering: Offering,
    editions: Editions,
    quiz: Any,
    administrator: User,
    learner: User,
    finished: list[Enrolment],
) -> None:
    """The step that was missing is not in the newer edition any more."""
    Offering.objects.update(edition=editions[1])
    offering.refresh_from_db()
    enrolment = make_enrolment(user=learner, offering=offering)
    for step in (FIRST, SECOND):
        finish_lesson(enrolment, step)
    sit_quiz(enrolment, QUIZ, right=4)
    third = issue(3, course_key=editions[0].course_key, quiz=quiz)
    take_up(offering, third, administrator)
    assert finished == [enrolment]
    assert CourseProgress.objects.get(enrolment=enrolment).completed_at is not None
    assert rebuild(check=True) == []


def test_who_has_begun_an_assessment_that_reads_otherwise_stays(
    offering: Offering, editions: Editions, enrolment: Enrolment, administrator: User, other_learner: User
) -> None:
    free = make_enrolment(user=other_learner, offering=offering)
    attempt = begin_quiz(enrolment)
    third = issue(3, course_key=editions[0].course_key, quiz=make_quiz(title="Asked otherwise"))
    job = take_up(offering, third, administrator)
    assert job.result["moved"] == 1
    assert (edition_of(enrolment), edition_of(free)) == (1, 3)
    # They go on where they were.
    assert read_assessment(find_place(enrolment, "quiz")).open_attempt.attempt.pk == attempt.pk  # type: ignore[union-attr]
    assert rebuild(check=True) == []


def test_an_assessment_that_stands_in_another_step_is_another(
    offering: Offering, editions: Editions, enrolment: Enrolment, quiz: Any, administrator: User
) -> None:
    begin_quiz(enrolment)
    steps = [make_lesson("first", key=FIRST), make_assessed("quiz", quiz, key=uuid.uuid4())]
    third = make_course_edition(modules=[steps], course_key=editions[0].course_key, number=3)
    take_up(offering, third, administrator)
    assert edition_of(enrolment) == 1


def test_who_has_completed_or_left_stays(
    offering: Offering, editions: Editions, enrolment: Enrolment, administrator: User, other_learner: User
) -> None:
    for step in (FIRST, SECOND):
        finish_lesson(enrolment, step)
    sit_quiz(enrolment, QUIZ, right=4)
    left = make_enrolment(user=other_learner, offering=offering)
    withdraw_learner(enrolment=left, actor=left.subject, reason="", client_id=uuid.uuid4())
    job = take_up(offering, editions[1], administrator)
    assert (edition_of(enrolment), edition_of(left), job.result.get("moved", 0)) == (1, 1, 0)
    assert job.state == Job.State.DONE


def test_again_is_no_different_and_never_backwards(
    offering: Offering, editions: Editions, enrolment: Enrolment, administrator: User
) -> None:
    take_up(offering, editions[1], administrator)
    take_up(offering, editions[1], administrator)
    actor = subject_of(administrator)
    assert not move_learner(enrolment_id=enrolment.pk, edition=editions[1], actor=actor)
    assert not move_learner(enrolment_id=enrolment.pk, edition=editions[0], actor=actor)
    assert EnrolmentEvent.objects.filter(kind="moved").count() == 1
    assert AuditEntry.objects.filter(action="offering.edition_taken_up").count() == 1
    with pytest.raises(InvalidInput):
        take_up(offering, editions[0], administrator)
    with pytest.raises(InvalidInput):
        take_up(offering, make_course_edition(modules=[[make_lesson("x")]], number=9), administrator)
    assert Offering.objects.get().edition == editions[1]


@pytest.mark.django_db(transaction=True)
def test_who_enrols_at_that_moment_gets_the_newer_one(
    offering: Offering, editions: Editions, learner: User
) -> None:
    """A row that is locked together with its edition is not found once it has another one."""

    def enrol() -> Enrolment:
        try:
            return make_enrolment(user=learner, offering=offering)
        finally:
            connection.close()

    change = "UPDATE lms_offering SET edition_id = %s WHERE id = %s"
    with ThreadPoolExecutor(1) as pool:
        with held(change, [editions[1].pk, offering.pk], kept=True):
            waiting = pool.submit(enrol)
            wait_until_it_waits()
        enrolment = waiting.result()
    assert edition_of(enrolment) == 2
    assert rebuild(check=True) == []


@pytest.fixture
def office(administrator: User, sign_in: SignIn) -> Client:
    """An administrator's browser, in the CMS."""
    wanted = Permission.objects.filter(codename__in=["access_admin", "change_offering", "view_offering"])
    administrator.user_permissions.add(*wanted)
    return sign_in(administrator)


class TestScreen:
    def url(self, offering: Offering) -> str:
        return reverse("lms_admin:newer_edition", args=[offering.pk])

    def test_it_says_what_changes_and_for_whom_and_does_it(
        self, offering: Offering, editions: Editions, enrolment: Enrolment, office: Client
    ) -> None:
        edit = office.get(reverse("offerings:edit", args=[offering.pk])).content.decode()
        assert self.url(offering) in edit
        assert "A newer edition of the course was issued" in edit
        page = office.get(self.url(offering)).content.decode()
        assert "The step is new" in page
        assert "1 learner at work in an earlier edition goes along" in page
        key = re.search(r'name="client_id" value="([^"]+)"', page)
        assert key is not None
        sent = {"edition": str(editions[1].pk), "client_id": key[1]}
        first, second = (office.post(self.url(offering), sent) for _time in range(2))
        assert first["Location"] == second["Location"] == reverse("accounts_admin:job", args=[key[1]])
        run_tasks()
        job = office.get(first["Location"]).content.decode()
        assert "Whoever enrols from now on gets edition 2. 1 learner went along to it, and is told." in job
        page = office.get(self.url(offering)).content.decode()
        assert "the newest one of the course" in page
        assert "There is nothing to do." in page

    def test_who_stays_is_named(
        self, offering: Offering, editions: Editions, enrolment: Enrolment, office: Client
    ) -> None:
        begin_quiz(enrolment)
        issue(3, course_key=editions[0].course_key, quiz=make_quiz(title="Asked otherwise"))
        page = office.get(self.url(offering)).content.decode()
        assert "1 learner stays and finishes in the edition they are in" in page
        assert f'/teach/{offering.slug}/{enrolment.pk}/">{escape(enrolment.subject.user.name)}</a>' in page
        assert "Nobody at work in an earlier edition goes along." in page

    def test_what_was_read_is_what_is_taken_up(
        self, offering: Offering, editions: Editions, enrolment: Enrolment, quiz: Any, office: Client
    ) -> None:
        """An edition was issued while the page was read."""
        issue(3, course_key=editions[0].course_key, quiz=quiz)
        sent = {"edition": str(editions[1].pk), "client_id": str(uuid.uuid4())}
        answer = office.post(self.url(offering), sent, follow=True)
        assert "has changed meanwhile" in answer.content.decode()
        assert not Job.objects.exists()
        assert Offering.objects.get().edition == editions[0]

    def test_its_cost_does_not_grow(
        self, offering: Offering, editions: Editions, enrolment: Enrolment, office: Client
    ) -> None:
        def measure() -> int:
            office.get(self.url(offering))
            with CaptureQueriesContext(connection) as found:
                assert office.get(self.url(offering)).status_code == 200
            return len(found)

        one = measure()
        for _learner in range(5):
            begin_quiz(make_enrolment(user=make_user(), offering=offering))
        assert measure() == one

    def test_in_french(
        self,
        offering: Offering,
        editions: Editions,
        enrolment: Enrolment,
        administrator: User,
        office: Client,
    ) -> None:
        profile = UserProfile.get_for_user(administrator)
        profile.preferred_language = "fr"
        profile.save()
        page = office.get(self.url(offering)).content.decode()
        assert "Qui s’inscrit dès maintenant la reçoit." in page


def test_the_learner_is_told_in_their_language(
    offering: Offering, editions: Editions, enrolment: Enrolment, administrator: User
) -> None:
    take_up(offering, editions[1], administrator)
    with override("fr"):
        said = say_notice(Notice.objects.get(kind="enrolment_moved"))
    assert said.title == "Votre cours a une édition plus récente"
