"""The learner's main path over HTTP, in both languages: enrol, read, answer, hand in, complete."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import PersonalText, User
from accounts.services import subject_of
from assessments.models import Attempt
from assessments.services import Judgement
from lms import texts
from lms.models import CourseProgress, Enrolment, LearningEvent, Notice, Standing, StepProgress
from lms.outlines import steps_of
from lms.services import mark_submission
from lms.signals import course_completed
from tests.factories.lms import (
    Course,
    make_course,
    make_course_edition,
    make_enrolment,
    make_framework_edition,
    make_lesson,
    make_offering,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["0 of 1 step", "1 of 1 step", "0 of 4 steps", "1 of 4 steps"]),
        ("fr", ["0 étape sur 1", "1 étape sur 1", "0 étape sur 4", "1 étape sur 4"]),
    ],
)
def test_steps_agree_with_their_number(language: str, said: list[str]) -> None:
    with translation.override(language):
        assert [texts.say_steps(done, total) for total in (1, 4) for done in (0, 1)] == said
        assert texts.say_steps(2, 4) == {"en": "2 of 4 steps", "fr": "2 étapes sur 4"}[language]


@pytest.fixture
def course() -> Course:
    return make_course(slug="rural")


def key() -> str:
    return str(uuid.uuid4())


def enrol_by_form(client: Client, language: str, offering: Any) -> Enrolment:
    address = f"/{language}/trainings/rural/enrol/{offering.slug}/"
    page = client.get(address)
    assert page.status_code == 200
    enrolment = key()
    answer = client.post(
        address, {"certificate_name": "Lea  Lavallée", "organization": "", "enrolment": enrolment}
    )
    assert answer.status_code == 302
    assert answer["Location"] == f"/{language}/learn/{enrolment}/"
    # A repeat of the same form enrols nobody twice.
    again = client.post(address, {"certificate_name": "Lea", "organization": "", "enrolment": enrolment})
    assert again["Location"] == answer["Location"]
    return Enrolment.objects.get()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_learner_goes_all_the_way(
    course: Course, learner: User, instructor: User, sign_in: SignIn, language: str
) -> None:
    heard: list[Enrolment] = []

    def hear(*, enrolment: Enrolment, **kwargs: Any) -> None:
        heard.append(enrolment)

    course_completed.connect(hear, dispatch_uid="test")
    try:
        _walk(course, learner, instructor, sign_in, language)
    finally:
        course_completed.disconnect(dispatch_uid="test")
    assert len(heard) == 1


def _walk(course: Course, learner: User, instructor: User, sign_in: SignIn, language: str) -> None:
    client = sign_in(learner)
    offering = make_offering(edition=course.edition)
    for address in (f"/{language}/trainings/", f"/{language}/trainings/rural/"):
        assert client.get(address).status_code == 200
    enrolment = enrol_by_form(client, language, offering)
    base = f"/{language}/learn/{enrolment.pk}/"
    home = client.get(base)
    assert home.status_code == 200
    assert ("0 of 4 steps" if language == "en" else "0 étape sur 4") in home.text

    # A locked step says what opens it, and nothing is recorded.
    locked = client.get(f"{base}quiz/")
    assert locked.status_code == 200
    assert f"{base}reading/" in locked.text
    assert not LearningEvent.objects.exists()

    # The lesson: what is missing is named; the parts are kept; then it completes.
    reading = f"{base}reading/"
    page = client.get(reading)
    assert page.status_code == 200
    assert LearningEvent.objects.filter(verb="opened").count() == 1
    missing = client.post(reading, {"do": "complete", "client_id": key()})
    assert missing.status_code == 400
    assert "#part-village" in missing.text
    assert "#part-council" in missing.text
    kept = client.post(reading, {"part": "council", "text": "Our words.", "client_id": key()})
    assert kept["Location"] == f"{reading}#part-council"
    wrong = client.post(reading, {"part": "village", "choice": "a", "client_id": key()})
    assert wrong["Location"] == f"{reading}#answer-village"
    page = client.get(reading)
    assert "Our words." in page.text
    assert "Said to a." in page.text
    assert "Said to b." not in page.text
    client.post(reading, {"part": "village", "choice": "b", "client_id": key()})
    done = client.post(reading, {"do": "complete", "client_id": key()})
    assert done["Location"] == f"{base}plain/"
    client.get(done["Location"])
    assert client.post(f"{base}plain/", {"do": "complete", "client_id": key()})["Location"] == f"{base}quiz/"

    # The quiz.
    quiz = f"{base}quiz/"
    assert client.get(quiz).status_code == 200
    start = key()
    begun = client.post(quiz, {"do": "start", "client_id": start})
    assert begun["Location"] == f"{quiz}attempts/{start}/1/"
    assert client.post(quiz, {"do": "start", "client_id": key()})["Location"] == begun["Location"]
    for number in range(1, 5):
        question = f"{quiz}attempts/{start}/{number}/"
        page = client.get(question)
        assert page.status_code == 200
        answer = client.post(question, {"choice": "right", "client_id": key(), "go": str(number + 1)})
        assert answer.status_code == 302
    review = f"{quiz}attempts/{start}/review/"
    assert client.get(review).status_code == 200
    submitted = client.post(review, {"client_id": key()})
    assert submitted["Location"] == f"{quiz}attempts/{start}/result/"
    result = client.get(submitted["Location"])
    assert result.status_code == 200
    assert "A1" in result.text

    # The assignment: draft, hand in, mark.
    work = f"{base}work/"
    assert client.get(work).status_code == 200
    assert client.post(work, {"do": "start", "client_id": key()})["Location"] == f"{work}#work"
    client.post(work, {"do": "draft", "text": "A problem.", "client_id": key()})
    assert "A problem." in client.get(work).text
    to_review = client.post(work, {"do": "review", "text": "A problem, in short.", "client_id": key()})
    assert "A problem, in short." in client.get(to_review["Location"]).text
    assert client.post(to_review["Location"], {"client_id": key()})["Location"] == work
    assert client.get(work).status_code == 200
    assert client.get(base).status_code == 200
    attempt = Attempt.objects.get(sitting__edition=course.assignment)
    mark_submission(
        attempt=attempt,
        actor=subject_of(instructor),
        judgement=Judgement(decision="marked", levels={"specific": 2, "figures": 1}, comment="Well done."),
        client_id=uuid.uuid4(),
    )
    page = client.get(work)
    assert "Well done." in page.text
    home = client.get(base)
    assert CourseProgress.objects.get().completed_at is not None
    assert home.status_code == 200
    assert Standing.objects.filter(subject=subject_of(learner), state="held").count() == 3
    for code in ("A", "B"):
        assert client.get(f"/{language}/my/competencies/{code}/").status_code == 200
    assert client.get(f"/{language}/my/competencies/").status_code == 200
    notice = Notice.objects.get(kind="work_marked")
    opened = client.post(f"/{language}/my/notices/{notice.pk}/")
    assert opened["Location"] == f"{base}{course.steps['work']}/"
    assert "Well done." in client.get(opened["Location"]).text
    assert re.search(r"Lea Lavallée", home.text)
    assert PersonalText.objects.filter(kind="certificate_name").count() == 1
    assert StepProgress.objects.filter(state="complete").count() == 4


def test_one_address_names_a_step_in_each_of_two_courses(learner: User, sign_in: SignIn) -> None:
    """The address alone says what is completed, whatever course it was used in before."""
    client = sign_in(learner)
    framework = make_framework_edition()
    enrolments = [
        make_enrolment(
            user=learner,
            offering=make_offering(
                edition=make_course_edition(
                    modules=[[make_lesson("first"), make_lesson(last)]], framework=framework
                )
            ),
        )
        for last in ("second", "other")
    ]
    for enrolment in [*enrolments, *enrolments]:
        answer = client.post(f"/en/learn/{enrolment.pk}/first/", {"client_id": key(), "do": "complete"})
        assert answer.status_code == 302
        assert answer["Location"].startswith(f"/en/learn/{enrolment.pk}/")
    for enrolment in enrolments:
        done = LearningEvent.objects.filter(enrolment=enrolment, verb=LearningEvent.Verb.COMPLETED)
        assert [event.step_key for event in done] == [steps_of(enrolment.edition).steps[0].key]
    assert client.post(f"/en/learn/{enrolments[0].pk}/other/", {"do": "complete"}).status_code == 404


def test_nobody_completes_a_step_of_somebody_elses_course(
    learner: User, other_learner: User, sign_in: SignIn
) -> None:
    edition = make_course_edition(modules=[[make_lesson("first")]], framework=make_framework_edition())
    enrolment = make_enrolment(user=learner, offering=make_offering(edition=edition))
    address = f"/en/learn/{enrolment.pk}/first/"
    assert sign_in(learner).get(address).status_code == 200
    before = LearningEvent.objects.count()
    answer = sign_in(other_learner).post(address, {"client_id": key(), "do": "complete"})
    assert answer.status_code == 404
    assert LearningEvent.objects.count() == before
    assert not StepProgress.objects.exclude(completed_at=None).exists()
