"""A screen costs the same at one step, one attempt or one course and at many (law 8)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from assessments.models import Attempt
from lms.models import Enrolment
from lms.services import begin_attempt, open_step
from tests.factories.assessments import make_quiz, make_single
from tests.factories.lms import (
    competency_of,
    finish_lesson,
    make_assessed,
    make_check,
    make_course_edition,
    make_enrolment,
    make_framework_edition,
    make_lesson,
    make_offering,
    make_reflection,
    make_worksheet,
    sit_quiz,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


def make_steps(count: int, framework: Any) -> list[dict[str, Any]]:
    """So many lessons with so many parts, then a quiz of so many questions."""
    lessons = [
        make_lesson(
            f"lesson-{number}",
            parts=[
                *(make_reflection(f"r{part}") for part in range(count)),
                *(make_check(f"c{part}") for part in range(count)),
                *(make_worksheet(f"w{part}") for part in range(count)),
            ],
            competencies=[
                {**competency_of(framework, code), "counts": "evidence"}
                for code in ("A1", "A2", "B1")[:count]
            ],
            public=True,
        )
        for number in range(count)
    ]
    quiz = make_quiz(items=[make_single(f"q{number}") for number in range(count * 2)], attempts=None)
    return [*lessons, make_assessed("quiz", quiz)]


def enrol_deep(user: User, count: int) -> Enrolment:
    """An enrolment in a course of that size, everything done in it, so many attempts handed in and one begun."""
    framework = make_framework_edition()
    edition = make_course_edition(
        modules=[make_steps(count, framework)], framework=framework, order="free", slug=f"course-{count}"
    )
    for _offering in range(count):
        offering = make_offering(edition=edition)
    enrolment = make_enrolment(user=user, offering=offering)
    steps = {step.slug: step.key for step in _outline(enrolment).iter_steps()}
    for number in range(count):
        finish_lesson(enrolment, steps[f"lesson-{number}"])
    for _attempt in range(count):
        sit_quiz(enrolment, steps["quiz"], right=0)
    begin_attempt(enrolment=enrolment, step_key=steps["quiz"], attempt_id=uuid.uuid4(), language="en")
    return enrolment


def _outline(enrolment: Enrolment) -> Any:
    from modules.selectors import outline_of

    return outline_of(enrolment.edition)


def count_queries(client: Client, url: str) -> int:
    """Queries of a screen whose edition this process has read. The least of two: the site's words are read anew from
    time to time, whoever asks.
    """
    client.get(url)
    counts = []
    for _turn in range(2):
        with CaptureQueriesContext(connection) as counted:
            assert client.get(url).status_code == 200, url
        counts.append(len(counted))
    return min(counts)


def screens(enrolment: Enrolment) -> dict[str, str]:
    base = f"/en/learn/{enrolment.pk}/"
    attempts = Attempt.objects.filter(sitting__context=enrolment.pk)
    running = attempts.get(submitted_at__isnull=True)
    done = attempts.filter(submitted_at__isnull=False).first()
    assert done is not None
    slug = enrolment.edition.slug
    return {
        "course page": f"/en/trainings/{slug}/",
        "course": base,
        "lesson": f"{base}lesson-0/",
        "worksheet": f"{base}lesson-0/worksheets/w0/",
        "assessment": f"{base}quiz/",
        "question": f"{base}quiz/attempts/{running.pk}/1/",
        "review": f"{base}quiz/attempts/{running.pk}/review/",
        "result": f"{base}quiz/attempts/{done.pk}/result/",
        "public lesson": f"/en/lessons/{slug}/lesson-0/",
        "domain": "/en/my/competencies/A/",
        "map": "/en/my/competencies/",
    }


def test_a_screen_costs_the_same_at_one_and_at_many(
    learner: User, other_learner: User, sign_in: SignIn
) -> None:
    small, large = enrol_deep(learner, 1), enrol_deep(other_learner, 3)
    one, many = sign_in(learner), sign_in(other_learner)
    few, lots = screens(small), screens(large)
    found = {name: (count_queries(one, few[name]), count_queries(many, lots[name])) for name in few}
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    assert max(pair[0] for pair in found.values()) <= 25, found


def test_home_costs_the_same_with_one_course_and_with_many(
    learner: User, other_learner: User, sign_in: SignIn
) -> None:
    enrol_deep(learner, 1)
    for count in (1, 2, 3):
        enrol_deep(other_learner, count)
    assert count_queries(sign_in(learner), "/en/my/") == count_queries(sign_in(other_learner), "/en/my/")


def test_the_catalogue_costs_the_same_with_one_course_and_with_many(visitor: Client) -> None:
    def add() -> None:
        framework = make_framework_edition()
        edition = make_course_edition(modules=[make_steps(1, framework)], framework=framework)
        make_offering(edition=edition, seats=5)
        make_offering(edition=edition)

    add()
    before = count_queries(visitor, "/en/trainings/")
    for _course in range(4):
        add()
    assert count_queries(visitor, "/en/trainings/") == before


def count_writes(user: User, client: Client, count: int) -> dict[str, int]:
    """What a learner's acts take, in a course of so many lessons more, each of that many competencies, and a quiz.

    The course is not complete with them: what its certificate costs is not counted here.
    """
    framework = make_framework_edition()
    refs = [competency_of(framework, code) for code in ("A1", "A2", "B1")[:count]]
    lessons = [
        make_lesson(f"lesson-{number}", competencies=[{**ref, "counts": "evidence"} for ref in refs])
        for number in range(count + 2)
    ]
    items = [make_single(f"q{number}", competency=refs[number % count]) for number in range(count * 4)]
    edition = make_course_edition(
        modules=[[*lessons, make_assessed("quiz", make_quiz(items=items, pass_mark="10"))]],
        framework=framework,
        order="free",
    )
    enrolment = make_enrolment(user=user, offering=make_offering(edition=edition))
    keys = {step.slug: step.key for step in _outline(enrolment).iter_steps()}
    attempt = begin_attempt(
        enrolment=enrolment, step_key=keys["quiz"], attempt_id=uuid.uuid4(), language="en"
    )
    base = f"/en/learn/{enrolment.pk}/"
    quiz = f"{base}quiz/attempts/{attempt.pk}/"
    for number in range(2, count * 4 + 1):
        assert client.post(f"{quiz}{number}/", _sent(choice="right")).status_code == 302
    # What the process keeps of the framework's edition is read with the first completion.
    assert client.post(f"{base}lesson-0/", _sent(do="complete")).status_code == 302
    for number in range(1, count + 2):
        open_step(enrolment=enrolment, step_key=keys[f"lesson-{number}"], language="en")

    def count_post(path: str, **fields: str) -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.post(path, _sent(**fields)).status_code == 302
        return len(counted)

    # As a browser does before it sends the form.
    assert client.get(f"{base}lesson-{count}/").status_code == 200
    return {
        "complete_step": count_post(f"{base}lesson-{count}/", do="complete"),
        "save_response": count_post(f"{quiz}1/", choice="right"),
        "attempt_page": count_queries(client, f"{quiz}1/"),
        "submit_attempt": count_post(f"{quiz}review/"),
    }


def _sent(**fields: str) -> dict[str, str]:
    return {"client_id": str(uuid.uuid4()), **fields}


def test_what_a_learner_does_costs_the_same_at_one_and_at_many(
    learner: User, other_learner: User, sign_in: SignIn
) -> None:
    one, many = sign_in(learner), sign_in(other_learner)
    # What the process keeps of the frame is read once.
    one.get("/en/my/")
    pinned = {"complete_step": 7, "save_response": 7, "attempt_page": 3, "submit_attempt": 11}
    assert count_writes(learner, one, 1) == pinned
    assert count_writes(other_learner, many, 3) == pinned
