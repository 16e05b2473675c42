"""Who acts for whom. A stranger's object is 404, an insufficient role 403: views decide by these."""

from __future__ import annotations

import uuid
from typing import Any

from accounts.models import Organization, Role, User

# Roles that run the network's own work; each of them must sign in with a second factor.
STAFF_ROLES = frozenset(
    {Role.What.ADMINISTRATOR, Role.What.AUTHOR, Role.What.COMMITTEE, Role.What.CERTIFICATES}
)


def roles_of(user: Any) -> list[Role]:
    """The roles a person holds today, with their organizations. One query a request."""
    if not getattr(user, "is_authenticated", False):
        return []
    kept: list[Role] | None = getattr(user, "_roles", None)
    if kept is None:
        kept = list(Role.objects.filter(user=user, ended_at__isnull=True).select_related("organization"))
        user._roles = kept
    return kept


def has_role(user: Any, *whats: str, organization: Organization | None = None) -> bool:
    """Whether the person holds one of these roles today, in `organization` where one is given."""
    return any(
        role.what in whats and (organization is None or role.organization_id == organization.id)
        for role in roles_of(user)
    )


def organizations_where(user: Any, *whats: str) -> set[uuid.UUID]:
    """The keys of the organizations in which the person holds one of these roles today."""
    return {role.organization_id for role in roles_of(user) if role.what in whats}


def is_administrator(user: User | Any) -> bool:
    return bool(getattr(user, "is_superuser", False)) or has_role(user, Role.What.ADMINISTRATOR)
