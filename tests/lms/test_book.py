"""The printed course book: who may have it, what stands in it, and what does not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization, Role, User
from lms.models import Enrolment
from lms.services import withdraw_learner
from modules.models import CourseEdition
from modules.rules.embedding import embed_html
from modules.selectors import outline_of
from tests.factories.accounts import make_role, make_user
from tests.factories.assessments import make_quiz, make_single
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
    make_worksheet,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


def address(edition: CourseEdition, language: str = "en") -> str:
    return f"/{language}/books/{edition.pk}/"


@pytest.fixture
def course(college: Organization) -> Course:
    """A course in any order that the college offers, whose first lesson is open to the public."""
    made = make_course(slug="rural", order="free")
    make_offering(edition=made.edition, organization=college)
    return made


def read(client: Client, edition: CourseEdition, language: str = "en") -> str:
    answer = client.get(address(edition, language))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def reader(course: Course, learner: User, sign_in: SignIn) -> Client:
    make_enrolment(user=learner, offering=make_offering(edition=course.edition))
    return sign_in(learner)


# --- Who may have it ----------------------------------------------------------------------------------------------


@pytest.fixture
def people(
    course: Course,
    learner: User,
    other_learner: User,
    instructor: User,
    author: User,
    committee: User,
    officer: User,
    registrar: User,
    coordinator: User,
    administrator: User,
    stranger: User,
) -> dict[str, User]:
    make_enrolment(user=learner, offering=make_offering(edition=course.edition))
    gone = make_user(email="gone@cast.example", name="Gale Gone")
    left = make_enrolment(user=gone, offering=make_offering(edition=course.edition))
    withdraw_learner(enrolment=left, actor=left.subject, reason="", client_id=uuid.uuid4())
    # Another course does not open this one.
    make_enrolment(user=other_learner, offering=make_offering(edition=make_course(slug="other").edition))
    elsewhere = make_user(email="elsewhere@cast.example", name="Elsa Elsewhere")
    make_role(user=elsewhere, what=Role.What.INSTRUCTOR)
    named = make_user(email="named@cast.example", name="Nadia Named")
    make_role(user=named, what=Role.What.INSTRUCTOR)
    make_offering(edition=course.edition).instructors.add(named)
    group = Group.objects.create(name="Writers of the tests")
    group.permissions.add(Permission.objects.get(codename="view_courseedition"))
    author.groups.add(group)
    return {
        "learner": learner,
        "learner who left": gone,
        "learner of another course": other_learner,
        "instructor": instructor,
        "instructor by name": named,
        "instructor elsewhere": elsewhere,
        "author": author,
        "administrator": administrator,
        "registrar of the college": registrar,
        "committee": committee,
        "officer": officer,
        "coordinator": coordinator,
        "stranger": stranger,
    }


def test_who_may_print_the_book(
    course: Course, people: dict[str, User], sign_in: SignIn, visitor: Client
) -> None:
    expected = {
        "learner": 200,
        "learner who left": 403,
        "learner of another course": 404,
        "instructor": 200,
        "instructor by name": 200,
        "instructor elsewhere": 404,
        "author": 200,
        "administrator": 200,
        "registrar of the college": 403,
        "committee": 404,
        "officer": 404,
        "coordinator": 404,
        "stranger": 404,
    }
    assert set(expected) == set(people)
    for language in ("en", "fr"):
        url = address(course.edition, language)
        found = {who: sign_in(user).get(url).status_code for who, user in people.items()}
        assert found == expected
        answer = visitor.get(url)
        assert answer.status_code == 302
        assert f"/{language}/accounts/login/?next={url}" in answer["Location"]
    assert {sign_in(user).post(address(course.edition)).status_code for user in people.values()} == {405}


def test_whoever_teaches_a_learner_moved_to_another_edition_has_that_book(
    course: Course, learner: User, instructor: User, college: Organization, sign_in: SignIn
) -> None:
    enrolment = make_enrolment(
        user=learner, offering=make_offering(edition=course.edition, organization=college)
    )
    newer = make_course(slug="rural", course_key=course.edition.course_key, number=2).edition
    assert sign_in(instructor).get(address(newer)).status_code == 404
    Enrolment.objects.filter(pk=enrolment.pk).update(edition=newer)
    assert sign_in(instructor).get(address(newer)).status_code == 200


def test_an_edition_that_is_not_there(reader: Client) -> None:
    assert reader.get(f"/en/books/{uuid.uuid4()}/").status_code == 404
    assert reader.get("/en/books/1/").status_code == 404


def test_no_cache_keeps_it_and_no_search_engine_lists_it(course: Course, reader: Client) -> None:
    answer = reader.get(address(course.edition))
    assert "no-store" in answer["Cache-Control"]
    assert '<meta name="robots" content="noindex">' in answer.content.decode()


def test_the_way_to_it(
    course: Course, reader: Client, instructor: User, author: User, college: Organization, sign_in: SignIn
) -> None:
    link = f'href="{address(course.edition)}"'
    mine = Enrolment.objects.get()
    assert link in reader.get(f"/en/learn/{mine.pk}/").content.decode()
    offering = make_offering(edition=course.edition, organization=college)
    assert link in sign_in(instructor).get(f"/en/teach/{offering.slug}/").content.decode()
    withdraw_learner(enrolment=mine, actor=mine.subject, reason="", client_id=uuid.uuid4())
    assert link not in reader.get(f"/en/learn/{mine.pk}/").content.decode()


# --- What is open -------------------------------------------------------------------------------------------------


@pytest.fixture
def ordered() -> CourseEdition:
    """Three lessons and, after the second, a quiz, one after the other."""
    one, two, three = (
        make_lesson(name, parts=[make_html(f"<p>Text of {name}.</p>")]) for name in ("one", "two", "three")
    )
    return make_course_edition(modules=[[one, two, make_assessed("quiz", make_quiz())], [three]])


def texts_in(html: str) -> set[str]:
    """Whose texts are there."""
    words = {
        "one": "Text of one.",
        "two": "Text of two.",
        "quiz": "You take it on",
        "three": "Text of three.",
    }
    return {step for step, text in words.items() if text in html}


def test_a_learner_prints_what_is_open_to_them(
    ordered: CourseEdition, learner: User, author: User, sign_in: SignIn
) -> None:
    """A step that waits for another one on the site waits for it on paper too; whoever writes or teaches has all."""
    enrolment = make_enrolment(user=learner, offering=make_offering(edition=ordered))
    steps = {step.slug: step.key for step in outline_of(ordered).iter_steps()}
    client = sign_in(learner)
    for language, said in (
        ("en", "once the ones before it are complete"),
        ("fr", "une fois que les précédentes"),
    ):
        html = read(client, ordered, language)
        assert html.count(said) == 3
        assert re.search(r"<h3[^>]*>Three", html)
    assert texts_in(read(client, ordered)) == {"one"}
    assert "every lesson of the course" not in read(client, ordered)
    finish_lesson(enrolment, steps["one"])
    assert texts_in(read(client, ordered)) == {"one", "two"}
    finish_lesson(enrolment, steps["two"])
    assert texts_in(read(client, ordered)) == {"one", "two", "quiz"}

    author.user_permissions.add(Permission.objects.get(codename="view_courseedition"))
    whole = read(sign_in(author), ordered)
    assert texts_in(whole) == {"one", "two", "quiz", "three"}
    assert "once the ones before it" not in whole
    assert "every lesson of the course" in whole


def test_a_second_enrolment_opens_what_either_opens(
    ordered: CourseEdition, learner: User, sign_in: SignIn
) -> None:
    first, _second = (make_enrolment(user=learner, offering=make_offering(edition=ordered)) for _ in range(2))
    finish_lesson(first, next(outline_of(ordered).iter_steps()).key)
    assert texts_in(read(sign_in(learner), ordered)) == {"one", "two"}
    withdraw_learner(enrolment=first, actor=first.subject, reason="", client_id=uuid.uuid4())
    assert texts_in(read(sign_in(learner), ordered)) == {"one"}


# --- What stands in it --------------------------------------------------------------------------------------------


def test_it_holds_every_step_and_names_its_edition(course: Course, reader: Client) -> None:
    html = read(reader, course.edition)
    for title in ("Reading", "Plain", "Quiz", "Work"):
        assert re.search(rf"<h3[^>]*>{title}</h3>", html), title
    for said in ("My number", "The counts", "What about council?", "Option a", course.edition.digest):
        assert said in html
    assert "Starting content, for review by" in html
    assert "CC BY 4.0" in html
    assert "You take it on the site. Its questions are not printed." in html
    assert "You hand in your work on the site." in html
    # Three lines for each of two fields, four for the reflection.
    assert html.count("<hr>") == 3 + 3 + 4


def test_the_licence_is_that_of_starting_content_alone(learner: User, sign_in: SignIn) -> None:
    edition = make_course_edition(modules=[[make_lesson("one")]], starting_content=False)
    make_enrolment(user=learner, offering=make_offering(edition=edition))
    html = read(sign_in(learner), edition)
    assert "CC BY" not in html
    assert "Starting content" not in html


def test_it_is_in_the_readers_language(course: Course, reader: Client) -> None:
    html = read(reader, course.edition, "fr")
    assert "Reading (fr)" in html
    assert "Table des matières" in html
    assert "Imprimer tout le cours" not in html


def test_a_lesson_that_lacks_the_language_stands_in_the_other(learner: User, sign_in: SignIn) -> None:
    lessons = [make_lesson("one"), make_lesson("two", languages=["en"])]
    edition = make_course_edition(modules=[lessons], order="free")
    make_enrolment(user=learner, offering=make_offering(edition=edition))
    html = read(sign_in(learner), edition, "fr")
    assert html.count("Cette leçon n’est pas encore offerte en français") == 1
    assert re.search(r'<section class="book-step" id="step-1-2"[^>]* lang="en">', html)


def test_no_answer_is_in_it(learner: User, sign_in: SignIn) -> None:
    quiz = make_quiz(items=[make_single(f"q{number}") for number in range(4)])
    lesson = make_lesson("one", parts=[make_check("single"), make_check("several", kind="multiple")])
    edition = make_course_edition(modules=[[lesson, make_assessed("quiz", quiz)]], order="free")
    make_enrolment(user=learner, offering=make_offering(edition=edition))
    client = sign_in(learner)
    for language in ("en", "fr"):
        html = read(client, edition, language)
        assert "Option a" in html
        # Feedback of inline checks; stems, options and feedback of items.
        assert "Said to" not in html
        assert "Question q" not in html
        assert not re.search(r"q\d (left|right|middle)", html)
        options = re.findall(r'<ul class="book-options[^"]*">(.*?)</ul>', html, re.DOTALL)
        assert len(options) == 2
        # Each option looks like every other.
        assert all(re.fullmatch(r"(<li>Option [abc]</li>)+", one) for one in options)


class Anchors(HTMLParser):
    """Gathers ids, references to them, and headings."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.goals: list[str] = []
        self.levels: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if (values.get("href") or "").startswith("#"):
            self.goals.append(str(values["href"])[1:])
        self.goals += (values.get("aria-labelledby") or "").split()
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))


