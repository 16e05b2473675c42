"""A character that no text here can hold is refused at the door, with 400, before a database stumbles over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.translation import gettext as _

from core.errors import describe_error

NUL: Final = "\0"
FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class NulMiddleware:
    """Refuses NUL in an address, its query, or the fields of a form. PostgreSQL keeps none in a text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path_info or ("%00" in request.META.get("QUERY_STRING", "") and _has(request.GET)):
            return self._refuse(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        """Forms are read here, after the check of their token, which reads them too."""
        if request.method == "POST" and request.content_type in FORMS and _has(request.POST):
            return self._refuse(request)
        return None

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            sentence = _("Some of what was sent cannot be used. Nothing was changed.")
            return JsonResponse(describe_error(code="invalid", message=sentence), status=400)
        raise BadRequest("A NUL character was sent.")


def _has(values: QueryDict) -> bool:
    return any(NUL in value for name, found in values.lists() for value in (name, *found))
