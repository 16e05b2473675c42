"""The base of the REST API: denied unless a view says otherwise, one shape of errors, cursor pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError, TooMany, describe_error

WHOLE: Final = "non_field_errors"


class DenyAll(BasePermission):
    """The permission of a view that names none: nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class CursorPages(CursorPagination):
    """Pages by cursor, newest first where the view says nothing."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-pk"

    def decode_cursor(self, request: Request) -> Any:
        """A cursor that was not made here names no page; a database would stumble over some."""
        cursor = super().decode_cursor(request)
        if cursor is not None and "\0" in (cursor.position or ""):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """What the view says, if it says something."""
        return tuple(getattr(view, "ordering", ())) or super().get_ordering(request, queryset, view)


def make_unknown_api() -> Any:
    """The view of an address that the API does not have: the same refusal as elsewhere in it, not a page."""
    # The views of REST framework read this module while they are being imported.
    from drf_spectacular.utils import extend_schema
    from rest_framework.permissions import AllowAny
    from rest_framework.views import APIView

    @extend_schema(exclude=True)
    class UnknownApi(APIView):
        permission_classes = [AllowAny]

        def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
            raise exceptions.NotFound

    return UnknownApi.as_view()


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer ``{"code", "message", "errors"}`` for every refusal; None for a fault of ours (a 500)."""
    # The views of REST framework read this module while they are being imported.
    from rest_framework.views import set_rollback

    if isinstance(error, DomainError):
        set_rollback()
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
        body = describe_error(code=error.code, message=error, errors=error.errors)
        return Response(body, status=error.status, headers=headers)
    if isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(
            detail=error.message_dict if hasattr(error, "error_dict") else {WHOLE: error.messages}
        )
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    return Response(_describe(error), status=error.status_code, headers=_find_headers(error))


def _describe(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return describe_error(
            code="invalid",
            message=_("Some of what was sent cannot be used. Nothing was changed."),
            errors=flatten_errors(error.detail),
        )
    detail: Any = error.detail
    code = getattr(detail, "code", None) or error.default_code
    return describe_error(code=str(code), message=detail)


def flatten_errors(detail: Any, *, prefix: str = "") -> dict[str, list[str]]:
    """Nested errors as one level: ``{"answers.0.text": ["…"]}``."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, part in detail.items():
            found |= flatten_errors(part, prefix=f"{prefix}.{name}" if prefix else str(name))
        return found
    if isinstance(detail, list | tuple):
        if any(isinstance(part, Mapping | list | tuple) for part in detail):
            found = {}
            for index, part in enumerate(detail):
                if part:
                    found |= flatten_errors(part, prefix=f"{prefix}.{index}" if prefix else str(index))
            return found
        return {prefix or WHOLE: [str(part) for part in detail]}
    return {prefix or WHOLE: [str(detail)]}


def _find_headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    return headers
