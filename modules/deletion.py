"""What stands in the way of deleting a page, an item, an assessment or a file: editions, and pages that show it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Page

from assessments.models import Assessment, AssessmentEdition, Item
from core.errors import StillUsed
from core.extensions import find_uses_above
from modules.models import CourseEdition, EditionAssessment, StepContent
from modules.pages import AssessmentPage, AuthoredPage, CoursePage, LessonPage, ModulePage, TrainingPage

PAGES: tuple[type[AuthoredPage], ...] = (TrainingPage, CoursePage, ModulePage, LessonPage, AssessmentPage)
# The fields of a lesson's blocks that hold a file.
FILE_FIELDS = {"document": ("svg", "file", "captions"), "image": ("image",)}
KINDS: dict[type[Any], str] = {
    TrainingPage: "training",
    CoursePage: "course",
    ModulePage: "module",
    LessonPage: "step",
    AssessmentPage: "step",
}


def refuse_if_used(things: Iterable[Any]) -> None:
    """Raise StillUsed before anything is touched, for pages, items, assessments, documents and pictures."""
    things = list(things)
    if uses := find_uses(things):
        advice = ""
        if any(isinstance(thing, Page) for thing in things):
            advice = _("Unpublish the page instead: it then leaves the next edition.")
        raise StillUsed(uses, advice=advice)


def find_uses(things: Sequence[Any]) -> list[str]:
    """Sentences on what uses these things or what stands below them; about four queries a kind of thing.

    A French page or snippet counts as its English one.
    """
    uses = _find_page_uses([thing for thing in things if isinstance(thing, Page)])
    uses += _find_item_uses([thing for thing in things if isinstance(thing, Item)])
    uses += _find_assessment_uses([thing for thing in things if isinstance(thing, Assessment)])
    for model, kind in ((get_document_model(), "document"), (get_image_model(), "image")):
        for thing in things:
            if isinstance(thing, model):
                uses += _find_file_uses(thing, kind)
    return list(dict.fromkeys(uses))


# --- Pages ------------------------------------------------------------------------------------------------------


def _find_page_uses(pages: Sequence[Page]) -> list[str]:
    found: dict[type[AuthoredPage], dict[uuid.UUID, str]] = defaultdict(dict)
    for page in pages:
        for model in PAGES:
            below = model.objects.descendant_of(page, inclusive=True)
            found[model].update(below.values_list("translation_key", "title"))
    courses = CourseEdition.objects.order_by("slug", "number")
    uses = _name_editions(
        found[TrainingPage],
        courses.filter(training_key__in=list(found[TrainingPage])).values_list(
            "training_key", "slug", "number"
        ),
    )
    uses += _name_editions(
        found[CoursePage],
        courses.filter(course_key__in=list(found[CoursePage])).values_list("course_key", "slug", "number"),
    )
    steps = {**found[LessonPage], **found[AssessmentPage]}
    contents = StepContent.objects.filter(step_key__in=list(steps)).order_by(
        "edition__slug", "edition__number"
    )
    uses += _name_editions(
        steps, contents.values_list("step_key", "edition__slug", "edition__number").distinct()
    )
    for model, keys in found.items():
        for key in keys:
            uses += find_uses_above(KINDS[model], key)
    return uses


def _name_editions(titles: dict[uuid.UUID, str], rows: Iterable[tuple[uuid.UUID, str, int]]) -> list[str]:
    editions: dict[uuid.UUID, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for key, slug, number in rows:
        if number not in editions[key][slug]:
            editions[key][slug].append(number)
    return [
        _("“%(title)s” is in edition %(numbers)s of the course %(course)s.")
        % {"title": titles[key], "numbers": ", ".join(str(number) for number in numbers), "course": course}
        for key, by_course in editions.items()
        for course, numbers in by_course.items()
    ]


# --- Items and assessments --------------------------------------------------------------------------------------


def _find_item_uses(items: Sequence[Item]) -> list[str]:
    uses = []
    for item in items:
        issued = AssessmentEdition.objects.filter(
            document__sections__contains=[{"items": [{"id": str(item.translation_key)}]}]
        )
        uses += [
            _("The item “%(item)s” is in edition %(number)d of the assessment “%(assessment)s”.")
            % {"item": item.key, "number": edition.number, "assessment": edition.title_in("en")}
            for edition in issued.order_by("assessment_key", "number")
        ]
        # Wagtail's index of references is brought up to date in the background, so the blocks themselves are asked.
        chosen = [
            assessment.title
            for assessment in Assessment.objects.filter(locale_id=item.locale_id)
            if any(item.pk == value for _name, value in _walk(assessment.sections.get_prep_value()))
        ]
        uses += [_shown_on(item.key, title) for title in chosen]
        uses += find_uses_above("item", item.translation_key)
    return uses


def _find_assessment_uses(assessments: Sequence[Assessment]) -> list[str]:
    uses = []
    for assessment in assessments:
        held = EditionAssessment.objects.filter(assessment__assessment_key=assessment.translation_key)
        uses += [
            _("The assessment “%(title)s” is in edition %(number)d of the course %(course)s.")
            % {"title": assessment.title, "number": number, "course": slug}
            for slug, number in held.order_by("edition__slug", "edition__number")
            .values_list("edition__slug", "edition__number")
            .distinct()
        ]
        pages = AssessmentPage.objects.filter(assessment__translation_key=assessment.translation_key)
        uses += [_shown_on(assessment.title, title) for title in pages.values_list("title", flat=True)]
        uses += find_uses_above("assessment", assessment.translation_key)
    return uses


def _shown_on(name: str, where: str) -> str:
    return _("“%(name)s” is used by “%(where)s”.") % {"name": name, "where": where}


# --- Files ------------------------------------------------------------------------------------------------------


def _find_file_uses(thing: Any, kind: str) -> list[str]:
    """An edition keeps its own copy; a lesson that shows the file would lose it with its next edition.

    Reads every lesson, which is rare enough.
    """
    names = FILE_FIELDS[kind]
    shown = [
        page.title
        for page in LessonPage.objects.only("title", "body")
        if any(name in names and value == thing.pk for name, value in _walk(page.body.get_prep_value()))
    ]
    return [*(_shown_on(thing.title, title) for title in shown), *find_uses_above(kind, thing.pk)]


def _walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of a stream's raw data, with the name of the field that it stands in."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _walk(entry, key)
    elif isinstance(value, list):
        for entry in value:
            yield from _walk(entry, name)
    else:
        yield name, value
