"""Reading what people type and paste."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.lookup import read_reference, split_lines
from certificates.numbers import make_number
from certificates.tables import make_harmless

KEY = uuid.UUID("5a0d7f8e-3c64-4b52-9d3b-0c2f1e6a7b88")


@given(
    st.integers(1000, 9999),
    st.integers(0, 999_999),
    st.sampled_from(["{}", "no. {}.", "See {} please", "({})"]),
)
def test_a_number_is_found_in_whatever_stands_around_it(year: int, serial: int, around: str) -> None:
    number = make_number(year=year, serial=serial)
    assert read_reference(around.format(number)).number == number


@pytest.mark.parametrize(
    "text",
    [
        f"https://learn.example/certificates/{KEY}/",
        f"learn.example/certificates/{str(KEY).upper()}/?lang=fr",
        f"Mon certificat : https://learn.example/certificates/{KEY}/certificate.pdf",
        str(KEY),
    ],
)
def test_an_address_is_found(text: str) -> None:
    assert read_reference(text).key == KEY


@pytest.mark.parametrize(
    ("text", "problem"), [("", "shape"), ("hello", "shape"), ("2026-041837-9Q", "check")]
)
def test_what_names_nothing_says_why(text: str, problem: str) -> None:
    assert read_reference(text).problem == problem


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    read_reference(text)


def test_a_pasted_list_is_parted_and_each_entry_kept_once() -> None:
    assert split_lines(" a\r\nb,c;\td\n\na", most=10) == ["a", "b", "c", "d"]
    assert split_lines("a\nb\nc", most=2) == ["a", "b"]


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not make_harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
