"""Work that waits to be marked, the marks of a quiz, and how its questions went."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final
from urllib.parse import quote

from django.db.models import Q, QuerySet
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.models import AssessmentEdition, AssessmentKind, Attempt
from assessments.services import document_of
from core.kept import Kept
from lms import texts
from lms.desk_texts import say_days_ago, say_learners
from lms.models import Enrolment
from lms.rules.roster import ANSWERS, MARKS, WORK
from lms.selectors.desk import colon, step_titles
from lms.selectors.desk_board import Board
from lms.words import say_number, say_percent
from modules.documents import OutlineStep
from modules.models import EditionAssessment
from modules.selectors import outline_of

# A question is pointed out when so many answered it and more than half of them wrongly.
LEAST_ANSWERS = 8
MOST_BARS = 8


# --- Work to mark, marks and questions ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MarkingJob:
    """How much work waits to be marked, of how much that was handed in; `age` says since when the oldest waits."""

    waiting: int
    total: int
    age: str
    steps: tuple[str, ...]

    @property
    def title(self) -> str:
        return ngettext(
            "Mark %(waiting)d of %(total)d assignment",
            "Mark %(waiting)d of %(total)d assignments",
            self.total,
        ) % {"waiting": self.waiting, "total": self.total}

    @property
    def sentence(self) -> str:
        where = ", ".join(self.steps)
        if not self.age:
            return where
        return _("%(steps)s. The oldest came %(age)s.") % {"steps": where, "age": self.age}


def submitted_work(enrolments: QuerySet[Enrolment]) -> QuerySet[Attempt]:
    """The assignments that were handed in in these enrolments."""
    return Attempt.objects.filter(
        sitting__context__in=enrolments.values("pk"),
        sitting__edition__kind=AssessmentKind.ASSIGNMENT,
        submitted_at__isnull=False,
    )


# An attempt with neither points nor a verdict waits; one with a verdict and no points was returned.
WAITING = Q(points__isnull=True, passed__isnull=True)
RETURNED = Q(points__isnull=True, passed=False)
MARKED = Q(points__isnull=False)


def read_marking_job(board: Board) -> MarkingJob:
    """What waits to be marked in an offering. No query, but one for each edition that the process does not keep."""
    key = (board.sums, board.edition.pk, texts.language())
    waiting, total, steps = _jobs.read(key, lambda: _count_work(board))
    age = say_days_ago(board.oldest_work, board.head.now) if board.oldest_work else ""
    return MarkingJob(waiting=waiting, total=total, age=age, steps=steps)


# How much waits, of how much, and in which steps: numbers alone, each under the counts that it was made of.
_jobs: Final[Kept[tuple[Hashable, ...], tuple[int, int, tuple[str, ...]]]] = Kept(64)


def _count_work(board: Board) -> tuple[int, int, tuple[str, ...]]:
    places = {
        str(assessment.pk): titles.get(step_key, "")
        for edition in board.editions.values()
        for titles in [step_titles(edition)]
        for step_key, assessment in held_in(edition.pk).items()
    }
    waiting: Counter[str] = Counter()
    total = 0
    for key, count in board.counts.get(WORK, {}).items():
        assessment, code = key.split("|")
        if code == "waiting":
            waiting[assessment] += count
        else:
            total += count
    steps = dict.fromkeys(title for assessment, title in places.items() if title and waiting[assessment])
    return sum(waiting.values()), total, tuple(steps)


_held: Final[Kept[uuid.UUID, dict[uuid.UUID, AssessmentEdition]]] = Kept(64)


def held_in(edition_id: uuid.UUID) -> dict[uuid.UUID, AssessmentEdition]:
    """The assessment of each assessed step of an edition. At most one query, mostly none: an edition never changes."""

    def read() -> dict[uuid.UUID, AssessmentEdition]:
        rows = (
            EditionAssessment.objects.filter(edition_id=edition_id)
            .select_related("assessment")
            .order_by("pk")
        )
        return {row.step_key: row.assessment for row in rows}

    return _held.read(edition_id, read)


def assessed_steps(editions: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The step that holds an assessment edition, by the latter's key. One query."""
    rows = EditionAssessment.objects.filter(edition_id__in=list(editions))
    return dict(rows.values_list("assessment_id", "step_key"))


