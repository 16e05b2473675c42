"""Sorting and searching texts in two languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import fold_text, make_sort_key


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("L’Été à Saint-Cœur", "l ete a saint coeur"),
        ("  Łódź,  Đà Nẵng ", "lodz da nang"),
        ("N° 12", "n 12"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_searching_forgets_accents_case_and_points(text: str, folded: str) -> None:
    assert fold_text(text) == folded


def test_accents_count_from_the_end_as_in_canadian_french() -> None:
    assert sorted(["côté", "coté", "côte", "cote"], key=make_sort_key) == ["cote", "côte", "coté", "côté"]


def test_letters_come_before_accents() -> None:
    assert sorted(["Étude", "Eux", "Œuvre", "offre", "été"], key=make_sort_key) == [
        "été",
        "Étude",
        "Eux",
        "Œuvre",
        "offre",
    ]


@given(st.text(max_size=40))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)
