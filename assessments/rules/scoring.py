"""From responses to points, from points to a pass; what may be shown of it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

from assessments.documents import AssessmentDocument, CompetencyRef, Item, say, write_decimal
from assessments.rules.forms import Form
from assessments.rules.kinds import KIND_REGISTRY, QUANTUM, ItemScore, Problem, Response
from assessments.rules.policy import Visibility

CompetencyLevel = tuple[str, str]
"""(competency id, level)"""


@dataclass(frozen=True, kw_only=True)
class CompetencyScore:
    """The points that count towards one competency at one level."""

    points: Decimal
    max_points: Decimal


@dataclass(frozen=True, kw_only=True)
class AttemptScore:
    """The result of one attempt.

    ``percent`` is rounded *down* to the hundredth, so that it never shows a pass mark that was not
    reached; None where there are no points to earn or a person still has to mark something. ``passed``
    compares exactly (points × 100 ≥ pass mark × max points); None where nothing has to be passed or a
    person still has to mark. ``waiting`` names the items or criteria that wait for a marker.
    """

    points: Decimal
    max_points: Decimal
    percent: Decimal | None
    passed: bool | None
    by_item: Mapping[str, ItemScore] = field(default_factory=dict)
    by_competency: Mapping[CompetencyLevel, CompetencyScore] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For ``Attempt.score``: numbers as text, ``by_competency`` as a list."""
        return {
            "points": write_decimal(self.points),
            "max_points": write_decimal(self.max_points),
            "percent": None if self.percent is None else write_decimal(self.percent),
            "passed": self.passed,
            "by_item": {
                key: {
                    "points": write_decimal(score.points),
                    "max_points": write_decimal(score.max_points),
                    "right": score.right,
                    "needs_marker": score.needs_marker,
                }
                for key, score in self.by_item.items()
            },
            "by_competency": [
                {
                    "competency": competency,
                    "level": level,
                    "points": write_decimal(score.points),
                    "max_points": write_decimal(score.max_points),
                }
                for (competency, level), score in self.by_competency.items()
            ],
            "waiting": list(self.waiting),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AttemptScore:
        return cls(
            points=Decimal(data["points"]),
            max_points=Decimal(data["max_points"]),
            percent=None if data["percent"] is None else Decimal(data["percent"]),
            passed=data["passed"],
            by_item={
                key: ItemScore(
                    points=Decimal(score["points"]),
                    max_points=Decimal(score["max_points"]),
                    right=score["right"],
                    needs_marker=score["needs_marker"],
                )
                for key, score in data["by_item"].items()
            },
            by_competency={
                (entry["competency"], entry["level"]): CompetencyScore(
                    points=Decimal(entry["points"]), max_points=Decimal(entry["max_points"])
                )
                for entry in data["by_competency"]
            },
            waiting=tuple(data["waiting"]),
        )


def parse_response(item: Item, raw: object, *, language: str | None = None) -> Response | Problem:
    """Read what a client sent for an item (shapes: :mod:`assessments.rules.kinds`), or say what is wrong.

    ``language`` is the language of the screen it was typed in; only a number like ``1,234`` needs it.
    """
    kind = KIND_REGISTRY.get(item.kind)
    if kind is None:
        return Problem("unknown_kind", {"kind": item.kind})
    return kind.parse(item, raw, language=language)


def score_item(item: Item, response: Response | None) -> ItemScore:
    """Score one response; None (nothing was saved) is scored as not answered.

    Errors: ``ValueError`` where the response is of another kind than the item.
    """
    if response is not None and response.kind != item.kind:
        raise ValueError(f"A {response.kind} response cannot answer the {item.kind} item {item.key}.")
    return KIND_REGISTRY[item.kind].score(item, response or Response(item.kind))


def score_attempt(
    document: AssessmentDocument, form: Form, responses: Mapping[str, Response]
) -> AttemptScore:
    """Score an attempt: ``responses`` by item key; every item of the form counts, answered or not.

    Errors: ``ValueError`` for a response to an item that the form does not show, ``KeyError`` for a form
    of another document.
    """
    strangers = sorted(set(responses) - set(form.keys))
    if strangers:
        raise ValueError(f"The form does not show {', '.join(strangers)}.")
    items = document.items_by_key()
    scores = {key: score_item(items[key], responses.get(key)) for key in form.keys}
    return _add_up(scores, {key: items[key].competency for key in scores}, pass_mark=document.pass_mark)


def score_rubric(document: AssessmentDocument, levels_chosen: Mapping[str, int]) -> AttemptScore:
    """Score an assignment: ``levels_chosen`` maps a criterion's key to the index of the level reached.

    ``by_item`` is by criterion; ``right`` says whether its highest level was reached. While a criterion has
    no level, it waits for the marker and there is neither percent nor pass.
    Errors: ``ValueError`` for an unknown criterion or level.
    """
    criteria = {criterion.key: criterion for criterion in document.rubric}
    for key, index in levels_chosen.items():
        if key not in criteria:
            raise ValueError(f"The rubric has no criterion {key}.")
        if isinstance(index, bool) or not 0 <= index < len(criteria[key].levels):
            raise ValueError(f"The criterion {key} has no level {index}.")
    scores = {}
    for key, criterion in criteria.items():
        if key in levels_chosen:
            points = criterion.levels[levels_chosen[key]].points
            top = points == criterion.max_points
            scores[key] = ItemScore(points=points, max_points=criterion.max_points, right=top)
        else:
            scores[key] = ItemScore(
                points=Decimal(0), max_points=criterion.max_points, right=None, needs_marker=True
            )
    competencies = {key: criterion.competency for key, criterion in criteria.items()}
    return _add_up(scores, competencies, pass_mark=document.pass_mark)


def best_score(scores: Mapping[int, AttemptScore]) -> tuple[int, AttemptScore] | None:
    """The attempt that counts: the highest share of points, the earliest of equals.

    ``scores`` is by attempt number. Attempts that wait for a marker do not count yet; None if none does.
    """
    marked = [(number, score) for number, score in scores.items() if not score.waiting]
    return min(marked, key=lambda pair: (-_share(pair[1]), pair[0]), default=None)


def review_item(
    item: Item, response: Response | None, visibility: Visibility, language: str
) -> dict[str, Any]:
    """What may be shown of an answered item, as far as ``visibility`` goes.

    Shape, each key only where it may be seen: ``response`` (always, the canonical raw shape), ``right``,
    ``points``, ``max_points`` (``results``); ``feedback`` ``[{"option", "html"}]`` and ``general_feedback``
    (``feedback``); ``key``, the right answer by kind: ``{"options": […]}``, ``{"choice"}``,
    ``{"number", "tolerance"}`` or ``{"accept": […]}`` (``answers``).
    """
    response = response or Response(item.kind)
    score, kind = score_item(item, response), KIND_REGISTRY[item.kind]
    seen: dict[str, Any] = {"response": response.to_json()}
    if visibility.results:
        seen["right"] = score.right
        seen["points"] = write_decimal(score.points)
        seen["max_points"] = write_decimal(score.max_points)
    if visibility.feedback:
        seen["feedback"] = kind.feedback(item, response, bool(score.right), language)
        seen["general_feedback"] = say(item.general_feedback_html, language)
    if visibility.answers:
        seen["key"] = kind.reveal(item, language)
    return seen


def _share(score: AttemptScore) -> Decimal:
    return score.points / score.max_points if score.max_points else Decimal(0)


def _add_up(
    scores: Mapping[str, ItemScore],
    competencies: Mapping[str, CompetencyRef | None],
    *,
    pass_mark: Decimal | None,
) -> AttemptScore:
    points, max_points = _totals(scores.values())
    waiting = tuple(key for key, score in scores.items() if score.needs_marker)
    by_competency: dict[CompetencyLevel, list[ItemScore]] = {}
    for key, score in scores.items():
        ref = competencies[key]
        if ref is not None:
            by_competency.setdefault((ref.id, ref.level), []).append(score)
    percent = passed = None
    if max_points and not waiting:
        percent = (points * 100 / max_points).quantize(QUANTUM, rounding=ROUND_DOWN)
        passed = None if pass_mark is None else points * 100 >= pass_mark * max_points
    sums = {pair: _totals(parts) for pair, parts in sorted(by_competency.items())}
    return AttemptScore(
        points=points,
        max_points=max_points,
        percent=percent,
        passed=passed,
        by_item=dict(scores),
        by_competency={
            pair: CompetencyScore(points=part, max_points=whole) for pair, (part, whole) in sums.items()
        },
        waiting=waiting,
    )


def _totals(scores: Iterable[ItemScore]) -> tuple[Decimal, Decimal]:
    counted = list(scores)
    points = sum((score.points for score in counted), Decimal(0))
    return points, sum((score.max_points for score in counted), Decimal(0))
