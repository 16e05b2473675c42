"""A page that is shown before its key may be known is the same whichever answer is right.

Stronger than looking for the words of a key: it also notices a class, an order, a number of characters.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from assessments.documents import Item
from assessments.rules import public_item
from assessments.services import sittings
from lms.models import Enrolment
from tests.factories.assessments import (
    make_multiple,
    make_numeric,
    make_quiz,
    make_short_text,
    make_single,
    make_true_false,
)
from tests.factories.lms import make_assessed, make_course_edition, make_enrolment, make_offering

pytestmark = pytest.mark.django_db

SEED = 20_260_101
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')


def keyed(item: dict[str, Any], *right: str) -> dict[str, Any]:
    """The item with other right answers."""
    return {**item, "options": [{**one, "correct": one["key"] in right} for one in item["options"]]}


def one_way() -> list[dict[str, Any]]:
    return [
        keyed(make_single("s"), "right"),
        keyed(make_multiple("m"), "one", "two"),
        make_true_false("t", answer=True),
        make_numeric("n", answer="12.5", tolerance="0.5"),
        make_short_text("w", accept=["scanning"]),
    ]


def the_other_way() -> list[dict[str, Any]]:
    return [
        keyed(make_single("s"), "left"),
        keyed(make_multiple("m"), "one", "three"),
        make_true_false("t", answer=False),
        make_numeric("n", answer="99", tolerance="7"),
        make_short_text("w", accept=["entirely", "other", "words"]),
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_may_be_shown_of_an_item_knows_no_key(number: int, language: str) -> None:
    one, other = (Item.from_json(items[number]) for items in (one_way(), the_other_way()))
    order = [option.key for option in one.options]
    assert public_item(one, language, order) == public_item(other, language, order)


def pages_of(items: list[dict[str, Any]], user: User, client: Client) -> list[str]:
    """Every page of a running attempt, without what differs each time."""
    edition = make_course_edition(
        modules=[[make_assessed("quiz", make_quiz(items=items, title="Quiz", feedback="never"))]],
        title="The same",
        slug="the-same",
    )
    enrolment: Enrolment = make_enrolment(user=user, offering=make_offering(edition=edition, title="One"))
    base = f"/en/learn/{enrolment.pk}/quiz/"
    begun = client.post(base, {"do": "start", "client_id": str(enrolment.pk)})["Location"]
    root = begun.removesuffix("1/")
    addresses = [base, *(f"{root}{number}/" for number in range(1, 6)), f"{root}review/"]
    return [TOKEN.sub("", UUID.sub("", client.get(address).text)) for address in addresses]


def test_a_page_is_the_same_whichever_answer_is_right(
    learner: User, other_learner: User, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is drawn follows the seed alone, so both draw alike.
    monkeypatch.setattr(sittings.secrets, "randbelow", lambda _most: SEED)
    other_learner.name = learner.name
    other_learner.save()
    ones = pages_of(one_way(), learner, sign_in(learner))
    others = pages_of(the_other_way(), other_learner, sign_in(other_learner))
    assert "Question s?" in "".join(ones)
    for one, other in zip(ones, others, strict=True):
        assert one == other
