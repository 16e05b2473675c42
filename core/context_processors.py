"""What every template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core.tokens import make_token


def site(request: HttpRequest) -> dict[str, Any]:
    """``DEMO``, ``PUBLIC_ORIGIN`` and ``SITE_NAME``; no queries."""
    return {
        "DEMO": settings.DEMO,
        "PUBLIC_ORIGIN": settings.PUBLIC_ORIGIN,
        "SITE_NAME": settings.WAGTAIL_SITE_NAME,
    }


def token(request: HttpRequest) -> dict[str, Any]:
    """``csrf_token`` in place of Django's; made only where a page writes it."""
    return {"csrf_token": SimpleLazyObject(lambda: make_token(request))}
