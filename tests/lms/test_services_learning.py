"""The services behind the learner's screens: each fact once, whoever sends it how often; and what they refuse."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import User
from accounts.services import subject_of
from assessments.models import Attempt, Response
from core import clock
from core.errors import InvalidInput, NotFound
from lms.models import (
    CourseProgress,
    Enrolment,
    EnrolmentEvent,
    Evidence,
    LearningEvent,
    Standing,
    StepProgress,
)
from lms.projections import rebuild
from lms.services import (
    EnrolmentRequest,
    PartAnswer,
    answer_check,
    answer_question,
    begin_attempt,
    complete_lesson,
    enrol_learner,
    open_step,
    save_draft,
    save_reflection,
    save_worksheet,
    submit_work,
)
from lms.services.enrolments import OfferingClosed, OfferingFull
from lms.services.step_ledger import StepLocked
from lms.signals import course_completed
from modules.selectors import outline_of
from tests.factories.assessments import make_quiz, make_single
from tests.factories.lms import (
    Course,
    competency_of,
    finish_lesson,
    make_assessed,
    make_course,
    make_course_edition,
    make_enrolment,
    make_framework_edition,
    make_lesson,
    make_offering,
)


@pytest.fixture
def course(db: None) -> Course:
    return make_course()


@pytest.fixture
def enrolment(course: Course, learner: User) -> Enrolment:
    return make_enrolment(user=learner, offering=make_offering(edition=course.edition))


def part(course: Course, key: str, **fields: object) -> PartAnswer:
    return PartAnswer(
        step_key=course.steps["reading"], part_key=key, client_id=uuid.uuid4(), language="en", **fields
    )  # type: ignore[arg-type]


class TestOnce:
    def test_the_same_key_is_one_fact(self, course: Course, enrolment: Enrolment) -> None:
        answer = part(course, "council")
        first = save_reflection(enrolment=enrolment, answer=answer, text="Once.")
        again = save_reflection(enrolment=enrolment, answer=answer, text="Once.")
        assert first.parts == again.parts
        assert LearningEvent.objects.filter(verb="reflected").count() == 1

    def test_a_key_of_somebody_else_is_refused(
        self, course: Course, enrolment: Enrolment, other_learner: User
    ) -> None:
        other = make_enrolment(user=other_learner, offering=enrolment.offering)
        answer = part(course, "council")
        save_reflection(enrolment=enrolment, answer=answer, text="Mine.")
        with pytest.raises(InvalidInput):
            save_reflection(enrolment=other, answer=answer, text="Theirs.")

    def test_enrolling_twice_gives_the_first_enrolment(self, course: Course, learner: User) -> None:
        offering = make_offering(edition=course.edition, seats=1)
        request = EnrolmentRequest(
            offering=offering,
            subject=subject_of(learner),
            enrolment_id=uuid.uuid4(),
            certificate_name="Lea",
        )
        assert enrol_learner(request) == enrol_learner(request)
        assert EnrolmentEvent.objects.count() == 1

    def test_completing_twice_is_completing_once(self, course: Course, enrolment: Enrolment) -> None:
        finish_lesson(enrolment, course.steps["reading"])
        row = complete_lesson(
            enrolment=enrolment, step_key=course.steps["reading"], language="fr", client_id=uuid.uuid4()
        )
        assert row.state == "complete"
        assert LearningEvent.objects.filter(verb="completed").count() == 1
        assert Evidence.objects.count() == 1

    def test_an_answer_that_is_saved_is_not_saved_again(self, course: Course, enrolment: Enrolment) -> None:
        for step in ("reading", "plain"):
            finish_lesson(enrolment, course.steps[step])
        attempt = begin_attempt(
            enrolment=enrolment, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
        )
        form = uuid.uuid4()
        for choice in ("left", "left", "right", "left"):
            answer_question(
                enrolment=enrolment,
                attempt=attempt,
                item_key="q1",
                raw={"choice": choice},
                form_id=form,
                language="en",
            )
        assert [row.value["choice"] for row in Response.objects.order_by("id")] == ["left", "right", "left"]

    def test_nothing_answered_is_nothing_saved(self, course: Course, enrolment: Enrolment) -> None:
        for step in ("reading", "plain"):
            finish_lesson(enrolment, course.steps[step])
        attempt = begin_attempt(
            enrolment=enrolment, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
        )
        kept = answer_question(
            enrolment=enrolment, attempt=attempt, item_key="q1", raw={}, form_id=uuid.uuid4(), language="en"
        )
        assert kept is None
        assert not Response.objects.exists()


class TestRefusals:
    def test_a_locked_step_takes_nothing(self, course: Course, enrolment: Enrolment) -> None:
        with pytest.raises(StepLocked):
            open_step(enrolment=enrolment, step_key=course.steps["plain"], language="en")
        with pytest.raises(StepLocked):
            begin_attempt(
                enrolment=enrolment, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
            )
        assert not LearningEvent.objects.exists()
        assert not Attempt.objects.exists()

    def test_a_lesson_with_something_open_names_it(self, course: Course, enrolment: Enrolment) -> None:
        with pytest.raises(InvalidInput) as refused:
            complete_lesson(
                enrolment=enrolment, step_key=course.steps["reading"], language="en", client_id=uuid.uuid4()
            )
        assert set(refused.value.errors) == {"village", "council"}
        assert not StepProgress.objects.filter(state="complete").exists()

    def test_empty_words_are_no_reflection(self, course: Course, enrolment: Enrolment) -> None:
        save_reflection(enrolment=enrolment, answer=part(course, "council"), text="Words.")
        save_reflection(enrolment=enrolment, answer=part(course, "council"), text="   ")
        answer_check(enrolment=enrolment, answer=part(course, "village"), choices=["a"])
        with pytest.raises(InvalidInput) as refused:
            complete_lesson(
                enrolment=enrolment, step_key=course.steps["reading"], language="en", client_id=uuid.uuid4()
            )
        assert set(refused.value.errors) == {"council"}

    def test_a_part_of_another_kind_is_not_found(self, course: Course, enrolment: Enrolment) -> None:
        with pytest.raises(NotFound):
            save_reflection(enrolment=enrolment, answer=part(course, "village"), text="x")
        with pytest.raises(NotFound):
            save_worksheet(enrolment=enrolment, answer=part(course, "nothing"), fields={"a": "b"})

    def test_full_and_closed_offerings(self, course: Course, learner: User, other_learner: User) -> None:
        full = make_offering(edition=course.edition, seats=1)
        make_enrolment(user=other_learner, offering=full)
        with pytest.raises(OfferingFull):
            make_enrolment(user=learner, offering=full)
        now = clock.now()
        for fields in ({"opens_at": now + timedelta(days=1)}, {"closes_at": now - timedelta(days=1)}):
            with pytest.raises(OfferingClosed):
                make_enrolment(user=learner, offering=make_offering(edition=course.edition, **fields))

    def test_a_device_cannot_tell_of_the_future_nor_of_before_the_enrolment(
        self, course: Course, enrolment: Enrolment
    ) -> None:
        now = clock.now()
        for reported in (now + timedelta(days=3), enrolment.enrolled_at - timedelta(days=3)):
            save_reflection(
                enrolment=enrolment, answer=part(course, "council", occurred_at=reported), text=str(reported)
            )
        for event in LearningEvent.objects.all():
            assert enrolment.enrolled_at <= event.occurred_at <= clock.now()

    def test_a_draft_keeps_to_the_files_that_are_asked_for(
        self, course: Course, enrolment: Enrolment
    ) -> None:
        from django.core.files.uploadedfile import SimpleUploadedFile

        from tests.factories.lms import sit_quiz

        for step in ("reading", "plain"):
            finish_lesson(enrolment, course.steps[step])
        sit_quiz(enrolment, course.steps["quiz"], right=4)
        attempt = begin_attempt(
            enrolment=enrolment, step_key=course.steps["work"], attempt_id=uuid.uuid4(), language="en"
        )
        # Each of its own content: the same file sent twice is one.
        files = [
            SimpleUploadedFile(f"{number}.txt", f"Some plain words, {number}.".encode())
            for number in range(3)
        ]
        with pytest.raises(InvalidInput):
            save_draft(enrolment=enrolment, attempt=attempt, form_id=uuid.uuid4(), add=files)
        save_draft(enrolment=enrolment, attempt=attempt, form_id=uuid.uuid4(), text="Words.", add=files[:2])
        row = Response.objects.get(item_key="submission")
        assert len(row.value["files"]) == 2


def test_work_counts_in_the_course_that_it_is_handed_in_to(learner: User) -> None:
    """An enrolment that was moved meanwhile to an edition without the step: nothing is lost, nothing counts there."""
    framework = make_framework_edition()
    old, new = (
        make_course_edition(
            modules=[[make_assessed("quiz", make_quiz(items=[make_single("q")], attempts=None))]],
            framework=framework,
            order="free",
            slug=slug,
        )
        for slug in ("old", "new")
    )
    enrolment = make_enrolment(user=learner, offering=make_offering(edition=old))
    step = next(outline_of(old).iter_steps()).key
    for moved in (True, False):
        attempt = begin_attempt(enrolment=enrolment, step_key=step, attempt_id=uuid.uuid4(), language="en")
        Enrolment.objects.filter(pk=enrolment.pk).update(edition=new if moved else old)
        for _twice in range(2):
            done = submit_work(enrolment=enrolment, attempt=attempt, form_id=uuid.uuid4(), language="en")
            assert done.submitted_at is not None
        said = LearningEvent.objects.filter(object_key=str(attempt.pk), verb="submitted")
        assert said.count() == (0 if moved else 1)
        Enrolment.objects.filter(pk=enrolment.pk).update(edition=old)


class TestAtOnce:
    """Twenty at the same moment, each with a connection of its own: one result."""

    def run(self, act: Callable[[], object]) -> list[BaseException]:
        faults: list[BaseException] = []
        start = threading.Barrier(20)

        def work() -> None:
            try:
                start.wait(timeout=30)
                act()
            except BaseException as fault:
                faults.append(fault)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return faults

    @pytest.mark.django_db(transaction=True)
    def test_completing_the_last_lesson_is_told_once(self, learner: User) -> None:
        edition = make_course_edition(modules=[[make_lesson("only")]])
        enrolment = make_enrolment(user=learner, offering=make_offering(edition=edition))
        step = uuid.UUID(edition.outline["modules"][0]["steps"][0]["key"])
        heard: list[Enrolment] = []

        def hear(*, enrolment: Enrolment, **kwargs: object) -> None:
            heard.append(enrolment)

        course_completed.connect(hear, dispatch_uid="test.at_once")
        try:
            faults = self.run(
                lambda: complete_lesson(
                    enrolment=enrolment, step_key=step, language="en", client_id=uuid.uuid4()
                )
            )
        finally:
            course_completed.disconnect(dispatch_uid="test.at_once")
        assert faults == []
        assert len(heard) == 1
        assert LearningEvent.objects.filter(verb="completed").count() == 1
        assert CourseProgress.objects.get().completed_at is not None

    @pytest.mark.django_db(transaction=True)
    def test_the_last_place_is_given_once(self, learner: User, other_learner: User) -> None:
        edition = make_course_edition(modules=[[make_lesson("only")]])
        offering = make_offering(edition=edition, seats=1)
        people = [subject_of(learner), subject_of(other_learner)] * 10

        def enrol() -> None:
            with_whom = people.pop()
            enrol_learner(
                EnrolmentRequest(
                    offering=offering, subject=with_whom, enrolment_id=uuid.uuid4(), certificate_name="X"
                )
            )

        faults = self.run(enrol)
        assert all(isinstance(fault, OfferingFull) for fault in faults)
        assert Enrolment.objects.count() == 1
        assert EnrolmentEvent.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_courses_that_serve_one_competency_count_both(self, learner: User) -> None:
        framework = make_framework_edition()
        lesson = make_lesson("only", competencies=[{**competency_of(framework, "A1"), "counts": "evidence"}])
        first, second = (
            make_enrolment(
                user=learner,
                offering=make_offering(edition=make_course_edition(modules=[[lesson]], framework=framework)),
            )
            for _course in range(2)
        )

        def complete(enrolment: Enrolment) -> None:
            (step,) = outline_of(enrolment.edition).steps_by_key()
            complete_lesson(enrolment=enrolment, step_key=step, language="en", client_id=uuid.uuid4())

        def complete_second() -> None:
            try:
                complete(second)
            finally:
                connection.close()

        other = threading.Thread(target=complete_second)
        with transaction.atomic():
            complete(first)
            other.start()
            # What the other one does must wait for this: it is in the database, and gets no further.
            with connection.cursor() as cursor:
                waiting = 0
                while not waiting and other.is_alive():
                    # Within a transaction the server shows who is active as of the first look, unless told.
                    cursor.execute("SELECT pg_stat_clear_snapshot()")
                    cursor.execute(
                        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                        " WHERE NOT l.granted AND a.datname = current_database()"
                    )
                    (waiting,) = cursor.fetchone()
            assert waiting
        other.join()
        assert len(Standing.objects.get(subject=subject_of(learner)).reason["evidence"]) == 2
        assert rebuild(check=True) == []
