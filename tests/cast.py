"""The cast: the same few people in the tests of every floor, each a fixture that gives a `User`.

All sign in with `PASSWORD`. `network`, `college` and `town` are the organizations they act for. `sign_in(user)` gives
a client that is signed in; `visitor` is one that is not.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Organization, Role, User
from tests.factories.accounts import PASSWORD, make_organization, make_role, make_user

__all__ = ["PASSWORD"]

What = Role.What


@pytest.fixture
def network(db: None) -> Organization:
    """The network itself: authors, the committee, certificates officers and administrators act for it."""
    return make_organization(
        slug="network",
        name="Network of the tests",
        name_fr="Réseau des essais",
        kind=Organization.Kind.NETWORK,
    )


@pytest.fixture
def college(db: None) -> Organization:
    """A partner institution."""
    return make_organization(
        slug="college",
        name="Riverside College",
        name_fr="Collège Riverside",
        kind=Organization.Kind.INSTITUTION,
        province="ON",
    )


@pytest.fixture
def town(db: None) -> Organization:
    """A member municipality."""
    return make_organization(
        slug="town",
        name="Town of Pine Creek",
        name_fr="Ville de Pine Creek",
        kind=Organization.Kind.MUNICIPALITY,
        province="SK",
    )


@pytest.fixture
def learner(town: Organization) -> User:
    """Who learns: of the town's team, in English."""
    user = make_user(email="learner@cast.example", name="Lea Lavallée-Smith")
    make_role(user=user, what=What.MEMBER, organization=town)
    return user


@pytest.fixture
def other_learner(town: Organization) -> User:
    """Somebody else who learns: of the town's team, in French."""
    user = make_user(email="other.learner@cast.example", name="Otis Bérubé", preferred_language="fr")
    make_role(user=user, what=What.MEMBER, organization=town)
    return user


@pytest.fixture
def instructor(college: Organization) -> User:
    """Who teaches for the college."""
    user = make_user(email="instructor@cast.example", name="Ines Instructor")
    make_role(user=user, what=What.INSTRUCTOR, organization=college)
    return user


@pytest.fixture
def author(network: Organization) -> User:
    """Who writes courses in the CMS."""
    user = make_user(email="author@cast.example", name="Avery Author")
    make_role(user=user, what=What.AUTHOR, organization=network)
    return user


@pytest.fixture
def committee(network: Organization) -> User:
    """Who writes and adopts the standards."""
    user = make_user(email="committee@cast.example", name="Casimir Committee")
    make_role(user=user, what=What.COMMITTEE, organization=network)
    return user


@pytest.fixture
def officer(network: Organization) -> User:
    """Who corrects and revokes certificates."""
    user = make_user(email="officer@cast.example", name="Odile Officer")
    make_role(user=user, what=What.CERTIFICATES, organization=network)
    return user


@pytest.fixture
def registrar(college: Organization) -> User:
    """Who verifies certificates and gives credit for the college."""
    user = make_user(email="registrar@cast.example", name="Rani Registrar")
    make_role(user=user, what=What.REGISTRAR, organization=college)
    return user


@pytest.fixture
def coordinator(town: Organization) -> User:
    """Who coordinates the town's team."""
    user = make_user(email="coordinator@cast.example", name="Corey Coordinator")
    make_role(user=user, what=What.COORDINATOR, organization=town)
    return user


@pytest.fixture
def administrator(network: Organization) -> User:
    """Who runs the site."""
    user = make_user(email="administrator@cast.example", name="Ada Administrator")
    make_role(user=user, what=What.ADMINISTRATOR, organization=network)
    return user


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with an account and nothing else."""
    return make_user(email="stranger@cast.example", name="Sandy Stranger")


@pytest.fixture
def visitor() -> Client:
    """A browser in which nobody is signed in."""
    return Client()


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """Gives a browser of its own in which this person is signed in, as by the ordinary screen."""

    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="accounts.backends.PersonBackend")
        return client

    return enter
