"""What a step serves in the standards, and where its reader stands in that."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import F
from django.utils.translation import gettext as _

from core import clock
from core.kept import Kept
from core.prepared import PreparedQuery, given_uuid, is_among
from core.questions import Question, ask_together
from lms import texts
from lms.models import Standing
from modules.documents import OutlineStep
from modules.models import CourseEdition
from modules.selectors import outline_of
from standards.models import Level
from standards.selectors import named_competencies


@dataclass(frozen=True, kw_only=True)
class ServedHere:
    """A competency at a level that a step serves, where the reader stands in it, and this step's share of it."""

    id: uuid.UUID
    code: str
    title: str
    level: str
    counts: str
    standing: str
    number: int
    of: int

    @property
    def level_word(self) -> str:
        return str(Level(self.level).label).lower()

    @property
    def share(self) -> str:
        return _("At the %(level)s level; this step is %(number)d of %(total)d for it") % {
            "level": self.level_word,
            "number": self.number,
            "total": self.of,
        }


_read_standings: Final = PreparedQuery(
    lambda: Standing.objects.filter(
        is_among("competency_id", "competencies"), subject_id=given_uuid("subject")
    ).annotate(competency_key=F("competency_id")),
    fields=("id", "level", "state", "valid_until"),
    extra=("competency_key",),
)
_served: Final[Kept[tuple[Hashable, ...], tuple[ServedHere, ...]]] = Kept(512)


def read_served(
    edition: CourseEdition, step: OutlineStep, *, subject_id: uuid.UUID | None = None
) -> Sequence[ServedHere]:
    """What a step serves in the standards. One query, none without a person or where it serves nothing."""
    served = served_by(edition, step)
    if subject_id is None or not served:
        return served
    return stand_in(served, *ask_together(ask_standings(served, subject_id)))


def served_by(edition: CourseEdition, step: OutlineStep) -> Sequence[ServedHere]:
    """What it serves, whoever reads."""
    if not step.competencies:
        return ()
    return _served.read(
        (edition.pk, edition.digest, step.key, texts.language()),
        lambda: tuple(_describe_served(edition, step)),
    )


def ask_standings(served: Sequence[ServedHere], subject_id: uuid.UUID) -> Question[Any]:
    return Question(
        _read_standings,
        {"subject": subject_id, "competencies": [one.id for one in served]},
        columns=("competency_key", "level", "state", "valid_until"),
    )


def stand_in(
    served: Sequence[ServedHere], standings: Sequence[tuple[uuid.UUID, str, str, datetime | None]]
) -> Sequence[ServedHere]:
    """The same with where somebody stands in it now."""
    now = clock.now()
    states = {
        (competency, level): state
        for competency, level, state, valid_until in standings
        if valid_until is None or valid_until > now
    }
    return [
        replace(one, standing=standing) if (standing := states.get((one.id, one.level))) else one
        for one in served
    ]


def _describe_served(edition: CourseEdition, step: OutlineStep) -> Iterator[ServedHere]:
    """What every reader sees of it."""
    named = named_competencies(edition.framework_edition_id)
    serving: dict[tuple[str, str], list[uuid.UUID]] = {}
    for other in outline_of(edition).iter_steps():
        for mapped in other.competencies:
            steps = serving.setdefault((mapped.id, mapped.level), [])
            if other.key not in steps:
                steps.append(other.key)
    for mapped in step.competencies:
        competency = uuid.UUID(mapped.id)
        if competency in named:
            yield ServedHere(
                id=competency,
                code=named[competency].code,
                title=named[competency].title_in(texts.language()),
                level=mapped.level,
                counts=mapped.counts,
                standing="",
                number=serving[mapped.id, mapped.level].index(step.key) + 1,
                of=len(serving[mapped.id, mapped.level]),
            )
