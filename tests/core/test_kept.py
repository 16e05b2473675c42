"""What a process keeps: so much, the latest used, made once."""

from __future__ import annotations

from core.kept import Kept


def test_the_one_used_longest_ago_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    kept.keep("a", 1)
    kept.keep("b", 2)
    assert kept.find("a") == 1
    kept.keep("c", 3)
    assert (kept.find("a"), kept.find("b"), kept.find("c")) == (1, None, 3)


def test_what_one_page_brings_does_not_push_out_itself() -> None:
    """However much the others were used: a page that reads four new editions needs all four."""
    kept: Kept[int, int] = Kept(64)
    for round_ in range(64):
        for key in range(round_, round_ + 63):
            kept.read(key, lambda: 1)
            kept.find(key)
        new = range(1_000 * (round_ + 1), 1_000 * (round_ + 1) + 4)
        for key in new:
            kept.keep(key, 1)
        assert [key for key in new if kept.find(key) is None] == []


def test_no_more_are_kept_than_was_said() -> None:
    for most in (1, 2, 19, 64):
        kept: Kept[int, int] = Kept(most)
        for key in range(5 * most):
            kept.keep(key, key)
        held = [key for key in range(5 * most) if kept.find(key) is not None]
        assert len(held) <= most
        assert held[-1] == 5 * most - 1


def test_a_value_is_made_once_until_it_is_forgotten() -> None:
    made: list[str] = []
    kept: Kept[str, str] = Kept(4)

    def make() -> str:
        made.append("made")
        return "a value"

    assert [kept.read("key", make) for _time in range(3)] == ["a value"] * 3
    assert len(made) == 1
    kept.forget()
    assert kept.read("key", make) == "a value"
    assert len(made) == 2
