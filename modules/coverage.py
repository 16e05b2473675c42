"""What a course teaches of the standards: which step serves which competency at which level, and where none does."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field

from core.languages import reading_language
from modules.documents import Outline
from standards.models import EditionCompetency, FrameworkEdition, Level


@dataclass(frozen=True)
class Serving:
    """A step that serves a competency at a level, and how much that counts."""

    title: str
    key: uuid.UUID
    kind: str
    counts: str


@dataclass(frozen=True)
class Cell:
    """A competency at one level, with the steps that serve it."""

    level: Level
    servings: tuple[Serving, ...]

    @property
    def is_evidenced(self) -> bool:
        """Whether completing the course can be evidence of it."""
        return any(serving.counts == "evidence" for serving in self.servings)


@dataclass(frozen=True)
class Row:
    """A competency with its three levels."""

    code: str
    title: str
    cells: tuple[Cell, ...]

    @property
    def is_served(self) -> bool:
        return any(cell.servings for cell in self.cells)

    @property
    def is_evidenced(self) -> bool:
        return any(cell.is_evidenced for cell in self.cells)


@dataclass
class DomainCoverage:
    """A domain with its competencies."""

    code: str
    title: str
    rows: list[Row] = field(default_factory=list)

    @property
    def is_served(self) -> bool:
        return any(row.is_served for row in self.rows)

    @property
    def holes(self) -> list[Row]:
        """Competencies that no step serves."""
        return [row for row in self.rows if not row.is_served]

    @property
    def only_taught(self) -> list[Row]:
        """Competencies that steps teach, but of which nothing is evidence."""
        return [row for row in self.rows if row.is_served and not row.is_evidenced]


def find_coverage(*, outline: Outline, framework: FrameworkEdition) -> list[DomainCoverage]:
    """Domains by competencies by levels. One query, however many steps and competencies."""
    language = reading_language()
    served: dict[tuple[str, str], list[Serving]] = defaultdict(list)
    for step in outline.iter_steps():
        for mapped in step.competencies:
            served[mapped.id, mapped.level].append(
                Serving(title=step.title_in(language), key=step.key, kind=step.kind, counts=mapped.counts)
            )
    domains: dict[int, DomainCoverage] = {}
    rows = EditionCompetency.objects.filter(edition=framework).select_related("domain")
    for competency in rows.order_by("domain__position", "position"):
        domain = domains.setdefault(
            competency.domain_id,
            DomainCoverage(code=competency.domain.code, title=competency.domain.title_in(language)),
        )
        cells = tuple(
            Cell(level=level, servings=tuple(served[str(competency.competency_id), level])) for level in Level
        )
        domain.rows.append(Row(code=competency.code, title=competency.title_in(language), cells=cells))
    return list(domains.values())
