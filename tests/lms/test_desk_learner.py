"""One learner on the instructor's desk: what is shown, what is not, and what can be decided."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Organization, PersonalText, User
from accounts.services import subject_of
from assessments.models import Attempt
from core import clock
from lms.models import Accommodation, Enrolment, EnrolmentEvent, LearningEvent, Notice
from lms.selectors.courses import read_course
from lms.selectors.desk_learner import explain_course, read_learner
from lms.selectors.desk_people import find_learner
from lms.services import PartAnswer, open_step, save_reflection, save_worksheet
from tests.lms.desk import Desk, make_desk

SignIn = Callable[[User], Client]


@pytest.fixture
def desk(instructor: User, college: Organization) -> Desk:
    return make_desk(college, time_zone="America/Vancouver")


@pytest.fixture
def enrolment(desk: Desk, learner: User) -> Enrolment:
    return desk.enrol(learner)


@pytest.fixture
def client(instructor: User, sign_in: SignIn) -> Client:
    return sign_in(instructor)


class TestShown:
    def test_the_reasons_are_the_learners_own(self, desk: Desk, enrolment: Enrolment) -> None:
        open_step(enrolment=enrolment, step_key=desk.course.steps["reading"], language="en")
        course = read_course(enrolment)
        told = explain_course(course)
        assert len(told) == len(course.reasons)
        assert told[:2] == (
            ("1.1 Reading", "One required question in it has no answer."),
            ("1.1 Reading", "One required reflection in it is empty."),
        )
        assert ("2.1 Work", "Opens once “1.1 Reading” is complete.") in told

    def test_what_a_learner_writes_for_themselves_is_not(
        self, desk: Desk, enrolment: Enrolment, client: Client
    ) -> None:
        step = desk.course.steps["reading"]
        open_step(enrolment=enrolment, step_key=step, language="en")
        save_reflection(
            enrolment=enrolment,
            answer=PartAnswer(step_key=step, part_key="council", client_id=uuid.uuid4(), language="en"),
            text="Only for me, the word heron.",
        )
        save_worksheet(
            enrolment=enrolment,
            answer=PartAnswer(step_key=step, part_key="plan", client_id=uuid.uuid4(), language="en"),
            fields={"say": "Only for me, the word otter."},
        )
        page = client.get(desk.learner_url(enrolment)).content.decode()
        assert "Wrote in a reflection" in page
        assert "heron" not in page
        assert "otter" not in page

    def test_attempts_with_their_key(self, desk: Desk, enrolment: Enrolment, client: Client) -> None:
        desk.reach_quiz(enrolment)
        attempt = desk.sit_quiz(enrolment, right=3)
        url = desk.learner_url(enrolment, f"attempts/{attempt.pk}/")
        assert url in client.get(desk.learner_url(enrolment)).content.decode()
        page = client.get(url).content.decode()
        assert page.count("Right answer") == 4
        assert page.count("Chosen by the learner") == 4
        assert "Said to q4 left." in page
        assert AuditEntry.objects.filter(action="attempt.opened", subject=enrolment.subject).count() == 1

    def test_an_attempt_under_way_is_the_learners_own(
        self, desk: Desk, enrolment: Enrolment, client: Client
    ) -> None:
        from lms.services import begin_attempt

        desk.reach_quiz(enrolment)
        attempt = begin_attempt(
            enrolment=enrolment, step_key=desk.course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
        )
        assert client.get(desk.learner_url(enrolment, f"attempts/{attempt.pk}/")).status_code == 404
        page = client.get(desk.learner_url(enrolment)).content.decode()
        assert "Under way" in page
        assert str(attempt.pk) not in page

    def test_evidence_and_ledger_in_words(self, desk: Desk, enrolment: Enrolment, client: Client) -> None:
        work = desk.hand_in(enrolment)
        page = client.get(desk.learner_url(enrolment)).content.decode()
        for words in (
            "Handed in attempt 1: 4 of 4 points · passed",
            "Does B2",
            "Does A1",
            "Completed it",
            "holds",
        ):
            assert words in page
        assert desk.mark_url(work) in page
        french = client.get(desk.learner_url(enrolment).replace("/en/", "/fr/"))
        assert french.status_code == 200

    def test_each_look_is_logged(
        self, desk: Desk, enrolment: Enrolment, client: Client, instructor: User
    ) -> None:
        client.get(desk.learner_url(enrolment))
        [entry] = AuditEntry.objects.filter(action="learner.opened")
        assert entry.actor == subject_of(instructor)
        assert entry.subject == enrolment.subject
        assert entry.target_id == str(enrolment.pk)

    def test_a_long_ledger_is_paged_at_the_same_cost(
        self, desk: Desk, enrolment: Enrolment, client: Client
    ) -> None:
        url = desk.learner_url(enrolment)
        counts = []
        for more in (30, 151):
            LearningEvent.objects.bulk_create(
                LearningEvent(
                    enrolment=enrolment,
                    subject=enrolment.subject,
                    verb="opened",
                    step_key=desk.course.steps["reading"],
                    language="en",
                    occurred_at=clock.now() - timedelta(minutes=number),
                )
                for number in range(more)
            )
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                page = client.get(f"{url}?page=2").content.decode()
            counts.append(len(queries))
        assert counts[0] == counts[1]
        assert "Page 2 of 8" in page

    def test_an_erased_person_has_no_name(self, desk: Desk, enrolment: Enrolment, client: Client) -> None:
        from accounts.services import erase_person

        erase_person(subject=enrolment.subject, requested_by=None)
        page = read_learner(find_learner(desk.offering, enrolment.pk))
        assert page.head.name == "Someone whose account was erased"
        assert page.head.write_url == ""
        assert client.get(desk.url).status_code == 200
        assert client.get(desk.learner_url(enrolment)).status_code == 200


class TestDecided:
    def test_withdraw_and_reinstate(
        self, desk: Desk, enrolment: Enrolment, client: Client, instructor: User
    ) -> None:
        url = desk.learner_url(enrolment, "withdraw/")
        assert client.get(url).status_code == 200
        refused = client.post(url, {"client_id": uuid.uuid4(), "reason": " "})
        assert "Say why in a few words" in refused.content.decode()
        enrolment.refresh_from_db()
        assert enrolment.state == Enrolment.State.ACTIVE
        sent = {"client_id": uuid.uuid4(), "reason": "Left for another job."}
        for _again in range(2):
            assert client.post(url, sent).status_code == 302
        enrolment.refresh_from_db()
        assert enrolment.state == Enrolment.State.WITHDRAWN
        event = EnrolmentEvent.objects.get(enrolment=enrolment, kind="withdrawn")
        assert event.actor == subject_of(instructor)
        kept = PersonalText.objects.get(pk=event.reason_id)
        assert (kept.text, kept.subject, kept.author) == (
            "Left for another job.",
            enrolment.subject,
            subject_of(instructor),
        )
        assert Notice.objects.filter(subject=enrolment.subject, kind="enrolment_withdrawn").count() == 1
        page = client.get(desk.learner_url(enrolment)).content.decode()
        assert "Left for another job." in page
        assert "withdraw/" not in page
        for name in ("extend/", "grant/"):
            assert client.post(desk.learner_url(enrolment, name), {}).status_code == 302
        back = desk.learner_url(enrolment, "reinstate/")
        assert client.post(back, {"client_id": uuid.uuid4(), "reason": ""}).status_code == 302
        enrolment.refresh_from_db()
        assert enrolment.state == Enrolment.State.ACTIVE

    def test_extend_in_the_offerings_time_zone(
        self, desk: Desk, enrolment: Enrolment, client: Client
    ) -> None:
        url = desk.learner_url(enrolment, "extend/")
        assert "America/Vancouver" in client.get(url).content.decode()
        day = (clock.now() + timedelta(days=90)).date()
        sent = {"client_id": uuid.uuid4(), "reason": "Away in June.", "last_day": day.isoformat()}
        for _again in range(2):
            assert client.post(url, sent).status_code == 302
        enrolment.refresh_from_db()
        assert enrolment.closes_at == datetime(
            day.year, day.month, day.day, 23, 59, 59, tzinfo=ZoneInfo("America/Vancouver")
        )
        assert EnrolmentEvent.objects.filter(enrolment=enrolment, kind="extended").count() == 1
        open_end = {"client_id": uuid.uuid4(), "reason": "No hurry.", "no_end": "on"}
        assert client.post(url, open_end).status_code == 302
        enrolment.refresh_from_db()
        assert enrolment.closes_at is None

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            ({"last_day": "2001-01-01"}, "Choose a day in the future."),
            ({"last_day": "soon"}, "Write the day as in 2026-12-31."),
            ({}, "Choose the new last day."),
            ({"last_day": "2031-01-01", "no_end": "on"}, "Choose a day or no closing date, not both."),
        ],
    )
    def test_extend_refuses_in_words(
        self, desk: Desk, enrolment: Enrolment, client: Client, sent: dict[str, str], said: str
    ) -> None:
        answer = client.post(
            desk.learner_url(enrolment, "extend/"),
            {"client_id": uuid.uuid4(), "reason": "Kept words.", **sent},
        )
        page = answer.content.decode()
        assert said in page
        assert "Kept words." in page
        assert not EnrolmentEvent.objects.filter(kind="extended").exists()

    def test_grant_once(self, desk: Desk, enrolment: Enrolment, client: Client) -> None:
        step = desk.course.steps["quiz"]
        url = desk.learner_url(enrolment, "grant/")
        form = client.get(f"{url}?step={step}").content.decode()
        assert f'value="{step}" selected' in form
        sent = {
            "client_id": uuid.uuid4(),
            "time_factor": "1.5",
            "extra_attempts": "2",
            "step": str(step),
            "reason": "Agreed with the learner.",
        }
        for _again in range(2):
            assert client.post(url, sent).status_code == 302
        granted = Accommodation.objects.get(enrolment=enrolment)
        assert (granted.time_factor, granted.extra_attempts, granted.step_key) == (Decimal("1.5"), 2, step)
        assert granted.pk == sent["client_id"]
        assert AuditEntry.objects.filter(action="accommodation.granted").count() == 1
        page = client.get(desk.learner_url(enrolment)).content.decode()
        assert "50% more time, 2 more attempts · 1.3 Quiz" in page

    def test_grant_of_nothing_is_refused(self, desk: Desk, enrolment: Enrolment, client: Client) -> None:
        sent = {"client_id": uuid.uuid4(), "time_factor": "1", "extra_attempts": "0", "reason": "Hm."}
        page = client.post(desk.learner_url(enrolment, "grant/"), sent).content.decode()
        assert "Say how much more time or how many more attempts the learner gets." in page
        assert not Accommodation.objects.exists()

    def test_one_more_attempt_can_be_used(self, desk: Desk, enrolment: Enrolment, client: Client) -> None:
        desk.reach_quiz(enrolment)
        for _try in range(3):
            desk.sit_quiz(enrolment, right=0)
        sent = {
            "client_id": uuid.uuid4(),
            "time_factor": "1",
            "extra_attempts": "1",
            "step": str(desk.course.steps["quiz"]),
            "reason": "Talked it through.",
        }
        client.post(desk.learner_url(enrolment, "grant/"), sent)
        assert desk.sit_quiz(enrolment, right=4).passed
        assert Attempt.objects.filter(sitting__context=enrolment.pk).count() == 4
