"""What this floor adds to the CMS: offerings, for those whom the groups let."""

from __future__ import annotations

from wagtail import hooks

from lms.viewsets import LearningGroup, learning


@hooks.register("register_admin_viewset")
def register_learning() -> LearningGroup:
    return learning
