"""An offering on the instructor's desk: counts that agree, who is stuck and why, the roster, the export."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import AuditEntry, Organization, User
from accounts.services import erase_person, subject_of
from core import clock
from lms import querysets
from lms.models import Enrolment, LearningEvent
from lms.projections import read_event
from lms.rules import CourseState, fold_events, is_stuck
from lms.selectors.desk import list_offerings, read_cards
from lms.selectors.desk_board import read_board
from lms.selectors.desk_export import make_harmless, write_csv
from lms.selectors.desk_marks import read_marking_job, read_marks
from lms.selectors.desk_plot import plot_board
from lms.selectors.desk_roster import RosterFilter
from lms.selectors.desk_stuck import explain_stuck
from lms.services import grant_accommodation, open_step, withdraw_learner
from lms.services.desk import ExtraAllowance
from tests.factories.accounts import make_user
from tests.factories.jobs import fetch_made, read_body
from tests.factories.lms import finish_lesson, make_offering
from tests.lms.desk import Desk, enrol_many

SignIn = Callable[[User], Client]


def _fold(enrolment: Enrolment) -> CourseState:
    return fold_events(map(read_event, LearningEvent.objects.filter(enrolment=enrolment)))


class TestStuck:
    def test_the_condition_says_what_the_rule_says(self, desk: Desk) -> None:
        """`querysets.idle` and `rules.is_stuck` must never part: one is for SQL, the other for a person."""
        now = clock.now()
        for days in (3, 9, 10, 11, 40):
            for begun in (False, True):
                with clock.set_to(now - timedelta(days=days)):
                    enrolment = desk.enrol(make_user())
                    if begun:
                        finish_lesson(enrolment, desk.course.steps["reading"])
        with clock.set_to(now - timedelta(days=30)):
            desk.hand_in(desk.enrol(make_user()))
        idle = set(Enrolment.objects.filter(querysets.idle(now=now)).values_list("pk", flat=True))
        ruled = {
            enrolment.pk
            for enrolment in Enrolment.objects.all()
            if is_stuck(_fold(enrolment), now, enrolled_at=enrolment.enrolled_at)
        }
        assert idle == ruled
        assert len(idle) == 6

    def test_who_is_complete_closed_or_withdrawn_is_not_stuck(
        self, desk: Desk, learner: User, other_learner: User
    ) -> None:
        now = clock.now()
        with clock.set_to(now - timedelta(days=20)):
            closed, gone = desk.enrol(learner), desk.enrol(other_learner)
        Enrolment.objects.filter(pk=closed.pk).update(closes_at=now - timedelta(days=1))
        withdraw_learner(enrolment=gone, actor=gone.subject, reason="", client_id=uuid.uuid4())
        assert not Enrolment.objects.filter(querysets.idle(now=now)).exists()
        board = read_board(desk.offering)
        assert (board.stuck, board.stuck_rows) == (0, ())
        assert (board.total, board.withdrawn) == (1, 1)
        assert [row.need for row in board.rows] == ["Closed"]

    def test_no_attempts_left_and_one_more(self, desk: Desk, learner: User, instructor: User) -> None:
        enrolment = desk.enrol(learner)
        desk.reach_quiz(enrolment)
        for right in (0, 1, 1):
            desk.sit_quiz(enrolment, right=right)
        board = read_board(desk.offering)
        [told] = explain_stuck(board)
        assert told.word == "No attempts left"
        assert (
            told.sentence
            == "1.3 Quiz: Best result 25%, pass mark 50%. No attempt is left. You may open one more."
        )
        assert told.action_url.endswith(f"/grant/?step={desk.course.steps['quiz']}")
        assert [row.need for row in board.rows] == ["An attempt"]
        [card] = read_cards(list(list_offerings(type(desk.offering).objects.all())))
        assert card.stuck == 1
        grant_accommodation(
            enrolment=enrolment,
            allowance=ExtraAllowance(extra_attempts=1, step_key=desk.course.steps["quiz"]),
            actor=subject_of(instructor),
            reason="One more.",
            accommodation_id=uuid.uuid4(),
        )
        board = read_board(desk.offering)
        assert (board.stuck, board.stuck_rows) == (0, ())

    def test_why_someone_is_idle(self, desk: Desk, learner: User) -> None:
        with clock.set_to(clock.now() - timedelta(days=12)):
            enrolment = desk.enrol(learner)
            finish_lesson(enrolment, desk.course.steps["reading"])
        [told] = explain_stuck(read_board(desk.offering))
        assert told.word == "12 days without a step"
        assert told.sentence == "1.2 Plain: Not opened yet."
        assert told.action_url.startswith("mailto:learner@cast.example?subject=")

    def test_it_is_worked_out_again_where_something_happened(self, desk: Desk, learner: User) -> None:
        then = clock.now() - timedelta(days=12)
        with clock.set_to(then):
            enrolment = desk.enrol(learner)
            finish_lesson(enrolment, desk.course.steps["reading"])
        board = read_board(desk.offering)
        first = explain_stuck(board)
        with CaptureQueriesContext(connection) as asked:
            assert explain_stuck(board) == first
        assert len(asked) == 1
        with translation.override("fr"):
            [in_french] = explain_stuck(board)
        assert in_french.sentence != first[0].sentence
        # It comes late, from a device that was offline: the time of the last doing stays the same.
        with clock.set_to(then):
            open_step(enrolment=enrolment, step_key=desk.course.steps["plain"], language="en")
        [told] = explain_stuck(board)
        assert told.sentence != first[0].sentence
        assert told.sentence.startswith("1.2 Plain: Read,")


class TestRoster:
    def test_counts_agree(self, desk: Desk) -> None:
        enrol_many(desk, 60)
        board = read_board(desk.offering)
        [card] = read_cards(list(list_offerings(type(desk.offering).objects.all())))
        assert (card.learners, card.complete) == (board.total, board.complete)
        assert card.stuck == board.stuck > 0
        rows = [row for number in (1, 2) for row in read_board(desk.offering, page=number).rows]
        assert card.waiting == sum(row.waiting for row in rows)
        plot = plot_board(board)
        assert sum(column.count for column in plot.columns) == plot.total == 60
        assert sum(column.stuck for column in plot.columns) == card.stuck
        for column in plot.columns:
            assert len(column.dots) == column.count

    def test_many_share_a_dot(self, desk: Desk) -> None:
        enrol_many(desk, 200)
        plot = plot_board(read_board(desk.offering))
        assert plot.each == 10
        assert sum(len(column.dots) for column in plot.columns) <= 2 * len(plot.columns) + 20

    def test_french_sorts_accents_as_french_does(self, desk: Desk) -> None:
        from core.text import make_sort_key

        for name in ("Zoé Coté", "Élise Côte", "Andre Cote", "eric Coté"):
            user = make_user(name=name)
            assert user.sort_name == make_sort_key(name)
            desk.enrol(user)
        rows = read_board(desk.offering).rows
        assert [row.name for row in rows] == ["Andre Cote", "Élise Côte", "eric Coté", "Zoé Coté"]

    def test_search_needs_no_accent(self, desk: Desk, other_learner: User, learner: User) -> None:
        desk.enrol(other_learner)
        desk.enrol(learner)
        board = read_board(desk.offering, RosterFilter(words="berube otis"))
        assert [row.name for row in board.rows] == ["Otis Bérubé"]

    def test_the_page(self, desk: Desk, instructor: User, sign_in: SignIn) -> None:
        enrol_many(desk, 120)
        client = sign_in(instructor)
        page = client.get(desk.url).content.decode()
        assert "Many 0000" in page
        assert "Many 0050" not in page
        assert "1 to 50 of 120." in page
        assert "Many 0119" in client.get(f"{desk.url}?page=3").content.decode()
        found = client.get(f"{desk.url}?q=0119&show=needs&sort=nonsense&page=x").content.decode()
        assert "by name" in found
        french = client.get(desk.url.replace("/en/", "/fr/")).content.decode()
        assert french.count("Many 00") == page.count("Many 00")

    def test_a_name_is_text(self, desk: Desk, instructor: User, sign_in: SignIn) -> None:
        desk.enrol(make_user(name="<script>alert(1)</script>"))
        page = sign_in(instructor).get(desk.url).content.decode()
        assert "<script>alert" not in page

    def test_nobody_is_enrolled(self, desk: Desk, instructor: User, sign_in: SignIn) -> None:
        page = sign_in(instructor).get(desk.url).content.decode()
        assert "Nobody is enrolled yet" in page
        assert f"/en/trainings/{desk.course.edition.slug}/enrol/{desk.offering.slug}/" in page

    @pytest.mark.parametrize("path", ["", "?show=needs&sort=needs", "marking/", "marking/?tab=marked"])
    def test_queries_do_not_grow(self, desk: Desk, instructor: User, sign_in: SignIn, path: str) -> None:
        client = sign_in(instructor)
        desk.hand_in(desk.enrol(make_user()))
        failing = desk.enrol(make_user())
        desk.reach_quiz(failing)
        desk.sit_quiz(failing, right=0)
        with clock.set_to(clock.now() - timedelta(days=30)):
            desk.enrol(make_user())
        counts = []
        for more in (0, 100, 1000):
            enrol_many(desk, more)
            client.get(desk.url + path)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(desk.url + path).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1] == counts[2] <= 24

    def test_queries_of_the_list_and_the_home_do_not_grow(
        self, desk: Desk, instructor: User, college: Organization, sign_in: SignIn
    ) -> None:
        client = sign_in(instructor)
        enrol_many(desk, 2)
        counts: dict[str, list[int]] = {"/en/teach/": [], "/en/my/": []}
        for more in (0, 12):
            for _one in range(more):
                other = Desk(
                    course=desk.course,
                    offering=make_offering(edition=desk.course.edition, organization=college),
                )
                enrol_many(other, 25)
            for url, found in counts.items():
                client.get(url)
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(url).status_code == 200
                found.append(len(queries))
        for first, many in counts.values():
            # One more to count those that are not shown.
            assert many <= first + 1


class TestMarksAndJobs:
    def test_marks_have_their_denominators(self, desk: Desk) -> None:
        for right in (4, 4, 2, 1):
            enrolment = desk.enrol(make_user())
            desk.reach_quiz(enrolment)
            desk.sit_quiz(enrolment, right=right)
        desk.enrol(make_user())
        marks = read_marks(read_board(desk.offering))
        assert marks is not None
        assert [(bar.label, bar.value, bar.below) for bar in marks.bars] == [
            ("1", 1, True),
            ("2", 1, False),
            ("3", 0, False),
            ("4", 2, False),
        ]
        assert marks.sentence == (
            "4 of 5 learners have handed in. Best attempt of each, out of 4. The pass mark is 50%: 3 of 4 reached it."
        )
        assert [(one.right, one.answered) for one in marks.questions] == [(4, 4), (3, 4), (2, 4), (2, 4)]
        assert marks.hardest is None

    def test_a_question_that_many_got_wrong(self, desk: Desk) -> None:
        for _one in range(8):
            enrolment = desk.enrol(make_user())
            desk.reach_quiz(enrolment)
            desk.sit_quiz(enrolment, right=3)
        marks = read_marks(read_board(desk.offering))
        assert marks is not None
        assert marks.hardest is not None
        assert (marks.hardest.number, marks.hardest.wrong, marks.hardest.answered) == (4, 8, 8)

    def test_work_to_mark(self, desk: Desk, learner: User, other_learner: User) -> None:
        with clock.set_to(clock.now() - timedelta(days=6)):
            desk.hand_in(desk.enrol(learner))
        desk.hand_in(desk.enrol(other_learner))
        job = read_marking_job(read_board(desk.offering))
        assert job.title == "Mark 2 of 2 assignments"
        assert job.sentence == "2.1 Work. The oldest came 6 days ago."


class TestExport:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1"])
    def test_no_cell_is_a_formula(self, text: str) -> None:
        assert make_harmless(text) == f"'{text}"

    def test_ordinary_text_stays(self) -> None:
        assert make_harmless("Jean-Luc O’Neil, 3 = 3") == "Jean-Luc O’Neil, 3 = 3"

    def test_the_file(self, desk: Desk, instructor: User, sign_in: SignIn) -> None:
        enrolment = desk.enrol(make_user(name='=HYPERLINK("https://evil.example","Élise")'))
        desk.reach_quiz(enrolment)
        desk.sit_quiz(enrolment, right=3)
        client = sign_in(instructor)
        key = str(uuid.uuid4())
        asked = client.post(f"{desk.url}export/", {"client_id": key})
        assert client.post(f"{desk.url}export/", {"client_id": key})["Location"] == asked["Location"]
        answer = fetch_made(client, asked)
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer["Content-Disposition"]
        assert "no-store" in answer["Cache-Control"]
        content = read_body(answer)
        assert content.startswith(b"\xef\xbb\xbf")
        [head, row] = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert head[0] == "Name"
        assert row[0].startswith("'=HYPERLINK")
        known = dict(zip(head, row, strict=True))
        assert known["1.3 Quiz: points"] == "3"
        assert known["1.3 Quiz: out of"] == "4"
        assert known["Required steps complete"] == "3"
        [entry] = AuditEntry.objects.filter(action="offering.exported")
        assert entry.actor == subject_of(instructor)
        assert entry.details == {"learners": 1}
        assert "1 learner, with progress and marks" in client.get(asked["Location"]).content.decode()

    def test_who_no_longer_teaches_does_not_get_it(
        self, desk: Desk, instructor: User, learner: User, sign_in: SignIn
    ) -> None:
        desk.enrol(learner)
        client = sign_in(instructor)
        asked = client.post(f"{desk.url}export/")
        assert read_body(fetch_made(client, asked))
        instructor.roles.update(ended_at=clock.now())
        assert client.get(f"{asked['Location']}file/").status_code == 404
        assert client.get(asked["Location"]).status_code == 200

    def test_it_goes_when_a_learner_in_it_is_erased(
        self, desk: Desk, instructor: User, learner: User, sign_in: SignIn
    ) -> None:
        desk.enrol(learner)
        client = sign_in(instructor)
        asked = client.post(f"{desk.url}export/")
        assert learner.name.encode() in read_body(fetch_made(client, asked))
        erase_person(subject=subject_of(learner), requested_by=None)
        assert client.get(f"{asked['Location']}file/").status_code == 404
        assert "Its file was deleted." in client.get(asked["Location"]).content.decode()

    def test_in_french(self, desk: Desk, learner: User) -> None:
        desk.enrol(learner)
        with translation.override("fr"):
            content, count = write_csv(desk.offering)
        assert count == 1
        assert (
            content.decode("utf-8-sig").splitlines()[1].startswith("Lea Lavallée-Smith;learner@cast.example;")
        )


class TestHome:
    def test_who_teaches_sees_their_offerings_first(
        self, desk: Desk, instructor: User, sign_in: SignIn
    ) -> None:
        page = sign_in(instructor).get("/en/my/").content.decode()
        assert page.index("Your offerings") < page.index("Fall cohort")

    def test_who_does_not_teach_does_not(self, desk: Desk, learner: User, sign_in: SignIn) -> None:
        assert "Your offerings" not in sign_in(learner).get("/en/my/").content.decode()
