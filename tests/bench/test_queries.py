"""The ten screens of the benchmark cost as many queries at one row as at many, and no more than is written here.

Whoever makes one cheaper lowers its number. Statements that open and close a transaction count too.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from assessments.models import Attempt
from assessments.services import save_response, start_attempt
from lms.models import Enrolment
from lms.services import PartAnswer, answer_check, open_step, open_step_sitting, save_reflection
from modules.selectors import outline_of
from tests.factories.accounts import make_user
from tests.factories.assessments import make_quiz, make_single
from tests.factories.certificates import make_certificate
from tests.factories.lms import (
    competency_of,
    make_assessed,
    make_check,
    make_course_edition,
    make_enrolment,
    make_framework_edition,
    make_lesson,
    make_offering,
    make_reflection,
)
from tests.lms.test_learner_queries import enrol_deep, screens

pytestmark = pytest.mark.django_db

AT_MOST: Final = {
    "lesson": 4,
    "course_home": 5,
    "complete_step": 7,
    "save_response": 8,
    "attempt_page": 3,
    "submit_attempt": 12,
    "offering_page": 6,
    "competency_map": 4,
    "verification": 1,
    "catalogue": 1,
}
SignIn = Callable[[User], Client]
MANY: Final = 4


def count(ask: Callable[[], HttpResponse], status: int = 200) -> int:
    with CaptureQueriesContext(connection) as counted:
        response = ask()
    assert response.status_code == status, response.content[:500]
    # What pytest shows of a test that fails.
    print(*(query["sql"] for query in counted.captured_queries), sep="\n", end="\n\n")
    return len(counted)


def judge(name: str, one: int, many: int) -> None:
    assert one == many, f"{name}: {one} queries at one row, {many} at many"
    assert one <= AT_MOST[name], f"{name}: {one} queries"


# --- Reading --------------------------------------------------------------------------------------------------------


def test_a_learners_screens(learner: User, other_learner: User, sign_in: SignIn) -> None:
    small, large = enrol_deep(learner, 1), enrol_deep(other_learner, 3)
    names = {"lesson": "lesson", "course_home": "course", "attempt_page": "question", "competency_map": "map"}
    found: dict[str, list[int]] = {name: [] for name in names}
    for enrolment, client in ((small, sign_in(learner)), (large, sign_in(other_learner))):
        paths = screens(enrolment)
        for name, screen in names.items():
            client.get(paths[screen])
            found[name].append(count(lambda path=paths[screen], client=client: client.get(path)))  # type: ignore[misc]
    for name, (one, many) in found.items():
        judge(name, one, many)


def test_the_offering_page(instructor: User, sign_in: SignIn) -> None:
    edition = make_course(1)
    offering = make_offering(edition=edition)
    offering.instructors.add(instructor)
    client = sign_in(instructor)

    def measure() -> int:
        client.get(f"/en/teach/{offering.slug}/")
        return count(lambda: client.get(f"/en/teach/{offering.slug}/"))

    make_enrolment(user=make_user(), offering=offering)
    one = measure()
    for _learner in range(12):
        enrolment = make_enrolment(user=make_user(), offering=offering)
        fill_lesson(enrolment)
        begin_quiz(enrolment)
    judge("offering_page", one, measure())


def test_the_verification_page(visitor: Client) -> None:
    first = make_certificate()
    visitor.get(f"/certificates/{first.pk}/")
    one = count(lambda: visitor.get(f"/certificates/{first.pk}/"))
    for _certificate in range(MANY):
        last = make_certificate(lessons=5)
    visitor.get(f"/certificates/{last.pk}/")
    judge("verification", one, count(lambda: visitor.get(f"/certificates/{last.pk}/")))


def test_the_catalogue(visitor: Client) -> None:
    def measure() -> int:
        visitor.get("/en/trainings/")
        return count(lambda: visitor.get("/en/trainings/"))

    make_offering(edition=make_course(1))
    one = measure()
    for _course in range(MANY):
        make_offering(edition=make_course(1))
    judge("catalogue", one, measure())


# --- Writing --------------------------------------------------------------------------------------------------------


def make_course(size: int) -> Any:
    """So many lessons with so many parts and competencies, then a quiz of so many questions."""
    framework = make_framework_edition()
    codes = ("A1", "A2", "B1", "B2")[:size]
    lessons = [
        make_lesson(
            f"lesson-{number}",
            parts=[make(f"{kind}{part}") for part in range(size) for kind, make in PARTS.items()],
            competencies=[{**competency_of(framework, code), "counts": "evidence"} for code in codes],
        )
        for number in range(size)
    ]
    items = [
        make_single(f"q{number}", competency=competency_of(framework, codes[number % size]), points="2")
        for number in range(size * 5)
    ]
    steps = [*lessons, make_assessed("quiz", make_quiz(items=items, attempts=None))]
    return make_course_edition(modules=[steps], framework=framework, order="free")


PARTS: Final = {"r": make_reflection, "c": make_check}


def step_key(enrolment: Enrolment, slug: str) -> uuid.UUID:
    return next(step.key for step in outline_of(enrolment.edition).iter_steps() if step.slug == slug)


def fill_lesson(enrolment: Enrolment) -> None:
    """Open the first lesson and fill in all its parts."""
    key = step_key(enrolment, "lesson-0")
    open_step(enrolment=enrolment, step_key=key, language="en")
    for part in outline_of(enrolment.edition).steps_by_key()[key].parts:
        answer = PartAnswer(step_key=key, part_key=part.key, client_id=uuid.uuid4(), language="en")
        if part.kind == "check":
            answer_check(enrolment=enrolment, answer=answer, choices=["b"])
        else:
            save_reflection(enrolment=enrolment, answer=answer, text="My words.")


def begin_quiz(enrolment: Enrolment) -> Attempt:
    """An attempt with every question but the first answered, and rightly."""
    sitting = open_step_sitting(enrolment=enrolment, step_key=step_key(enrolment, "quiz"))
    attempt = start_attempt(sitting=sitting, attempt_id=uuid.uuid4(), language="en")
    for shown in attempt.form["items"][1:]:
        save_response(
            attempt=attempt,
            item_key=shown["key"],
            raw={"choice": "right"},
            client_id=uuid.uuid4(),
            language="en",
        )
    return attempt


def press(client: Client, enrolment: Enrolment) -> HttpResponse:
    return client.post(  # type: ignore[return-value]
        f"/en/learn/{enrolment.pk}/lesson-0/", {"do": "complete", "client_id": str(uuid.uuid4())}
    )


def answer(client: Client, enrolment: Enrolment) -> HttpResponse:
    attempt = Attempt.objects.get(sitting__context=enrolment.pk)
    return client.post(  # type: ignore[return-value]
        f"/en/learn/{enrolment.pk}/quiz/attempts/{attempt.pk}/1/",
        {"field": "choice", "value": "right", "client_id": str(uuid.uuid4())},
        headers={"accept": "application/json"},
    )


def hand_in(client: Client, enrolment: Enrolment) -> HttpResponse:
    attempt = Attempt.objects.get(sitting__context=enrolment.pk)
    return client.post(  # type: ignore[return-value]
        f"/en/learn/{enrolment.pk}/quiz/attempts/{attempt.pk}/review/", {"client_id": str(uuid.uuid4())}
    )


@pytest.mark.parametrize(
    ("name", "prepare", "write", "status"),
    [
        ("complete_step", fill_lesson, press, 302),
        ("save_response", begin_quiz, answer, 200),
        ("submit_attempt", begin_quiz, hand_in, 302),
    ],
)
def test_a_write(
    sign_in: SignIn,
    name: str,
    prepare: Callable[[Enrolment], Any],
    write: Callable[[Client, Enrolment], HttpResponse],
    status: int,
) -> None:
    found = []
    for size in (1, MANY):
        offering = make_offering(edition=make_course(size))
        # The first learner's write fills what the process keeps of an edition.
        for _learner in range(2):
            user = make_user()
            enrolment = make_enrolment(user=user, offering=offering)
            prepare(enrolment)
            client = sign_in(user)
            client.get(f"/en/learn/{enrolment.pk}/")
            last = count(lambda client=client, enrolment=enrolment: write(client, enrolment), status)  # type: ignore[misc]
        found.append(last)
    judge(name, *found)


def test_every_row_of_the_bench_is_pinned() -> None:
    from bench.rows import KINDS, TARGETS

    assert AT_MOST.keys() == KINDS.keys() == TARGETS.keys()
    assert all(re.fullmatch(r"[a-z_]+", name) for name in KINDS)
