"""What the tests of the instructor's desk share: an offering that the cast's instructor teaches, and many learners."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Organization, Subject, User
from assessments.models import Attempt
from assessments.services import save_submission, submit_attempt
from core import clock
from lms.models import CourseProgress, Enrolment, EnrolmentEvent, Offering, StepProgress
from lms.services import begin_attempt
from tests.factories.lms import Course, finish_lesson, make_course, make_enrolment, make_offering, sit_quiz


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An offering with its course; `url` is the instructors' page."""

    course: Course
    offering: Offering

    @property
    def url(self) -> str:
        return f"/en/teach/{self.offering.slug}/"

    def enrol(self, user: User) -> Enrolment:
        return make_enrolment(user=user, offering=self.offering)

    def reach_quiz(self, enrolment: Enrolment) -> None:
        finish_lesson(enrolment, self.course.steps["reading"])
        finish_lesson(enrolment, self.course.steps["plain"])

    def sit_quiz(self, enrolment: Enrolment, *, right: int) -> Attempt:
        return sit_quiz(enrolment, self.course.steps["quiz"], right=right)

    def hand_in(
        self, enrolment: Enrolment, text: str = "Our harbour, in figures.", files: Any = ()
    ) -> Attempt:
        """An assignment handed in, after all that comes before it."""
        if not StepProgress.objects.filter(enrolment=enrolment).exists():
            self.reach_quiz(enrolment)
            self.sit_quiz(enrolment, right=4)
        attempt = begin_attempt(
            enrolment=enrolment, step_key=self.course.steps["work"], attempt_id=uuid.uuid4(), language="en"
        )
        save_submission(attempt=attempt, text=text, files=list(files), client_id=uuid.uuid4())
        return submit_attempt(attempt=attempt, submit_id=uuid.uuid4(), language="en")

    def learner_url(self, enrolment: Enrolment, more: str = "") -> str:
        return f"{self.url}{enrolment.pk}/{more}"

    def mark_url(self, attempt: Attempt) -> str:
        return f"{self.url}marking/{attempt.pk}/"


def make_desk(organization: Organization, **offering: Any) -> Desk:
    """An offering of an organization, of a course that is made for it."""
    course = make_course()
    given = {"title": "Fall cohort", **offering}
    return Desk(
        course=course, offering=make_offering(edition=course.edition, organization=organization, **given)
    )


def enrol_many(desk: Desk, count: int, *, at: datetime | None = None) -> list[Enrolment]:
    """So many learners at once, in every state that the desk tells apart: rows as the services would write them."""
    at = at or clock.now()
    mark = uuid.uuid4().hex[:8]
    users = User.objects.bulk_create(
        User(email=f"{mark}.{number}@many.example", name=f"Many {number:04}", sort_name=f"many {number:04}")
        for number in range(count)
    )
    subjects = Subject.objects.bulk_create(Subject(user=user) for user in users)
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(
            offering=desk.offering,
            subject=subject,
            edition=desk.course.edition,
            enrolled_at=at - timedelta(days=number % 30),
        )
        for number, subject in enumerate(subjects)
    )
    EnrolmentEvent.objects.bulk_create(
        EnrolmentEvent(enrolment=enrolment, kind="enrolled", actor_id=enrolment.subject_id, data={})
        for enrolment in enrolments
    )
    quiz = desk.course.steps["quiz"]
    steps, courses = [], []
    for number, enrolment in enumerate(enrolments):
        last_at = at - timedelta(days=number % 20)
        complete = number % 7 == 0
        courses.append(
            CourseProgress(
                enrolment=enrolment,
                steps_required=4,
                steps_complete=4 if complete else number % 4,
                last_step_key=quiz if number % 3 else None,
                last_at=last_at if number % 3 else None,
                completed_at=last_at if complete else None,
                waiting=1 if number % 11 == 5 else 0,
            )
        )
        if number % 3:
            failed = number % 5 == 1
            steps.append(
                StepProgress(
                    enrolment=enrolment,
                    step_key=quiz,
                    state="failed" if failed else "complete",
                    opened_at=last_at,
                    last_at=last_at,
                    completed_at=None if failed else last_at,
                    points=number % 5,
                    max_points=4,
                    attempts_used=3,
                )
            )
    CourseProgress.objects.bulk_create(courses)
    StepProgress.objects.bulk_create(steps)
    return enrolments


def owner_of(enrolment: Enrolment) -> User:
    user = enrolment.subject.user
    assert user is not None
    return user
