"""One step as its reader sees it: text, the parts filled in, feedback, the outline beside it, what it serves."""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.db.models import Case, F, Field, TextField, When
from django.db.models.functions import Cast
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import PersonalText
from accounts.services import ask_texts, read_texts
from core import clock
from core.kept import Kept, Shown
from core.prepared import PreparedQuery, given_uuid, is_among
from core.prepared_writes import Question, ask_together
from lms import texts
from lms.models import Enrolment, Standing, StepProgress
from lms.outlines import steps_of
from lms.rules import Step
from lms.selectors.ways import ModuleView, StepView, Way, enrolment_url, find_way_by
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


@dataclass(frozen=True)
class Doing:
    """What a learner did in one step, as far as its page shows it."""

    parts: Mapping[str, Any] = field(default_factory=dict)
    reason: Mapping[str, Any] | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a step stands in its course, and what is around it."""

    enrolment: Enrolment
    outline_step: OutlineStep
    way: Way
    rule: Step
    own: Doing
    now: datetime

    @cached_property
    def view(self) -> StepView:
        return self.way.step(self.outline_step.key, base=self.course_url)

    @property
    def previous(self) -> StepView | None:
        return self._with_address(self.way.before)

    @property
    def next(self) -> StepView | None:
        return self._with_address(self.way.after)

    @property
    def blocker(self) -> StepView | None:
        """The step that keeps this one locked."""
        return self._with_address(self.way.blocker)

    def _with_address(self, step: StepView | None) -> StepView | None:
        return replace(step, base=self.course_url) if step else None

    @cached_property
    def course_title(self) -> str:
        return self.enrolment.edition.title_in(texts.language())

    @cached_property
    def course_url(self) -> str:
        return enrolment_url(self.enrolment)

    @property
    def owner(self) -> str:
        """Whose words a device keeps until they are sent, and of which course."""
        return f"{self.enrolment.subject_id}:{self.enrolment.pk}"

    @cached_property
    def module(self) -> ModuleView:
        module = self.way.module
        assert module is not None
        return module

    @property
    def number_in_module(self) -> int:
        return self.way.number_in_module

    @property
    def is_last(self) -> bool:
        return self.way.after is None

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
        if self.own.reason is None or self.own.completed_at is None:
            return ""
        return texts.say_completion(self.own.reason, self.own.completed_at)


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


def _of_one(name: str, field: Field[Any, Any] | None = None) -> Case:
    value = Cast(name, field) if field else F(name)
    return Case(When(step_key=given_uuid("step"), then=value))


# Of every step where it stands, of one of them what was done in it as well. Keys and documents come as their texts:
# fifteen rows of which one is read whole.
_read_steps: Final = PreparedQuery(
    lambda: StepProgress.objects.filter(enrolment_id=given_uuid("enrolment")).annotate(
        key=Cast("step_key", TextField()),
        own_parts=_of_one("parts", TextField()),
        own_reason=_of_one("reason", TextField()),
        completed=_of_one("completed_at"),
    ),
    fields=("id", "state"),
    extra=("key", "own_parts", "own_reason", "completed"),
)
_read_standings: Final = PreparedQuery(
    lambda: Standing.objects.filter(
        is_among("competency_id", "competencies"), subject_id=given_uuid("subject")
    ).annotate(competency_key=F("competency_id")),
    fields=("id", "level", "state", "valid_until"),
    extra=("competency_key",),
)


def find_place(enrolment: Enrolment, slug: str) -> Place:
    """A step of a learner's own course by its address, with the way around it. One query."""
    outline = outline_of(enrolment.edition)
    step = outline.step_by_slug(slug) or _find_by_key(outline, slug)
    if step is None:
        raise Http404("This step is not part of the course.")
    course = steps_of(enrolment.edition)
    pattern = [""] * len(course.steps)
    here, own = str(step.key), Doing()
    for _id, state, key, parts, reason, completed in _read_steps.rows(enrolment=enrolment.pk, step=step.key):
        place = course.places.get(key)
        if place is not None:
            pattern[place] = state
        if key == here:
            own = Doing(json.loads(parts), json.loads(reason) if reason else None, completed)
    return Place(
        enrolment=enrolment,
        outline_step=step,
        way=find_way_by(enrolment.edition, tuple(pattern), here=step.key),
        rule=course.steps[course.places[here]],
        own=own,
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
    served = _served_by(place.enrolment.edition, place.outline_step)
    questions: list[Question[Any]] = [ask_texts(keys.values())] if keys else []
    if served:
        questions.append(_ask_standings(served, place.enrolment.subject_id))
    answers = ask_together(*questions) if questions else []
    found = {text.id: text for text in answers[0]} if keys else {}
    kept = {part: found[key] for part, key in keys.items() if key in found}
    return kept, _stand_in(served, answers[-1]) if served else served


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


_served: Final[Kept[tuple[Hashable, ...], tuple[ServedHere, ...]]] = Kept(512)


def read_served(
    edition: CourseEdition, step: OutlineStep, *, subject_id: uuid.UUID | None = None
) -> Sequence[ServedHere]:
    """What a step serves in the standards. One query, none without a person or where it serves nothing."""
    served = _served_by(edition, step)
    if subject_id is None or not served:
        return served
    return _stand_in(served, *ask_together(_ask_standings(served, subject_id)))


def _served_by(edition: CourseEdition, step: OutlineStep) -> Sequence[ServedHere]:
    """What it serves, whoever reads."""
    if not step.competencies:
        return ()
    return _served.read(
        (edition.pk, edition.digest, step.key, texts.language()),
        lambda: tuple(_describe_served(edition, step)),
    )


def _ask_standings(served: Sequence[ServedHere], subject_id: uuid.UUID) -> Question[Any]:
    return Question(
        _read_standings,
        {"subject": subject_id, "competencies": [one.id for one in served]},
        columns=("competency_key", "level", "state", "valid_until"),
    )


def _stand_in(
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
