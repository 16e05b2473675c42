"""The outline of a course edition: its tree, in every language, as compiled and issued.

One JSON object is ``CourseEdition.outline``. These frozen dataclasses are its shape; ``from_json`` reads it
strictly, ``to_json`` writes it canonically (see :mod:`assessments.documents`, whose tools it uses). Keys are
UUIDs here and text in JSON; ``minutes`` are whole minutes. The rendered steps themselves stand in
``StepContent``; the outline holds only their digests, so that two editions can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from assessments.shapes import DocumentError, Reader, Words, read_words

STEP_KINDS = ("lesson", "quiz", "assignment", "evaluation")
PART_KINDS = ("check", "reflection", "worksheet")
ORDERS = ("sequence", "free")
COUNTS = ("recommend", "evidence", "complete")


def _read_key(read: Reader, name: str) -> UUID:
    text = read.text(name)
    try:
        return UUID(text)
    except ValueError:
        raise DocumentError(read.at(name), "a UUID is expected") from None


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A competency at a level that a step serves; ``counts`` is ``recommend``, ``evidence`` or ``complete``."""

    id: str
    code: str
    level: str
    counts: str

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Mapped:
        read = Reader(data, place)
        mapped = cls(
            id=read.text("id"),
            code=read.text("code"),
            level=read.text("level"),
            counts=read.choice("counts", COUNTS),
        )
        read.close()
        return mapped

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "code": self.code,
            "level": self.level,
            "counts": self.counts,
        }


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a lesson that a learner fills in, by its block's key."""

    key: str
    kind: str
    required: bool = False

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Part:
        read = Reader(data, place)
        part = cls(
            key=read.text("key"),
            kind=read.choice("kind", PART_KINDS),
            required=read.flag("required"),
        )
        read.close()
        return part

    def to_json(self) -> dict[str, Any]:
        return {"key": self.key, "kind": self.kind, "required": self.required}


@dataclass(frozen=True, kw_only=True)
class OutlineStep:
    """One step: a lesson or an assessment.

    ``assessment`` is the digest of the assessment edition it holds, empty for a lesson. ``digests`` maps a
    language to the digest of the step's rendered content in it.
    """

    key: UUID
    kind: str
    title: Words
    slug: str = ""
    lead: Words = field(default_factory=dict)
    minutes: int = 0
    required: bool = True
    open_to_public: bool = False
    competencies: tuple[Mapped, ...] = ()
    parts: tuple[Part, ...] = ()
    assessment: str = ""
    digests: Words = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: object, place: str = "") -> OutlineStep:
        read = Reader(data, place)
        step = cls(
            key=_read_key(read, "key"),
            slug=read.text("slug", ""),
            kind=read.choice("kind", STEP_KINDS),
            title=read.words("title"),
            lead=read.words("lead"),
            minutes=read.whole("minutes") or 0,
            required=read.flag("required", True),
            open_to_public=read.flag("open_to_public"),
            competencies=read.many("competencies", Mapped.from_json),
            parts=read.many("parts", Part.from_json),
            assessment=read.text("assessment", ""),
            digests=read.words("digests"),
        )
        read.close()
        return step

    def to_json(self) -> dict[str, Any]:
        return {
            "key": str(self.key),
            "slug": self.slug,
            "kind": self.kind,
            "title": dict(self.title),
            "lead": dict(self.lead),
            "minutes": self.minutes,
            "required": self.required,
            "open_to_public": self.open_to_public,
            "competencies": [mapped.to_json() for mapped in self.competencies],
            "parts": [part.to_json() for part in self.parts],
            "assessment": self.assessment,
            "digests": dict(self.digests),
        }


@dataclass(frozen=True, kw_only=True)
class OutlineModule:
    """A module and its steps, in order."""

    key: UUID
    title: Words
    slug: str = ""
    summary: Words = field(default_factory=dict)
    steps: tuple[OutlineStep, ...] = ()

    @classmethod
    def from_json(cls, data: object, place: str = "") -> OutlineModule:
        read = Reader(data, place)
        module = cls(
            key=_read_key(read, "key"),
            slug=read.text("slug", ""),
            title=read.words("title"),
            summary=read.words("summary"),
            steps=read.many("steps", OutlineStep.from_json),
        )
        read.close()
        return module

    def to_json(self) -> dict[str, Any]:
        return {
            "key": str(self.key),
            "slug": self.slug,
            "title": dict(self.title),
            "summary": dict(self.summary),
            "steps": [step.to_json() for step in self.steps],
        }


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A whole course as issued. ``order`` is ``sequence`` (each required step opens the next) or ``free``."""

    title: Words
    order: str = "sequence"
    lead: Words = field(default_factory=dict)
    description_html: Words = field(default_factory=dict)
    outcomes: tuple[Words, ...] = ()
    audience: Words = field(default_factory=dict)
    valid_months: int | None = None
    modules: tuple[OutlineModule, ...] = ()

    def iter_steps(self) -> Iterator[OutlineStep]:
        """Every step in course order."""
        for module in self.modules:
            yield from module.steps

    def steps_by_key(self) -> Mapping[UUID, OutlineStep]:
        return {step.key: step for step in self.iter_steps()}

    @classmethod
    def from_json(cls, data: object) -> Outline:
        read = Reader(data)
        outline = cls(
            title=read.words("title"),
            lead=read.words("lead"),
            description_html=read.words("description_html"),
            outcomes=read.many("outcomes", read_words),
            audience=read.words("audience"),
            order=read.choice("order", ORDERS, "sequence"),
            valid_months=read.whole("valid_months", least=1),
            modules=read.many("modules", OutlineModule.from_json),
        )
        read.close()
        keys = [step.key for step in outline.iter_steps()]
        if len(set(keys)) < len(keys):
            raise DocumentError("modules", "a step stands in the outline twice")
        return outline

    def to_json(self) -> dict[str, Any]:
        return {
            "title": dict(self.title),
            "lead": dict(self.lead),
            "description_html": dict(self.description_html),
            "outcomes": [dict(words) for words in self.outcomes],
            "audience": dict(self.audience),
            "order": self.order,
            "valid_months": self.valid_months,
            "modules": [module.to_json() for module in self.modules],
        }
