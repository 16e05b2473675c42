"""A lesson as its reader sees it: text, the parts filled in, feedback, what it serves; a worksheet to print."""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import Http404
from django.urls import reverse

from accounts.models import PersonalText
from accounts.services import ask_texts, read_texts
from core.kept import Shown
from core.questions import Question, ask_together
from lms import texts
from lms.selectors.places import Place
from lms.selectors.served import ServedHere, ask_standings, read_served, served_by, stand_in
from lms.words import say_saved
from modules.documents import Outline, OutlineStep
from modules.models import CourseEdition, StepContent
from modules.selectors import find_step_content, outline_of

Answer = tuple[str, tuple[str, ...], bool | None]
"""A check's key, the options chosen in it, and whether that was right; None where it is not answered."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LessonText(Shown):
    """A lesson's text with its parts, as everybody sees it who filled in as much and answered so.

    What somebody wrote is not in it: the template puts that in (`Written`). `filled` are the parts that have words,
    `answers` say by check what was chosen and whether that was right (None: not answered), `errors` what was refused.
    """

    content: StepContent
    edition: CourseEdition
    step: OutlineStep
    is_open: bool = False
    filled: frozenset[str] = frozenset()
    answers: tuple[Answer, ...] = ()
    errors: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def shows(self) -> tuple[Hashable, ...]:
        edition = self.edition
        state = self.is_open, self.filled, self.answers, self.errors
        return (edition.pk, edition.digest, self.step.key, self.content.locale, *state)

    @property
    def title(self) -> str:
        return self.content.title

    @property
    def lead(self) -> str:
        return self.content.lead

    @property
    def language(self) -> str:
        return self.content.locale

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        return self.content.sources

    @property
    def is_fallback(self) -> bool:
        """Whether the lesson is shown in another language than the screen's."""
        return self.language != texts.language()

    @property
    def has_worksheets(self) -> bool:
        return any(part["type"] == "worksheet" for part in self.content.segments)

    @property
    def framework_number(self) -> int | None:
        """The edition of the standards that the course was issued against."""
        framework = outline_of(self.edition).framework
        return framework.number if framework else None

    @cached_property
    def segments(self) -> list[dict[str, Any]]:
        """The parts in order, each with its state."""
        return [self._fill_in(segment) for segment in self.content.segments]

    def _fill_in(self, segment: Mapping[str, Any]) -> dict[str, Any]:
        filled = dict(segment)
        if segment["type"] not in ("reflection", "check", "worksheet"):
            return filled
        filled["errors"] = dict(self.errors).get(segment["key"], ())
        filled["is_filled"] = segment["key"] in self.filled
        if segment["type"] == "worksheet":
            fields = segment["fields"]
            filled["fields"] = [{**one, "place": place_of(segment["key"], one["key"])} for one in fields]
        elif segment["type"] == "check":
            self._answer(filled)
        return filled

    def _answer(self, filled: dict[str, Any]) -> None:
        """A check with the answer that was given. Of its key only the feedback on that answer is shown."""
        key = filled["key"]
        nothing: Answer = (key, (), None)
        _key, chosen, right = next((answer for answer in self.answers if answer[0] == key), nothing)
        feedback = self.content.keys.get(key, {}).get("feedback", {})
        filled["answered"] = right is not None
        filled["right"] = bool(right)
        filled["feedback"] = [
            {"option": option["text"], "text": feedback[option["key"]]}
            for option in filled["options"]
            if option["key"] in chosen and feedback.get(option["key"])
        ]
        filled["options"] = [{**option, "chosen": option["key"] in chosen} for option in filled["options"]]

    @property
    def missing(self) -> list[dict[str, str]]:
        """The parts that an attempt to complete found open, for the error summary."""
        prompts = {
            part["key"]: part.get("prompt") or part.get("title", "")
            for part in self.content.segments
            if "key" in part
        }
        return [
            {"url": f"#part-{key}", "prompt": prompts.get(key, ""), "error": " ".join(said)}
            for key, said in self.errors
        ]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What somebody wrote into a lesson, by part (by part and field for a worksheet), and when it was last kept."""

    words: Mapping[str, str] = field(default_factory=dict)
    saved: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)


def place_of(part: str, name: str) -> str:
    """The key of a worksheet's field among the words."""
    return f"{part}/{name}"


