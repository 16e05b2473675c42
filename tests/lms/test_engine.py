"""What the engine promises when things change under way: time granted, marks raised, withdrawals, repeats at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection

from accounts.models import User
from accounts.services import subject_of
from assessments.models import Attempt, Response
from assessments.services import (
    AttemptClosed,
    Judgement,
    save_response,
    save_submission,
    start_attempt,
    submit_attempt,
)
from core import clock
from core.errors import InvalidInput
from lms.models import CourseProgress, Enrolment, EnrolmentEvent, Evidence, LearningEvent, Standing
from lms.projections import rebuild
from lms.services import (
    ExtraAllowance,
    complete_lesson,
    extend_enrolment,
    grant_accommodation,
    mark_submission,
    open_step,
    open_step_sitting,
    withdraw_learner,
)
from lms.services.enrolments import OfferingClosed
from tests.factories.assessments import make_quiz
from tests.factories.lms import (
    Course,
    competency_of,
    finish_lesson,
    make_course,
    make_enrolment,
    make_framework_edition,
    make_offering,
    sit_quiz,
)


@pytest.fixture
def course(db: None) -> Course:
    return make_course()


def enrol(course: Course, user: User, **fields: Any) -> Enrolment:
    return make_enrolment(user=user, offering=make_offering(edition=course.edition, **fields))


def reach_quiz(course: Course, enrolment: Enrolment) -> None:
    finish_lesson(enrolment, course.steps["reading"])
    finish_lesson(enrolment, course.steps["plain"])


def begin(enrolment: Enrolment, step: uuid.UUID) -> Attempt:
    return start_attempt(
        sitting=open_step_sitting(enrolment=enrolment, step_key=step), attempt_id=uuid.uuid4(), language="en"
    )


def assert_provable() -> None:
    assert rebuild(check=True) == []


class TestTimeThatIsGranted:
    def test_an_extension_reaches_work_that_was_begun(
        self, course: Course, learner: User, instructor: User
    ) -> None:
        now = clock.now()
        enrolment = enrol(course, learner, closes_at=now + timedelta(days=2))
        reach_quiz(course, enrolment)
        sit_quiz(enrolment, course.steps["quiz"], right=4)
        attempt = begin(enrolment, course.steps["work"])
        extend_enrolment(
            enrolment=enrolment,
            closes_at=now + timedelta(days=30),
            actor=subject_of(instructor),
            reason="",
            client_id=uuid.uuid4(),
        )
        with clock.set_to(now + timedelta(days=5)):
            attempt.refresh_from_db()
            save_submission(attempt=attempt, text="Five days on.", files=[], client_id=uuid.uuid4())
            assert submit_attempt(attempt=attempt, submit_id=uuid.uuid4()).submitted_at is not None
        assert_provable()

    def test_more_time_reaches_an_attempt_that_runs(self, learner: User, instructor: User) -> None:
        framework = make_framework_edition()
        quiz = make_quiz(competency=competency_of(framework, "A1"), time_limit_minutes=10)
        course = make_course(framework=framework, quiz=quiz)
        enrolment = enrol(course, learner)
        reach_quiz(course, enrolment)
        attempt = begin(enrolment, course.steps["quiz"])
        grant_accommodation(
            enrolment=enrolment,
            allowance=ExtraAllowance(time_factor=2),  # type: ignore[arg-type]
            actor=subject_of(instructor),
            reason="A reason",
            accommodation_id=uuid.uuid4(),
        )
        attempt.refresh_from_db()
        assert attempt.deadline == attempt.started_at + timedelta(minutes=20)

    def test_an_answer_after_the_end_is_refused_and_those_before_are_kept(self, learner: User) -> None:
        framework = make_framework_edition()
        quiz = make_quiz(competency=competency_of(framework, "A1"), time_limit_minutes=10)
        course = make_course(framework=framework, quiz=quiz)
        enrolment = enrol(course, learner)
        reach_quiz(course, enrolment)
        attempt = begin(enrolment, course.steps["quiz"])
        key = attempt.form["items"][0]["key"]
        save_response(attempt=attempt, item_key=key, raw={"choice": "right"}, client_id=uuid.uuid4())
        with clock.set_to(attempt.started_at + timedelta(minutes=12)), pytest.raises(AttemptClosed):
            save_response(attempt=attempt, item_key=key, raw={"choice": "left"}, client_id=uuid.uuid4())
        assert Response.objects.get().value == {"choice": "right"}


def test_a_mark_that_is_raised_raises_the_standing(course: Course, learner: User, instructor: User) -> None:
    enrolment = enrol(course, learner)
    reach_quiz(course, enrolment)
    sit_quiz(enrolment, course.steps["quiz"], right=4)
    attempt = begin(enrolment, course.steps["work"])
    save_submission(attempt=attempt, text="One page.", files=[], client_id=uuid.uuid4())
    submit_attempt(attempt=attempt, submit_id=uuid.uuid4())

    def mark(**levels: int) -> None:
        mark_submission(
            attempt=attempt,
            actor=subject_of(instructor),
            judgement=Judgement(decision="marked", levels=levels),
            client_id=uuid.uuid4(),
        )

    mark(specific=1, figures=1)
    first = Evidence.objects.filter(kind=Evidence.Kind.ASSIGNMENT).count()
    mark(specific=2, figures=2)
    assert Evidence.objects.filter(kind=Evidence.Kind.ASSIGNMENT).count() == 2 * first
    assert Evidence.objects.order_by("-id")[0].result == {"points": "4", "max_points": "4"}
    assert_provable()


class TestWithdrawing:
    def test_who_left_comes_back_with_everything(self, course: Course, learner: User) -> None:
        enrolment = enrol(course, learner)
        finish_lesson(enrolment, course.steps["reading"])
        withdraw_learner(enrolment=enrolment, actor=subject_of(learner), reason="", client_id=uuid.uuid4())
        again = make_enrolment(user=learner, offering=enrolment.offering)
        assert again.pk == enrolment.pk
        assert again.state == Enrolment.State.ACTIVE
        assert CourseProgress.objects.get(enrolment=again).steps_complete == 1
        assert_provable()

    def test_coming_back_keeps_an_extension(self, course: Course, learner: User, instructor: User) -> None:
        now = clock.now()
        enrolment = enrol(course, learner, closes_at=now + timedelta(days=2))
        later = now + timedelta(days=20)
        extend_enrolment(
            enrolment=enrolment,
            closes_at=later,
            actor=subject_of(instructor),
            reason="",
            client_id=uuid.uuid4(),
        )
        withdraw_learner(enrolment=enrolment, actor=subject_of(learner), reason="", client_id=uuid.uuid4())
        assert make_enrolment(user=learner, offering=enrolment.offering).closes_at == later

    def test_whom_an_instructor_withdrew_does_not_come_back_alone(
        self, course: Course, learner: User, instructor: User
    ) -> None:
        enrolment = enrol(course, learner)
        withdraw_learner(enrolment=enrolment, actor=subject_of(instructor), reason="", client_id=uuid.uuid4())
        with pytest.raises(OfferingClosed):
            make_enrolment(user=learner, offering=enrolment.offering)
        assert EnrolmentEvent.objects.filter(enrolment=enrolment).count() == 2


class TestKeysOfOthers:
    """A key made by a client never reaches somebody else's row, and never breaks the page."""

    def test_an_attempt(self, course: Course, learner: User, other_learner: User) -> None:
        mine, theirs = enrol(course, learner), enrol(course, other_learner)
        for enrolment in (mine, theirs):
            reach_quiz(course, enrolment)
        attempt = begin(mine, course.steps["quiz"])
        sitting = open_step_sitting(enrolment=theirs, step_key=course.steps["quiz"])
        with pytest.raises(InvalidInput):
            start_attempt(sitting=sitting, attempt_id=attempt.pk)

    def test_an_answer(self, course: Course, learner: User, other_learner: User) -> None:
        mine, theirs = enrol(course, learner), enrol(course, other_learner)
        for enrolment in (mine, theirs):
            reach_quiz(course, enrolment)
        used = uuid.uuid4()
        one, other = begin(mine, course.steps["quiz"]), begin(theirs, course.steps["quiz"])
        key = one.form["items"][0]["key"]
        save_response(attempt=one, item_key=key, raw={"choice": "right"}, client_id=used)
        with pytest.raises(InvalidInput):
            save_response(attempt=other, item_key=key, raw={"choice": "right"}, client_id=used)

    def test_a_submission(self, course: Course, learner: User, other_learner: User) -> None:
        mine, theirs = enrol(course, learner), enrol(course, other_learner)
        for enrolment in (mine, theirs):
            reach_quiz(course, enrolment)
        used = uuid.uuid4()
        submit_attempt(attempt=begin(mine, course.steps["quiz"]), submit_id=used)
        with pytest.raises(InvalidInput):
            submit_attempt(attempt=begin(theirs, course.steps["quiz"]), submit_id=used)


