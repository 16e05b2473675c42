"""The counts and rows of an offering's page are exact to the person, whatever happens and however late it is read."""

from __future__ import annotations

import random
import threading
import uuid
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization, User
from accounts.services import erase_person, subject_of, update_profile
from core import clock
from lms import roster
from lms.models import Accommodation, Enrolment, RosterEntry, RosterSummary, RosterTouch
from lms.models_roster import LAST_NAME
from lms.projections import rebuild
from lms.rules import IDLE_DAYS
from lms.rules.roster import (
    CELLS,
    DONE,
    Counts,
    Doubtful,
    Position,
    add_counts,
    closings_of,
    complete_tally,
    counts_of,
    tell_cells,
    write_moment,
)
from lms.selectors.desk_board import read_board
from lms.selectors.desk_roster import RosterFilter
from lms.services import ExtraAllowance, complete_lesson, grant_accommodation, withdraw_learner
from tests.conftest import EXAMPLES
from tests.factories.accounts import make_user
from tests.factories.lms import finish_lesson, make_enrolment, make_offering
from tests.lms.desk import Desk, enrol_many, make_desk, owner_of
from tests.lms.naive_roster import assert_exact
from tests.lms.test_projections import Walk


class TestRules:
    NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    positions = st.builds(
        Position,
        active=st.booleans(),
        complete=st.booleans(),
        edition=st.just("e"),
        place=st.sampled_from([None, uuid.UUID(int=1), uuid.UUID(int=2)]),
        waiting=st.integers(0, 2),
        out=st.booleans(),
        granted=st.booleans(),
        last_doing=st.integers(-30 * 24, 0).map(lambda hours: TestRules.NOW + timedelta(hours=hours)),
        closes_at=st.sampled_from([None, NOW - timedelta(days=1), NOW, NOW + timedelta(seconds=1)]),
        marks=st.sampled_from([(), (("q", "3.00", "4.00", True),)]),
        answers=st.sampled_from([{}, {"a": {"i": True, "j": False}}]),
        work=st.sampled_from([{}, {"w": (2, 1)}]),
    )

    @given(st.lists(positions, max_size=30), st.lists(st.booleans(), min_size=30, max_size=30))
    def test_the_cells_tell_what_each_position_tells(
        self, positions: list[Position], granted_out: list[bool]
    ) -> None:
        now, since = self.NOW, self.NOW - timedelta(days=IDLE_DAYS)
        counts: Counts = {}
        on_the_day: list[tuple[str, int]] = []
        doubtful: list[Doubtful] = []
        stuck = needy = total = 0
        places: dict[str, list[int]] = {}
        for position, is_out_still in zip(positions, granted_out, strict=False):
            add_counts(counts, counts_of(position))
            if not position.active:
                continue
            at_work = not position.complete and (position.closes_at is None or position.closes_at > now)
            is_out = at_work and position.out and (not position.granted or is_out_still)
            is_idle = at_work and not position.waiting and position.last_doing <= since
            place = DONE if position.complete else position.place.hex if position.place else ""
            total += 1
            stuck += is_out or is_idle
            needy += is_out or is_idle or position.waiting > 0
            here = places.setdefault(place, [0, 0])
            here[0] += 1
            here[1] += is_out or is_idle
            if position.complete:
                continue
            if position.out and position.granted:
                doubtful.append(
                    Doubtful(place=position.place, waits=position.waiting > 0, is_stuck=is_out or is_idle)
                )
            elif not position.out and is_idle and position.last_doing.date() == since.date():
                on_the_day.append((place, 1))
        cells = counts.get(CELLS, {})
        tally = complete_tally(
            tell_cells(cells, now=now, idle_since=since), idle_on_the_day=on_the_day, doubtful=doubtful
        )
        assert (tally.total, tally.stuck, tally.needy) == (total, stuck, needy)
        assert tally.places == places
        assert tally.withdrawn == len(positions[:30]) - total

    @given(st.lists(positions, max_size=10), st.integers(0, 48 * 60), st.integers(0, 48 * 60))
    def test_what_the_cells_tell_changes_with_the_day_and_the_closings_alone(
        self, positions: list[Position], one: int, other: int
    ) -> None:
        counts: Counts = {}
        for position in positions:
            add_counts(counts, counts_of(position))
        cells = counts.get(CELLS, {})
        told = {}
        for minutes in sorted((one, other)):
            now = self.NOW + timedelta(minutes=minutes)
            since = now - timedelta(days=IDLE_DAYS)
            key = (since.date(), bisect_right(closings_of(cells), write_moment(now)))
            tally = tell_cells(cells, now=now, idle_since=since)
            assert told.setdefault(key, tally) == tally

    @given(st.lists(positions, max_size=8), st.randoms())
    def test_what_is_taken_away_leaves_nothing(
        self, positions: list[Position], chance: random.Random
    ) -> None:
        counts: Counts = {}
        for position in positions:
            add_counts(counts, counts_of(position))
        chance.shuffle(positions)
        for position in positions:
            add_counts(counts, counts_of(position), sign=-1)
        assert counts == {}


