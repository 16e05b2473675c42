"""What the site as a whole adds to the CMS."""

from __future__ import annotations

from typing import Any

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
