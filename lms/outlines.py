"""What the course engine needs to know of a course edition's steps, worked out once a process."""

from __future__ import annotations

import uuid
from typing import Final

from core.kept import Kept
from lms.rules import CourseSteps
from modules.models import CourseEdition
from modules.selectors import outline_of

_steps: Final[Kept[tuple[uuid.UUID, str], CourseSteps]] = Kept(64)


def steps_of(edition: CourseEdition) -> CourseSteps:
    """The steps of an edition as the rules read them, at the cost of `outline_of`."""
    return _steps.read((edition.pk, edition.digest), lambda: CourseSteps.from_outline(outline_of(edition)))
