"""What this floor adds to the CMS: the certificates, for their officers."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from certificates import admin_views
from certificates.permissions import is_officer


class OfficersItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return is_officer(request.user)


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    addresses = [
        path("", admin_views.list_certificates, name="list"),
        path("due/", admin_views.show_due, name="due"),
        path("<uuid:key>/", admin_views.show_certificate, name="show"),
        path("<uuid:key>/revoke/", admin_views.revoke, name="revoke"),
        path("<uuid:key>/reinstate/", admin_views.reinstate, name="reinstate"),
        path("<uuid:key>/reissue/", admin_views.reissue, name="reissue"),
        path("requests/<uuid:key>/close/", admin_views.close_request, name="close_request"),
    ]
    return [path("certificates/", include((addresses, "certificates_admin"), namespace="certificates_admin"))]


@hooks.register("register_admin_menu_item")
def register_menu() -> OfficersItem:
    return OfficersItem(
        _("Certificates"),
        reverse_lazy("certificates_admin:list"),
        name="certificates",
        icon_name="success",
        order=400,
    )
