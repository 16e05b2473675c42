"""Nonsense in an address or a form of the CMS is answered as such (400), where Wagtail’s own screens would fail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.views.defaults import bad_request
from modelsearch.backends.base import FieldError as SearchFieldError

log = logging.getLogger(__name__)

# What comes of a key that can be none, a number that is too large, a name that is missing, a filter that there is not.
NONSENSE: Final = (
    *(ValueError, OverflowError, KeyError, ValidationError, DataError, NoReverseMatch),
    SearchFieldError,
)


def is_nonsense(exception: Exception) -> bool:
    """Whether a failure is one that nonsense leads to: also that something is asked of what is not there."""
    return isinstance(exception, NONSENSE) or (
        isinstance(exception, AttributeError) and exception.name is not None and exception.obj is None
    )


class NonsenseMiddleware:
    """Answers 400 where a screen of the CMS stumbles over what was sent to it.

    Only where no code of ours had a part in it: that is a fault of ours, and stays one. What happened is logged.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not request.path_info.startswith("/admin/") or not is_nonsense(exception):
            return None
        if not _brought_anything(request) or _is_ours(exception):
            return None
        log.warning("What was sent to %s cannot be used.", request.path_info, exc_info=exception)
        return bad_request(request, exception)


def _brought_anything(request: HttpRequest) -> bool:
    """Whether there is anything in the request that could be nonsense."""
    match = request.resolver_match
    return bool(request.GET or request.POST or (match and (match.args or match.kwargs)))


def _is_ours(exception: BaseException) -> bool:
    """Whether a function of one of our floors stands in what led to it."""
    step = exception.__traceback__
    while step is not None:
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] in settings.FLOORS:
            return True
        step = step.tb_next
    return False
