"""A course edition as a book to print: each lesson that is open, in the reader's language, without an answer."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, IntegerField, Value, When
from django.http import Http404

from core.text import make_sort_key
from lms import texts
from modules.documents import Outline, OutlineModule, OutlineStep
from modules.models import CourseEdition, StepContent
from modules.render import plain_text
from modules.rules.embedding import embed_html
from modules.selectors import outline_of

# Under the title of the book, of a module and of a lesson.
DEEPER: Final = 2
# Lines for what one would type into a box.
REFLECTION_LINES: Final = 4


@dataclass(frozen=True, kw_only=True)
class BookStep:
    """A lesson with its text, or an assessment by its name and introduction. One that is locked has its title only."""

    step: OutlineStep
    number: str
    title: str
    lead: str = ""
    language: str
    kind: str
    segments: Sequence[Mapping[str, Any]] = ()
    sources: Sequence[Mapping[str, Any]] = ()
    is_locked: bool = False

    @property
    def anchor(self) -> str:
        return f"step-{self.number.replace('.', '-')}"

    @property
    def is_lesson(self) -> bool:
        return self.step.is_lesson

    @property
    def is_fallback(self) -> bool:
        """Whether it stands here in another language than the book."""
        return self.language != texts.language()


@dataclass(frozen=True, kw_only=True)
class BookModule:
    number: int
    title: str
    summary: str
    steps: Sequence[BookStep]

    @property
    def minutes(self) -> int:
        return sum(one.step.minutes for one in self.steps)


@dataclass(frozen=True, kw_only=True)
class CitedSource:
    """A source of the whole course and the lessons that cite it."""

    source: Mapping[str, Any]
    steps: Sequence[BookStep]


@dataclass(frozen=True, kw_only=True)
class BookView:
    """A course edition as a book in one language."""

    edition: CourseEdition
    outline: Outline
    modules: Sequence[BookModule]
    sources: Sequence[CitedSource]

    @property
    def title(self) -> str:
        return self.edition.title_in(texts.language())

    @property
    def training(self) -> str:
        """The training that the course belongs to, where that is called something else."""
        training = self.outline.training
        title = texts.say(training.title, texts.language()) if training else ""
        return "" if title == self.title else title

    @property
    def lead(self) -> str:
        return texts.say(self.outline.lead, texts.language())

    @property
    def description_html(self) -> str:
        return embed_html(
            texts.say(self.outline.description_html, texts.language()), prefix="about", deeper=DEEPER - 1
        )

    @property
    def outcomes(self) -> list[str]:
        return [texts.say(outcome, texts.language()) for outcome in self.outline.outcomes]

    @property
    def audience(self) -> str:
        return texts.say(self.outline.audience, texts.language())

    @property
    def standards(self) -> str:
        framework = self.outline.framework
        return texts.say(framework.title, texts.language()) if framework else ""

    @property
    def has_locked(self) -> bool:
        """Whether some of it is not open yet to who reads it."""
        return any(one.is_locked for one in self._steps())

    @property
    def has_checks(self) -> bool:
        return any(part["type"] == "check" for one in self._steps() for part in one.segments)

    def _steps(self) -> Iterable[BookStep]:
        return (one for module in self.modules for one in module.steps)


def read_book(
    edition: CourseEdition, *, language: str, open_steps: Collection[uuid.UUID] | None = None
) -> BookView:
    """The text of an edition, of these steps where they are given. One query, one more for an outline that is not kept.

    The answers' keys and what is said to them are never read.
    """
    outline = outline_of(edition)
    ours = Case(When(locale=language, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = (
        StepContent.objects.filter(edition_id=edition.pk)
        .defer("keys", "text", "assets")
        .order_by("step_key", ours, "locale")
        .distinct("step_key")
    )
    contents = {row.step_key: row for row in rows}
    modules = tuple(
        _read_module(module, number, contents, open_steps)
        for number, module in enumerate(outline.modules, start=1)
    )
    return BookView(edition=edition, outline=outline, modules=modules, sources=_gather_sources(modules))


def _read_module(
    module: OutlineModule,
    number: int,
    contents: Mapping[uuid.UUID, StepContent],
    open_steps: Collection[uuid.UUID] | None,
) -> BookModule:
    return BookModule(
        number=number,
        title=texts.say(module.title, texts.language()),
        summary=texts.say(module.summary, texts.language()),
        steps=tuple(
            _read_step(
                step,
                f"{number}.{place}",
                contents.get(step.key),
                is_locked=open_steps is not None and step.key not in open_steps,
            )
            for place, step in enumerate(module.steps, start=1)
        ),
    )


def _read_step(step: OutlineStep, number: str, content: StepContent | None, *, is_locked: bool) -> BookStep:
    if content is None:
        raise Http404("A step of this edition has no text.")
    kind = "" if step.is_lesson else texts.say_step_kind(step.kind)
    if is_locked:
        return BookStep(
            step=step, number=number, title=content.title, language=content.locale, kind=kind, is_locked=True
        )
    prefix = f"s{number.replace('.', '-')}"
    return BookStep(
        step=step,
        number=number,
        title=content.title,
        lead=content.lead,
        language=content.locale,
        kind=kind,
        segments=tuple(_read_segment(segment, prefix) for segment in content.segments),
        sources=tuple(
            {**source, "id": f"{prefix}-source-{place}"}
            for place, source in enumerate(content.sources, start=1)
        ),
    )


def _read_segment(segment: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """A segment for paper: its HTML fits into the book, and what one fills in has lines."""
    match segment["type"]:
        case "html":
            return {**segment, "html": embed_html(segment["html"], prefix=prefix, deeper=DEEPER)}
        case "video" | "audio":
            spoken = embed_html(segment["transcript_html"], prefix=prefix, deeper=DEEPER)
            return {**segment, "transcript_html": spoken}
        case "reflection":
            return {**segment, "lines": range(REFLECTION_LINES)}
        case "worksheet":
            fields = [{**field, "lines": range(field["rows"])} for field in segment["fields"]]
            return {**segment, "fields": fields}
    return dict(segment)


def _gather_sources(modules: Iterable[BookModule]) -> list[CitedSource]:
    """Each source once, in the order of the alphabet, with the lessons that cite it."""
    steps: dict[str, list[BookStep]] = {}
    known: dict[str, Mapping[str, Any]] = {}
    for one in (step for module in modules for step in module.steps):
        for source in one.sources:
            known.setdefault(source["slug"], source)
            steps.setdefault(source["slug"], []).append(one)
    ordered = sorted(known, key=lambda slug: make_sort_key(plain_text(known[slug]["html"])))
    return [CitedSource(source=known[slug], steps=tuple(steps[slug])) for slug in ordered]
