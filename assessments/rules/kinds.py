"""The kinds of item. One class a kind; adding a kind is one class with ``@register``.

What a client sends (``raw``) is one JSON object per response:

=============  ==============================================================
kind           raw
=============  ==============================================================
single         ``{"choice": "a"}``
multiple       ``{"choices": ["a", "c"]}``
true_false     ``{"choice": "true"}`` (or ``"false"``, or a JSON boolean)
numeric        ``{"number": "1 234,5"}`` (text, as typed)
short_text     ``{"text": "scanning"}``
=============  ==============================================================

``{}``, ``null`` in the field, an empty list and an empty text all mean *not answered*, which is a valid
response worth no points. ``Response.to_json()`` gives the same shapes, canonically.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar

from assessments.documents import Item, say, write_decimal
from assessments.rules.text import MAX_NUMBER_LENGTH, NotANumber, matches_text, read_number

QUANTUM = Decimal("0.01")
"""Points are counted to the hundredth, as the database keeps them."""
MAX_TEXT_LENGTH = 500


@dataclass(frozen=True)
class Problem:
    """Why a response, or an item, is refused. Words are made from ``code`` and ``params`` elsewhere.

    Codes of responses: ``unknown_kind``, ``wrong_type`` (expected), ``unknown_key`` (keys), ``unknown_option``
    (keys), ``repeated_option``, ``not_a_number``, ``ambiguous_number``, ``too_long`` (limit).
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """One parsed answer. ``value``: None (not answered), an option key, a sorted tuple of option keys,
    a bool, a Decimal or a text, by kind."""

    kind: str
    value: str | tuple[str, ...] | bool | Decimal | None = None

    @property
    def answered(self) -> bool:
        return self.value is not None

    def to_json(self) -> dict[str, Any]:
        """The canonical raw shape; parsing it again gives an equal response."""
        name = KIND_REGISTRY[self.kind].raw_field
        if self.value is None:
            return {}
        if isinstance(self.value, bool):
            return {name: "true" if self.value else "false"}
        if isinstance(self.value, Decimal):
            return {name: write_decimal(self.value)}
        return {name: list(self.value) if isinstance(self.value, tuple) else self.value}


@dataclass(frozen=True, kw_only=True)
class ItemScore:
    """Points for one response. ``right``: all points; None while a person has to mark it (then 0 points)."""

    points: Decimal
    max_points: Decimal
    right: bool | None
    needs_marker: bool = False


class ItemKind(ABC):
    """What one kind of item accepts, how it is scored, and what of it may be seen."""

    code: ClassVar[str]
    raw_field: ClassVar[str]
    typed: ClassVar[bool] = False
    """Whether the response is words of the person's own, to be kept as ``PersonalText``."""
    extra_fields: ClassVar[frozenset[str]] = frozenset()
    """The keys of ``Item.extra`` that this kind knows."""

    def parse(self, item: Item, raw: object, *, language: str | None = None) -> Response | Problem:
        if not isinstance(raw, Mapping):
            return Problem("wrong_type", {"expected": "object"})
        unknown = sorted(str(key) for key in raw if key != self.raw_field)
        if unknown:
            return Problem("unknown_key", {"keys": unknown})
        value = raw.get(self.raw_field)
        if value is None or value in ("", []):
            return Response(self.code)
        return self.parse_value(item, value, language)

    @abstractmethod
    def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
        """Parse a value that is there."""

    @abstractmethod
    def share(self, item: Item, response: Response) -> tuple[int, int]:
        """What share of the points an answered response earns, as (numerator, denominator)."""

    @abstractmethod
    def public(self, item: Item, language: str, option_order: Sequence[str]) -> dict[str, Any]:
        """The kind's own part of what a learner may see before answering; nothing of the key."""

    @abstractmethod
    def reveal(self, item: Item, language: str) -> dict[str, Any]:
        """The right answer, for after the policy allows it."""

    @abstractmethod
    def feedback(self, item: Item, response: Response, right: bool, language: str) -> list[dict[str, str]]:
        """What the author says to this answer: ``[{"option": key or "", "html": …}]``."""

    @abstractmethod
    def check(self, item: Item) -> list[Problem]:
        """What keeps an item of this kind from being issued."""

    def option_keys(self, item: Item) -> tuple[str, ...]:
        """The keys that may be shuffled, in the author's order."""
        return tuple(option.key for option in item.options)

    def score(self, item: Item, response: Response) -> ItemScore:
        """Points = share × the item's points, rounded down to the hundredth; not answered earns none."""
        right_parts, parts = self.share(item, response) if response.answered else (0, 1)
        points = (item.points * right_parts / parts).quantize(QUANTUM, rounding=ROUND_DOWN)
        full = right_parts == parts
        return ItemScore(points=item.points if full else points, max_points=item.points, right=full)


