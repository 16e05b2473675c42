"""One text for one content."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import canonical_json, digest, format_decimal

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=5), inner
        )
    ),
    max_leaves=20,
)


def test_keys_are_sorted_and_nothing_is_escaped() -> None:
    assert canonical_json({"é": 1, "a": [True, None, "«»"]}) == '{"a":[true,null,"«»"],"é":1}'


def test_our_values_have_one_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    key = uuid.UUID(int=5)
    assert canonical_json([moment, date(2026, 1, 2), key, Decimal("2.50"), (1,)]) == (
        f'["2026-01-02T03:04:05Z","2026-01-02","{key}","2.5",[1]]'
    )


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    here = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert digest(here) == digest(here.astimezone(timezone(timedelta(hours=-5))))


@pytest.mark.parametrize(
    ("number", "text"), [("0.00", "0"), ("-0", "0"), ("100", "100"), ("1E+3", "1000"), ("-2.10", "-2.1")]
)
def test_a_number_has_its_shortest_text(number: str, text: str) -> None:
    assert format_decimal(Decimal(number)) == text


@pytest.mark.parametrize(
    "value",
    [1.5, {1: "a"}, {"\U0001f600": 1}, 2**60, datetime(2026, 1, 1), b"x", {1, 2}, Decimal("NaN")],
)
def test_what_has_no_one_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@given(
    st.dictionaries(
        st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])), values, max_size=6
    )
)
def test_the_order_of_keys_does_not_matter(content: dict[str, object]) -> None:
    assert digest(content) == digest(dict(reversed(content.items())))
