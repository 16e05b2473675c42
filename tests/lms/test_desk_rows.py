"""A row of the roster says what the words for one learner say, and nothing that was said before it changed."""

from __future__ import annotations

import html
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.services import erase_person, subject_of, update_profile
from core import clock
from lms.desk_texts import say_days_ago, say_learners
from lms.models import Enrolment
from lms.selectors.desk_roster import RosterRow
from lms.services import withdraw_learner
from lms.templatetags.roster import ESCAPES, roster_rows
from tests.factories.accounts import make_user
from tests.factories.lms import finish_lesson
from tests.lms.desk import Desk

SignIn = Callable[[User], Client]
# A day of 23 hours, one of 25, one whose midnight does not exist and one with two, among others.
ZONES = ("America/Toronto", "America/St_Johns", "America/Havana", "Asia/Beirut", "UTC")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def make_row(
    *, now: datetime, last_at: datetime | None = None, name: str = "Lea", done: int = 3
) -> RosterRow:
    return RosterRow(
        enrolment_id=uuid.UUID(int=1),
        url="/en/teach/fall/1/",
        name=name,
        sort_name=name,
        email="lea@cast.example",
        place="",
        edition_id=uuid.UUID(int=2),
        state=Enrolment.State.ACTIVE,
        enrolled_at=now - timedelta(days=30),
        closes_at=None,
        done=done,
        total=9,
        last_step=None,
        last_at=last_at,
        completed_at=None,
        waiting=0,
        is_idle=False,
        is_out=False,
        now=now,
    )


class TestRow:
    @given(MOMENTS, st.integers(0, 72 * 60), st.sampled_from(ZONES), st.sampled_from(["en", "fr"]))
    def test_the_last_step_is_said_by_the_readers_calendar(
        self, now: datetime, minutes: int, zone: str, language: str
    ) -> None:
        row = make_row(now=now, last_at=now - timedelta(minutes=minutes))
        with timezone.override(ZoneInfo(zone)), translation.override(language):
            assert row.last_at is not None
            said = html.escape(say_days_ago(row.last_at, now))
            assert f'<td role="cell" class="r-last">{said}</td>' in roster_rows([row])

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
    def test_a_name_is_escaped_as_everywhere(self, name: str) -> None:
        assert name.translate(ESCAPES) == html.escape(name)
        assert f">{html.escape(name)}</a>" in roster_rows([make_row(now=clock.now(), name=name)])

    def test_each_language_has_its_own_words(self) -> None:
        row = make_row(now=clock.now())
        said = {}
        for language in ("en", "fr", "en"):
            with translation.override(language):
                drawn = roster_rows([row])
                assert said.setdefault(language, drawn) == drawn
                assert f"<span>{say_learners(3, 9)}</span>" in drawn
        assert said["en"] != said["fr"]

    def test_nobody_has_no_row(self) -> None:
        assert roster_rows([]) == ""


class TestNothingOldIsShown:
    """Parts of the page are kept; each change shows in the next answer all the same."""

    @pytest.fixture
    def stuck(self, desk: Desk, learner: User) -> Enrolment:
        with clock.set_to(clock.now() - timedelta(days=12)):
            enrolment = desk.enrol(learner)
            finish_lesson(enrolment, desk.course.steps["reading"])
        desk.enrol(make_user(name="Someone Else"))
        return enrolment

    def test_a_new_name(
        self, desk: Desk, stuck: Enrolment, learner: User, instructor: User, sign_in: SignIn
    ) -> None:
        client = sign_in(instructor)
        page = client.get(desk.url).content.decode()
        assert page.count(learner.name) == 3
        update_profile(user=learner, name="Léa Renamed", language="en", time_zone="America/Toronto")
        page = client.get(desk.url).content.decode()
        assert page.count("Léa Renamed") == 3
        assert "Lavallée" not in page

    def test_who_is_erased(
        self, desk: Desk, stuck: Enrolment, learner: User, instructor: User, sign_in: SignIn
    ) -> None:
        client = sign_in(instructor)
        assert learner.email in client.get(desk.url).content.decode()
        name, email = learner.name, learner.email
        erase_person(subject=subject_of(learner), requested_by=None)
        page = client.get(desk.url).content.decode()
        assert name not in page
        assert email not in page

    def test_another_day(self, desk: Desk, stuck: Enrolment, instructor: User, sign_in: SignIn) -> None:
        client = sign_in(instructor)
        assert "12 days without a step" in client.get(desk.url).content.decode()
        with clock.set_to(clock.now() + timedelta(days=1)):
            page = client.get(desk.url).content.decode()
        assert "13 days without a step" in page
        assert "13 days ago" in page
        assert "12 days" not in page

    def test_who_withdraws(self, desk: Desk, stuck: Enrolment, instructor: User, sign_in: SignIn) -> None:
        client = sign_in(instructor)
        assert "1 of 2 learners is stuck" in client.get(desk.url).content.decode()
        withdraw_learner(enrolment=stuck, actor=stuck.subject, reason="", client_id=uuid.uuid4())
        page = client.get(desk.url).content.decode()
        assert "Nobody is stuck." in page
        assert "Withdrawn (1)" in page
        assert "1 to 1 of 1." in page

    def test_another_offering_title_and_language(
        self, desk: Desk, stuck: Enrolment, instructor: User, sign_in: SignIn
    ) -> None:
        client = sign_in(instructor)
        assert "<h1>Fall cohort</h1>" in client.get(desk.url).content.decode()
        type(desk.offering).objects.filter(pk=desk.offering.pk).update(
            title_en="Spring", title_fr="Printemps"
        )
        assert "<h1>Spring</h1>" in client.get(desk.url).content.decode()
        french = client.get(desk.url.replace("/en/", "/fr/")).content.decode()
        assert "<h1>Printemps</h1>" in french
        assert "/en/teach/" not in french.split("<main")[1].split("</main>")[0]

    def test_what_was_asked(self, desk: Desk, stuck: Enrolment, instructor: User, sign_in: SignIn) -> None:
        client = sign_in(instructor)
        for words in ("lea", "else", "lea"):
            page = client.get(f"{desk.url}?q={words}").content.decode()
            assert f'name="q" maxlength="200" id="id_q" value="{words}"' in page
            assert f"?show=needs&amp;q={words}#roster" in page
