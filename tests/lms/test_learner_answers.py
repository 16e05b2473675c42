"""What the course engine answers to other floors: home panels, personal data, impact, uses, access, notices by mail."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Consent, User
from accounts.services import give_consent, subject_of
from core import clock, extensions
from lms.answers import grant_access, report_impact, tell_uses
from lms.models import Enrolment, LearningEvent, Notice, Standing
from lms.personal_data import LearningPersonalData
from lms.services import extend_enrolment, notify
from lms.tasks import send_notice
from lms.texts import NoticeText, register_notice, say_notice
from tests.factories.accounts import make_user
from tests.factories.lms import (
    Course,
    finish_lesson,
    make_course,
    make_enrolment,
    make_offering,
    sit_quiz,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def course() -> Course:
    return make_course()


@pytest.fixture
def enrolment(course: Course, learner: User) -> Enrolment:
    return make_enrolment(user=learner, offering=make_offering(edition=course.edition))


@pytest.fixture
def far(course: Course, enrolment: Enrolment) -> Enrolment:
    """A learner who has failed the quiz once."""
    finish_lesson(enrolment, course.steps["reading"])
    finish_lesson(enrolment, course.steps["plain"])
    sit_quiz(enrolment, course.steps["quiz"], right=1)
    return enrolment


class TestHome:
    def test_it_says_what_is_next_and_why_not_complete(
        self, far: Enrolment, learner: User, sign_in: SignIn
    ) -> None:
        page = sign_in(learner).get("/en/my/").text
        assert "<h1>Quiz</h1>" in page
        assert "2 of 4 steps" in page
        assert "Your best result is 25%. The pass mark is 50%." in page
        assert "Your competency map" in page
        assert "1 of 4 at the foundational level" in page

    def test_a_course_begun_nowhere_has_no_reasons_yet(
        self, enrolment: Enrolment, learner: User, sign_in: SignIn
    ) -> None:
        page = sign_in(learner).get("/en/my/").text
        assert "<h1>Reading</h1>" in page
        assert "not complete?" not in page

    def test_it_speaks_french(self, far: Enrolment, learner: User, sign_in: SignIn) -> None:
        page = sign_in(learner).get("/fr/my/").text
        assert "2 étapes sur 4" in page
        assert "Votre meilleur résultat est de 25\u00a0%." in page

    def test_a_visitor_has_no_panels(self, rf: object) -> None:
        from django.contrib.auth.models import AnonymousUser
        from django.test import RequestFactory

        request = RequestFactory().get("/en/my/")
        request.user = AnonymousUser()
        ours = [panel for panel in extensions.home_panels if panel.__module__ == "lms.panels"]
        assert len(ours) == 3
        assert all(panel(request=request) is None for panel in ours)


class TestPersonalData:
    def test_everything_is_given_out_in_codes_and_numbers(self, far: Enrolment, learner: User) -> None:
        notify(subject=far.subject, kind="work_marked", about="x", params={"passed": True}, path="/learn/x/")
        for language in ("en", "fr"):
            parts = LearningPersonalData().export(subject_id=far.subject_id, language=language)
            names = {part.name for part in parts}
            assert names >= {
                "enrolments",
                "enrolment_events",
                "learning",
                "attempts",
                "responses",
                "evidence",
                "standings",
                "notices",
            }
            for part in parts:
                assert part.retention
                text = json.dumps(part.rows)
                assert "My words." not in text
                assert "correct" not in text

    def test_erasing_takes_notices_away_and_keeps_the_ledgers(self, far: Enrolment) -> None:
        notify(subject=far.subject, kind="work_marked", about="x", params={}, path="")
        before = LearningEvent.objects.count()
        LearningPersonalData().erase(subject_id=far.subject_id)
        assert not Notice.objects.exists()
        assert LearningEvent.objects.count() == before
        assert Standing.objects.exists()

    def test_it_is_registered(self) -> None:
        assert any(isinstance(answer, LearningPersonalData) for answer in extensions.personal_data)


class TestImpact:
    def test_a_small_number_is_not_said(self, enrolment: Enrolment, course: Course) -> None:
        (impact,) = report_impact(kind="course", key=course.edition.course_key)
        assert impact.sentence == "Fewer than five learners are in edition 1; nothing changes for them."

    def test_learners_are_counted_by_edition(self, enrolment: Enrolment, course: Course) -> None:
        for _person in range(5):
            make_enrolment(user=make_user(), offering=enrolment.offering)
        (impact,) = report_impact(kind="course", key=course.edition.course_key)
        assert impact.sentence == "6 learners are in edition 1; nothing changes for them."
        assert report_impact(kind="framework", key=course.framework.framework_key) == []

    def test_an_edition_that_is_offered_is_named(self, enrolment: Enrolment, course: Course) -> None:
        (said,) = tell_uses(kind="course_edition", key=course.edition.pk)
        assert enrolment.offering.title_en in said
        assert tell_uses(kind="course", key=uuid.uuid4()) == []


def test_an_instructor_may_see_their_learners_and_nobody_elses(
    enrolment: Enrolment, learner: User, other_learner: User, instructor: User, stranger: User
) -> None:
    enrolment.offering.instructors.add(instructor)
    assert grant_access(viewer=instructor, subject_id=enrolment.subject_id) == "instructor_of"
    assert grant_access(viewer=instructor, subject_id=subject_of(other_learner).pk) is None
    assert grant_access(viewer=stranger, subject_id=enrolment.subject_id) is None


class TestNotices:
    @pytest.fixture
    def notice(self, enrolment: Enrolment, instructor: User) -> Notice:
        extend_enrolment(
            enrolment=enrolment,
            closes_at=clock.now() + timedelta(days=40),
            actor=subject_of(instructor),
            reason="",
            client_id=uuid.uuid4(),
        )
        return Notice.objects.get()

    def test_it_stands_on_the_screens_until_it_is_read(
        self, notice: Notice, enrolment: Enrolment, learner: User, sign_in: SignIn
    ) -> None:
        client = sign_in(learner)
        for url in ("/en/my/", f"/en/learn/{enrolment.pk}/"):
            assert "You have more time for your course" in client.get(url).text
        assert client.get(f"/en/my/notices/{notice.pk}/").status_code == 405
        client.post(f"/en/my/notices/{notice.pk}/")
        assert "You have more time for your course" not in client.get("/en/my/").text

    def test_it_is_not_mailed_to_who_did_not_ask_for_it(self, notice: Notice) -> None:
        send_notice.func(str(notice.pk))
        assert mail.outbox == []

    def test_it_is_mailed_to_who_asked_for_it_once_in_their_language(
        self, notice: Notice, learner: User
    ) -> None:
        give_consent(
            subject=subject_of(learner),
            purpose=Consent.Purpose.NOTICES_BY_EMAIL,
            wording="Send me notices.",
            language="fr",
        )
        User.objects.filter(pk=learner.pk).update(preferred_language="fr")
        for _run in range(2):
            send_notice.func(str(notice.pk))
        (message,) = mail.outbox
        assert message.subject == "Vous avez plus de temps pour votre cours"
        assert f"/fr{notice.url}" in message.body
        assert "p.m." not in message.body

    def test_a_floor_above_writes_its_own_words(self, enrolment: Enrolment) -> None:
        register_notice(
            "of_the_test", lambda params: NoticeText(title=f"News of {params['what']}", text="Here it is.")
        )
        notice = notify(
            subject=enrolment.subject, kind="of_the_test", about="1", params={"what": "it"}, path=""
        )
        assert say_notice(notice).title == "News of it"
        unknown = notify(subject=enrolment.subject, kind="unheard_of", about="1", params={}, path="")
        assert say_notice(unknown).title == "There is news for you"