@dataclass(frozen=True, kw_only=True)
class Score:
    """How many have these points as the best of their attempts in a quiz."""

    points: Decimal
    of: Decimal
    passed: bool
    count: int


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: how many have a mark in this range."""

    label: str
    value: int
    below: bool


@dataclass(frozen=True, kw_only=True)
class QuestionStat:
    """How a question went in first attempts."""

    number: int
    stem: str
    right: int
    answered: int

    @property
    def wrong(self) -> int:
        return self.answered - self.right

    @property
    def needs_a_look(self) -> bool:
        return self.answered >= LEAST_ANSWERS and self.wrong * 2 > self.answered

    @property
    def words(self) -> str:
        return say_learners(self.right, self.answered)


@dataclass(frozen=True, kw_only=True, eq=False)
class Marks:
    """The best marks in one quiz.

    The process keeps one for all who are to see the same, so it is equal to itself only.
    """

    step: OutlineStep
    title: str
    bars: tuple[Bar, ...]
    handed_in: int
    passed: int
    of: int
    in_percent: bool
    max_points: Decimal
    pass_mark: Decimal | None
    others: tuple[tuple[str, str], ...]
    questions: tuple[QuestionStat, ...]

    @property
    def top(self) -> int:
        return max(bar.value for bar in self.bars)

    @property
    def sentence(self) -> str:
        said = [
            ngettext(
                "%(count)d of %(total)d learner has handed in.",
                "%(count)d of %(total)d learners have handed in.",
                self.of,
            )
            % {"count": self.handed_in, "total": self.of},
            _("Best attempt of each.")
            if self.in_percent
            else _("Best attempt of each, out of %(points)s.") % {"points": say_number(self.max_points)},
        ]
        if self.pass_mark is not None:
            said.append(
                _("The pass mark is %(mark)s: %(passed)d of %(total)d reached it.")
                % {"mark": say_percent(self.pass_mark), "passed": self.passed, "total": self.handed_in}
            )
        return " ".join(said)

    @property
    def axis(self) -> str:
        if self.in_percent:
            axis = _("mark, in percent")
        else:
            axis = _("mark, out of %(points)s") % {"points": say_number(self.max_points)}
        if any(bar.below and bar.value for bar in self.bars):
            return _("%(axis)s; outlined bars are under the pass mark") % {"axis": axis}
        return axis

    @property
    def label(self) -> str:
        """The chart in one sentence."""
        said = [
            ngettext("%(count)d learner has %(mark)s", "%(count)d learners have %(mark)s", bar.value)
            % {"count": bar.value, "mark": bar.label}
            for bar in self.bars
            if bar.value
        ]
        return f"{self.title}{colon()}{', '.join(said)}"

    @cached_property
    def hardest(self) -> QuestionStat | None:
        """The question that most got wrong, where it is worth a look."""
        hard = [one for one in self.questions if one.needs_a_look]
        return min(hard, key=lambda one: (one.right / one.answered, one.number), default=None)


def read_marks(board: Board, *, wanted: str = "") -> Marks | None:
    """The marks of one quiz: the one asked for, else the one handed in last; None: no quiz yet. No query, but one for
    an edition that the process does not keep.
    """
    if wanted and all(step.slug != wanted for step in outline_of(board.edition).iter_steps()):
        wanted = ""
    key = (board.edition.pk, board.sums, board.last_quiz, wanted, texts.language())
    return _marks.read(key, lambda: (_make_marks(board, wanted),))[0]


# Numbers alone, each under the counts that it was made of.
_marks: Final[Kept[tuple[Hashable, ...], tuple[Marks | None]]] = Kept(64)


def _make_marks(board: Board, wanted: str) -> Marks | None:
    edition = board.edition
    quizzes = [step for step in outline_of(edition).iter_steps() if step.kind == "quiz"]
    scores: dict[str, list[Score]] = defaultdict(list)
    for counted, count in board.counts.get(MARKS, {}).items():
        step, points, of, passed = counted.split("|")
        scores[step].append(Score(points=Decimal(points), of=Decimal(of), passed=passed == "1", count=count))
    there = [step for step in quizzes if str(step.key) in scores]
    chosen = (
        next((step for step in there if step.slug == wanted), None)
        or next((step for step in there if step.key == board.last_quiz), None)
        or next(iter(there), None)
    )
    if chosen is None:
        return None
    titles = step_titles(edition)
    found = scores[str(chosen.key)]
    terms = board.base_terms.get(chosen.key)
    pass_mark = terms.pass_mark if terms else None
    bars, in_percent = _draw_bars(found, pass_mark)
    return Marks(
        step=chosen,
        title=titles[chosen.key],
        bars=bars,
        handed_in=sum(score.count for score in found),
        passed=sum(score.count for score in found if score.passed),
        of=board.total,
        in_percent=in_percent,
        max_points=max(score.of for score in found),
        pass_mark=pass_mark,
        others=tuple(
            (titles[step.key], f"?quiz={quote(step.slug)}#marks") for step in there if step is not chosen
        ),
        questions=_read_questions(board, chosen),
    )


def _draw_bars(scores: Sequence[Score], pass_mark: Decimal | None) -> tuple[tuple[Bar, ...], bool]:
    """One bar a point where few points are to be had, else five bands of percent."""
    tops = {score.of for score in scores}
    top = max(tops)
    lowest = min(int(score.points) for score in scores)
    counts: Counter[int] = Counter()
    if len(tops) == 1 and top == int(top) and int(top) - lowest < MOST_BARS:
        for score in scores:
            counts[int(score.points)] += score.count
        return tuple(
            Bar(
                label=str(points),
                value=counts[points],
                below=pass_mark is not None and points * 100 < pass_mark * top,
            )
            for points in range(lowest, int(top) + 1)
        ), False
    for score in scores:
        counts[min(4, int(score.points * 5 / score.of))] += score.count
    # A band counts as under the pass mark where all of it is.
    return tuple(
        Bar(
            label=f"{band * 20}–{100 if band == 4 else band * 20 + 19}",
            value=counts[band],
            below=pass_mark is not None and (band + 1) * 20 <= pass_mark,
        )
        for band in range(5)
    ), True


def _read_questions(board: Board, step: OutlineStep) -> tuple[QuestionStat, ...]:
    """How each question went in everyone's first attempt."""
    held = held_in(board.edition.pk).get(step.key)
    if held is None:
        return ()
    right: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for key, count in board.counts.get(ANSWERS, {}).items():
        assessment, item, was_right = key.split("|")
        if assessment == str(held.pk):
            answered[item] += count
            right[item] += count if was_right == "1" else 0
    return tuple(
        QuestionStat(number=number, stem=stem, right=right[key], answered=answered[key])
        for number, (key, stem) in enumerate(_stems_of(held, texts.language()), start=1)
        if answered[key]
    )


_stems: Final[Kept[tuple[uuid.UUID, str], list[tuple[str, str]]]] = Kept(128)


def _stems_of(assessment: AssessmentEdition, language: str) -> list[tuple[str, str]]:
    """The key of each question and the question on one line; an issued assessment never changes."""
    return _stems.read(
        (assessment.pk, language),
        lambda: [
            (item.key, shorten(strip_tags(texts.say(item.stem_html, language))))
            for item in document_of(assessment).items_by_key().values()
        ],
    )


def shorten(text: str, limit: int = 140) -> str:
    """A text on one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rsplit(" ", 1)[0] + "…"
