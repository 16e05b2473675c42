"""The certificate number catches what people do to numbers."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates import numbers
from certificates.numbers import InvalidNumberError

widths = st.integers(min_value=4, max_value=9)


@st.composite
def certificate_numbers(draw: st.DrawFn) -> str:
    width = draw(widths)
    serial = draw(st.integers(min_value=0, max_value=10**width - 1))
    return numbers.make_number(
        year=draw(st.integers(min_value=2000, max_value=2999)), serial=serial, width=width
    )


def is_refused_or_unchanged(typed: str, number: str) -> bool:
    try:
        return numbers.normalize(typed) == number
    except InvalidNumberError:
        return True


def test_the_example_of_the_documentation_is_right() -> None:
    assert numbers.make_number(year=2026, serial=418, width=4) == "2026-0418-7K"


@given(certificate_numbers())
def test_a_number_reads_back_as_itself(number: str) -> None:
    assert numbers.normalize(number) == number
    assert numbers.is_canonical(number)
    assert str(numbers.parse_number(number)) == number


@given(certificate_numbers(), st.data())
def test_every_wrong_character_is_caught(number: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([i for i, c in enumerate(number) if c != "-"]))
    wrong = data.draw(
        st.sampled_from([c for c in string.digits + string.ascii_uppercase if c != number[place]])
    )
    assert is_refused_or_unchanged(number[:place] + wrong + number[place + 1 :], number)


def test_every_wrong_digit_and_letter_of_some_numbers_is_caught_exhaustively() -> None:
    for serial in range(0, 10_000, 97):
        number = numbers.make_number(year=2026, serial=serial, width=4)
        for place, right in enumerate(number):
            pool = string.digits if right.isdigit() else numbers.LETTERS if right.isalpha() else ""
            for wrong in pool.replace(right, ""):
                with pytest.raises(InvalidNumberError):
                    numbers.normalize(number[:place] + wrong + number[place + 1 :])


@given(certificate_numbers(), st.data())
def test_every_swap_of_neighbours_is_caught(number: str, data: st.DataObject) -> None:
    bare = number.replace("-", "")
    place = data.draw(st.integers(min_value=0, max_value=len(bare) - 2))
    swapped = bare[:place] + bare[place + 1] + bare[place] + bare[place + 2 :]
    if swapped == bare:
        return
    with pytest.raises(InvalidNumberError):
        numbers.normalize(swapped)


@given(certificate_numbers(), st.data())
def test_a_swap_of_any_two_digits_is_caught(number: str, data: st.DataObject) -> None:
    bare = list(number.replace("-", ""))
    first = data.draw(st.integers(min_value=0, max_value=len(bare) - 3))
    second = data.draw(st.integers(min_value=first + 1, max_value=len(bare) - 2))
    if bare[first] == bare[second]:
        return
    bare[first], bare[second] = bare[second], bare[first]
    with pytest.raises(InvalidNumberError):
        numbers.normalize("".join(bare))


@given(certificate_numbers(), st.sampled_from([" ", "\u00a0", "-", "–", "\u2011", ".", ""]))
def test_people_may_type_it_their_way(number: str, separator: str) -> None:
    assert numbers.normalize(f"  {number.replace('-', separator).lower()} ") == number


@given(certificate_numbers())
def test_letters_read_for_digits_are_put_back(number: str) -> None:
    typed = number[:-1].replace("0", "O").replace("1", "l").replace("5", "s").replace("8", "B") + number[-1]
    assert numbers.normalize(typed) == number


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        read = numbers.normalize(text)
    except InvalidNumberError:
        return
    assert numbers.is_canonical(read)


@given(st.text(max_size=20))
def test_only_the_stored_form_is_canonical(text: str) -> None:
    assert not numbers.is_canonical(text) or numbers.normalize(text) == text


def test_a_wrong_check_is_told_apart_from_a_wrong_shape() -> None:
    with pytest.raises(InvalidNumberError) as caught:
        numbers.normalize("2026 0418 7x")
    assert (caught.value.reason, caught.value.number) == ("check", "2026-0418-7X")
    for text in ["", "2026", "certificate", "2026-041-7K", "2026-0418-K7", "2" * 65, "٢٠٢٦-0418-7K"]:
        with pytest.raises(InvalidNumberError) as caught:
            numbers.normalize(text)
        assert caught.value.reason == "shape", text


def test_drawing_passes_over_taken_numbers_and_grows_when_the_year_is_full() -> None:
    taken = numbers.make_number(year=2026, serial=7)
    serials = iter([7, 7, 11])
    assert numbers.draw_number(
        year=2026, is_taken=lambda number: number == taken, randbelow=lambda _bound: next(serials)
    ) == numbers.make_number(year=2026, serial=11)
    longer = numbers.draw_number(year=2026, is_taken=lambda number: len(number) == len(taken))
    assert len(longer) == len(taken) + 1


def test_drawn_numbers_do_not_follow_one_another() -> None:
    drawn = [numbers.draw_number(year=2026) for _ in range(50)]
    assert len(set(drawn)) == 50
    assert drawn != sorted(drawn)
