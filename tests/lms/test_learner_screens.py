"""What the learner’s screens promise: whose they are, what is kept, what never leaves the server."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import PersonalText, User
from accounts.services import subject_of
from assessments.models import Attempt, Response
from assessments.services import Judgement
from core import clock
from lms.models import Enrolment, LearningEvent, StepProgress
from lms.selectors import places
from lms.services import begin_attempt, extend_enrolment, mark_submission, withdraw_learner
from modules.selectors import outline_of
from tests.factories.assessments import (
    make_assignment,
    make_multiple,
    make_numeric,
    make_quiz,
    make_short_text,
    make_single,
    make_true_false,
)
from tests.factories.lms import (
    Course,
    finish_lesson,
    make_assessed,
    make_check,
    make_course,
    make_course_edition,
    make_enrolment,
    make_html,
    make_lesson,
    make_offering,
    make_reflection,
    sit_quiz,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def key() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def course() -> Course:
    return make_course(slug="rural")


@pytest.fixture
def enrolment(course: Course, learner: User) -> Enrolment:
    return make_enrolment(user=learner, offering=make_offering(edition=course.edition))


@pytest.fixture
def client(learner: User, sign_in: SignIn) -> Client:
    return sign_in(learner)


def address(enrolment: Enrolment, rest: str = "", language: str = "en") -> str:
    return f"/{language}/learn/{enrolment.pk}/{rest}"


def enrol_in(edition: Any, user: User, **fields: Any) -> Enrolment:
    return make_enrolment(user=user, offering=make_offering(edition=edition, **fields))


def save(client: Client, url: str, name: str, *values: str, client_id: str = "", **more: str) -> Any:
    """What autosave sends."""
    data = {"field": name, "value": list(values), "client_id": client_id or key(), **more}
    return client.post(url, data, headers={"Accept": "application/json"})


def start(client: Client, enrolment: Enrolment, slug: str) -> str:
    """Begin an attempt; the address under which it stands."""
    answer = client.post(address(enrolment, f"{slug}/"), {"do": "start", "client_id": key()})
    return re.sub(r"\d+/$", "", answer["Location"])


# --- Whose it is --------------------------------------------------------------------------------------------------


class TestWhose:
    def routes(self, enrolment: Enrolment) -> list[str]:
        attempt = Attempt.objects.first()
        assert attempt is not None
        inside = f"quiz/attempts/{attempt.pk}/"
        return [
            address(enrolment),
            address(enrolment, "reading/"),
            address(enrolment, "reading/worksheets/plan/"),
            address(enrolment, "reading/worksheets/plan/download.pdf"),
            address(enrolment, "quiz/"),
            *(address(enrolment, inside + rest) for rest in ("", "1/", "review/", "result/")),
            f"/en/enrolments/{enrolment.pk}/name/",
            f"/en/enrolments/{enrolment.pk}/withdraw/",
        ]

    @pytest.fixture
    def begun(self, enrolment: Enrolment, course: Course) -> Enrolment:
        finish_lesson(enrolment, course.steps["reading"])
        finish_lesson(enrolment, course.steps["plain"])
        begin_attempt(
            enrolment=enrolment, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
        )
        return enrolment

    def test_a_stranger_finds_nothing(self, begun: Enrolment, stranger: User, sign_in: SignIn) -> None:
        other = sign_in(stranger)
        for route in self.routes(begun):
            assert other.get(route).status_code == 404, route
            assert other.post(route, {"client_id": key()}).status_code in (404, 405), route

    def test_a_stranger_finds_nothing_where_the_owner_just_was(
        self, begun: Enrolment, client: Client, stranger: User, sign_in: SignIn
    ) -> None:
        """What is asked along with the enrolment, before it is known whose that is, comes to nobody else."""
        attempt = Attempt.objects.get()
        routes = [address(begun, "reading/"), address(begun, f"quiz/attempts/{attempt.pk}/1/")]
        other = sign_in(stranger)
        for route in routes:
            assert client.get(route).status_code == 200
            assert other.get(route).status_code == 404

    def test_an_address_that_named_another_step_shows_ones_own(
        self, begun: Enrolment, client: Client
    ) -> None:
        url = address(begun, "reading/")
        before = client.get(url).content.decode()
        assert "Complete" in before
        # In another edition the same address may be that of another step.
        places._named.keep("reading", uuid.uuid4())
        after = client.get(url).content.decode()
        without = r"csrfmiddlewaretoken\" value=\"\w+|client_id\" value=\"[\w-]+"
        assert re.sub(without, "", after) == re.sub(without, "", before)

    def test_a_visitor_signs_in_first_and_comes_back(self, begun: Enrolment, visitor: Client) -> None:
        for route in self.routes(begun):
            answer = visitor.get(route)
            assert answer.status_code == 302, route
            assert "/accounts/login/" in answer["Location"]
            assert f"next={route}" in answer["Location"]

    def test_nothing_of_a_learner_is_kept_by_a_cache(self, begun: Enrolment, client: Client) -> None:
        for route in self.routes(begun):
            assert "no-store" in client.get(route)["Cache-Control"], route

    def test_an_attempt_of_another_step_or_person_is_not_there(
        self, begun: Enrolment, course: Course, other_learner: User, client: Client
    ) -> None:
        other = make_enrolment(user=other_learner, offering=begun.offering)
        finish_lesson(other, course.steps["reading"])
        finish_lesson(other, course.steps["plain"])
        theirs = begin_attempt(
            enrolment=other, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
        )
        assert client.get(address(begun, f"quiz/attempts/{theirs.pk}/1/")).status_code == 404
        assert client.get(address(begun, f"reading/attempts/{theirs.pk}/1/")).status_code == 404

    def test_a_notice_is_opened_by_whom_it_is_for(
        self, enrolment: Enrolment, instructor: User, stranger: User, sign_in: SignIn
    ) -> None:
        extend_enrolment(
            enrolment=enrolment,
            closes_at=clock.now() + timedelta(days=9),
            actor=subject_of(instructor),
            reason="",
            client_id=uuid.uuid4(),
        )
        notice = enrolment.subject.notices.get()
        assert sign_in(stranger).post(f"/en/my/notices/{notice.pk}/").status_code == 404


# --- Lessons ------------------------------------------------------------------------------------------------------


class TestLesson:
    def test_autosave_says_when_it_kept_the_words(self, enrolment: Enrolment, client: Client) -> None:
        url = address(enrolment, "reading/")
        once = key()
        for _repeat in range(2):
            answer = save(client, url, "text", "In our town.", client_id=once, part="council")
            assert answer.status_code == 200
            assert answer.json()["saved_at_text"].startswith("Saved at")
        assert LearningEvent.objects.filter(verb="reflected").count() == 1
        french = save(client, address(enrolment, "reading/", "fr"), "text", "Chez nous.", part="council")
        assert french.json()["saved_at_text"].startswith("Enregistré à")
        assert " h" in french.json()["saved_at_text"].replace("\u00a0", " ")
        assert "Chez nous." in client.get(url).text

    def test_each_field_of_a_worksheet_is_kept_beside_the_others(
        self, enrolment: Enrolment, client: Client
    ) -> None:
        url = address(enrolment, "reading/")
        save(client, url, "field-counts", "7, 5, 9", part="plan")
        save(client, url, "field-say", "Nine, and here is why.", part="plan")
        client.post(url, {"part": "plan", "field-counts": "7, 5, 9, 6", "client_id": key()})
        page = client.get(address(enrolment, "reading/worksheets/plan/")).text
        assert "7, 5, 9, 6" in page
        assert "Nine, and here is why." in page

    def test_a_page_that_the_browser_kept_may_say_something_else(
        self, enrolment: Enrolment, client: Client
    ) -> None:
        """The back button brings a form with the key it had; what is written there anew is kept all the same."""
        url, form = address(enrolment, "reading/"), key()
        for words in ("First.", "Second.", "First.", "First."):
            client.post(url, {"part": "council", "text": words, "client_id": form})
        assert LearningEvent.objects.filter(verb="reflected").count() == 3
        assert "First." in client.get(url).text

    def test_what_was_typed_survives_a_refusal(
        self, enrolment: Enrolment, learner: User, client: Client
    ) -> None:
        url = address(enrolment, "reading/")
        withdraw_learner(enrolment=enrolment, actor=enrolment.subject, reason="", client_id=uuid.uuid4())
        answer = client.post(url, {"part": "council", "text": "Not lost.", "client_id": key()})
        assert answer.status_code == 409
        assert "Not lost." in answer.text
        assert "nothing more is recorded" in answer.text
        assert save(client, url, "text", "Not lost.", part="council").status_code == 409

    def test_a_check_shows_feedback_on_what_was_chosen_and_nothing_else(
        self, learner: User, client: Client
    ) -> None:
        edition = make_course_edition(modules=[[make_lesson("one", parts=[make_check(kind="multiple")])]])
        enrolment = enrol_in(edition, learner)
        url = address(enrolment, "one/")
        none = client.post(url, {"part": "village", "client_id": key()})
        assert none.status_code == 400
        assert "#part-village" in none.text
        client.post(url, {"part": "village", "choice": ["a", "c"], "client_id": key()})
        page = client.get(url).text
        assert "Said to a." in page
        assert "Said to c." in page
        assert "Said to b." not in page
        assert "Not quite" in page
        assert "choice right" not in page
        client.post(url, {"part": "village", "choice": ["a", "b"], "client_id": key()})
        assert "choice right" in client.get(url).text

    def test_the_other_language_stands_in_and_says_so(self, learner: User, client: Client) -> None:
        edition = make_course_edition(
            modules=[[make_lesson("one", parts=[make_reflection(required=False)], languages=["en"])]]
        )
        enrolment = enrol_in(edition, learner)
        page = client.get(address(enrolment, "one/", "fr"))
        assert '<div class="prose" lang="en">' in page.text
        assert "pas encore offerte en français" in page.text
        kept = client.post(
            address(enrolment, "one/", "fr"), {"part": "council", "text": "Mes mots", "client_id": key()}
        )
        assert kept.status_code == 302

    def test_a_lesson_shows_its_step_in_the_other_language(
        self, enrolment: Enrolment, client: Client
    ) -> None:
        assert (
            f'href="{address(enrolment, "reading/", "fr")}"'
            in client.get(address(enrolment, "reading/")).text
        )

    def test_each_language_has_a_text_of_its_own(self, enrolment: Enrolment, client: Client) -> None:
        for language in ("en", "fr", "en"):
            page = client.get(address(enrolment, "reading/", language)).text
            assert ("<h1>Reading (fr)</h1>" in page) == (language == "fr")
            assert ("<h1>Reading</h1>" in page) == (language == "en")

    def test_opening_again_is_not_recorded_twice(self, enrolment: Enrolment, client: Client) -> None:
        for _visit in range(3):
            client.get(address(enrolment, "reading/"))
        assert LearningEvent.objects.filter(verb="opened").count() == 1

    def test_a_worksheet_downloads_as_a_pdf_whatever_was_written(
        self, enrolment: Enrolment, client: Client
    ) -> None:
        save(client, address(enrolment, "reading/"), "field-say", "Zażółć – नमस्ते 😀 & <b>", part="plan")
        answer = client.get(address(enrolment, "reading/worksheets/plan/download.pdf"))
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")

    def test_a_lesson_can_be_read_after_the_end(self, enrolment: Enrolment, client: Client) -> None:
        Enrolment.objects.filter(pk=enrolment.pk).update(closes_at=clock.now() - timedelta(days=1))
        assert client.get(address(enrolment, "reading/")).status_code == 200
        assert client.get(address(enrolment)).status_code == 200
        assert not LearningEvent.objects.exists()


class TestPublicLesson:
    def test_anyone_reads_it_and_nothing_of_the_key_is_there(self, course: Course, visitor: Client) -> None:
        page = visitor.get("/en/lessons/rural/reading/")
        assert page.status_code == 200
        assert "Option b" in page.text
        assert "Said to" not in page.text
        assert "<textarea" not in page.text

    def test_a_lesson_that_is_not_open_is_not_there(self, course: Course, visitor: Client) -> None:
        assert visitor.get("/en/lessons/rural/plain/").status_code == 404
        assert visitor.get("/en/lessons/rural/quiz/").status_code == 404


# --- Assessments --------------------------------------------------------------------------------------------------


def every_kind() -> list[dict[str, Any]]:
    return [
        make_single("s"),
        make_multiple("m"),
        make_true_false("t"),
        make_numeric("n"),
        make_short_text("w"),
    ]


class TestAttempt:
    @pytest.fixture
    def sitting(self, learner: User, client: Client) -> tuple[Enrolment, str]:
        quiz = make_quiz(items=every_kind(), attempts=2, pass_mark="100")
        enrolment = enrol_in(make_course_edition(modules=[[make_assessed("quiz", quiz)]]), learner)
        return enrolment, start(client, enrolment, "quiz")

    def test_every_kind_is_answered_saved_and_scored(
        self, sitting: tuple[Enrolment, str], client: Client
    ) -> None:
        _enrolment, base = sitting
        answers = [
            {"choice": "right"},
            {"choices": ["one", "two"]},
            {"choice": "true"},
            {"number": "12,5"},
            {"text": "Repérage"},
        ]
        for number, answer in enumerate(answers, start=1):
            moved = client.post(f"{base}{number}/", {**answer, "client_id": key(), "go": "review"})
            assert moved["Location"] == f"{base}review/"
            page = client.get(f"{base}{number}/").text
            assert "Saved at" in page
        client.post(f"{base}review/", {"client_id": key()})
        attempt = Attempt.objects.get()
        assert attempt.points == attempt.max_points == 6
        assert PersonalText.objects.filter(kind="answer").count() == 1

    def test_nothing_of_the_key_leaves_the_server_before_its_time(
        self, sitting: tuple[Enrolment, str], client: Client
    ) -> None:
        """No feedback, no accepted text, no answer, no marker of what is right, on any page of a running attempt."""
        _enrolment, base = sitting
        pages = [f"{base}{number}/" for number in range(1, 6)] + [f"{base}review/"]
        for language in ("en", "fr"):
            for url in pages:
                text = client.get(url.replace("/en/", f"/{language}/")).text
                for secret in ("Said to", "You said", "Well counted", "Count again", "scanning", "repérage"):
                    assert secret not in text, (url, secret)
                for secret in ("correct", "tolerance", "accept=", "12.5", "12,5"):
                    assert secret not in text, (url, secret)

    def test_a_first_failure_shows_feedback_but_not_the_answers(
        self, sitting: tuple[Enrolment, str], client: Client
    ) -> None:
        _enrolment, base = sitting
        client.post(f"{base}1/", {"choice": "left", "client_id": key()})
        client.post(f"{base}5/", {"text": "nothing", "client_id": key()})
        client.post(f"{base}review/", {"client_id": key()})
        page = client.get(f"{base}result/").text
        assert "Said to s left." in page
        assert "Said to s right." not in page
        assert "A right answer" not in page
        assert "scanning" not in page

    def test_the_last_attempt_shows_the_answers(self, sitting: tuple[Enrolment, str], client: Client) -> None:
        enrolment, base = sitting
        client.post(f"{base}review/", {"client_id": key()})
        again = start(client, enrolment, "quiz")
        client.post(f"{again}review/", {"client_id": key()})
        page = client.get(f"{again}result/").text
        assert "A right answer" in page
        assert "scanning" in page
        refused = client.post(address(enrolment, "quiz/"), {"do": "start", "client_id": key()}, follow=True)
        assert "You have used all your attempts" in refused.text
        assert Attempt.objects.count() == 2

    def test_the_back_button_changes_an_answer(self, sitting: tuple[Enrolment, str], client: Client) -> None:
        _enrolment, base = sitting
        form = key()
        for choice in ("left", "right", "left", "left"):
            client.post(f"{base}1/", {"choice": choice, "client_id": form, "go": "2"})
        rows = list(Response.objects.values_list("value", flat=True))
        assert rows == [{"choice": "left"}, {"choice": "right"}, {"choice": "left"}]

    def test_autosave_keeps_and_a_repeat_keeps_once(
        self, sitting: tuple[Enrolment, str], client: Client
    ) -> None:
        _enrolment, base = sitting
        once = key()
        for _repeat in range(3):
            answer = save(client, f"{base}2/", "choices", "one", "three", client_id=once)
            assert answer.json()["saved_at_text"].startswith("Saved at")
        assert Response.objects.count() == 1
        refused = save(client, f"{base}4/", "number", "about twelve")
        assert refused.status_code == 400
        assert "number" in refused.json()["message"]

    def test_a_mark_for_review_goes_to_every_device(
        self, sitting: tuple[Enrolment, str], client: Client, learner: User, sign_in: SignIn
    ) -> None:
        enrolment, base = sitting
        save(client, f"{base}3/", "flagged", "1")
        client.post(f"{base}2/", {"choices": ["one"], "client_id": key(), "go": "3"})
        phone = sign_in(learner)
        assert phone.get(address(enrolment, "quiz/")).status_code == 200
        resumed = phone.get(f"{base}")
        assert resumed["Location"] == f"{base}2/"
        page = phone.get(f"{base}review/").text
        assert "To look at again" in page
        client.post(f"{base}3/", {"choice": "true", "client_id": key()})
        assert Attempt.objects.get().flagged == []

    def test_what_is_typed_stays_when_it_cannot_be_read(
        self, sitting: tuple[Enrolment, str], client: Client
    ) -> None:
        _enrolment, base = sitting
        answer = client.post(f"{base}4/", {"number": "a dozen", "client_id": key(), "go": "5"})
        assert answer.status_code == 400
        assert "a dozen" in answer.text
        assert 'aria-invalid="true"' in answer.text

    def test_after_handing_in_every_page_leads_to_the_result(
        self, sitting: tuple[Enrolment, str], client: Client
    ) -> None:
        _enrolment, base = sitting
        first = client.post(f"{base}review/", {"client_id": key()})
        second = client.post(f"{base}review/", {"client_id": key()})
        assert first["Location"] == second["Location"] == f"{base}result/"
        assert client.get(f"{base}1/")["Location"] == f"{base}result/"
        late = client.post(f"{base}1/", {"choice": "right", "client_id": key(), "go": "2"}, follow=True)
        assert "was handed in" in late.text
        assert save(client, f"{base}1/", "choice", "right").status_code == 409
        assert not Response.objects.exists()

    def test_an_attempt_whose_time_is_over_is_handed_in_by_looking_at_it(
        self, learner: User, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quiz = make_quiz(time_limit_minutes=10)
        enrolment = enrol_in(make_course_edition(modules=[[make_assessed("quiz", quiz)]]), learner)
        base = start(client, enrolment, "quiz")
        client.post(f"{base}1/", {"choice": "right", "client_id": key()})
        assert "left, until" in client.get(f"{base}2/").text
        later = clock.now() + timedelta(minutes=11)
        monkeypatch.setattr(clock, "now", lambda: later)
        answer = client.get(f"{base}2/")
        assert answer["Location"] == f"{base}result/"
        attempt = Attempt.objects.get()
        assert attempt.submitted_at is not None
        assert attempt.submitted_at <= attempt.started_at + timedelta(minutes=10, seconds=31)
        assert attempt.points == 1

    def test_a_time_limit_puts_the_handing_in_into_the_queue(self, learner: User, client: Client) -> None:
        from django_tasks_db.models import DBTaskResult

        quiz = make_quiz(time_limit_minutes=10)
        enrolment = enrol_in(make_course_edition(modules=[[make_assessed("quiz", quiz)]]), learner)
        start(client, enrolment, "quiz")
        task = DBTaskResult.objects.get(task_path="lms.tasks.submit_overdue_attempt")
        attempt = Attempt.objects.get()
        assert attempt.deadline is not None
        assert task.run_after is not None
        assert task.run_after > attempt.deadline


class TestAssignment:
    @pytest.fixture
    def enrolled(self, learner: User) -> Enrolment:
        work = make_assignment(max_files=1)
        return enrol_in(make_course_edition(modules=[[make_assessed("work", work)]]), learner)

    def test_a_draft_keeps_words_and_files_and_refuses_what_is_no_document(
        self, enrolled: Enrolment, client: Client
    ) -> None:
        url = address(enrolled, "work/")
        start(client, enrolled, "work")
        save(client, url, "text", "Fuel is taken.")
        refused = client.post(
            url,
            {
                "do": "draft",
                "text": "Fuel is taken from yards.",
                "client_id": key(),
                "file": SimpleUploadedFile("plan.exe", b"MZ\x90\x00" * 40),
            },
        )
        assert refused.status_code == 400
        assert "Fuel is taken from yards." in refused.text
        assert 'href="#id_file"' in refused.text
        kept = client.post(
            url,
            {
                "do": "draft",
                "text": "Fuel is taken from yards.",
                "client_id": key(),
                "file": SimpleUploadedFile("plan.pdf", PDF),
            },
        )
        assert kept.status_code == 302
        page = client.get(url).text
        assert "plan.pdf" in page
        file = PersonalText.objects.get(kind="upload")
        download = client.get(address(enrolled, f"work/files/{file.pk}/"))
        assert b"".join(download.streaming_content) == PDF  # type: ignore[attr-defined]
        assert "attachment" in download["Content-Disposition"]
        second = client.post(
            url,
            {"do": "draft", "text": "x", "client_id": key(), "file": SimpleUploadedFile("two.pdf", PDF)},
        )
        assert second.status_code == 400
        client.post(url, {"remove": str(file.pk), "text": "x", "client_id": key()})
        assert "plan.pdf" not in client.get(url).text

    def test_nobody_else_gets_a_file(
        self, enrolled: Enrolment, client: Client, stranger: User, sign_in: SignIn
    ) -> None:
        start(client, enrolled, "work")
        client.post(
            address(enrolled, "work/"),
            {"do": "draft", "client_id": key(), "file": SimpleUploadedFile("plan.pdf", PDF)},
        )
        file = PersonalText.objects.get(kind="upload")
        theirs = enrol_in(enrolled.edition, stranger)
        assert sign_in(stranger).get(address(theirs, f"work/files/{file.pk}/")).status_code == 404

    def test_work_that_came_back_begins_where_it_was_left(
        self, enrolled: Enrolment, client: Client, instructor: User
    ) -> None:
        url = address(enrolled, "work/")
        base = start(client, enrolled, "work").split("#")[0]
        assert base == url
        client.post(url, {"do": "draft", "text": "Too long a text.", "client_id": key()})
        review = f"{url}attempts/{Attempt.objects.get().pk}/review/"
        client.post(review, {"client_id": key()})
        assert "waits to be marked" in client.get(url).text
        mark_submission(
            attempt=Attempt.objects.get(),
            actor=subject_of(instructor),
            judgement=Judgement(decision="returned", levels={}, comment="Say where."),
            client_id=uuid.uuid4(),
        )
        page = client.get(url).text
        assert "Say where." in page
        client.post(url, {"do": "start", "client_id": key()})
        page = client.get(url).text
        assert re.search(r"<textarea[^>]*>Too long a text\.</textarea>", page)
        assert Attempt.objects.count() == 2

    def test_nothing_is_handed_in_empty(self, enrolled: Enrolment, client: Client) -> None:
        url = address(enrolled, "work/")
        start(client, enrolled, "work")
        review = f"{url}attempts/{Attempt.objects.get().pk}/review/"
        assert "There is nothing to hand in yet" in client.get(review).text
        answer = client.post(review, {"client_id": key()}, follow=True)
        assert "Write your text or add a file" in answer.text
        assert Attempt.objects.get().submitted_at is None


# --- The course ---------------------------------------------------------------------------------------------------


class TestCourse:
    def test_why_it_is_not_complete_is_said_for_every_step(
        self, enrolment: Enrolment, course: Course, client: Client
    ) -> None:
        client.get(address(enrolment, "reading/"))
        page = client.get(address(enrolment)).text
        assert "One question in it is not answered yet." in page
        assert "One reflection in it waits for your words." in page
        assert f"{address(enrolment, 'reading/')}#part-village" in page
        assert page.count("It opens once “1.1 Reading” is complete.") == 3
        finish_lesson(enrolment, course.steps["reading"])
        finish_lesson(enrolment, course.steps["plain"])
        sit_quiz(enrolment, course.steps["quiz"], right=1)
        page = client.get(address(enrolment)).text
        assert "Your best result is 25%. The pass mark is 50%." in page
        assert "You have 2 attempts left." in page

    def test_a_learner_leaves_once_and_comes_back_to_everything(
        self, enrolment: Enrolment, course: Course, client: Client
    ) -> None:
        finish_lesson(enrolment, course.steps["reading"])
        leave = f"/en/enrolments/{enrolment.pk}/withdraw/"
        assert client.get(leave).status_code == 200
        once = key()
        for _repeat in range(2):
            client.post(leave, {"client_id": once, "reason": "No time."})
        enrolment.refresh_from_db()
        assert enrolment.state == "withdrawn"
        assert enrolment.events.filter(kind="withdrawn").count() == 1
        assert "You have left this course" in client.get(address(enrolment)).text
        back = f"/en/trainings/rural/enrol/{enrolment.offering.slug}/"
        assert "Welcome back" in client.get(back).text
        client.post(back, {"certificate_name": "Lea", "organization": "", "enrolment": key()})
        assert "1 of 4 steps" in client.get(address(enrolment)).text

    def test_the_name_for_the_certificate_can_be_changed_to_what_can_be_printed(
        self, enrolment: Enrolment, client: Client
    ) -> None:
        url = f"/en/enrolments/{enrolment.pk}/name/"
        assert client.post(url, {"certificate_name": "Léa 🙂"}).status_code == 200
        changed = client.post(url, {"certificate_name": "  Léa   Ŵest "})
        assert changed["Location"] == address(enrolment) + "#certificate"
        assert "Léa Ŵest" in client.get(address(enrolment)).text

    def test_full_closed_and_not_yet_open_are_explained(
        self, course: Course, learner: User, other_learner: User, client: Client
    ) -> None:
        full = make_offering(edition=course.edition, seats=1)
        make_enrolment(user=other_learner, offering=full)
        now = clock.now()
        soon = make_offering(edition=course.edition, opens_at=now + timedelta(days=3))
        closed = make_offering(edition=course.edition, closes_at=now - timedelta(days=3))
        page = client.get("/en/trainings/rural/").text
        assert "0 of 1 left" in page
        assert "All places are taken." in page
        for offering, said in ((full, "All places"), (soon, "You can enrol from"), (closed, "It closed on")):
            url = f"/en/trainings/rural/enrol/{offering.slug}/"
            assert said in client.get(url).text
            refused = client.post(url, {"certificate_name": "Lea", "organization": "", "enrolment": key()})
            assert refused.status_code == 409
        assert Enrolment.objects.filter(subject=subject_of(learner)).count() == 0

    def test_an_organization_that_is_not_theirs_is_refused(
        self, course: Course, learner: User, client: Client, college: Any
    ) -> None:
        offering = make_offering(edition=course.edition)
        url = f"/en/trainings/rural/enrol/{offering.slug}/"
        answer = client.post(
            url, {"certificate_name": "Lea", "organization": str(college.pk), "enrolment": key()}
        )
        assert answer.status_code == 200
        assert not Enrolment.objects.exists()

    def test_an_older_name_of_a_course_leads_to_it(self, course: Course, visitor: Client) -> None:
        make_course_edition(
            modules=[[make_lesson("one")]],
            course_key=course.edition.course_key,
            framework=course.framework,
            number=2,
            slug="rural-two",
        )
        assert visitor.get("/en/trainings/rural/")["Location"] == "/en/trainings/rural-two/"

    def test_a_new_edition_changes_nothing_for_who_is_enrolled(
        self, course: Course, enrolment: Enrolment, client: Client
    ) -> None:
        make_course_edition(
            modules=[[make_lesson("one")]],
            course_key=course.edition.course_key,
            framework=course.framework,
            number=2,
            slug="rural",
        )
        assert client.get(address(enrolment, "reading/")).status_code == 200
        assert client.get(address(enrolment, "one/")).status_code == 404


class TestCatalogue:
    def test_filters_narrow_the_list_without_scripts(self, visitor: Client, course: Course) -> None:
        make_course_edition(
            modules=[[make_lesson("one", minutes=600)]], languages=["fr"], slug="longue", title="Longue"
        )
        make_offering(edition=course.edition)
        everything = visitor.get("/en/trainings/").text
        assert "2 courses" in everything
        for query, there, gone in (
            ("time=60", "/trainings/rural/", "/trainings/longue/"),
            ("l=en", "/trainings/rural/", "/trainings/longue/"),
            ("open=on", "/trainings/rural/", "/trainings/longue/"),
            ("h=self_paced", "/trainings/rural/", "/trainings/longue/"),
        ):
            page = visitor.get(f"/en/trainings/?{query}").text
            assert there in page, query
            assert gone not in page, query
        assert "No course fits" in visitor.get("/en/trainings/?h=cohort").text
        assert visitor.get("/en/trainings/?time=nonsense&l=xx").status_code == 200

    def test_an_empty_catalogue_leads_on(self, visitor: Client) -> None:
        page = visitor.get("/en/trainings/")
        assert page.status_code == 200
        assert "/standards/" in page.text

    def test_a_course_that_nobody_wrote_is_not_there(self, visitor: Client) -> None:
        assert visitor.get("/en/trainings/nothing/").status_code == 404


class TestEmptyStates:
    def test_who_has_done_nothing_is_led_on(self, stranger: User, sign_in: SignIn) -> None:
        client = sign_in(stranger)
        for url in ("/en/my/", "/en/my/competencies/"):
            page = client.get(url)
            assert page.status_code == 200
            assert "/en/trainings/" in page.text
        assert client.get("/en/my/competencies/A/").status_code == 404


def test_stored_words_are_never_shown_as_html(learner: User, client: Client) -> None:
    edition = make_course_edition(
        modules=[
            [
                make_lesson(
                    "one",
                    parts=[make_reflection(required=False)],
                    segments=[make_html(), make_reflection(required=False)],
                )
            ]
        ]
    )
    enrolment = enrol_in(edition, learner)
    client.post(
        address(enrolment, "one/"),
        {"part": "council", "text": "</textarea><script>x</script>", "client_id": key()},
    )
    assert "<script>x" not in client.get(address(enrolment, "one/")).text


def test_answers_of_the_ledger_hold_no_words(enrolment: Enrolment, client: Client) -> None:
    client.post(
        address(enrolment, "reading/"), {"part": "council", "text": "Very own words.", "client_id": key()}
    )
    for event in LearningEvent.objects.all():
        assert "own words" not in json.dumps(event.result)
    assert StepProgress.objects.get().parts["council"]["text"]
    assert outline_of(enrolment.edition).steps_by_key()
