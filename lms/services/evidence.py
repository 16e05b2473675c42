"""Evidence: what a completion, an attempt or a mark says of competencies."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from accounts.models import Subject
from assessments.documents import write_decimal
from assessments.models import Attempt, Mark
from assessments.rules import AttemptScore
from assessments.services import document_of
from lms.models import Enrolment, Evidence
from lms.rules import Strength
from modules.selectors import outline_of
from standards.models import EditionCompetency

# A single point says too little: what rests on less than this only contributes.
LEAST_POINTS_TO_HOLD = Decimal(2)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One competency at a level, how strongly it is shown, and by which result."""

    competency: uuid.UUID
    level: str
    strength: Strength
    result: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=64)
def _edition_competencies(framework_edition_id: uuid.UUID) -> Mapping[uuid.UUID, int]:
    """Which row of the framework edition a competency stands in; editions never change."""
    rows = EditionCompetency.objects.filter(edition_id=framework_edition_id)
    return dict(rows.values_list("competency_id", "pk"))


def make_evidence(
    *,
    enrolment: Enrolment,
    step_key: uuid.UUID,
    kind: str,
    source: uuid.UUID,
    findings: Iterable[Finding],
    now: datetime,
    assessor: Subject | None = None,
) -> dict[uuid.UUID, list[Evidence]]:
    """Entries for the ledger of evidence, by competency; none for what the framework's edition does not hold.

    The natural key makes a repeat harmless. No query.
    """
    places = _edition_competencies(enrolment.edition.framework_edition_id)
    gained: dict[uuid.UUID, list[Evidence]] = {}
    for finding in findings:
        if finding.competency not in places:
            continue
        row = Evidence(
            subject_id=enrolment.subject_id,
            edition_competency_id=places[finding.competency],
            level=finding.level,
            kind=kind,
            strength=finding.strength.value,
            source=source,
            enrolment_id=enrolment.pk,
            step_key=step_key,
            assessor=assessor,
            result=dict(finding.result),
            valid_from=now,
            recorded_at=now,
        )
        gained.setdefault(finding.competency, []).append(row)
    return gained


def evidence_of_lesson(
    *, enrolment: Enrolment, step_key: uuid.UUID, now: datetime
) -> dict[uuid.UUID, list[Evidence]]:
    """What finishing a lesson says: evidence that holds, or that contributes; `complete` says nothing."""
    strengths = {"evidence": Strength.HOLDS, "recommend": Strength.CONTRIBUTES}
    step = outline_of(enrolment.edition).steps_by_key()[step_key]
    findings = [
        Finding(competency=uuid.UUID(mapped.id), level=mapped.level, strength=strengths[mapped.counts])
        for mapped in step.competencies
        if mapped.counts in strengths
    ]
    return make_evidence(
        enrolment=enrolment,
        step_key=step_key,
        kind=Evidence.Kind.LESSON,
        source=uuid.uuid5(enrolment.pk, str(step_key)),
        findings=findings,
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
                competency=uuid.UUID(competency),
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
) -> dict[uuid.UUID, list[Evidence]]:
    """What a passed attempt, marked by a person or by the rules, says of competencies."""
    if not attempt.passed or attempt.score is None:
        return {}
    document = document_of(attempt.sitting.edition)
    return make_evidence(
        enrolment=enrolment,
        step_key=step_key,
        kind=Evidence.Kind.ASSIGNMENT if mark else Evidence.Kind.ATTEMPT,
        # Each mark is a judgement of its own: one that raises the points is new evidence.
        source=mark.client_id if mark else attempt.pk,
        findings=findings_of_score(AttemptScore.from_json(attempt.score), pass_mark=document.pass_mark),
        now=now,
        assessor=mark.marker if mark else None,
    )
