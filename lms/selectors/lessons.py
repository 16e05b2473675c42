"""One step as its reader sees it: text, the parts filled in, feedback, the outline beside it, what it serves."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import PersonalText
from accounts.services import read_texts
from core import clock
from core.prepared import PreparedQuery, given_uuid, is_among
from lms import texts
from lms.models import Enrolment, Standing, StepProgress
from lms.outlines import steps_of
from lms.rules import Step, blocking_step
from lms.selectors.courses import ModuleView, StepStatus, StepView, enrolment_url, read_modules
from lms.words import say_saved
from modules.documents import Outline, OutlineStep
from modules.models import CourseEdition, StepContent
from modules.selectors import find_step_content, outline_of
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


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a step stands in its course, and what is around it."""

    enrolment: Enrolment
    modules: tuple[ModuleView, ...]
    view: StepView
    module: ModuleView
    previous: StepView | None
    next: StepView | None
    blocker: StepView | None
    rule: Step
    progress: StepProgress | None
    done: int
    total: int
    now: datetime

    @property
    def outline_step(self) -> OutlineStep:
        return self.view.step

    @property
    def course_title(self) -> str:
        return self.enrolment.edition.title_in(texts.language())

    @property
    def course_url(self) -> str:
        return enrolment_url(self.enrolment)

    @property
    def steps_done(self) -> str:
        return texts.say_steps(self.done, self.total)

    @property
    def number_in_module(self) -> int:
        return self.module.steps.index(self.view) + 1

    @property
    def is_last(self) -> bool:
        return self.next is None

    @property
    def is_withdrawn(self) -> bool:
        return self.enrolment.state == Enrolment.State.WITHDRAWN

    @property
    def is_closed(self) -> bool:
        return self.enrolment.closes_at is not None and self.now >= self.enrolment.closes_at

    @property
    def is_open(self) -> bool:
        """Whether what the learner does here is recorded."""
        return not self.is_withdrawn and not self.is_closed

    @property
    def is_where_left_off(self) -> bool:
        """Whether the ledger already says that the learner is here."""
        progress = getattr(self.enrolment, "progress", None)
        return progress is not None and progress.last_step_key == self.outline_step.key

    @property
    def completion(self) -> str:
        """Why the step is complete, in words; empty where it is not."""
        if self.progress is None or self.progress.completed_at is None:
            return ""
        return texts.say_completion(self.progress.reason, self.progress.completed_at)


@dataclass(frozen=True, kw_only=True)
class LessonView:
    """A lesson with its parts, in the reader's language or, where it lacks that, in another."""

    title: str
    lead: str
    language: str
    segments: Sequence[Mapping[str, Any]]
    sources: Sequence[Mapping[str, Any]]
    served: Sequence[ServedHere] = ()
    place: Place | None = None
    edition: CourseEdition | None = None
    step: OutlineStep | None = None
    outline: Outline | None = None
    last_saved: datetime | None = None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_fallback(self) -> bool:
        """Whether the lesson is shown in another language than the screen's."""
        return self.language != texts.language()

    @property
    def course_title(self) -> str:
        return self.edition.title_in(texts.language()) if self.edition else ""

    @property
    def open_lessons(self) -> list[dict[str, str]]:
        """The lessons of the course that anyone may read, as a path; where the reader is stands among them."""
        if self.outline is None or self.edition is None or self.step is None:
            return []
        return [
            {
                "title": step.title_in(texts.language()),
                "url": reverse("lms:public_lesson", args=[self.edition.slug, step.slug]),
                "state": "here" if step.key == self.step.key else "todo",
                "note": texts.say_duration(step.minutes),
            }
            for step in self.outline.iter_steps()
            if step.is_lesson and step.open_to_public
        ]

    @property
    def has_worksheets(self) -> bool:
        return any(part["type"] == "worksheet" for part in self.segments)

    @property
    def missing(self) -> list[dict[str, str]]:
        """The parts that an attempt to complete found open, for the error summary."""
        prompts = {
            part["key"]: part.get("prompt") or part.get("title", "")
            for part in self.segments
            if "key" in part
        }
        return [
            {"url": f"#part-{key}", "prompt": prompts.get(key, ""), "error": " ".join(said)}
            for key, said in self.errors.items()
        ]


_read_steps: Final = PreparedQuery(lambda: StepProgress.objects.filter(enrolment_id=given_uuid("enrolment")))
_read_standings: Final = PreparedQuery(
    lambda: Standing.objects.filter(
        is_among("competency_id", "competencies"), subject_id=given_uuid("subject")
    )
)


