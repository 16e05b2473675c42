"""What the course engine needs to know of a course edition's steps, worked out once a process."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from assessments.models import AssessmentEdition
from assessments.services import kept_edition
from core.kept import Kept
from lms.rules import CourseSteps
from modules.models import CourseEdition, EditionAssessment
from modules.selectors import outline_of

_steps: Final[Kept[tuple[uuid.UUID, str], CourseSteps]] = Kept(64)


def steps_of(edition: CourseEdition) -> CourseSteps:
    """The steps of an edition as the rules read them, at the cost of `outline_of`."""
    return _steps.read((edition.pk, edition.digest), lambda: CourseSteps.from_outline(outline_of(edition)))


_assessed: Final[Kept[uuid.UUID, dict[uuid.UUID, uuid.UUID]]] = Kept(64)


def _read_assessed(edition_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    rows = EditionAssessment.objects.filter(edition_id=edition_id).values_list("step_key", "assessment_id")
    return _assessed.keep(edition_id, dict(rows))


def assessments_in(edition_id: uuid.UUID) -> Mapping[uuid.UUID, uuid.UUID]:
    """The assessment editions of a course edition, by the step that holds each. Mostly no query."""
    return _assessed.find(edition_id) or _read_assessed(edition_id)


def assessment_in_step(edition_id: uuid.UUID, step_key: uuid.UUID) -> AssessmentEdition | None:
    """The assessment edition that a step of a course edition holds, without its document. Mostly no query."""
    found = (_assessed.find(edition_id) or {}).get(step_key) or _read_assessed(edition_id).get(step_key)
    return kept_edition(found) if found else None


def step_of_assessment(edition_id: uuid.UUID, assessment_id: uuid.UUID) -> uuid.UUID | None:
    """The step of a course edition that holds an assessment edition. Mostly no query."""
    kept = _assessed.find(edition_id) or {}
    steps = kept if assessment_id in kept.values() else _read_assessed(edition_id)
    return next((step for step, held in steps.items() if held == assessment_id), None)
