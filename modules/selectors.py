"""Reads of trainings and course editions, with their cost in queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import lru_cache

from django.db.models import QuerySet

from modules.documents import Outline
from modules.models import CourseEdition, StepContent


@lru_cache(maxsize=64)
def _parse_outline(edition_id: uuid.UUID, digest: str) -> Outline:
    return Outline.from_json(
        CourseEdition.objects.values_list("outline", flat=True).get(pk=edition_id, digest=digest)
    )


def outline_of(edition: CourseEdition) -> Outline:
    """The outline of an edition, kept by the process since an edition never changes. At most one query."""
    return _parse_outline(edition.pk, edition.digest)


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


def step_content(*, edition: CourseEdition, step_key: uuid.UUID, language: str) -> StepContent | None:
    """A step in a language, or in the one it has. One query."""
    found = {
        content.locale: content for content in StepContent.objects.filter(edition=edition, step_key=step_key)
    }
    return found.get(language) or next(iter(found.values()), None)


def edition_digests() -> list[tuple[str, int, str]]:
    """Slug, number and digest of every course edition, sorted. One query."""
    return list(CourseEdition.objects.order_by("slug", "number").values_list("slug", "number", "digest"))
