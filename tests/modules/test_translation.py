"""wagtail-localize translates the words of a lesson and nothing of its structure."""

from __future__ import annotations

from typing import Any

import pytest
from wagtail.models import Locale
from wagtail_localize.models import StringTranslation, Translation, TranslationSource
from wagtail_localize.segments import StringSegmentValue
from wagtail_localize.segments.extract import extract_segments

from modules.pages import LessonPage
from modules.services import issue_course_edition
from tests.factories.modules import (
    block,
    check,
    competency_id,
    french_of,
    items,
    make_course,
    make_lesson,
    make_module,
    reflection,
    text,
    worksheet,
)

pytestmark = pytest.mark.django_db

BODY = [
    text("<h2>A heading</h2><p>A number.[^un-2002]</p>"),
    check(),
    reflection(),
    worksheet(),
    block("quotation", "said", body="<p>Prevention.</p>", attribution="The UN", source="un-2002"),
    block("table", "counts", caption="Counts", header=items(["Year"]), rows=items([items(["2024"])])),
    block("callout", "mind", tone="care", title="Mind this", body="<p>Slowly.</p>"),
]


def words_of(page: LessonPage) -> set[str]:
    return {
        segment.string.data for segment in extract_segments(page) if isinstance(segment, StringSegmentValue)
    }


@pytest.fixture
def lesson() -> LessonPage:
    course = make_course()
    return make_lesson(
        module=make_module(course=course),
        body=BODY,
        mappings=[(competency_id("B1"), "leading", "evidence")],
        minutes=25,
    )


def test_a_translator_gets_words_and_no_keys(lesson: LessonPage) -> None:
    words = words_of(lesson)
    assert {
        "A heading",
        "What do you answer?",
        "Three people.",
        "That is right.",
        "My number",
        "Counts",
    } <= words
    assert {"The UN", "2024", "Mind this"} <= words
    assert not words & {
        "village",
        "council",
        "plan",
        "said",
        "a",
        "b",
        "counts",
        "say",
        "un-2002",
        "care",
        "single",
    }
    assert not words & {"lesson-1", "leading", "evidence"}


def test_a_lesson_that_is_translated_there_can_be_issued(
    lesson: LessonPage, django_capture_on_commit_callbacks: Any
) -> None:
    french_of(lesson).delete()
    locale = Locale.objects.get(language_code="fr")
    source, _made = TranslationSource.update_or_create_from_instance(lesson)
    translation = Translation.objects.create(source=source, target_locale=locale)
    for segment in source.stringsegment_set.select_related("string", "context"):
        StringTranslation.objects.create(
            translation_of=segment.string,
            context=segment.context,
            locale=locale,
            data=f"fr {segment.string.data}",
        )
    with django_capture_on_commit_callbacks(execute=True):
        translation.save_target()
    french = french_of(lesson)
    assert french.title == "fr Lesson lesson-1"
    assert (french.minutes, french.slug) == (25, lesson.slug)
    assert [mapping.level for mapping in french.mappings.all()] == ["leading"]
    edition = issue_course_edition(course_page=lesson.get_parent().get_parent().specific)
    content = edition.contents.get(step_key=lesson.translation_key, locale="fr")
    assert content.part("village")["options"] == [
        {"key": "a", "text": "fr It has."},
        {"key": "b", "text": "fr Three people."},
    ]
    assert content.keys["village"]["correct"] == ["b"]
    assert content.part("plan")["fields"][0]["key"] == "counts"
    assert "fr A heading" in content.segments[0]["html"]
