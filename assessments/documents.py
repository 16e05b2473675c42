"""The document of an assessment edition: what was issued, with its key, in every language.

One JSON object is the immutable text of an ``AssessmentEdition``. These frozen dataclasses are its shape;
``from_json`` reads it strictly, ``to_json`` writes it canonically: ``from_json(d.to_json()) == d``, and
a document written by ``to_json`` comes back byte for byte, so that its digest stands.

Units: ``pass_mark`` is a percentage of points (0–100); points are points; ``time_limit_minutes`` and
``minutes`` are whole minutes. Numbers that are measured or scored are ``Decimal`` here and strings in
JSON, never floats. ``Words`` maps a language code to text; HTML fields hold HTML that was already cleaned
by the compiler.

Errors: :class:`DocumentError` names the place in the document (``sections[0].items[3].points``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from assessments.shapes import DocumentError, Reader, Words, say, write_decimal

KINDS = ("quiz", "assignment", "evaluation")
FEEDBACK_POLICIES = ("after_submit", "after_pass", "after_last", "never")
PARTIAL_RULES = ("per_option", "all_or_nothing")

__all__ = [
    "AssessmentDocument",
    "CompetencyRef",
    "Criterion",
    "DocumentError",
    "Item",
    "Option",
    "RubricLevel",
    "Section",
    "Submission",
    "Words",
    "say",
    "write_decimal",
]


@dataclass(frozen=True, kw_only=True)
class CompetencyRef:
    """The competency, at a level, that an item or a criterion is evidence for."""

    id: str
    code: str
    level: str

    @classmethod
    def from_json(cls, data: object, place: str = "") -> CompetencyRef:
        read = Reader(data, place)
        ref = cls(id=read.text("id"), code=read.text("code"), level=read.text("level"))
        read.close()
        return ref

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "code": self.code, "level": self.level}


def read_competency(data: object, place: str) -> CompetencyRef | None:
    return None if data is None else CompetencyRef.from_json(data, place)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One answer to tick. ``correct`` and ``feedback_html`` are part of the key."""

    key: str
    text_html: Words
    feedback_html: Words = field(default_factory=dict)
    correct: bool = False

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Option:
        read = Reader(data, place)
        option = cls(
            key=read.text("key"),
            text_html=read.words("text_html"),
            feedback_html=read.words("feedback_html"),
            correct=read.flag("correct"),
        )
        read.close()
        return option

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "text_html": dict(self.text_html),
            "feedback_html": dict(self.feedback_html),
            "correct": self.correct,
        }


@dataclass(frozen=True, kw_only=True)
class Item:
    """One question as issued, key included.

    ``answer`` is a bool for true/false, a Decimal for numeric, else None. ``accept`` lists the short texts
    that count, by language. ``feedback_html`` maps an outcome to words: ``right``/``wrong`` for numeric and
    short text, ``true``/``false`` for having said so. ``extra`` holds the fields of kinds added later;
    the kind itself says which it knows (see ``ItemKind.extra_fields``).
    """

    key: str
    kind: str
    points: Decimal
    stem_html: Words
    id: str = ""
    competency: CompetencyRef | None = None
    options: tuple[Option, ...] = ()
    answer: bool | Decimal | None = None
    tolerance: Decimal | None = None
    unit: Words = field(default_factory=dict)
    accept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    feedback_html: Mapping[str, Words] = field(default_factory=dict)
    general_feedback_html: Words = field(default_factory=dict)
    partial: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Item:
        read = Reader(data, place)
        points = read.decimal("points", "1")
        assert points is not None
        if points < 0:
            raise DocumentError(read.at("points"), "points cannot be negative")
        partial = read.take("partial")
        if partial is not None and partial not in PARTIAL_RULES:
            raise DocumentError(
                read.at("partial"), f"one of {', '.join(PARTIAL_RULES)}, or null, is expected"
            )
        answer = read.data.get("answer")
        return cls(
            key=read.text("key"),
            id=read.text("id", ""),
            kind=read.text("kind"),
            competency=read_competency(read.take("competency"), read.at("competency")),
            points=points,
            stem_html=read.words("stem_html"),
            options=read.many("options", Option.from_json),
            answer=read.take("answer") if isinstance(answer, bool) else read.decimal("answer"),
            tolerance=read.decimal("tolerance"),
            unit=read.words("unit"),
            accept=_read_accept(read.take("accept", {}), read.at("accept")),
            feedback_html=_read_feedback(read.take("feedback_html", {}), read.at("feedback_html")),
            general_feedback_html=read.words("general_feedback_html"),
            partial=partial,
            extra=read.data,
        )

    def to_json(self) -> dict[str, Any]:
        answer = write_decimal(self.answer) if isinstance(self.answer, Decimal) else self.answer
        return {
            "key": self.key,
            "id": self.id,
            "kind": self.kind,
            "competency": self.competency.to_json() if self.competency else None,
            "points": write_decimal(self.points),
            "stem_html": dict(self.stem_html),
            "options": [option.to_json() for option in self.options],
            "answer": answer,
            "tolerance": None if self.tolerance is None else write_decimal(self.tolerance),
            "unit": dict(self.unit),
            "accept": {language: list(texts) for language, texts in self.accept.items()},
            "feedback_html": {outcome: dict(words) for outcome, words in self.feedback_html.items()},
            "general_feedback_html": dict(self.general_feedback_html),
            "partial": self.partial,
            **self.extra,
        }


def _read_accept(data: object, place: str) -> dict[str, tuple[str, ...]]:
    read = Reader(data, place)
    return {language: read.many(language, _read_text) for language in list(read.data)}


def _read_text(data: object, place: str) -> str:
    if not isinstance(data, str):
        raise DocumentError(place, "text is expected")
    return data