class TestExact:
    @pytest.mark.parametrize("seed", range(4))
    def test_after_any_walk(self, desk: Desk, instructor: User, seed: int) -> None:
        chance, start = random.Random(seed), clock.now() - timedelta(days=40)
        with clock.set_to(start):
            walks = [
                Walk(
                    course=desk.course,
                    enrolment=desk.enrol(make_user()),
                    instructor=instructor,
                    seed=seed * 100 + number,
                )
                for number in range(5)
            ]
        for act in range(60):
            with clock.set_to(start + timedelta(hours=14 * act)):
                chance.choice(walks).step()
                if act % 12 == 11:
                    assert_exact(desk.offering)
        assert_exact(desk.offering)
        assert rebuild(check=True) == []

    def test_many_at_any_time(self, desk: Desk) -> None:
        enrolments = enrol_many(desk, 130)
        now = clock.now()
        Enrolment.objects.filter(pk__in=[row.pk for row in enrolments[10:40]]).update(
            closes_at=now + timedelta(days=3)
        )
        Enrolment.objects.filter(pk__in=[row.pk for row in enrolments[100:110]]).update(state="withdrawn")
        User.objects.filter(pk=owner_of(enrolments[1]).pk).update(name="", sort_name="")
        searched = ("", "many 001", "many.example", "nobody")
        for hours in (0, 5, 71, 73, 24 * 9, 24 * 40):
            # Searching is what takes long; `make soak` searches at each moment.
            words = searched if hours in (0, 73) or EXAMPLES > 50 else ("",)
            with clock.set_to(now + timedelta(hours=hours)):
                assert_exact(desk.offering, words=words)

    def test_attempts_that_were_granted_and_are_over(self, desk: Desk, instructor: User) -> None:
        now = clock.now()
        enrolments = [desk.enrol(make_user()) for _one in range(3)]
        for enrolment in enrolments:
            desk.reach_quiz(enrolment)
            for right in (0, 1, 1):
                desk.sit_quiz(enrolment, right=right)
        for enrolment, days in zip(enrolments[:2], (None, 2), strict=True):
            grant_accommodation(
                enrolment=enrolment,
                allowance=ExtraAllowance(
                    extra_attempts=1, ends_at=now + timedelta(days=days) if days else None
                ),
                actor=subject_of(instructor),
                reason="One more.",
                accommodation_id=uuid.uuid4(),
            )
        assert assert_exact(desk.offering).stuck == 1
        with clock.set_to(now + timedelta(days=3)):
            assert assert_exact(desk.offering).stuck == 2
        with clock.set_to(now + timedelta(days=IDLE_DAYS + 1)):
            assert assert_exact(desk.offering).stuck == 3
        Accommodation.objects.all().delete()
        assert assert_exact(desk.offering).stuck == 3

    def test_a_learner_of_another_offering_is_not_counted(self, desk: Desk, college: Organization) -> None:
        other = Desk(
            course=desk.course, offering=make_offering(edition=desk.course.edition, organization=college)
        )
        enrol_many(other, 30)
        enrol_many(desk, 7)
        assert assert_exact(desk.offering).everyone == 7
        assert assert_exact(other.offering).everyone == 30

    def test_the_same_number_of_queries_for_any_question(self, desk: Desk) -> None:
        enrol_many(desk, 20)
        questions = [RosterFilter(sort="last"), RosterFilter(show="needs"), RosterFilter(words="many 00")]
        for wanted in questions:
            counts = []
            for more in (0, 100, 300):
                enrol_many(desk, more)
                read_board(desk.offering, wanted)
                with CaptureQueriesContext(connection) as queries:
                    read_board(desk.offering, wanted)
                counts.append(len(queries))
            assert counts[0] == counts[1] == counts[2] <= 5


