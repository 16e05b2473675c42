"""The outlines of course editions, parsed once a process: an edition never changes."""

from __future__ import annotations

import uuid
from functools import lru_cache

from lms.rules import CourseSteps
from modules.documents import Outline
from modules.models import CourseEdition


@lru_cache(maxsize=64)
def _parse(edition_id: uuid.UUID, digest: str) -> tuple[Outline, CourseSteps]:
    outline = Outline.from_json(
        CourseEdition.objects.values_list("outline", flat=True).get(pk=edition_id, digest=digest)
    )
    return outline, CourseSteps.from_outline(outline)


def outline_of(edition: CourseEdition) -> Outline:
    """The outline of an edition. One query the first time in a process, none after that."""
    return _parse(edition.pk, edition.digest)[0]


def steps_of(edition: CourseEdition) -> CourseSteps:
    """What the course engine needs to know of its steps, at the same cost."""
    return _parse(edition.pk, edition.digest)[1]
