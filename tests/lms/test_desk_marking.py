"""Marking: the queue, a mark given once, a second marker, work that goes back."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEntry, Organization, Role, User
from accounts.services import subject_of
from assessments.models import Attempt, Mark
from assessments.services import Judgement
from core import clock
from lms.models import CourseProgress, Evidence, LearningEvent, Notice
from lms.services import MarkedMeanwhile, mark_submission, withdraw_learner
from tests.factories.accounts import make_organization, make_role, make_user
from tests.factories.lms import make_course, make_offering
from tests.lms.desk import Desk

SignIn = Callable[[User], Client]


@pytest.fixture
def client(instructor: User, sign_in: SignIn) -> Client:
    return sign_in(instructor)


@pytest.fixture
def second(college: Organization) -> User:
    """Another instructor of the same college."""
    user = make_user(email="second@cast.example", name="Samir Second")
    make_role(user=user, what=Role.What.INSTRUCTOR, organization=college)
    return user


def answers(**changes: Any) -> dict[str, Any]:
    """What the form of a mark sends: two sound levels."""
    return {
        "client_id": uuid.uuid4(),
        "seen": 0,
        "level-specific": "1",
        "level-figures": "1",
        "comment": "Clear.",
        "do": "marked",
        **changes,
    }


class TestMark:
    def test_a_pass_completes_the_course(self, desk: Desk, learner: User, client: Client) -> None:
        enrolment = desk.enrol(learner)
        work = desk.hand_in(enrolment, text="Words of the learner.")
        page = client.get(desk.mark_url(work)).content.decode()
        assert "Words of the learner." in page
        assert "Sound work." in page
        assert "2 of 4 points passes." in page
        answer = client.post(desk.mark_url(work), answers())
        assert answer.status_code == 302
        assert answer["Location"] == f"{desk.url}marking/"
        work.refresh_from_db()
        assert (work.points, work.passed) == (2, True)
        assert CourseProgress.objects.get(enrolment=enrolment).completed_at is not None
        assert Evidence.objects.filter(enrolment=enrolment, kind="assignment").exists()
        assert Notice.objects.filter(subject=enrolment.subject, kind="work_marked").count() == 1
        assert AuditEntry.objects.filter(action="work.opened", subject=enrolment.subject).count() == 1

    def test_sent_twice_is_marked_once(self, desk: Desk, learner: User, client: Client) -> None:
        work = desk.hand_in(desk.enrol(learner))
        sent = answers()
        for _again in range(3):
            assert client.post(desk.mark_url(work), sent).status_code == 302
        assert Mark.objects.filter(attempt=work).count() == 1
        assert AuditEntry.objects.filter(action="attempt.marked").count() == 1
        assert LearningEvent.objects.filter(verb="marked").count() == 1

    def test_the_next_one_opens(self, desk: Desk, learner: User, other_learner: User, client: Client) -> None:
        with clock.set_to(clock.now() - timedelta(days=2)):
            older = desk.hand_in(desk.enrol(learner))
        newer = desk.hand_in(desk.enrol(other_learner))
        assert "Send the mark and open the next" in client.get(desk.mark_url(newer)).content.decode()
        assert client.post(desk.mark_url(newer), answers())["Location"] == desk.mark_url(older)
        assert client.post(desk.mark_url(older), answers())["Location"] == f"{desk.url}marking/"

    def test_every_criterion_needs_a_level_and_nothing_typed_is_lost(
        self, desk: Desk, learner: User, client: Client
    ) -> None:
        work = desk.hand_in(desk.enrol(learner))
        sent = answers(comment="A long comment, not lost.")
        del sent["level-figures"]
        page = client.post(desk.mark_url(work), sent).content.decode()
        assert "Choose a level." in page
        assert "A long comment, not lost." in page
        assert 'name="level-specific" value="1" checked' in page
        assert not Mark.objects.exists()
        forged = client.post(desk.mark_url(work), answers(**{"level-figures": "9"})).content.decode()
        assert "Choose one of these levels." in forged
        assert not Mark.objects.exists()

    def test_back_for_another_try(self, desk: Desk, learner: User, client: Client) -> None:
        enrolment = desk.enrol(learner)
        work = desk.hand_in(enrolment, text="First words.")
        sent = answers(do="returned", comment="")
        del sent["level-figures"]
        refused = client.post(desk.mark_url(work), sent).content.decode()
        assert "Say in the comment what to change" in refused
        assert client.post(desk.mark_url(work), {**sent, "comment": "Name your years."}).status_code == 302
        work.refresh_from_db()
        assert (work.points, work.passed) == (None, False)
        assert Notice.objects.filter(kind="work_returned").count() == 1
        assert "Returned (1)" in client.get(f"{desk.url}marking/").content.decode()
        again = desk.hand_in(enrolment, text="Second words.")
        page = client.get(desk.mark_url(again)).content.decode()
        for words in ("Second words.", "First words.", "Name your years.", "Returned for another try"):
            assert words in page
        # The first one is past: the learner has gone on.
        assert "newer attempt" in client.get(desk.mark_url(work)).content.decode()
        assert client.post(desk.mark_url(work), answers()).status_code == 302
        assert Mark.objects.filter(attempt=work).count() == 1
        client.post(desk.mark_url(again), answers())
        again.refresh_from_db()
        assert again.passed

    def test_a_mark_can_be_raised_knowingly_and_a_pass_stays(
        self, desk: Desk, learner: User, client: Client
    ) -> None:
        work = desk.hand_in(desk.enrol(learner))
        client.post(desk.mark_url(work), answers(**{"level-specific": "0", "level-figures": "0"}))
        work.refresh_from_db()
        assert work.passed is False
        page = client.get(desk.mark_url(work)).content.decode()
        assert "Change this decision" in page
        assert 'name="level-figures"' not in page
        form = client.get(f"{desk.mark_url(work)}?change").content.decode()
        assert 'name="level-specific" value="0" checked' in form
        last = Mark.objects.get()
        client.post(desk.mark_url(work), answers(seen=last.pk))
        work.refresh_from_db()
        assert work.passed
        refused = client.post(
            desk.mark_url(work),
            answers(seen=Mark.objects.latest("id").pk, **{"level-specific": "0", "level-figures": "0"}),
        )
        assert "This work has passed" in refused.content.decode()
        assert Mark.objects.count() == 2

    def test_withdrawn_work_is_not_marked(self, desk: Desk, learner: User, client: Client) -> None:
        enrolment = desk.enrol(learner)
        work = desk.hand_in(enrolment)
        withdraw_learner(enrolment=enrolment, actor=enrolment.subject, reason="", client_id=uuid.uuid4())
        assert "To mark (0)" in client.get(f"{desk.url}marking/").content.decode()
        assert "This learner has withdrawn." in client.get(desk.mark_url(work)).content.decode()
        client.post(desk.mark_url(work), answers())
        assert not Mark.objects.exists()

    def test_an_open_draft_is_not_work(self, desk: Desk, learner: User, client: Client) -> None:
        from lms.services import begin_attempt

        enrolment = desk.enrol(learner)
        desk.reach_quiz(enrolment)
        desk.sit_quiz(enrolment, right=4)
        draft = begin_attempt(
            enrolment=enrolment, step_key=desk.course.steps["work"], attempt_id=uuid.uuid4(), language="en"
        )
        assert client.get(desk.mark_url(draft)).status_code == 404
        assert client.post(desk.mark_url(draft), answers()).status_code == 404


class TestTwoMarkers:
    def test_the_second_sees_what_the_first_decided(
        self, desk: Desk, learner: User, client: Client, second: User, sign_in: SignIn
    ) -> None:
        work = desk.hand_in(desk.enrol(learner))
        other = sign_in(second)
        client.get(desk.mark_url(work))
        other.get(desk.mark_url(work))
        client.post(desk.mark_url(work), answers(comment="By the first."))
        answer = other.post(desk.mark_url(work), answers(comment="By the second.", **{"level-specific": "2"}))
        assert answer.status_code == 409
        page = answer.content.decode()
        for words in (
            "Somebody marked this work while you were reading it",
            "By the first.",
            "By the second.",
            "Ines Instructor",
        ):
            assert words in page
        first = Mark.objects.get()
        assert f'name="seen" value="{first.pk}"' in page
        # Sent again knowingly, it changes the mark; the history keeps both.
        other.post(
            desk.mark_url(work), answers(seen=first.pk, comment="By the second.", **{"level-specific": "2"})
        )
        assert [mark.points for mark in Mark.objects.order_by("id")] == [2, 3]

    @pytest.mark.django_db(transaction=True)
    def test_at_the_same_moment_one_mark_is_recorded(self) -> None:
        """Two markers on two connections: one wins, the other is told; neither waits for ever."""
        college = make_organization(name="College")
        course = make_course()
        desk = Desk(course=course, offering=make_offering(edition=course.edition, organization=college))
        markers = [subject_of(make_user()) for _one in range(2)]
        work = desk.hand_in(desk.enrol(make_user()))
        ready = threading.Barrier(2)
        results: list[object] = []

        def mark(place: int) -> None:
            try:
                ready.wait(timeout=20)
                results.append(
                    mark_submission(
                        attempt=Attempt.objects.get(pk=work.pk),
                        actor=markers[place],
                        judgement=Judgement(
                            decision="marked", levels={"specific": 1 + place, "figures": 1}, comment=""
                        ),
                        client_id=uuid.uuid4(),
                        seen=0,
                    )
                )
            except MarkedMeanwhile as error:
                results.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=mark, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert sorted(type(result).__name__ for result in results) == ["Mark", "MarkedMeanwhile"]
        assert Mark.objects.filter(attempt=work).count() == 1
        assert LearningEvent.objects.filter(verb="marked").count() == 1


def test_the_queue_has_the_oldest_first(desk: Desk, client: Client) -> None:
    now = clock.now()
    for days, name in ((1, "Young"), (9, "Old"), (4, "Middle")):
        with clock.set_to(now - timedelta(days=days)):
            desk.hand_in(desk.enrol(make_user(name=name)))
    page = client.get(f"{desk.url}marking/").content.decode()
    assert page.index("Old") < page.index("Middle") < page.index("Young")
    assert "9 days ago" in page
    for tab in ("returned", "marked", "nonsense"):
        assert client.get(f"{desk.url}marking/?tab={tab}").status_code == 200
