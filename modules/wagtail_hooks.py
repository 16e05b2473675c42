"""What this floor adds to the CMS: courses and their editions, *Issue edition*, and the guard on deletion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path, reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.widgets import Button
from wagtail.documents import get_document_model
from wagtail.documents.views import documents
from wagtail.images import get_image_model
from wagtail.images.views import images
from wagtail.models import Page

from core.errors import StillUsed
from modules import admin_views
from modules.deletion import refuse_if_used
from modules.pages import CoursePage
from modules.permissions import may_issue, may_see_editions


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    addresses = [
        path("", admin_views.list_courses, name="courses"),
        path("<int:page_id>/issue/", admin_views.issue_edition, name="issue"),
        path("<int:page_id>/editions/", admin_views.list_editions, name="editions"),
        path("<int:page_id>/coverage/", admin_views.show_coverage, name="coverage"),
        path("<int:page_id>/copy/", admin_views.copy_course, name="copy"),
    ]
    return [path("courses/", include((addresses, "modules_admin"), namespace="modules_admin"))]


class CoursesItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_see_editions(request.user)


@hooks.register("register_admin_menu_item")
def register_menu() -> MenuItem:
    return CoursesItem(
        gettext_lazy("Courses"),
        reverse_lazy("modules_admin:courses"),
        name="courses",
        icon_name="folder-open-inverse",
        order=210,
    )


@hooks.register("register_page_header_buttons")
def add_header_buttons(
    page: Page, user: Any, view_name: str, next_url: str | None = None
) -> Iterator[Button]:
    yield from _buttons(page, user)


@hooks.register("register_page_listing_more_buttons")
def add_listing_buttons(page: Page, user: Any, next_url: str | None = None) -> Iterator[Button]:
    yield from _buttons(page, user)


def _buttons(page: Page, user: Any) -> Iterator[Button]:
    # By content type, so that a listing of many pages costs nothing more.
    if page.cached_content_type.model_class() is not CoursePage:
        return
    if may_issue(user):
        yield Button(
            _("Issue edition"),
            reverse("modules_admin:issue", args=[page.pk]),
            icon_name="success",
            priority=5,
        )
    if may_see_editions(user):
        yield Button(
            _("Editions"), reverse("modules_admin:editions", args=[page.pk]), icon_name="history", priority=6
        )
        yield Button(
            _("Coverage of the standards"),
            reverse("modules_admin:coverage", args=[page.pk]),
            icon_name="table",
            priority=7,
        )
    if may_issue(user):
        yield Button(
            _("Copy as a new course"),
            reverse("modules_admin:copy", args=[page.pk]),
            icon_name="copy",
            priority=8,
        )


# --- The guard on deletion --------------------------------------------------------------------------------------


@hooks.register("before_delete_page")
def keep_used_page(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Refuse to delete what an edition uses, before the page tree is touched."""
    return _refuse(request, [page])


@hooks.register("before_delete_snippet")
def keep_used_snippets(request: HttpRequest, instances: list[Any]) -> HttpResponse | None:
    return _refuse(request, list(instances))


@hooks.register("before_bulk_action")
def keep_used_things(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    return _refuse(request, list(objects)) if action_type == "delete" else None


def _refuse(request: HttpRequest, things: list[Any]) -> HttpResponse | None:
    try:
        refuse_if_used(things)
    except StillUsed as error:
        messages.error(request, str(error))
        return redirect(_find_way_back(things[0]))
    return None


def _find_way_back(thing: Any) -> str:
    if isinstance(thing, Page):
        parent = thing.get_parent()
        return reverse("wagtailadmin_explore", args=[parent.pk if parent else thing.pk])
    if isinstance(thing, get_document_model()):
        return reverse("wagtaildocs:index")
    if isinstance(thing, get_image_model()):
        return reverse("wagtailimages:index")
    viewset = getattr(type(thing), "snippet_viewset", None)
    return reverse(viewset.get_url_name("list")) if viewset else reverse("wagtailadmin_home")


class DocumentDeleteView(documents.DeleteView):
    """Wagtail's own screen has no hook before it; this one asks first."""

    def run_before_hook(self) -> HttpResponse | None:
        return _refuse(self.request, [self.object])


class ImageDeleteView(images.DeleteView):
    """Likewise for pictures."""

    def run_before_hook(self) -> HttpResponse | None:
        return _refuse(self.request, [self.object])


@hooks.register("register_admin_urls", order=-1)
def register_guarded_urls() -> list[URLPattern | URLResolver]:
    """Before Wagtail's own, under the same addresses, so that its links lead here."""
    return [
        path("documents/delete/<int:document_id>/", DocumentDeleteView.as_view()),
        path("images/<int:image_id>/delete/", ImageDeleteView.as_view()),
    ]