KIND_REGISTRY: dict[str, ItemKind] = {}


def register(kind: type[ItemKind]) -> type[ItemKind]:
    """Make a kind known under its code. A code is used once."""
    if kind.code in KIND_REGISTRY:
        raise ValueError(f"The item kind {kind.code} is registered already.")
    KIND_REGISTRY[kind.code] = kind()
    return kind


class _WithOptions(ItemKind):
    """What single choice and multiple response share."""

    def public(self, item: Item, language: str, option_order: Sequence[str]) -> dict[str, Any]:
        texts = {option.key: say(option.text_html, language) for option in item.options}
        order = [key for key in dict.fromkeys(option_order) if key in texts]
        order += [key for key in texts if key not in order]
        return {"options": [{"key": key, "text_html": texts[key]} for key in order]}

    def reveal(self, item: Item, language: str) -> dict[str, Any]:
        return {"options": [option.key for option in item.options if option.correct]}

    def feedback(self, item: Item, response: Response, right: bool, language: str) -> list[dict[str, str]]:
        chosen = response.value if isinstance(response.value, tuple) else (response.value,)
        return [
            {"option": option.key, "html": html}
            for option in item.options
            if option.key in chosen and (html := say(option.feedback_html, language))
        ]

    def check(self, item: Item) -> list[Problem]:
        keys = self.option_keys(item)
        problems = []
        if len(keys) < 2:
            problems.append(Problem("too_few_options", {"item": item.key, "least": 2}))
        if len(set(keys)) < len(keys):
            problems.append(Problem("repeated_option", {"item": item.key}))
        return problems


@register
class SingleChoice(_WithOptions):
    """One of several; full points or none."""

    code = "single"
    raw_field = "choice"

    def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
        if not isinstance(value, str):
            return Problem("wrong_type", {"expected": "text"})
        if value not in self.option_keys(item):
            return Problem("unknown_option", {"keys": [value]})
        return Response(self.code, value)

    def share(self, item: Item, response: Response) -> tuple[int, int]:
        return int(any(option.correct and option.key == response.value for option in item.options)), 1

    def check(self, item: Item) -> list[Problem]:
        problems = super().check(item)
        if sum(option.correct for option in item.options) != 1:
            problems.append(Problem("one_right_option_needed", {"item": item.key}))
        return problems


@register
class MultipleResponse(_WithOptions):
    """Any number of several.

    Partial credit, ``per_option`` (the default): (right ticks − wrong ticks) ÷ number of right options,
    never below zero. So ticking everything never pays, a missed option costs its share, and one wrong
    tick undoes one right tick. ``all_or_nothing``: exactly the right options, or no points.
    """

    code = "multiple"
    raw_field = "choices"

    def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
        if not isinstance(value, list | tuple) or not all(isinstance(key, str) for key in value):
            return Problem("wrong_type", {"expected": "list of text"})
        unknown = sorted(set(value) - set(self.option_keys(item)))
        if unknown:
            return Problem("unknown_option", {"keys": unknown})
        if len(set(value)) < len(value):
            return Problem("repeated_option")
        return Response(self.code, tuple(sorted(value)) or None)

    def share(self, item: Item, response: Response) -> tuple[int, int]:
        ticks = set(response.value) if isinstance(response.value, tuple) else set()
        correct = {option.key for option in item.options if option.correct}
        if item.partial == "all_or_nothing":
            return int(ticks == correct), 1
        return max(0, len(ticks & correct) - len(ticks - correct)), max(1, len(correct))

    def public(self, item: Item, language: str, option_order: Sequence[str]) -> dict[str, Any]:
        seen = super().public(item, language, option_order)
        return {**seen, "partial": item.partial or "per_option"}

    def check(self, item: Item) -> list[Problem]:
        problems = super().check(item)
        if not any(option.correct for option in item.options):
            problems.append(Problem("right_option_needed", {"item": item.key}))
        return problems