def find_place(enrolment: Enrolment, slug: str) -> Place:
    """A step of a learner's own course by its address, with the way around it. One query."""
    outline = outline_of(enrolment.edition)
    step = outline.step_by_slug(slug) or _find_by_key(outline, slug)
    if step is None:
        raise Http404("This step is not part of the course.")
    rows = {row.step_key: row for row in _read_steps.objects(enrolment=enrolment.pk)}
    statuses = {key: StepStatus.from_row(row) for key, row in rows.items()}
    modules = read_modules(enrolment, statuses=statuses, here=step.key)
    views = [view for module in modules for view in module.steps]
    place = next(number for number, view in enumerate(views) if view.step.key == step.key)
    course = steps_of(enrolment.edition)
    completed = {key for key, row in rows.items() if row.completed_at is not None}
    blocker = blocking_step(course, completed, step.key)
    required = [view for view in views if view.step.required]
    return Place(
        enrolment=enrolment,
        modules=modules,
        view=views[place],
        module=next(module for module in modules if views[place] in module.steps),
        previous=views[place - 1] if place else None,
        next=views[place + 1] if place + 1 < len(views) else None,
        blocker=next((view for view in views if blocker and view.step.key == blocker.key), None),
        rule=next(one for one in course.steps if one.key == step.key),
        progress=rows.get(step.key),
        done=sum(view.is_done for view in required),
        total=len(required),
        now=clock.now(),
    )


def _find_by_key(outline: Outline, slug: str) -> OutlineStep | None:
    try:
        return outline.steps_by_key().get(uuid.UUID(slug))
    except ValueError:
        return None


def find_content(edition_id: uuid.UUID, step_key: uuid.UUID, language: str) -> StepContent:
    """A step's text in a language, or in another one where it lacks that. At most two queries, mostly none."""
    found = find_step_content(edition_id, step_key, language)
    if found is None:
        raise Http404("This step has no text.")
    return found


