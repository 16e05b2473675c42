"""What this floor answers to the floors below: where competencies are taught, and what uses a framework."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.extensions import Impact, TaughtPlace
from modules.models import CourseEdition
from modules.pages import LessonMapping, LessonPage, TrainingPage
from modules.render import cited_in
from modules.selectors import outline_of, published_courses
from standards.models import Level


def find_taught_places(
    *, competency_ids: Sequence[uuid.UUID], language: str
) -> Mapping[uuid.UUID, Sequence[TaughtPlace]]:
    """The courses whose newest edition serves each competency, with the steps that do.

    One query, and once a process one for the outline of each course.
    """
    wanted = {str(key): key for key in competency_ids}
    places: dict[uuid.UUID, list[TaughtPlace]] = defaultdict(list)
    for edition in published_courses():
        steps: dict[uuid.UUID, list[str]] = defaultdict(list)
        for step in outline_of(edition).iter_steps():
            for key in {mapped.id for mapped in step.competencies} & set(wanted):
                steps[wanted[key]].append(step.title_in(language))
        for competency_id, titles in steps.items():
            places[competency_id].append(
                TaughtPlace(
                    title=edition.title_in(language),
                    url=_find_course_address(edition, language),
                    detail=_join_titles(titles, language),
                )
            )
    return places


def _find_course_address(edition: CourseEdition, language: str) -> str:
    """The course's screen on the floor above, known by its name only; empty where there is none."""
    try:
        with translation.override(language):
            return reverse("lms:course", args=[edition.slug])
    except NoReverseMatch:
        return ""


def _join_titles(titles: Sequence[str], language: str) -> str:
    with translation.override(language):
        more = len(titles) - 3
        said = [_("“%(title)s”") % {"title": title} for title in titles[:3]]
        if more > 0:
            said.append(ngettext("%(count)d more step", "%(count)d more steps", more) % {"count": more})
        return ", ".join(said)


def report_framework_impact(*, kind: str, key: uuid.UUID) -> Sequence[Impact]:
    """The courses that rest on a framework. One query."""
    if kind != "framework":
        return []
    courses = {
        edition.course_key
        for edition in CourseEdition.objects.filter(framework_edition__framework_key=key).only("course_key")
    }
    if not courses:
        return []
    sentence = ngettext(
        "%(count)d course rests on these standards. It keeps its edition of them until its own next edition.",
        "%(count)d courses rest on these standards. They keep their edition of them until their own next edition.",
        len(courses),
    ) % {"count": len(courses)}
    return [Impact(sentence=sentence, count=len(courses), url=_find_admin_address())]


def _find_admin_address() -> str:
    return reverse("modules_admin:courses")


def name_uses(*, kind: str, key: Any) -> Sequence[str]:
    """What of this floor uses a framework, a competency or a source. One query."""
    if kind == "framework":
        trainings = TrainingPage.objects.filter(framework_key=key).values_list("title", flat=True)
        return [_("The training “%(title)s” is mapped to it.") % {"title": title} for title in trainings]
    if kind == "competency":
        mappings = LessonMapping.objects.filter(competency_id=key).select_related("page")
        return [
            _("The lesson “%(title)s” serves it at the level “%(level)s”.")
            % {"title": mapping.page.title, "level": Level(mapping.level).label}
            for mapping in mappings
        ]
    if kind == "source":
        lessons = LessonPage.objects.order_by("title").only("title", "body")
        titles = [lesson.title for lesson in lessons if key in cited_in(lesson.body)]
        return [
            _("“%(source)s” is cited by the lesson “%(title)s”.") % {"source": key, "title": title}
            for title in titles
        ]
    return []
