"""One shape of errors, denied by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core.api import flatten_errors
from core.errors import DomainError, InvalidInput, NotAllowed, NotFound, TooMany


def ask(error: Callable[[], Exception] | None, *, permissions: list[type] | None = None) -> Any:
    class Probe(APIView):
        authentication_classes: tuple[type, ...] = ()

        def get(self, request: Request) -> Response:
            if error:
                raise error()
            return Response({"fine": True})

    if permissions is not None:
        Probe.permission_classes = permissions
    return Probe.as_view()(APIRequestFactory().get("/"))


def test_a_view_that_names_no_permission_is_denied() -> None:
    response = ask(None)
    assert response.status_code == 403
    assert set(response.data) == {"code", "message", "errors"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (lambda: DomainError("Taken."), 409, "refused"),
        (lambda: NotAllowed("No."), 403, "not_allowed"),
        (lambda: NotFound("None."), 404, "not_found"),
        (lambda: InvalidInput("Bad.", errors={"name": ["Short."]}), 400, "invalid"),
        (Http404, 404, "not_found"),
        (PermissionDenied, 403, "permission_denied"),
        (exceptions.NotAuthenticated, 403, "not_authenticated"),
        (lambda: exceptions.Throttled(wait=7), 429, "throttled"),
        (lambda: DjangoValidationError({"name": ["Short."]}), 400, "invalid"),
        (lambda: DjangoValidationError("Bad."), 400, "invalid"),
        (lambda: serializers.ValidationError({"answers": [{}, {"text": ["Empty."]}]}), 400, "invalid"),
    ],
)
def test_every_refusal_has_one_shape(error: Callable[[], Exception], status: int, code: str) -> None:
    response = ask(error, permissions=[AllowAny])
    assert (response.status_code, response.data["code"]) == (status, code)
    assert set(response.data) == {"code", "message", "errors"}
    assert response.data["message"]


def test_too_many_says_when_to_come_back() -> None:
    response = ask(lambda: TooMany("Slow down.", retry_after=30), permissions=[AllowAny])
    assert (response.status_code, response["Retry-After"]) == (429, "30")


def test_a_fault_of_ours_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        ask(ZeroDivisionError, permissions=[AllowAny])


def test_nested_errors_are_named_by_their_path() -> None:
    nested = {"answers": [{}, {"text": ["Empty."]}], "name": ["Short."]}
    assert flatten_errors(nested) == {"answers.1.text": ["Empty."], "name": ["Short."]}
    assert flatten_errors(["Bad."]) == {"non_field_errors": ["Bad."]}
