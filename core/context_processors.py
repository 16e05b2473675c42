"""What every template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """``DEMO``, ``PUBLIC_ORIGIN`` and ``SITE_NAME``; no queries."""
    return {
        "DEMO": settings.DEMO,
        "PUBLIC_ORIGIN": settings.PUBLIC_ORIGIN,
        "SITE_NAME": settings.WAGTAIL_SITE_NAME,
    }