@dataclass(frozen=True, kw_only=True)
class LessonView:
    """A lesson in the reader's language or, where it lacks that, in another."""

    text: LessonText
    written: Written = field(default_factory=Written)
    served: Sequence[ServedHere] = ()

    @property
    def title(self) -> str:
        return self.text.title

    @property
    def lead(self) -> str:
        return self.text.lead

    @property
    def language(self) -> str:
        return self.text.language

    @property
    def segments(self) -> Sequence[Mapping[str, Any]]:
        return self.text.segments

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        return self.text.sources

    @property
    def edition(self) -> CourseEdition:
        return self.text.edition

    @property
    def step(self) -> OutlineStep:
        return self.text.step

    @property
    def outline(self) -> Outline:
        return outline_of(self.edition)

    @property
    def is_fallback(self) -> bool:
        """Whether the lesson is shown in another language than the screen's."""
        return self.text.is_fallback

    @property
    def course_title(self) -> str:
        return self.edition.title_in(texts.language())

    @property
    def open_lessons(self) -> list[dict[str, str]]:
        """The lessons of the course that anyone may read, as a path; where the reader is stands among them."""
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
    """A lesson as its learner sees it. One round trip of two queries; see `find_content`.

    `typed` holds, by part, what was sent and could not be kept, so that it is not lost; `errors` by part.
    """
    content = find_content(place.enrolment.edition_id, place.outline_step.key, language)
    results = place.own.parts
    kept, served = _read_own(place)
    return LessonView(
        text=LessonText(
            content=content,
            edition=place.enrolment.edition,
            step=place.outline_step,
            is_open=place.is_open,
            filled=frozenset(kept),
            answers=_read_answers(content, results, typed or {}),
            errors=tuple((key, tuple(map(str, said))) for key, said in (errors or {}).items()),
        ),
        written=_read_written(content, kept, typed or {}),
        served=served,
    )


def _read_own(place: Place) -> tuple[dict[str, PersonalText], Sequence[ServedHere]]:
    """What the learner wrote, by part, and where they stand in what the step serves. One round trip of two queries."""
    keys = {part: uuid.UUID(result["text"]) for part, result in place.own.parts.items() if result.get("text")}
    served = served_by(place.enrolment.edition, place.outline_step)
    questions: list[Question[Any]] = [ask_texts(keys.values())] if keys else []
    if served:
        questions.append(ask_standings(served, place.enrolment.subject_id))
    answers = ask_together(*questions) if questions else []
    found = {text.id: text for text in answers[0]} if keys else {}
    kept = {part: found[key] for part, key in keys.items() if key in found}
    return kept, stand_in(served, answers[-1]) if served else served


def _read_answers(
    content: StepContent, results: Mapping[str, Mapping[str, Any]], typed: Mapping[str, Any]
) -> tuple[Answer, ...]:
    """What was chosen in each check; what was sent and not kept counts as not answered."""
    answers: list[Answer] = []
    for part in content.segments:
        key = part.get("key", "")
        if part["type"] == "check" and (key in typed or key in results):
            result = results.get(key, {})
            chosen = tuple(sorted(typed.get(key, result.get("choices", []))))
            right = bool(result["right"]) if "right" in result and key not in typed else None
            answers.append((key, chosen, right))
    return tuple(answers)


def _read_written(
    content: StepContent, kept: Mapping[str, PersonalText], typed: Mapping[str, Any]
) -> Written:
    words: dict[str, str] = {}
    for part in content.segments:
        key = part.get("key", "")
        if part["type"] == "reflection":
            words[key] = typed.get(key, kept[key].text if key in kept else "")
        elif part["type"] == "worksheet" and (key in kept or key in typed):
            fields = {**read_fields(kept.get(key)), **(typed.get(key) or {})}
            words.update((place_of(key, name), text) for name, text in fields.items())
    return Written(
        words=words,
        saved={key: say_saved(text.created_at) for key, text in kept.items()},
        since={key: text.created_at.isoformat() for key, text in kept.items()},
    )


def read_fields(text: PersonalText | None) -> dict[str, str]:
    """The fields of a worksheet as they were kept."""
    if text is None or not text.text:
        return {}
    found = json.loads(text.text)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def read_public_lesson(edition: CourseEdition, slug: str, *, language: str) -> LessonView | None:
    """A lesson that its author opened to the public, its parts to look at only. Two or three queries."""
    outline = outline_of(edition)
    step = outline.step_by_slug(slug)
    if step is None or not step.is_lesson or not step.open_to_public:
        return None
    content = find_content(edition.pk, step.key, language)
    return LessonView(
        text=LessonText(content=content, edition=edition, step=step), served=read_served(edition, step)
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
    result = place.own.parts.get(part_key, {})
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