def read_lesson(
    place: Place,
    *,
    language: str,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
) -> LessonView:
    """A lesson as its learner sees it. Two queries, one where the learner wrote nothing; see `find_content`.

    `typed` holds, by part, what was sent and could not be kept, so that it is not lost; `errors` by part.
    """
    content = find_content(place.enrolment.edition_id, place.outline_step.key, language)
    parts = place.progress.parts if place.progress else {}
    words = read_texts(result.get("text") for result in parts.values())
    said = _Said(results=parts, words=words, typed=typed or {}, errors=errors or {})
    segments = [_fill_in(segment, content, said) for segment in content.segments]
    saved = [text.created_at for text in words.values()]
    return LessonView(
        title=content.title,
        lead=content.lead,
        language=content.locale,
        segments=segments,
        sources=content.sources,
        served=read_served(
            place.enrolment.edition, place.outline_step, subject_id=place.enrolment.subject_id
        ),
        place=place,
        edition=place.enrolment.edition,
        step=place.outline_step,
        outline=outline_of(place.enrolment.edition),
        last_saved=max(saved, default=None),
        errors=errors or {},
    )


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What a learner put into the parts of a lesson: results by part, the words behind them, and what was refused."""

    results: Mapping[str, Mapping[str, Any]]
    words: Mapping[uuid.UUID, PersonalText]
    typed: Mapping[str, Any]
    errors: Mapping[str, Sequence[str]]

    def text_of(self, key: str) -> PersonalText | None:
        text = self.results.get(key, {}).get("text")
        return self.words.get(uuid.UUID(text)) if text else None


def _fill_in(segment: Mapping[str, Any], content: StepContent, said: _Said) -> dict[str, Any]:
    """A segment with what the learner put into it."""
    filled = dict(segment)
    if segment["type"] not in ("reflection", "check", "worksheet"):
        return filled
    key = segment["key"]
    kept = said.text_of(key)
    filled["errors"] = list(said.errors.get(key, ()))
    filled["saved_at"] = kept.created_at if kept else None
    filled["saved_at_text"] = say_saved(kept.created_at) if kept else ""
    match segment["type"]:
        case "reflection":
            filled["words"] = said.typed.get(key, kept.text if kept else "")
        case "worksheet":
            fields = {**read_fields(kept), **(said.typed.get(key) or {})}
            filled["fields"] = [{**one, "words": fields.get(one["key"], "")} for one in segment["fields"]]
        case "check":
            _answer(filled, content, said)
    return filled


def _answer(filled: dict[str, Any], content: StepContent, said: _Said) -> None:
    """A check with the answer that was given. Of its key only the feedback on that answer is shown."""
    key = filled["key"]
    result = said.results.get(key, {})
    chosen = said.typed.get(key, result.get("choices", []))
    feedback = content.keys.get(key, {}).get("feedback", {})
    filled["answered"] = "right" in result and key not in said.typed
    filled["right"] = bool(result.get("right"))
    filled["feedback"] = [
        {"option": option["text"], "text": feedback[option["key"]]}
        for option in filled["options"]
        if option["key"] in chosen and feedback.get(option["key"])
    ]
    filled["options"] = [{**option, "chosen": option["key"] in chosen} for option in filled["options"]]


def read_fields(text: PersonalText | None) -> dict[str, str]:
    """The fields of a worksheet as they were kept."""
    if text is None or not text.text:
        return {}
    found = json.loads(text.text)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def read_served(
    edition: CourseEdition, step: OutlineStep, *, subject_id: uuid.UUID | None = None
) -> list[ServedHere]:
    """What a step serves in the standards. One query, none without a person or where it serves nothing."""
    if not step.competencies:
        return []
    ids = [uuid.UUID(mapped.id) for mapped in step.competencies]
    named = named_competencies(edition.framework_edition_id)
    now = clock.now()
    standings = {
        (row.competency_id, row.level): row.state
        for row in (_read_standings.objects(subject=subject_id, competencies=ids) if subject_id else ())
        if row.valid_until is None or row.valid_until > now
    }
    serving: dict[tuple[str, str], list[uuid.UUID]] = {}
    for other in outline_of(edition).iter_steps():
        for mapped in other.competencies:
            steps = serving.setdefault((mapped.id, mapped.level), [])
            if other.key not in steps:
                steps.append(other.key)
    return [
        ServedHere(
            id=competency,
            code=named[competency].code,
            title=named[competency].title_in(texts.language()),
            level=mapped.level,
            counts=mapped.counts,
            standing=standings.get((competency, mapped.level), ""),
            number=serving[mapped.id, mapped.level].index(step.key) + 1,
            of=len(serving[mapped.id, mapped.level]),
        )
        for competency, mapped in zip(ids, step.competencies, strict=True)
        if competency in named
    ]


def read_public_lesson(edition: CourseEdition, slug: str, *, language: str) -> LessonView | None:
    """A lesson that its author opened to the public, its parts to look at only. Two or three queries."""
    outline = outline_of(edition)
    step = outline.step_by_slug(slug)
    if step is None or not step.is_lesson or not step.open_to_public:
        return None
    content = find_content(edition.pk, step.key, language)
    return LessonView(
        title=content.title,
        lead=content.lead,
        language=content.locale,
        segments=content.segments,
        sources=content.sources,
        served=read_served(edition, step),
        edition=edition,
        step=step,
        outline=outline,
    )


@dataclass(frozen=True, kw_only=True)
class WorksheetView:
    """A worksheet to print: its questions with the learner's words, or lines to write on."""

    title: str
    intro: str
    fields: Sequence[Mapping[str, Any]]
    course_title: str
    lesson_title: str
    language: str
    saved_at: datetime | None
    url: str
    pdf_url: str
    back_url: str

    @property
    def is_empty(self) -> bool:
        return not any(one["words"].strip() for one in self.fields)


def read_worksheet(place: Place, part_key: str, *, language: str) -> WorksheetView:
    """One worksheet of a lesson. Two queries, three where it falls back to another language."""
    content = find_content(place.enrolment.edition_id, place.outline_step.key, language)
    part = content.part(part_key)
    if part is None or part["type"] != "worksheet":
        raise Http404("There is no such worksheet in this lesson.")
    result = (place.progress.parts if place.progress else {}).get(part_key, {})
    kept = read_texts([result.get("text")]).get(uuid.UUID(result["text"])) if result.get("text") else None
    said = read_fields(kept)
    where = [place.enrolment.pk, place.view.step.slug or place.view.step.key, part_key]
    return WorksheetView(
        title=part["title"],
        intro=part["intro"],
        fields=[{**one, "words": said.get(one["key"], "")} for one in part["fields"]],
        course_title=place.course_title,
        lesson_title=content.title,
        language=content.locale,
        saved_at=kept.created_at if kept else None,
        url=reverse("lms:worksheet", args=where),
        pdf_url=reverse("lms:worksheet_pdf", args=where),
        back_url=f"{place.view.url}#part-{part_key}",
    )
