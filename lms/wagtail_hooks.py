"""What this floor adds to the CMS: offerings, for those whom the groups let."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from wagtail import hooks

from lms import admin_views
from lms.viewsets import LearningGroup, learning


@hooks.register("register_admin_viewset")
def register_learning() -> LearningGroup:
    return learning


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    addresses = [
        path("unsent-mail/", admin_views.list_unsent_mail, name="unsent_mail"),
        path("offerings/<uuid:pk>/newer-edition/", admin_views.show_newer_edition, name="newer_edition"),
    ]
    return [path("", include((addresses, "lms_admin"), namespace="lms_admin"))]
