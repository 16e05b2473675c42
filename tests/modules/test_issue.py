"""Issuing course editions: what an edition says, what it refuses, and that it never changes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from wagtail.documents import get_document_model

from assessments.models import AssessmentEdition
from core.errors import DomainError
from modules.documents import Outline
from modules.models import CourseEdition, StepContent
from modules.pages import AssessmentPage, CoursePage, LessonPage
from modules.selectors import find_step_content, latest_edition, latest_editions, published_courses
from modules.services import CourseRefused, issue_course_edition, preview_course_edition
from tests.factories.modules import (
    check,
    french_of,
    make_assessment_step,
    make_course,
    make_lesson,
    make_module,
    make_quiz,
    make_whole_course,
    reflection,
    text,
    worksheet,
)

pytestmark = pytest.mark.django_db


def edit(page: Any, **values: Any) -> None:
    """An author changes a page and publishes it."""
    page = type(page).objects.get(pk=page.pk)
    for name, value in values.items():
        setattr(page, name, value)
    page.save_revision().publish()


def test_an_edition_says_the_course_in_both_languages() -> None:
    course = make_whole_course()
    edition = issue_course_edition(course_page=course)
    outline = Outline.from_json(edition.outline)
    assert (edition.number, edition.slug, edition.title_fr) == (1, "reading", "Lire les chiffres")
    assert edition.course_key == outline.key == course.translation_key
    assert outline.languages == ("en", "fr")
    assert outline.framework is not None
    assert outline.framework.edition == edition.framework_edition_id
    assert outline.training is not None
    assert outline.training.title == {"en": "Rural training", "fr": "Formation rurale"}
    assert outline.outcomes == ({"en": "Read a rate.", "fr": "Lire un taux."},)
    first, second, quiz = outline.iter_steps()
    assert (first.kind, second.kind, quiz.kind) == ("lesson", "lesson", "quiz")
    assert first.title == {"en": "Lesson lesson-1", "fr": "Leçon lesson-1"}
    assert [(mapped.code, mapped.level, mapped.counts) for mapped in first.competencies] == [
        ("B1", "foundational", "evidence")
    ]
    assert first.checks == ("village",)
    assert first.reflections == ()
    assert [part.kind for part in first.parts] == ["check", "reflection", "worksheet"]
    assert [(mapped.code, mapped.counts) for mapped in quiz.competencies] == [("B1", "evidence")]
    held = edition.assessments.get(step_key=quiz.key).assessment
    assert quiz.assessment == str(held.pk)
    assert quiz.assessment_digest == held.digest
    assert edition.minutes == 25


def test_a_lesson_becomes_segments_and_keeps_its_answers_apart() -> None:
    edition = issue_course_edition(course_page=make_whole_course(lessons=1, quiz=False))
    step = next(Outline.from_json(edition.outline).iter_steps())
    content = find_step_content(edition.pk, step.key, "fr")
    assert content is not None
    assert [segment["type"] for segment in content.segments] == ["html", "check", "reflection", "worksheet"]
    assert content.segments[0]["html"] == (
        '<p>Un chiffre.<sup class="cite"><a href="#source-1" id="cite-1" aria-label="Source 1">1</a></sup></p>'
    )
    assert content.sources[0]["slug"] == "un-2002"
    assert content.sources[0]["html"] == "Nations Unies. <em>un-2002</em>. 2002."
    question = content.part("village")
    assert question is not None
    assert question["options"] == [{"key": "a", "text": "Oui."}, {"key": "b", "text": "Trois personnes."}]
    assert "correct" not in str(content.segments)
    assert content.keys == {
        "village": {"correct": ["b"], "feedback": {"a": "Pas tout à fait.", "b": "C’est juste."}}
    }
    assert content.interactive_keys == ["village", "council", "plan"]
    assert "Un chiffre" in content.text


def test_the_same_text_gives_the_same_edition() -> None:
    course = make_whole_course()
    first = issue_course_edition(course_page=course)
    assert issue_course_edition(course_page=french_of(course)).pk == first.pk
    assert CourseEdition.objects.count() == 1
    assert StepContent.objects.count() == 6


def test_a_change_makes_the_next_edition_and_leaves_the_first() -> None:
    course = make_whole_course(quiz=False)
    first = issue_course_edition(course_page=course)
    lesson = LessonPage.objects.get(slug="lesson-1", locale__language_code="en")
    edit(lesson, title="A new title")
    second = issue_course_edition(course_page=course, note="A clearer title.")
    assert (second.number, second.note) == (2, "A clearer title.")
    assert StepContent.objects.get(edition=first, step_key=lesson.translation_key, locale="en").title == (
        "Lesson lesson-1"
    )
    assert latest_edition(course.translation_key) == second
    assert latest_editions([course.translation_key]) == {course.translation_key: second}
    assert published_courses() == [second]


def test_an_older_text_is_not_issued_twice() -> None:
    course = make_whole_course(quiz=False)
    issue_course_edition(course_page=course)
    edit(course, title="Another title")
    issue_course_edition(course_page=course)
    edit(course, title="Reading numbers")
    with pytest.raises(DomainError, match="word for word edition 1"):
        issue_course_edition(course_page=course)


def test_the_database_keeps_an_edition_as_it_was() -> None:
    edition = issue_course_edition(course_page=make_whole_course(quiz=False))
    with pytest.raises(IntegrityError), transaction.atomic():
        CourseEdition.objects.filter(pk=edition.pk).update(title_en="Another")
    with pytest.raises(IntegrityError), transaction.atomic():
        StepContent.objects.filter(edition=edition).delete()


def test_the_digest_does_not_depend_on_the_machine() -> None:
    edition = issue_course_edition(course_page=make_whole_course())
    outline = Outline.from_json(edition.outline)
    said = str(outline.to_digest_json())
    assert str(edition.framework_edition_id) not in said
    assert str(edition.assessments.get().assessment_id) not in said


def test_what_is_not_published_stays_out_and_is_named() -> None:
    course = make_whole_course(quiz=False)
    module = make_module(course=course, slug="module-2")
    draft = make_lesson(module=module, slug="draft")
    draft.unpublish()
    lesson = LessonPage.objects.get(slug="lesson-1", locale__language_code="en")
    lesson.title = "Not yet"
    lesson.save_revision()
    preview = preview_course_edition(course_page=course)
    assert {problem.page_title for problem in preview.left_out} == {"Lesson draft", "Lesson lesson-1"}
    outline = Outline.from_json(issue_course_edition(course_page=course).outline)
    assert [step.title["en"] for step in outline.iter_steps()] == ["Lesson lesson-1", "Lesson lesson-2"]


def test_a_preview_keeps_nothing() -> None:
    course = make_whole_course()
    preview = preview_course_edition(course_page=course)
    assert preview.problems == ()
    assert preview.outline is not None
    assert (preview.number, preview.before) == (1, None)
    assert AssessmentEdition.objects.count() == 0
    assert CourseEdition.objects.count() == 0
    edition = issue_course_edition(course_page=course)
    again = preview_course_edition(course_page=course)
    assert again.same_as == edition
    assert again.before == Outline.from_json(edition.outline)


@pytest.mark.parametrize(
    ("french", "sentence"),
    [
        ([text("<p>Un.</p>"), reflection(french=True), check(french=True)], "another order"),
        ([text("<p>Un.</p>"), check(french=True)], "is missing here"),
        (
            [text("<p>Un.</p>"), check(french=True), reflection(french=True), worksheet(french=True)],
            "is not in the",
        ),
        ([text("<p>Un.</p>"), check("city", french=True), reflection(french=True)], "is missing here"),
    ],
)
def test_a_translation_that_differs_is_refused(french: list[dict[str, Any]], sentence: str) -> None:
    course = make_course()
    body = [text("<p>A.</p>"), check(), reflection()]
    lesson = make_lesson(module=make_module(course=course), body=body, french_body=french)
    with pytest.raises(CourseRefused, match=sentence) as refused:
        issue_course_edition(course_page=course)
    assert {problem.page_id for problem in refused.value.problems} == {french_of(lesson).pk}
    assert not CourseEdition.objects.exists()


def test_options_and_answers_come_from_the_source_language() -> None:
    course = make_course()
    french = check(french=True, required=False)
    # The translator ticked another answer and has other keys left out.
    for place, option in enumerate(french["value"]["options"]):
        option["value"] |= {"key": "", "correct": place == 0}
    make_lesson(module=make_module(course=course), body=[check()], french_body=[french])
    edition = issue_course_edition(course_page=course)
    content = StepContent.objects.get(edition=edition, locale="fr")
    assert content.segments[0]["required"] is True
    assert [option["key"] for option in content.segments[0]["options"]] == ["a", "b"]
    assert content.keys["village"]["correct"] == ["b"]
    assert content.keys["village"]["feedback"] == {"a": "Pas tout à fait.", "b": "C’est juste."}


def test_texts_may_be_cut_differently() -> None:
    course = make_course()
    body = [text("<p>A.</p><p>B.</p>"), check()]
    french = [text("<p>Un.</p>"), text("<p>Deux.</p>"), check(french=True)]
    make_lesson(module=make_module(course=course), body=body, french_body=french)
    assert issue_course_edition(course_page=course).number == 1


def test_each_problem_names_its_page() -> None:
    course = make_course()
    module = make_module(course=course)
    cites = make_lesson(module=module, slug="cites", body=[text("<p>A.[^nobody-1999]</p>")])
    empty = make_lesson(module=module, slug="empty", body=[], french_body=[])
    alone = make_lesson(module=module, slug="alone")
    french_of(alone).unpublish()
    outside = make_lesson(module=module, slug="outside", mappings=[(_stranger(), "leading", "evidence")])
    preview = preview_course_edition(course_page=course)
    said = {(problem.page_id, problem.language): problem.sentence for problem in preview.problems}
    assert "“nobody-1999” is cited" in said[cites.pk, "en"]
    assert "no text yet" in said[empty.pk, "en"]
    assert "no published text in French" in said[alone.pk, "fr"]
    assert "a competency that edition 1 of the standards does not hold" in said[outside.pk, "en"]
    with pytest.raises(CourseRefused):
        issue_course_edition(course_page=course)
    assert not AssessmentEdition.objects.exists()


def _stranger() -> uuid.UUID:
    from standards.models import Competency

    return Competency.objects.create(framework_key=uuid.uuid4(), code="Z9").pk


def test_a_course_without_steps_standards_or_french_is_refused() -> None:
    course = make_course()
    with pytest.raises(CourseRefused, match="no published lesson"):
        issue_course_edition(course_page=course)
    french_of(course).unpublish()
    with pytest.raises(CourseRefused, match="no published translation"):
        issue_course_edition(course_page=course)
    training = course.get_parent().specific
    edit(training, framework_key=uuid.uuid4())
    with pytest.raises(CourseRefused, match="names no standards that have an edition"):
        issue_course_edition(course_page=CoursePage.objects.get(pk=course.pk))


def test_two_steps_with_one_address_are_refused() -> None:
    course = make_course()
    for slug in ("module-1", "module-2"):
        make_lesson(module=make_module(course=course, slug=slug), slug="same")
    with pytest.raises(CourseRefused, match="the address “same”"):
        issue_course_edition(course_page=course)


def test_an_assessment_that_is_not_whole_blocks_the_course() -> None:
    course = make_whole_course(lessons=1, quiz=False)
    from modules.pages import ModulePage

    module = ModulePage.objects.get(locale__language_code="en")
    page = make_assessment_step(module=module, assessment=make_quiz(questions=0, competency_id=None))
    preview = preview_course_edition(course_page=course)
    assert {problem.page_id for problem in preview.problems} == {page.pk}


def test_a_changed_quiz_makes_another_edition_of_the_course() -> None:
    course = make_whole_course()
    first = issue_course_edition(course_page=course)
    step = AssessmentPage.objects.get(locale__language_code="en")
    step.assessment.pass_mark = 90
    step.assessment.save()
    second = issue_course_edition(course_page=course)
    assert second.number == 2
    assert first.assessments.get().assessment_id != second.assessments.get().assessment_id


def test_files_are_kept_under_their_digest() -> None:
    from django.core.files.base import ContentFile

    from tests.factories.modules import block

    course = make_course()
    document = get_document_model().objects.create(
        title="Small numbers.pdf", file=ContentFile(b"%PDF-1.4 small", name="small.pdf")
    )
    body = [block("document", "sheet", title="The sheet", file=document.pk, description="One page.")]
    make_lesson(module=make_module(course=course), body=body)
    edition = issue_course_edition(course_page=course)
    content = StepContent.objects.get(edition=edition, locale="en")
    asset = content.assets[0]
    assert asset["name"] == "small-numbers.pdf"
    with default_storage.open(asset["file"]) as stream:
        assert stream.read() == b"%PDF-1.4 small"
    assert f'href="/media/{asset["file"]}"' in content.segments[0]["html"]
    assert "PDF, 1 kB. One page." in content.segments[0]["html"]


@pytest.mark.parametrize("lessons", [1, 5])
def test_issuing_costs_a_constant_number_of_reads(lessons: int, django_assert_max_num_queries: Any) -> None:
    course = make_whole_course(lessons=lessons, quiz=False)
    with django_assert_max_num_queries(45):
        issue_course_edition(course_page=course)
    assert connection.queries_limit
