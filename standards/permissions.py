"""Who may issue an edition and change its status: the groups that `setup_site` gives these permissions."""

from __future__ import annotations

from typing import Any


def may_issue(user: Any) -> bool:
    return bool(user.has_perm("standards.add_frameworkedition"))


def may_change_status(user: Any) -> bool:
    return bool(user.has_perm("standards.change_frameworkedition"))


def may_see_editions(user: Any) -> bool:
    return bool(
        user.has_perm("standards.view_frameworkedition") or may_issue(user) or may_change_status(user)
    )
