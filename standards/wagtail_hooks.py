"""What this floor adds to the CMS: sources, editions, *Issue edition*, and the guard on deletion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path, reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem
from wagtail.admin.widgets import Button
from wagtail.models import Page
from wagtail.snippets.models import register_snippet

from core.errors import StillUsed
from standards import admin_views
from standards.deletion import refuse_if_used
from standards.pages import FrameworkPage
from standards.permissions import may_issue, may_see_editions
from standards.viewsets import CompetencyChooserViewSet, SourceViewSet, competency_chooser


class _SourceSnippets(SourceViewSet):
    add_to_admin_menu = False


source_snippets = _SourceSnippets()
register_snippet(source_snippets)


@hooks.register("register_admin_viewset")
def register_competency_chooser() -> CompetencyChooserViewSet:
    return competency_chooser


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    addresses = [
        path("editions/", admin_views.list_editions, name="editions"),
        path("editions/<uuid:key>/status/", admin_views.change_status, name="status"),
        path("issue/<int:page_id>/", admin_views.issue_edition, name="issue"),
    ]
    return [path("standards/", include((addresses, "standards_admin"), namespace="standards_admin"))]


class EditionsItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_see_editions(request.user)


class SourcesItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(
            request.user.has_perm("standards.view_source") or request.user.has_perm("standards.change_source")
        )


@hooks.register("register_admin_menu_item")
def register_menu() -> SubmenuMenuItem:
    items = [
        EditionsItem(
            gettext_lazy("Editions"),
            reverse_lazy("standards_admin:editions"),
            name="framework-editions",
            icon_name="history",
            order=10,
        ),
        SourcesItem(
            gettext_lazy("Sources"),
            reverse_lazy(source_snippets.get_url_name("list")),
            name="sources",
            icon_name="openquote",
            order=20,
        ),
    ]
    return SubmenuMenuItem(
        gettext_lazy("Standards"), Menu(items=items), name="standards-menu", icon_name="list-ol", order=250
    )


@hooks.register("register_page_header_buttons")
def add_header_button(page: Page, user: Any, view_name: str, next_url: str | None = None) -> Iterator[Button]:
    yield from _issue_buttons(page, user)


@hooks.register("register_page_listing_more_buttons")
def add_listing_button(page: Page, user: Any, next_url: str | None = None) -> Iterator[Button]:
    yield from _issue_buttons(page, user)


def _issue_buttons(page: Page, user: Any) -> Iterator[Button]:
    # By content type, so that a listing of many pages costs nothing more.
    if page.cached_content_type.model_class() is FrameworkPage and may_issue(user):
        yield Button(
            _("Issue edition"),
            reverse("standards_admin:issue", args=[page.pk]),
            icon_name="success",
            priority=5,
        )


@hooks.register("before_delete_page")
def keep_used_page(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Refuse to delete what an edition uses, before the page tree is touched."""
    return _refuse(request, [page])


@hooks.register("before_delete_snippet")
def keep_cited_sources(request: HttpRequest, instances: list[Any]) -> HttpResponse | None:
    """Refuse to delete a work that a competency or a lesson cites."""
    return _refuse(request, instances)


@hooks.register("before_bulk_action")
def keep_used_things(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    return _refuse(request, objects) if action_type == "delete" else None


def _refuse(request: HttpRequest, things: Iterable[Any]) -> HttpResponse | None:
    things = list(things)
    try:
        refuse_if_used(things)
    except StillUsed as error:
        messages.error(request, str(error))
        return redirect(_find_way_back(things[0]))
    return None


def _find_way_back(thing: Any) -> str:
    if not isinstance(thing, Page):
        return reverse(source_snippets.get_url_name("list"))
    parent = thing.get_parent()
    return reverse("wagtailadmin_explore", args=[parent.pk if parent else thing.pk])