class TestNames:
    def test_a_changed_name_moves(self, desk: Desk) -> None:
        people = [make_user(name=name) for name in ("Anna", "Berta", "Clara")]
        for person in people:
            desk.enrol(person)
        assert [row.name for row in read_board(desk.offering).rows] == ["Anna", "Berta", "Clara"]
        update_profile(user=people[0], name="Zoé", language="en", time_zone="America/Toronto")
        assert [row.name for row in assert_exact(desk.offering).rows] == ["Berta", "Clara", "Zoé"]

    def test_who_is_erased_leaves_no_name(self, desk: Desk, learner: User, other_learner: User) -> None:
        enrolment = desk.enrol(learner)
        desk.enrol(other_learner)
        read_board(desk.offering)
        assert RosterEntry.objects.get(pk=enrolment.pk).sort_name == learner.sort_name
        erase_person(subject=subject_of(learner), requested_by=None)
        # Before anybody reads the offering again.
        assert RosterEntry.objects.get(pk=enrolment.pk).sort_name == LAST_NAME
        board = assert_exact(desk.offering, words=("", "erased", "lea"))
        assert [row.name for row in board.rows] == ["Otis Bérubé", "Someone whose account was erased"]
        assert not RosterEntry.objects.filter(sort_name=learner.sort_name).exists()
        assert rebuild(check=True) == []


class TestProof:
    @pytest.fixture
    def read(self, desk: Desk) -> Desk:
        for _one in range(3):
            finish_lesson(desk.enrol(make_user()), desk.course.steps["reading"])
        read_board(desk.offering)
        return desk

    def test_a_wrong_entry_and_a_wrong_sum_are_found_and_mended(self, read: Desk) -> None:
        entry = RosterEntry.objects.first()
        assert entry is not None
        RosterEntry.objects.filter(pk=entry.pk).update(waiting=2)
        summary = RosterSummary.objects.get()
        summary.counts[CELLS]["gone"] = 5
        summary.save()
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("rebuild_projections", "--check", stdout=out)
        assert "waiting is 2, should be 0" in out.getvalue()
        assert "lms_rostersummary" in out.getvalue()
        assert RosterSummary.objects.get().counts[CELLS]["gone"] == 5
        call_command("rebuild_projections", stdout=StringIO())
        assert rebuild(check=True) == []
        assert_exact(read.offering)

    def test_everything_can_be_lost(self, read: Desk) -> None:
        before = RosterSummary.objects.get().counts
        RosterEntry.objects.all().delete()
        RosterSummary.objects.all().delete()
        call_command("rebuild_projections", stdout=StringIO())
        assert RosterSummary.objects.get().counts == before
        assert_exact(read.offering)

    def test_what_is_noted_and_not_read_yet_is_no_difference(self, read: Desk) -> None:
        learner = Enrolment.objects.first()
        assert learner is not None
        withdraw_learner(enrolment=learner, actor=learner.subject, reason="", client_id=uuid.uuid4())
        assert RosterTouch.objects.exists()
        assert rebuild(check=True) == []
        assert RosterTouch.objects.exists()
        assert read_board(read.offering).withdrawn == 1
        assert not RosterTouch.objects.exists()

    def test_the_worker_folds_what_nobody_reads(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        enrol_many(desk, 20)
        assert roster.fold_backlogs() == 0
        monkeypatch.setattr(roster, "BACKLOG", 20)
        assert roster.fold_backlogs() == 1
        assert not RosterTouch.objects.exists()
        assert roster.fold_backlogs() == 0
        assert_exact(desk.offering)

    def test_more_than_one_batch(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(roster, "BATCH", 7)
        enrol_many(desk, 50)
        assert assert_exact(desk.offering).everyone == 50
        assert roster.rebuild_rosters(check=True) == []


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_while_it_is_read(instructor: User, college: Organization) -> None:
    """Learners of one offering complete steps at the same time, and instructors read it meanwhile."""
    desk = make_desk(college)
    enrolments = [make_enrolment(user=make_user(), offering=desk.offering) for _one in range(20)]
    failures: list[BaseException] = []
    gate = threading.Barrier(23)
    done = threading.Event()

    def guard(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                gate.wait()
                work()
            except BaseException as error:
                failures.append(error)
            finally:
                connections.close_all()

        return run

    def learn(enrolment: Enrolment) -> Callable[[], None]:
        def work() -> None:
            finish_lesson(enrolment, desk.course.steps["reading"])
            complete_lesson(
                enrolment=enrolment,
                step_key=desk.course.steps["plain"],
                language="en",
                client_id=uuid.uuid4(),
            )

        return work

    def watch() -> None:
        while not done.is_set():
            board = read_board(desk.offering)
            assert board.total == sum(pair[0] for pair in board.tally.places.values()) == 20

    learners = [threading.Thread(target=guard(learn(enrolment))) for enrolment in enrolments]
    readers = [threading.Thread(target=guard(watch)) for _one in range(3)]
    for thread in (*learners, *readers):
        thread.start()
    for thread in learners:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    board = assert_exact(desk.offering)
    assert [row.done for row in board.rows] == [2] * 20
    assert rebuild(check=True) == []