@register
class TrueFalse(ItemKind):
    """A statement that is true or false."""

    code = "true_false"
    raw_field = "choice"

    def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
        if isinstance(value, bool):
            return Response(self.code, value)
        if not isinstance(value, str):
            return Problem("wrong_type", {"expected": "true or false"})
        if value not in ("true", "false"):
            return Problem("unknown_option", {"keys": [value]})
        return Response(self.code, value == "true")

    def share(self, item: Item, response: Response) -> tuple[int, int]:
        return int(response.value is item.answer), 1

    def option_keys(self, item: Item) -> tuple[str, ...]:
        return ()  # "true" always stands before "false"

    def public(self, item: Item, language: str, option_order: Sequence[str]) -> dict[str, Any]:
        return {}

    def reveal(self, item: Item, language: str) -> dict[str, Any]:
        return {"choice": "true" if item.answer else "false"}

    def feedback(self, item: Item, response: Response, right: bool, language: str) -> list[dict[str, str]]:
        said = "true" if response.value else "false"
        html = say(item.feedback_html.get(said, {}), language) if response.answered else ""
        return [{"option": said, "html": html}] if html else []

    def check(self, item: Item) -> list[Problem]:
        return [] if isinstance(item.answer, bool) else [Problem("answer_needed", {"item": item.key})]


class _Typed(ItemKind):
    """What numeric and short text share: feedback for right and for wrong."""

    def feedback(self, item: Item, response: Response, right: bool, language: str) -> list[dict[str, str]]:
        outcome = "right" if right else "wrong"
        html = say(item.feedback_html.get(outcome, {}), language) if response.answered else ""
        return [{"option": "", "html": html}] if html else []


@register
class Numeric(_Typed):
    """A number within an absolute tolerance on either side, bounds included."""

    code = "numeric"
    raw_field = "number"

    def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
        if isinstance(value, bool) or not isinstance(value, str | int):
            return Problem("wrong_type", {"expected": "number as text"})
        if isinstance(value, int) and abs(value) >= 10**MAX_NUMBER_LENGTH:
            return Problem("not_a_number")
        if not str(value).strip():
            return Response(self.code)
        try:
            number = read_number(str(value), language=language, units=item.unit.values())
        except NotANumber as problem:
            return Problem(problem.code)
        return Response(self.code, Decimal(write_decimal(number)))

    def share(self, item: Item, response: Response) -> tuple[int, int]:
        if isinstance(item.answer, bool) or item.answer is None or not isinstance(response.value, Decimal):
            return 0, 1
        tolerance = item.tolerance or Decimal(0)
        return int(item.answer - tolerance <= response.value <= item.answer + tolerance), 1

    def public(self, item: Item, language: str, option_order: Sequence[str]) -> dict[str, Any]:
        return {"unit": say(item.unit, language)}

    def reveal(self, item: Item, language: str) -> dict[str, Any]:
        answer = item.answer if isinstance(item.answer, Decimal) else Decimal(0)
        return {"number": write_decimal(answer), "tolerance": write_decimal(item.tolerance or Decimal(0))}

    def check(self, item: Item) -> list[Problem]:
        problems = []
        if not isinstance(item.answer, Decimal):
            problems.append(Problem("answer_needed", {"item": item.key}))
        if item.tolerance is not None and item.tolerance < 0:
            problems.append(Problem("tolerance_below_zero", {"item": item.key}))
        return problems


@register
class ShortText(_Typed):
    """A word or two, compared with the accepted texts of every language (an attempt serves them all)."""

    code = "short_text"
    raw_field = "text"
    typed = True

    def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
        if not isinstance(value, str):
            return Problem("wrong_type", {"expected": "text"})
        if len(value) > MAX_TEXT_LENGTH:
            return Problem("too_long", {"limit": MAX_TEXT_LENGTH})
        # PostgreSQL keeps no NUL in a text.
        return Response(self.code, value.replace("\x00", "").strip() or None)

    def share(self, item: Item, response: Response) -> tuple[int, int]:
        accepted = [text for texts in item.accept.values() for text in texts]
        return int(isinstance(response.value, str) and matches_text(response.value, accepted)), 1

    def public(self, item: Item, language: str, option_order: Sequence[str]) -> dict[str, Any]:
        return {}

    def reveal(self, item: Item, language: str) -> dict[str, Any]:
        texts = item.accept.get(language) or next(iter(item.accept.values()), ())
        return {"accept": list(texts)}

    def check(self, item: Item) -> list[Problem]:
        empty = not item.accept or not all(
            any(text.strip() for text in texts) for texts in item.accept.values()
        )
        return [Problem("accepted_text_needed", {"item": item.key})] if empty else []
