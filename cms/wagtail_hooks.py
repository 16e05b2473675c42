"""What the site as a whole adds to the CMS."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from rest_framework.permissions import IsAuthenticated
from wagtail import hooks


@hooks.register("construct_admin_api", order=1000)
def open_to_editors(router: Any) -> None:
    """The CMS's own API, of which its page menu is made, answers editors.

    What names no permission is denied here (`core.api.DenyAll`), and Wagtail names none: it lets its address in only
    who may enter the CMS.
    """
    for view in router._endpoints.values():
        view.permission_classes = [IsAuthenticated]


@hooks.register("insert_global_admin_css")
def style_our_screens() -> SafeString:
    """A few rules for the screens that are the site's own."""
    return format_html('<link rel="stylesheet" href="{}">', static("css/cms.css"))
