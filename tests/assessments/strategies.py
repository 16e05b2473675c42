"""Items, documents and responses as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from assessments.documents import (
    AssessmentDocument,
    CompetencyRef,
    Criterion,
    Item,
    Option,
    RubricLevel,
    Section,
)
from assessments.rules import Response

SECRET = "SECRET"
"""Stands in every text of the key, so that a leak is seen."""

words = st.fixed_dictionaries({"en": st.text(max_size=12), "fr": st.text(max_size=12)})
secret_words = words.map(lambda said: {language: f"{SECRET} {text}" for language, text in said.items()})
points = st.integers(0, 1000).map(lambda hundredths: Decimal(hundredths) / 100)
worth = st.integers(1, 1000).map(lambda hundredths: Decimal(hundredths) / 100)
numbers = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=4)
competencies = st.builds(
    CompetencyRef,
    id=st.sampled_from(["c1", "c2", "c3"]),
    code=st.just("B1"),
    level=st.sampled_from(["foundational", "practising"]),
)


@st.composite
def options(draw: st.DrawFn, *, one_right: bool) -> tuple[Option, ...]:
    keys = draw(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True))
    right = draw(st.sets(st.sampled_from(keys), min_size=1, max_size=1 if one_right else len(keys)))
    return tuple(
        Option(
            key=key,
            text_html=draw(words),
            feedback_html=draw(secret_words),
            correct=key in right,
        )
        for key in keys
    )


@st.composite
def items(draw: st.DrawFn, *, key: str = "item", kind: str | None = None) -> Item:
    kind = kind or draw(st.sampled_from(["single", "multiple", "true_false", "numeric", "short_text"]))
    own: dict[str, Any] = {}
    if kind in ("single", "multiple"):
        own["options"] = draw(options(one_right=kind == "single"))
        own["partial"] = draw(st.sampled_from([None, "per_option", "all_or_nothing"]))
    elif kind == "true_false":
        own["answer"] = draw(st.booleans())
        own["feedback_html"] = {"true": draw(secret_words), "false": draw(secret_words)}
    else:
        own["feedback_html"] = {"right": draw(secret_words), "wrong": draw(secret_words)}
    if kind == "numeric":
        own["answer"] = Decimal(draw(numbers))
        own["tolerance"] = draw(st.none() | numbers.map(abs))
        own["unit"] = {"en": "per 1,000 residents", "fr": "pour 1 000 habitants"}
    elif kind == "short_text":
        accepted = st.lists(st.text("abcé -", min_size=1).filter(str.strip), min_size=1, max_size=3)
        own["accept"] = {
            language: tuple(f"{SECRET} {text}" for text in draw(accepted)) for language in ("en", "fr")
        }
    return Item(
        key=key,
        id="00000000-0000-4000-8000-000000000000",
        kind=kind,
        competency=draw(st.none() | competencies),
        points=draw(worth),
        stem_html=draw(words),
        general_feedback_html=draw(secret_words),
        **own,
    )


@st.composite
def documents(draw: st.DrawFn) -> AssessmentDocument:
    sections = []
    for number in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 5))
        sections.append(
            Section(
                title=draw(words),
                items=tuple(draw(items(key=f"s{number}-i{place}")) for place in range(size)),
                draw=draw(st.none() | st.integers(1, size)),
            )
        )
    return AssessmentDocument(
        kind="quiz",
        title=draw(words),
        pass_mark=draw(st.none() | st.integers(0, 100).map(Decimal)),
        attempts=draw(st.none() | st.integers(1, 5)),
        shuffle_items=draw(st.booleans()),
        shuffle_options=draw(st.booleans()),
        sections=tuple(sections),
    )


@st.composite
def rubrics(draw: st.DrawFn) -> AssessmentDocument:
    criteria = tuple(
        Criterion(
            key=f"criterion-{number}",
            title=draw(words),
            competency=draw(st.none() | competencies),
            levels=tuple(
                RubricLevel(points=level, title=draw(words))
                for level in sorted(draw(st.lists(points, min_size=2, max_size=4)))
            ),
        )
        for number in range(draw(st.integers(1, 4)))
    )
    return AssessmentDocument(kind="assignment", title={"en": "Task"}, pass_mark=Decimal(60), rubric=criteria)


def responses(item: Item) -> st.SearchStrategy[Response]:
    """Any response that the item accepts, none included."""
    keys = [option.key for option in item.options]
    values: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "single": lambda: st.sampled_from(keys),
        "multiple": lambda: st.sets(st.sampled_from(keys), min_size=1).map(
            lambda ticks: tuple(sorted(ticks))
        ),
        "true_false": st.booleans,
        "numeric": lambda: numbers.map(Decimal),
        # A parsed answer has no outer spaces, so none is drawn with them.
        "short_text": lambda: (
            st.text("abc", min_size=1, max_size=5) | st.sampled_from(item.accept["fr"]).map(str.strip)
        ),
    }
    return (st.none() | values[item.kind]()).map(lambda value: Response(item.kind, value))


def right_response(item: Item) -> Response:
    """The response that earns all points."""
    right = tuple(sorted(option.key for option in item.options if option.correct))
    values: dict[str, Callable[[], Any]] = {
        "single": lambda: right[0],
        "multiple": lambda: right,
        "true_false": lambda: item.answer,
        "numeric": lambda: item.answer,
        "short_text": lambda: item.accept["fr"][0],
    }
    return Response(item.kind, values[item.kind]())