def all_at_once(doing: Callable[[], Any], times: int = 20) -> list[Any]:
    """Do the same thing in so many threads; what each gave or raised."""
    found: list[Any] = []
    start = threading.Barrier(times)

    def run() -> None:
        start.wait()
        try:
            found.append(doing())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_twenty_times_at_once_is_once(learner: User) -> None:
    course = make_course()
    enrolment = enrol(course, learner)
    finish_lesson(enrolment, course.steps["reading"])
    open_step(enrolment=enrolment, step_key=course.steps["plain"], language="en")
    results = all_at_once(
        lambda: complete_lesson(
            enrolment=enrolment, step_key=course.steps["plain"], language="en", client_id=uuid.uuid4()
        )
    )
    assert not [result for result in results if isinstance(result, Exception)]
    done = LearningEvent.objects.filter(step_key=course.steps["plain"], verb="completed")
    assert done.count() == 1
    assert Evidence.objects.filter(step_key=course.steps["plain"]).count() == 1
    assert Standing.objects.filter(state="held").count() == 1

    attempt = begin(enrolment, course.steps["quiz"])
    results = all_at_once(lambda: submit_attempt(attempt=attempt, submit_id=uuid.uuid4()).submitted_at)
    assert len(set(results)) == 1
    assert LearningEvent.objects.filter(verb="submitted").count() == 1
    assert_provable()


@pytest.mark.parametrize(
    "table", ["lms_learningevent", "lms_evidence", "lms_enrolmentevent", "assessments_response"]
)
@pytest.mark.parametrize("statement", ["UPDATE {} SET recorded_at = now()", "DELETE FROM {}"])
def test_a_ledger_is_only_added_to(course: Course, learner: User, table: str, statement: str) -> None:
    enrolment = enrol(course, learner)
    reach_quiz(course, enrolment)
    sit_quiz(enrolment, course.steps["quiz"], right=4)
    with pytest.raises(IntegrityError, match="only ever added to"), connection.cursor() as cursor:
        cursor.execute(statement.format(table))