CITED = (
    '<h2>A part</h2><p>One.<sup class="cite"><a href="#source-1" id="cite-1">1</a></sup></p><h3>Below</h3>'
    '<figure class="ruled"><svg viewBox="0 0 1 1" aria-labelledby="figure-x-t"><title id="figure-x-t">X</title>'
    '<path d="M0 0" marker-end="url(#figure-x-m)"/></svg><figcaption>X</figcaption><details class="fold">'
    '<summary>Words</summary></details></figure><details class="fold"><summary>More</summary></details>'
)


def test_lessons_do_not_share_a_name_and_sources_are_gathered(learner: User, sign_in: SignIn) -> None:
    source = {
        "slug": "un-2002",
        "html": "United Nations. 2002.",
        "url": "https://un.example/",
        "local": "Ask.",
    }
    lesson = {"segments": [make_html(CITED)], "sources": [source]}
    lessons = [{**make_lesson(f"l{number}"), **lesson} for number in range(3)]
    edition = make_course_edition(modules=[lessons], order="free")
    make_enrolment(user=learner, offering=make_offering(edition=edition))
    html = read(sign_in(learner), edition)
    found = Anchors()
    found.feed(html)
    assert len(found.ids) == len(set(found.ids))
    assert set(found.goals) - set(found.ids) == set()
    assert all(deeper <= higher + 1 for higher, deeper in zip(found.levels, found.levels[1:], strict=False))
    # Under each of three lessons and once at the end, with the lessons that cite it.
    assert html.count("United Nations. 2002.") == 4
    assert html.count('href="https://un.example/"') == 1
    assert re.search(
        r'Cited in <a href="#step-1-1">1.1</a>, <a href="#step-1-2">1.2</a>, <a href="#step-1-3">1.3</a>',
        html,
    )


