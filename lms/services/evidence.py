"""Evidence: what a completion, an attempt or a mark says of competencies."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from accounts.models import Subject
from assessments.documents import write_decimal
from assessments.models import Attempt, Mark
from assessments.rules import AttemptScore
from assessments.services import document_of
from core.kept import Kept
from lms.models import Enrolment, Evidence
from lms.rules import Strength
from lms.services.step_ledger import Gained
from modules.models import CourseEdition
from modules.selectors import outline_of
from standards.models import EditionCompetency

# A single point says too little: what rests on less than this only contributes.
LEAST_POINTS_TO_HOLD = Decimal(2)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One competency, by its key as editions write it, at a level, how strongly it is shown, and by which result."""

    competency: str
    level: str
    strength: Strength
    result: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=64)
def _edition_competencies(framework_edition_id: uuid.UUID) -> Mapping[str, tuple[uuid.UUID, int]]:
    """Each competency of a framework edition, by its key as text: the key, and its row. Editions never change."""
    rows = EditionCompetency.objects.filter(edition_id=framework_edition_id)
    return {str(key): (key, row) for key, row in rows.values_list("competency_id", "pk")}


def make_evidence(
    *,
    enrolment: Enrolment,
    step_key: uuid.UUID,
    kind: str,
    source: uuid.UUID,
    findings: Iterable[Finding],
    now: datetime,
    assessor: Subject | None = None,
) -> Gained:
    """Rows for the ledger of evidence; none for what the framework's edition does not hold.

    The natural key makes a repeat harmless. No query.
    """
    places = _edition_competencies(enrolment.edition.framework_edition_id)
    known = [(*places[finding.competency], finding) for finding in findings if finding.competency in places]
    # What all rows have is made a text once, as it is written.
    moment = str(now)
    same = {
        "recorded_at": moment,
        "subject_id": str(enrolment.subject_id),
        "kind": kind,
        "source": str(source),
        "enrolment_id": str(enrolment.pk),
        "step_key": str(step_key),
        "assessor_id": assessor.pk if assessor else None,
        "valid_from": moment,
    }
    rows = [
        {
            **same,
            "client_id": uuid.uuid4(),
            "edition_competency_id": place,
            "level": finding.level,
            "strength": finding.strength.value,
            "result": finding.result,
        }
        for _competency, place, finding in known
    ]
    return Gained(kind=kind, source=source, competencies=[key for key, _place, _finding in known], rows=rows)


_of_lessons: Final[Kept[tuple[uuid.UUID, str, uuid.UUID], tuple[Finding, ...]]] = Kept(2000)


def _findings_of_lesson(edition: CourseEdition, step_key: uuid.UUID) -> tuple[Finding, ...]:
    """What finishing a lesson of an edition says: what holds, or contributes; `complete` says nothing."""
    strengths = {"evidence": Strength.HOLDS, "recommend": Strength.CONTRIBUTES}
    step = outline_of(edition).steps_by_key()[step_key]
    return tuple(
        Finding(competency=mapped.id, level=mapped.level, strength=strengths[mapped.counts])
        for mapped in step.competencies
        if mapped.counts in strengths
    )


def evidence_of_lesson(*, enrolment: Enrolment, step_key: uuid.UUID, now: datetime) -> Gained:
    """What finishing a lesson says."""
    edition = enrolment.edition
    key = (edition.pk, edition.digest, step_key)
    return make_evidence(
        enrolment=enrolment,
        step_key=step_key,
        kind=Evidence.Kind.LESSON,
        source=uuid.uuid5(enrolment.pk, str(step_key)),
        findings=_of_lessons.read(key, lambda: _findings_of_lesson(edition, step_key)),
        now=now,
    )


def findings_of_score(score: AttemptScore, *, pass_mark: Decimal | None) -> list[Finding]:
    """What a passed attempt says: it holds where the share of a competency's points reaches the pass mark.

    A competency that earned some points, or on which fewer than two points could be earned, contributes.
    """
    findings = []
    for (competency, level), points in score.by_competency.items():
        if not points.points:
            continue
        holds = points.max_points >= LEAST_POINTS_TO_HOLD and points.points * 100 >= (
            (pass_mark or Decimal(0)) * points.max_points
        )
        findings.append(
            Finding(
                competency=competency,
                level=level,
                strength=Strength.HOLDS if holds else Strength.CONTRIBUTES,
                result={
                    "points": write_decimal(points.points),
                    "max_points": write_decimal(points.max_points),
                },
            )
        )
    return findings


def evidence_of_attempt(
    *, enrolment: Enrolment, step_key: uuid.UUID, attempt: Attempt, now: datetime, mark: Mark | None = None
) -> Gained:
    """What a passed attempt, marked by a person or by the rules, says of competencies."""
    findings: list[Finding] = []
    if attempt.passed and attempt.score is not None:
        pass_mark = document_of(attempt.sitting.edition).pass_mark
        findings = findings_of_score(AttemptScore.from_json(attempt.score), pass_mark=pass_mark)
    return make_evidence(
        enrolment=enrolment,
        step_key=step_key,
        kind=Evidence.Kind.ASSIGNMENT if mark else Evidence.Kind.ATTEMPT,
        # Each mark is a judgement of its own: one that raises the points is new evidence.
        source=mark.client_id if mark else attempt.pk,
        findings=findings,
        now=now,
        assessor=mark.marker if mark else None,
    )
