"""Reads of trainings and course editions, with their cost in queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Final

from django.db.models import QuerySet

from core.kept import Kept
from modules.documents import Outline
from modules.models import CourseEdition, StepContent

# Immutable, so kept by the process: editions, their outlines parsed, and the texts of steps.
_outlines: Final[Kept[tuple[uuid.UUID, str], Outline]] = Kept(64)
_editions: Final[Kept[uuid.UUID, CourseEdition]] = Kept(64)
_contents: Final[Kept[tuple[uuid.UUID, uuid.UUID, str], StepContent]] = Kept(512)


def outline_of(edition: CourseEdition) -> Outline:
    """The outline of an edition. At most one query, where it was left out of the row and is not kept yet."""
    return _outlines.read((edition.pk, edition.digest), lambda: Outline.from_json(edition.outline))


def kept_edition(edition_id: uuid.UUID) -> CourseEdition:
    """An edition by its key, its outline left out. At most one query, mostly none.

    It is one object for the whole process: nothing may be set on it, and what can change (a framework edition's
    status) is not to be read through its relations.
    """
    return _editions.read(
        edition_id, lambda: CourseEdition.objects.defer("outline", "note").get(pk=edition_id)
    )


def prime_outlines(editions: Iterable[CourseEdition]) -> None:
    """Read the outlines that the process does not keep yet, all in one query; none where it keeps them all."""
    missing = {
        edition.pk: edition for edition in editions if _outlines.find((edition.pk, edition.digest)) is None
    }
    if not missing:
        return
    for key, data in CourseEdition.objects.filter(pk__in=list(missing)).values_list("pk", "outline"):
        _outlines.keep((key, missing[key].digest), Outline.from_json(data))


def latest_edition(course_key: uuid.UUID) -> CourseEdition | None:
    """The newest edition of a course. One query."""
    return CourseEdition.objects.filter(course_key=course_key).order_by("-number").first()


def latest_editions(course_keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, CourseEdition]:
    """The newest edition of each of these courses. One query."""
    editions = CourseEdition.objects.filter(course_key__in=list(course_keys))
    newest = editions.order_by("course_key", "-number").distinct("course_key")
    return {edition.course_key: edition for edition in newest}


def published_courses() -> list[CourseEdition]:
    """The newest edition of every course, by title: what a catalogue shows. One query."""
    newest = CourseEdition.objects.order_by("course_key", "-number").distinct("course_key")
    return sorted(
        newest.select_related("framework_edition"),
        key=lambda edition: (edition.title_en, str(edition.course_key)),
    )


def course_by_slug(slug: str) -> CourseEdition | None:
    """The newest edition under an address. One query."""
    return CourseEdition.objects.filter(slug=slug).order_by("-issued_at", "-number").first()


def editions_of(course_key: uuid.UUID) -> QuerySet[CourseEdition]:
    """Every edition of a course, the newest first, without its outline. One query."""
    return CourseEdition.objects.filter(course_key=course_key).defer("outline").order_by("-number")


def find_step_content(
    edition_id: uuid.UUID, step_key: uuid.UUID, language: str, *, fall_back: bool = True
) -> StepContent | None:
    """A step's text in a language or, where it lacks that, in another one. At most two queries, mostly none."""
    key = (edition_id, step_key, language)
    found = _contents.find(key)
    if found is None:
        contents = StepContent.objects.filter(edition_id=edition_id, step_key=step_key).defer("text")
        found = contents.filter(locale=language).first()
        if found is None and fall_back:
            found = contents.order_by("locale").first()
        if found is not None:
            _contents.keep(key, found)
    return found if found is None or fall_back or found.locale == language else None


def edition_digests() -> list[tuple[str, int, str]]:
    """Slug, number and digest of every course edition, sorted. One query."""
    return list(CourseEdition.objects.order_by("slug", "number").values_list("slug", "number", "digest"))
