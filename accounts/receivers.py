"""News heard on this floor."""

from __future__ import annotations

from typing import Any

from accounts.groups import sync_groups
from accounts.models import User


def follow_roles(sender: Any, *, user: User, **kwargs: Any) -> None:
    """A role was granted or ended: the CMS's groups follow, in the same transaction."""
    sync_groups(user)
