"""The cast itself: that everybody stands where the tests of other floors expect them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Role, User
from accounts.permissions import has_role, roles_of


@pytest.mark.parametrize(
    ("name", "what", "place"),
    [
        ("learner", Role.What.MEMBER, "town"),
        ("other_learner", Role.What.MEMBER, "town"),
        ("instructor", Role.What.INSTRUCTOR, "college"),
        ("author", Role.What.AUTHOR, "network"),
        ("committee", Role.What.COMMITTEE, "network"),
        ("officer", Role.What.CERTIFICATES, "network"),
        ("registrar", Role.What.REGISTRAR, "college"),
        ("coordinator", Role.What.COORDINATOR, "town"),
        ("administrator", Role.What.ADMINISTRATOR, "network"),
    ],
)
def test_each_holds_one_role_in_one_organization(
    name: str, what: str, place: str, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(name)
    assert [role.what for role in roles_of(user)] == [what]
    assert has_role(user, what, organization=request.getfixturevalue(place))


def test_a_stranger_holds_none(stranger: User) -> None:
    assert roles_of(stranger) == []


def test_signing_in_keeps_people_apart(
    learner: User, stranger: User, sign_in: Callable[[User], Client], visitor: Client
) -> None:
    assert sign_in(learner).session["_auth_user_id"] == str(learner.pk)
    assert sign_in(stranger).session["_auth_user_id"] == str(stranger.pk)
    assert "_auth_user_id" not in visitor.session
