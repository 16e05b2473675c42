"""Who may issue course editions and copy courses: the groups that `setup_site` gives these permissions.

Pages are edited by Wagtail's own page permissions, items and assessments by those of their models.
"""

from __future__ import annotations

from typing import Any

from modules.pages import CoursePage


def may_issue(user: Any) -> bool:
    """`modules.add_courseedition`."""
    return bool(user.has_perm("modules.add_courseedition"))


def may_see_editions(user: Any) -> bool:
    """`modules.view_courseedition`, or whoever may issue."""
    return bool(user.has_perm("modules.view_courseedition") or may_issue(user))


def may_copy(user: Any, course: CoursePage) -> bool:
    """Whoever may issue, and may add pages to the course's training."""
    return may_issue(user) and bool(course.get_parent().permissions_for_user(user).can_add_subpage())
