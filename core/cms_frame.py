"""What the frame around a screen of ours in the CMS shows."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _


def frame_of_cms(*trail: tuple[str, Any], title: str, icon: str, subtitle: str = "") -> dict[str, Any]:
    """What Wagtail's `generic/base.html` needs: the trail of addresses and labels to here, the title, the icon."""
    crumbs = [{"url": reverse("wagtailadmin_home"), "label": _("Home")}]
    crumbs += [{"url": url, "label": label} for url, label in trail]
    crumbs.append({"url": "", "label": title})
    return {
        "breadcrumbs_items": crumbs,
        "header_title": f"{title}: {subtitle}" if subtitle else title,
        "page_title": title,
        "page_subtitle": subtitle,
        "header_icon": icon,
    }
