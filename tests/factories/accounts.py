"""Makers of people and organizations for tests. Each call makes a new one; give only what the test is about."""

from __future__ import annotations

import itertools
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from accounts.models import Organization, Role, User
from accounts.services import grant_role, subject_of

# The password of everybody whom a factory makes.
PASSWORD = "safer-communities"

_numbers = itertools.count(1)


def make_organization(
    *, name: str = "", kind: str = Organization.Kind.MUNICIPALITY, slug: str = "", **fields: Any
) -> Organization:
    """An organization, a municipality unless told otherwise."""
    number = next(_numbers)
    return Organization.objects.create(
        slug=slug or f"organization-{number}",
        name_en=name or f"Organization {number}",
        name_fr=fields.pop("name_fr", f"Organisation {number}"),
        kind=kind,
        **fields,
    )


def make_user(*, name: str = "", email: str = "", verified: bool = True, **fields: Any) -> User:
    """A person who can sign in with `PASSWORD`, their address verified, their subject made."""
    number = next(_numbers)
    user = User.objects.create_user(
        email=email or f"person{number}@cast.example",
        password=fields.pop("password", PASSWORD),
        name=name or f"Person {number}",
        **fields,
    )
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    subject_of(user)
    return user


def make_role(*, user: User, what: str, organization: Organization | None = None) -> Role:
    """A role, granted as an administrator would grant it; in a new organization unless one is given."""
    return grant_role(user=user, organization=organization or make_organization(), what=what)


def code_for(secret: str) -> str:
    """The code that an app shows now. That of the half minute before, taken too, may run out on its way."""
    _before, now, _after = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, now)))
