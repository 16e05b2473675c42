"""The projections are what the ledgers give, whatever a learner does and in whatever order."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import User
from accounts.services import subject_of
from assessments.models import Attempt
from assessments.services import Judgement
from core.errors import DomainError
from lms.models import CourseProgress, Enrolment, Standing, StepProgress
from lms.projections import rebuild
from lms.services import (
    ExtraAllowance,
    PartAnswer,
    answer_check,
    begin_attempt,
    complete_lesson,
    grant_accommodation,
    mark_submission,
    open_step,
    reinstate_learner,
    save_draft,
    save_reflection,
    save_worksheet,
    withdraw_learner,
)
from tests.factories.lms import Course, finish_lesson, make_course, make_enrolment, make_offering, sit_quiz

pytestmark = pytest.mark.django_db


@pytest.fixture
def course() -> Course:
    return make_course()


class Walk:
    """A learner who does anything at any time; the services refuse what may not be."""

    def __init__(self, *, course: Course, enrolment: Enrolment, instructor: User, seed: int) -> None:
        self.course, self.enrolment, self.instructor = course, enrolment, subject_of(instructor)
        self.chance = random.Random(seed)

    def answer(self, part: str) -> PartAnswer:
        return PartAnswer(
            step_key=self.course.steps["reading"],
            part_key=part,
            client_id=uuid.UUID(int=self.chance.getrandbits(128), version=4),
            language=self.chance.choice(["en", "fr"]),
        )

    def open(self) -> None:
        step = self.course.steps[self.chance.choice(list(self.course.steps))]
        open_step(enrolment=self.enrolment, step_key=step, language="en")

    def reflect(self) -> None:
        words = self.chance.choice(["", "Some words.", "Others."])
        save_reflection(enrolment=self.enrolment, answer=self.answer("council"), text=words)

    def write(self) -> None:
        save_worksheet(enrolment=self.enrolment, answer=self.answer("plan"), fields={"say": "x"})

    def check(self) -> None:
        choice = self.chance.choice("abc")
        answer_check(enrolment=self.enrolment, answer=self.answer("village"), choices=[choice])

    def complete(self) -> None:
        step = self.course.steps[self.chance.choice(["reading", "plain", "quiz"])]
        complete_lesson(enrolment=self.enrolment, step_key=step, language="fr", client_id=uuid.uuid4())

    def sit(self) -> None:
        sit_quiz(self.enrolment, self.course.steps["quiz"], right=self.chance.randint(0, 4))

    def work(self) -> None:
        attempt = begin_attempt(
            enrolment=self.enrolment,
            step_key=self.course.steps["work"],
            attempt_id=uuid.uuid4(),
            language="en",
        )
        save_draft(enrolment=self.enrolment, attempt=attempt, form_id=uuid.uuid4(), text="A problem.")
        from assessments.services import submit_attempt

        submit_attempt(attempt=attempt, submit_id=uuid.uuid4(), language="en")

    def mark(self) -> None:
        attempt = Attempt.objects.filter(
            sitting__edition=self.course.assignment, submitted_at__isnull=False
        ).last()
        if attempt is None:
            return
        levels = {"specific": self.chance.randint(0, 2), "figures": self.chance.randint(0, 2)}
        decision = self.chance.choice(["marked", "returned"])
        mark_submission(
            attempt=attempt,
            actor=self.instructor,
            judgement=Judgement(decision=decision, levels=levels, comment="Go on."),
            client_id=uuid.uuid4(),
        )

    def leave(self) -> None:
        change = self.chance.choice([withdraw_learner, reinstate_learner, reinstate_learner])
        change(enrolment=self.enrolment, actor=self.instructor, reason="", client_id=uuid.uuid4())

    def allow(self) -> None:
        grant_accommodation(
            enrolment=self.enrolment,
            allowance=ExtraAllowance(time_factor=Decimal("1.5"), extra_attempts=1),
            actor=self.instructor,
            reason="Reads slowly.",
            accommodation_id=uuid.uuid4(),
        )

    def step(self) -> None:
        acts: list[Callable[[], None]] = [
            self.open,
            self.reflect,
            self.write,
            self.check,
            self.complete,
            self.complete,
            self.sit,
            self.work,
            self.mark,
            self.leave,
            self.allow,
        ]
        with suppress(DomainError):
            self.chance.choice(acts)()


@pytest.mark.parametrize("seed", range(6))
def test_after_any_walk_the_rows_are_what_the_ledgers_give(
    course: Course, learner: User, instructor: User, seed: int
) -> None:
    enrolment = make_enrolment(user=learner, offering=make_offering(edition=course.edition))
    walk = Walk(course=course, enrolment=enrolment, instructor=instructor, seed=seed)
    for _act in range(35):
        walk.step()
    assert StepProgress.objects.exists()
    assert rebuild(check=True) == []


class TestCommand:
    @pytest.fixture
    def finished(self, course: Course, learner: User) -> Enrolment:
        enrolment = make_enrolment(user=learner, offering=make_offering(edition=course.edition))
        finish_lesson(enrolment, course.steps["reading"])
        finish_lesson(enrolment, course.steps["plain"])
        sit_quiz(enrolment, course.steps["quiz"], right=4)
        return enrolment

    def test_check_says_that_all_is_well(self, finished: Enrolment) -> None:
        out = StringIO()
        call_command("rebuild_projections", "--check", stdout=out)
        assert "Every projection is what its ledger gives." in out.getvalue()

    def test_check_finds_what_differs_and_changes_nothing(self, finished: Enrolment) -> None:
        CourseProgress.objects.update(steps_complete=9)
        Standing.objects.filter(state="held").delete()
        StepProgress.objects.filter(state="complete").update(state="opened")
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("rebuild_projections", "--check", stdout=out)
        assert ended.value.code == 1
        said = out.getvalue()
        assert "steps_complete is 9, should be 3" in said
        assert "missing" in said
        assert "lms_stepprogress" in said
        assert CourseProgress.objects.get().steps_complete == 9

    def test_rebuilding_mends_it(self, finished: Enrolment) -> None:
        before = list(
            Standing.objects.order_by("pk").values("competency_id", "level", "state", "since", "reason")
        )
        CourseProgress.objects.all().delete()
        StepProgress.objects.all().delete()
        Standing.objects.all().delete()
        Enrolment.objects.update(state="withdrawn")
        out = StringIO()
        call_command("rebuild_projections", stdout=out)
        assert "mended" in out.getvalue()
        assert rebuild(check=True) == []
        assert CourseProgress.objects.get().steps_complete == 3
        assert Enrolment.objects.get().state == "active"
        after = Standing.objects.order_by("competency_id", "level").values(
            "competency_id", "level", "state", "since", "reason"
        )
        assert sorted(before, key=lambda row: (row["competency_id"], row["level"])) == list(after)