def _read_feedback(data: object, place: str) -> dict[str, Words]:
    read = Reader(data, place)
    return {outcome: read.words(outcome) for outcome in list(read.data)}


@dataclass(frozen=True, kw_only=True)
class Section:
    """A run of items. With ``draw``, that many of them are drawn for each attempt; else all are shown."""

    items: tuple[Item, ...]
    title: Words = field(default_factory=dict)
    draw: int | None = None

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Section:
        read = Reader(data, place)
        section = cls(
            title=read.words("title"),
            draw=read.whole("draw", least=1),
            items=read.many("items", Item.from_json),
        )
        read.close()
        return section

    def to_json(self) -> dict[str, Any]:
        items = [item.to_json() for item in self.items]
        return {"title": dict(self.title), "draw": self.draw, "items": items}


@dataclass(frozen=True, kw_only=True)
class RubricLevel:
    """What the work looks like at this depth, and the points it earns."""

    points: Decimal
    title: Words
    text_html: Words = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: object, place: str = "") -> RubricLevel:
        read = Reader(data, place)
        points = read.decimal("points")
        if points is None or points < 0:
            raise DocumentError(read.at("points"), "points from 0 up are expected")
        level = cls(points=points, title=read.words("title"), text_html=read.words("text_html"))
        read.close()
        return level

    def to_json(self) -> dict[str, Any]:
        return {
            "points": write_decimal(self.points),
            "title": dict(self.title),
            "text_html": dict(self.text_html),
        }


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One criterion of a rubric; its levels stand from lowest to highest and are named by their index."""

    key: str
    title: Words
    levels: tuple[RubricLevel, ...]
    competency: CompetencyRef | None = None

    @property
    def max_points(self) -> Decimal:
        return max((level.points for level in self.levels), default=Decimal(0))

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Criterion:
        read = Reader(data, place)
        criterion = cls(
            key=read.text("key"),
            title=read.words("title"),
            competency=read_competency(read.take("competency"), read.at("competency")),
            levels=read.many("levels", RubricLevel.from_json),
        )
        read.close()
        return criterion

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "title": dict(self.title),
            "competency": self.competency.to_json() if self.competency else None,
            "levels": [level.to_json() for level in self.levels],
        }


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What an assignment asks the learner to hand in."""

    text: bool = True
    files: bool = False
    max_files: int = 0

    @classmethod
    def from_json(cls, data: object, place: str = "") -> Submission:
        read = Reader(data, place)
        text, files = read.flag("text", True), read.flag("files")
        submission = cls(text=text, files=files, max_files=read.whole("max_files") or 0)
        read.close()
        return submission

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "files": self.files, "max_files": self.max_files}


@dataclass(frozen=True, kw_only=True)
class AssessmentDocument:
    """A whole assessment as issued: content, key and mappings, in every language.

    ``pass_mark`` None: nothing to pass (an evaluation). ``attempts`` None: no limit. ``rubric`` and
    ``submission`` belong to assignments, ``sections`` to quizzes and evaluations.
    """

    kind: str
    title: Words
    key: str = ""
    intro_html: Words = field(default_factory=dict)
    minutes: int | None = None
    pass_mark: Decimal | None = None
    attempts: int | None = None
    time_limit_minutes: int | None = None
    feedback: str = "after_submit"
    shuffle_items: bool = False
    shuffle_options: bool = False
    sections: tuple[Section, ...] = ()
    competencies: tuple[CompetencyRef, ...] = ()
    rubric: tuple[Criterion, ...] = ()
    submission: Submission | None = None

    def iter_items(self) -> Iterator[Item]:
        """Every item of every section, in document order (an item in two banks comes twice)."""
        for section in self.sections:
            yield from section.items

    @cached_property
    def _items(self) -> Mapping[str, Item]:
        return {item.key: item for item in self.iter_items()}

    def items_by_key(self) -> Mapping[str, Item]:
        return self._items

    @classmethod
    def from_json(cls, data: object) -> AssessmentDocument:
        read = Reader(data)
        shuffle = Reader(read.take("shuffle", {}), "shuffle")
        submission = read.take("submission")
        document = cls(
            kind=read.choice("kind", KINDS),
            key=read.text("key", ""),
            title=read.words("title"),
            intro_html=read.words("intro_html"),
            minutes=read.whole("minutes"),
            pass_mark=read.decimal("pass_mark"),
            attempts=read.whole("attempts", least=1),
            time_limit_minutes=read.whole("time_limit_minutes", least=1),
            feedback=read.choice("feedback", FEEDBACK_POLICIES, "after_submit"),
            shuffle_items=shuffle.flag("items"),
            shuffle_options=shuffle.flag("options"),
            sections=read.many("sections", Section.from_json),
            competencies=read.many("competencies", CompetencyRef.from_json),
            rubric=read.many("rubric", Criterion.from_json),
            submission=None if submission is None else Submission.from_json(submission, "submission"),
        )
        shuffle.close()
        read.close()
        if document.pass_mark is not None and not 0 <= document.pass_mark <= 100:
            raise DocumentError("pass_mark", "a percentage from 0 to 100 is expected")
        return document

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "key": self.key,
            "title": dict(self.title),
            "intro_html": dict(self.intro_html),
            "minutes": self.minutes,
            "pass_mark": None if self.pass_mark is None else write_decimal(self.pass_mark),
            "attempts": self.attempts,
            "time_limit_minutes": self.time_limit_minutes,
            "feedback": self.feedback,
            "shuffle": {"items": self.shuffle_items, "options": self.shuffle_options},
            "sections": [section.to_json() for section in self.sections],
            "competencies": [ref.to_json() for ref in self.competencies],
            "rubric": [criterion.to_json() for criterion in self.rubric],
            "submission": self.submission.to_json() if self.submission else None,
        }