def test_a_lesson_in_a_book_has_names_of_its_own() -> None:
    html = embed_html(CITED, prefix="s1-1", deeper=2)
    assert 'href="#s1-1-source-1" id="s1-1-cite-1"' in html
    assert 'aria-labelledby="s1-1-figure-x-t"' in html
    assert 'marker-end="url(#s1-1-figure-x-m)"' in html
    assert "<h4>A part</h4>" in html
    assert "<h5>Below</h5>" in html
    # What stands for a figure stays folded.
    assert html.count('<details class="fold" open>') == 1
    assert embed_html("<h5>x</h5>", prefix="p", deeper=2) == "<h6>x</h6>"
    assert embed_html('<p>id="x" href="#y"</p>', prefix="p", deeper=1) == '<p>id="x" href="#y"</p>'


# --- What it costs ------------------------------------------------------------------------------------------------


def make_big(count: int, *, locked: bool) -> CourseEdition:
    def lesson(number: int) -> dict[str, Any]:
        parts = [
            make(f"{name}{part}")
            for name, make in (("r", make_reflection), ("c", make_check), ("w", make_worksheet))
            for part in range(count)
        ]
        return make_lesson(f"lesson-{number}", parts=parts)

    modules = [
        [lesson(module * count + number) for number in range(count)]
        + [make_assessed(f"quiz-{module}", make_quiz())]
        for module in range(count)
    ]
    return make_course_edition(modules=modules, order="sequence" if locked else "free")


@pytest.mark.parametrize("locked", [False, True])
def test_the_book_costs_the_same_for_one_lesson_and_for_many(
    learner: User, sign_in: SignIn, locked: bool
) -> None:
    client = sign_in(learner)
    costs = []
    for count in (1, 5):
        edition = make_big(count, locked=locked)
        make_enrolment(user=learner, offering=make_offering(edition=edition))
        # The outline is read once a process; the frame of the page keeps what it read too.
        read(client, edition)
        with CaptureQueriesContext(connection) as counted:
            read(client, edition)
        costs.append(len(counted))
    assert costs[0] == costs[1]
    assert costs[0] <= 12
