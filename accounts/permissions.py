"""Who acts for whom. A stranger's object is 404, an insufficient role 403: views decide by these."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from accounts.models import Organization, PersonalText, Role, Subject, User
from core.extensions import access_grants

# Roles that run the network's own work; each of them must sign in with a second factor.
STAFF_ROLES = frozenset(
    {Role.What.ADMINISTRATOR, Role.What.AUTHOR, Role.What.COMMITTEE, Role.What.CERTIFICATES}
)


Held = tuple[str, uuid.UUID]
"""A role and the organization in which it is held."""


def roles_of(user: Any) -> list[Role]:
    """The roles a person holds today, with their organizations. One query a request."""
    if not getattr(user, "is_authenticated", False):
        return []
    kept: list[Role] | None = getattr(user, "_roles", None)
    if kept is None:
        kept = list(Role.objects.filter(user=user, ended_at__isnull=True).select_related("organization"))
        user._roles = kept
    return kept


def keep_held_roles(user: Any, held: Iterable[Held] | None) -> None:
    """Note on the object what was read with it (`accounts.backends`), or, with None, forget what was noted."""
    user.__dict__.pop("_roles", None)
    user.__dict__.pop("_held_roles", None)
    if held is not None:
        user._held_roles = frozenset(held)


def _held_by(user: Any) -> frozenset[Held]:
    """What a person holds where. No query for who is signed in, else the one of `roles_of`."""
    held: frozenset[Held] | None = getattr(user, "_held_roles", None)
    if held is None:
        held = frozenset((role.what, role.organization_id) for role in roles_of(user))
    return held


def has_role(user: Any, *whats: str, organization: Organization | None = None) -> bool:
    """Whether the person holds one of these roles today, in `organization` where one is given."""
    return any(
        what in whats and (organization is None or where == organization.id) for what, where in _held_by(user)
    )


def organizations_where(user: Any, *whats: str) -> set[uuid.UUID]:
    """The keys of the organizations in which the person holds one of these roles today."""
    return {where for what, where in _held_by(user) if what in whats}


def is_administrator(user: User | Any) -> bool:
    return bool(getattr(user, "is_superuser", False)) or has_role(user, Role.What.ADMINISTRATOR)


def is_staff_person(user: User | Any) -> bool:
    """Whether the person holds a role that runs the network's own work."""
    return bool(getattr(user, "is_superuser", False)) or has_role(user, *STAFF_ROLES)


def lacks_second_factor(user: User | Any) -> bool:
    """Whether this person must have a second factor and has none. At most two queries."""
    if not getattr(user, "is_authenticated", False) or not is_staff_person(user):
        return False
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import is_mfa_enabled

    return not is_mfa_enabled(user, [Authenticator.Type.TOTP])


def may_read_text(*, viewer: User | Any, text: PersonalText) -> str | None:
    """Why the viewer may read these words or open this file: a code for the audit log, or None where they may not.

    ``owner`` and ``writer`` are their own; the floors above answer the rest, such as ``instructor_of``.
    """
    if not getattr(viewer, "is_authenticated", False) or text.erased_at is not None:
        return None
    subject_id = Subject.objects.filter(user=viewer).values_list("id", flat=True).first()
    if subject_id is not None:
        if text.subject_id == subject_id:
            return "owner"
        if text.author_id == subject_id:
            return "writer"
    for answer in access_grants:
        if reason := answer(viewer=viewer, subject_id=text.subject_id, text=text):
            return reason
    return None
