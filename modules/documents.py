"""The outline of a course edition: its tree, in every language, as compiled and issued.

One JSON object is ``CourseEdition.outline``. These frozen dataclasses are its shape; ``from_json`` reads it
strictly, ``to_json`` writes it canonically (see :mod:`assessments.documents`, whose tools it uses). Keys are
UUIDs here and text in JSON; ``minutes`` are whole minutes. The rendered steps themselves stand in
``StepContent``; the outline holds only their digests, so that two editions can be compared.

The JSON object (text by language is ``{"en", "fr"}``)::

    {"course": {"key", "slug", "title", "lead", "description_html", "outcomes": {"en": [], "fr": []}, "audience",
                "order", "valid_months", "starting_content"},
     "training": {"key", "slug", "title", "summary"},
     "framework": {"edition", "number", "slug", "title", "digest"},
     "languages": ["en", "fr"],
     "modules": [{"key", "slug", "title", "summary", "steps": [
        {"key", "slug", "kind", "title", "lead", "minutes", "required", "public",
         "parts": [{"key", "kind", "required"}], "checks": [keys required], "reflections": [keys required],
         "competencies": [{"id", "code", "level", "counts"}], "assessment": id or null, "assessment_digest",
         "origin": key or null, "digests"}]}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from assessments.shapes import DocumentError, Reader, Words, say

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


def _read_optional_key(read: Reader, name: str) -> UUID | None:
    if read.data.get(name) is None:
        read.take(name)
        return None
    return _read_key(read, name)


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

    ``assessment`` names the assessment edition it holds (its id), empty for a lesson; ``assessment_digest`` is
    the digest of that edition. ``digests`` maps a language to the digest of the step's rendered content in it.
    ``origin`` is the key of the step that it was copied from.
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
    assessment_digest: str = ""
    origin: UUID | None = None
    digests: Words = field(default_factory=dict)

    @property
    def is_lesson(self) -> bool:
        return self.kind == "lesson"

    @property
    def checks(self) -> tuple[str, ...]:
        """Keys of the checks that must be answered to finish the step."""
        return tuple(part.key for part in self.parts if part.required and part.kind == "check")

    @property
    def reflections(self) -> tuple[str, ...]:
        """Keys of the reflections that need words to finish the step."""
        return tuple(part.key for part in self.parts if part.required and part.kind == "reflection")

    def title_in(self, language: str) -> str:
        return say(self.title, language)

    @classmethod
    def from_json(cls, data: object, place: str = "") -> OutlineStep:
        read = Reader(data, place)
        # Told by `parts`; written for those who read the JSON without these classes.
        read.take("checks")
        read.take("reflections")
        step = cls(
            key=_read_key(read, "key"),
            slug=read.text("slug", ""),
            kind=read.choice("kind", STEP_KINDS),
            title=read.words("title"),
            lead=read.words("lead"),
            minutes=read.whole("minutes") or 0,
            required=read.flag("required", True),
            open_to_public=read.flag("public"),
            competencies=read.many("competencies", Mapped.from_json),
            parts=read.many("parts", Part.from_json),
            assessment=str(read.take("assessment") or ""),
            assessment_digest=read.text("assessment_digest", ""),
            origin=_read_optional_key(read, "origin"),
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
            "public": self.open_to_public,
            "competencies": [mapped.to_json() for mapped in self.competencies],
            "parts": [part.to_json() for part in self.parts],
            "checks": list(self.checks),
            "reflections": list(self.reflections),
            "assessment": self.assessment or None,
            "assessment_digest": self.assessment_digest,
            "origin": str(self.origin) if self.origin else None,
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
class TrainingRef:
    """The training that a course belongs to, as it was called at that time."""

    key: UUID
    slug: str
    title: Words
    summary: Words = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: object, place: str = "") -> TrainingRef:
        read = Reader(data, place)
        training = cls(
            key=_read_key(read, "key"),
            slug=read.text("slug"),
            title=read.words("title"),
            summary=read.words("summary"),
        )
        read.close()
        return training

    def to_json(self) -> dict[str, Any]:
        return {
            "key": str(self.key),
            "slug": self.slug,
            "title": dict(self.title),
            "summary": dict(self.summary),
        }


@dataclass(frozen=True, kw_only=True)
class FrameworkRef:
    """The framework edition that a course edition is mapped to."""

    edition: UUID
    number: int
    slug: str
    title: Words
    digest: str

    @classmethod
    def from_json(cls, data: object, place: str = "") -> FrameworkRef:
        read = Reader(data, place)
        framework = cls(
            edition=_read_key(read, "edition"),
            number=read.whole("number", least=1) or 0,
            slug=read.text("slug"),
            title=read.words("title"),
            digest=read.text("digest"),
        )
        read.close()
        return framework

    def to_json(self) -> dict[str, Any]:
        return {
            "edition": str(self.edition),
            "number": self.number,
            "slug": self.slug,
            "title": dict(self.title),
            "digest": self.digest,
        }


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A whole course as issued. ``order`` is ``sequence`` (each required step opens the next) or ``free``.

    What an edition always has may be missing in an outline made for a calculation: ``key``, ``training``,
    ``framework``. ``outcomes`` are texts by language, one a thing that a person can do afterwards.
    """

    title: Words
    key: UUID | None = None
    slug: str = ""
    order: str = "sequence"
    lead: Words = field(default_factory=dict)
    description_html: Words = field(default_factory=dict)
    outcomes: tuple[Words, ...] = ()
    audience: Words = field(default_factory=dict)
    valid_months: int | None = None
    starting_content: bool = False
    training: TrainingRef | None = None
    framework: FrameworkRef | None = None
    languages: tuple[str, ...] = ("en", "fr")
    modules: tuple[OutlineModule, ...] = ()

    def title_in(self, language: str) -> str:
        return say(self.title, language)

    def iter_steps(self) -> Iterator[OutlineStep]:
        """Every step in course order."""
        for module in self.modules:
            yield from module.steps

    def steps_by_key(self) -> Mapping[UUID, OutlineStep]:
        return {step.key: step for step in self.iter_steps()}

    def step_by_slug(self, slug: str) -> OutlineStep | None:
        return next((step for step in self.iter_steps() if step.slug == slug), None)

    def module_of(self, key: UUID) -> OutlineModule | None:
        """The module that holds the step."""
        return next(
            (module for module in self.modules if any(step.key == key for step in module.steps)), None
        )

    @property
    def minutes(self) -> int:
        """About how long the whole course takes."""
        return sum(step.minutes for step in self.iter_steps())

    @classmethod
    def from_json(cls, data: object) -> Outline:
        read = Reader(data)
        course = Reader(read.take("course", {}), "course")
        outcomes = Reader(course.take("outcomes", {}), "course.outcomes")
        training, framework = read.take("training"), read.take("framework")
        outline = cls(
            key=_read_optional_key(course, "key"),
            slug=course.text("slug", ""),
            title=course.words("title"),
            lead=course.words("lead"),
            description_html=course.words("description_html"),
            outcomes=_join_outcomes({name: outcomes.many(name, _read_text) for name in list(outcomes.data)}),
            audience=course.words("audience"),
            order=course.choice("order", ORDERS, "sequence"),
            valid_months=course.whole("valid_months", least=1),
            starting_content=course.flag("starting_content"),
            training=None if training is None else TrainingRef.from_json(training, "training"),
            framework=None if framework is None else FrameworkRef.from_json(framework, "framework"),
            languages=read.many("languages", _read_text),
            modules=read.many("modules", OutlineModule.from_json),
        )
        course.close()
        read.close()
        keys = [step.key for step in outline.iter_steps()]
        if len(set(keys)) < len(keys):
            raise DocumentError("modules", "a step stands in the outline twice")
        return outline

    def to_json(self) -> dict[str, Any]:
        spoken = sorted({language for words in self.outcomes for language in words})
        return {
            "course": {
                "key": str(self.key) if self.key else None,
                "slug": self.slug,
                "title": dict(self.title),
                "lead": dict(self.lead),
                "description_html": dict(self.description_html),
                "outcomes": {
                    language: [words.get(language, "") for words in self.outcomes] for language in spoken
                },
                "audience": dict(self.audience),
                "order": self.order,
                "valid_months": self.valid_months,
                "starting_content": self.starting_content,
            },
            "training": self.training.to_json() if self.training else None,
            "framework": self.framework.to_json() if self.framework else None,
            "languages": list(self.languages),
            "modules": [module.to_json() for module in self.modules],
        }

    def to_digest_json(self) -> dict[str, Any]:
        """What the digest of a course edition is made from: the text alone.

        Without the keys that a database made (of the assessment and framework editions), whose digests stand
        beside them, so that the same text has the same digest on every machine.
        """
        text = self.to_json()
        for module in text["modules"]:
            for step in module["steps"]:
                del step["assessment"]
        if text["framework"]:
            del text["framework"]["edition"]
        return text


def _read_text(data: object, place: str) -> str:
    if not isinstance(data, str):
        raise DocumentError(place, "text is expected")
    return data


def _join_outcomes(lists: Mapping[str, tuple[str, ...]]) -> tuple[Words, ...]:
    longest = max((len(texts) for texts in lists.values()), default=0)
    return tuple(
        {language: texts[place] for language, texts in lists.items() if place < len(texts) and texts[place]}
        for place in range(longest)
    )
