"""What a refusal says."""

from __future__ import annotations

from core.errors import MOST_USES_SAID, StillUsed


def test_of_many_uses_some_are_named_and_the_advice_is_not_lost() -> None:
    uses = [f"Use {number}." for number in range(MOST_USES_SAID + 2)]
    error = StillUsed(uses, advice="Take it out there first.")
    said = str(error)
    assert said.startswith("Nothing was deleted. Use 0. ")
    assert said.endswith("Use 4. There are 2 more uses. Take it out there first.")
    assert error.uses == error.errors["object"] == uses


def test_few_are_all_named() -> None:
    assert str(StillUsed(["Use 0.", "Use 1."])) == "Nothing was deleted. Use 0. Use 1."
