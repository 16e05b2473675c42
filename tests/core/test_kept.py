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
