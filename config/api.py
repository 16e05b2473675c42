"""The REST API, version 1: its document, and what each floor adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularJSONAPIView

PREFIX: Final = "/api/v1/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="api_schema"),
]


def keep_our_addresses(
    endpoints: Sequence[tuple[str, str, str, Any]], **kwargs: Any
) -> list[tuple[str, str, str, Any]]:
    """The endpoints (path, pattern, method, view) of this API, without those that the CMS has for itself."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]
