"""What this floor adds to the CMS, for administrators only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem
from wagtail.admin.views.account import LocaleSettingsPanel, NameEmailSettingsPanel

from accounts import admin_views, views_jobs
from accounts.permissions import is_administrator
from accounts.viewsets import OrganizationViewSet, organizations

# Name, address, language and time zone are changed in the profile of the site, which the CMS follows.
NameEmailSettingsPanel.is_active = lambda self: False
LocaleSettingsPanel.is_active = lambda self: False


class AdministratorsItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)


class AdministratorsSubmenu(SubmenuMenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)


@hooks.register("register_admin_viewset")
def register_organizations() -> OrganizationViewSet:
    return organizations


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    addresses = [
        path("people/", admin_views.list_people, name="people"),
        path("people/<uuid:key>/", admin_views.show_person, name="person"),
        path("people/<uuid:key>/grant/", admin_views.grant_role, name="grant"),
        path("people/<uuid:key>/hold/", admin_views.place_hold, name="place_hold"),
        path("people/<uuid:key>/second-step/", admin_views.reset_factor, name="reset_factor"),
        path("roles/<uuid:key>/end/", admin_views.end_role, name="end"),
        path("holds/", admin_views.list_holds, name="holds"),
        path("holds/<uuid:key>/lift/", admin_views.lift_hold, name="lift_hold"),
        path("audit/", admin_views.list_audit, name="audit"),
        path("jobs/", views_jobs.list_all_jobs, name="jobs"),
        path("jobs/<uuid:key>/", views_jobs.show_job_in_cms, name="job"),
    ]
    return [path("", include((addresses, "accounts_admin"), namespace="accounts_admin"))]


@hooks.register("register_account_menu_item")
def register_profile(request: HttpRequest) -> dict[str, Any]:
    return {
        "url": reverse("accounts:profile"),
        "label": _("Profile"),
        "help_text": _("Name, language, time zone, e-mail address, password, two-step sign-in."),
    }


@hooks.register("register_admin_menu_item")
def register_menu() -> SubmenuMenuItem:
    items = [
        AdministratorsItem(
            _("People"), reverse_lazy("accounts_admin:people"), name="people", icon_name="user", order=10
        ),
        AdministratorsItem(
            _("Organizations"),
            reverse_lazy("organizations:index"),
            name="organizations",
            icon_name="home",
            order=20,
        ),
        AdministratorsItem(
            _("Legal holds"), reverse_lazy("accounts_admin:holds"), name="holds", icon_name="lock", order=30
        ),
        AdministratorsItem(
            _("Audit log"), reverse_lazy("accounts_admin:audit"), name="audit", icon_name="history", order=40
        ),
        AdministratorsItem(
            _("Background work"),
            reverse_lazy("accounts_admin:jobs"),
            name="jobs",
            icon_name="tasks",
            order=50,
        ),
    ]
    return AdministratorsSubmenu(
        _("People"), Menu(items=items), name="people-menu", icon_name="group", order=650
    )
