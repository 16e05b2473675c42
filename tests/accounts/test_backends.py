"""Who is signed in is read whole in one query, and with what they hold today."""

from __future__ import annotations

from typing import Any

from accounts.backends import PersonBackend
from accounts.models import Organization, Role, User
from accounts.permissions import has_role, organizations_where
from accounts.services import end_role, grant_role, subject_of


def test_a_session_costs_one_query_for_person_subject_and_roles(
    instructor: User, college: Organization, django_assert_num_queries: Any
) -> None:
    subject_of(instructor)
    PersonBackend().get_user(instructor.pk)
    with django_assert_num_queries(1):
        found = PersonBackend().get_user(str(instructor.pk))
        assert found == instructor
        assert subject_of(found) == subject_of(instructor)
        assert has_role(found, Role.What.INSTRUCTOR)
        assert organizations_where(found, Role.What.INSTRUCTOR) == {college.pk}
        assert not has_role(found, Role.What.REGISTRAR)


def test_a_role_that_ended_is_not_held(instructor: User) -> None:
    for role in Role.objects.filter(user=instructor):
        end_role(role=role)
    found = PersonBackend().get_user(instructor.pk)
    assert found is not None
    assert not has_role(found, Role.What.INSTRUCTOR)


def test_a_role_that_is_granted_is_held_by_the_same_object(learner: User, college: Organization) -> None:
    found = PersonBackend().get_user(learner.pk)
    assert found is not None
    grant_role(user=found, organization=college, what=Role.What.REGISTRAR)
    assert has_role(found, Role.What.REGISTRAR)


def test_nobody_and_who_is_locked_are_not_signed_in(learner: User) -> None:
    assert PersonBackend().get_user("6f2f1ad0-0d24-4f55-93b5-1a8d3d0a3a11") is None
    User.objects.filter(pk=learner.pk).update(is_active=False)
    assert PersonBackend().get_user(learner.pk) is None
