"""A request that is too large is refused before any of it is read: nothing of it reaches memory or disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from core.errors import describe_error
from core.outage import is_program

MEGABYTE: Final = 1024 * 1024
MULTIPART: Final = "multipart/form-data"


class SizeMiddleware:
    """413 for a request that says it is larger than may be sent, 411 for one that does not say how large it is.

    Only a form with files may be large (`MAX_REQUEST_BYTES`); any other is read into memory, and so has Django's own
    limit. It stands before whatever reads a request; the server closes the line of one that is not read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.META.get("CONTENT_LENGTH") or "0"
        size = int(told) if told.isascii() and told.isdigit() else 0
        most = (
            settings.MAX_REQUEST_BYTES
            if request.content_type == MULTIPART
            else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        )
        if size > most:
            return _refuse(request, status=413, most=most)
        # Not by `request.headers`, which are made of all there are.
        if not size and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            return _refuse(request, status=411, most=most)
        return self.get_response(request)


def _refuse(request: HttpRequest, *, status: int, most: int) -> HttpResponse:
    language = translation.get_language_from_request(request, check_path=True)
    with translation.override(language):
        response: HttpResponse
        if is_program(request):
            response = JsonResponse(_describe(status=status, most=most), status=status)
        else:
            context = {"status": status, "most": most // MEGABYTE, "language": language}
            response = HttpResponse(render_to_string("too_large.html", context), status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    return response


def _describe(*, status: int, most: int) -> dict[str, object]:
    if status == 411:
        sentence = _("Say how large what you send is (Content-Length). Nothing was kept of it.")
        return describe_error(code="length_required", message=sentence)
    sentence = _("What was sent is larger than %(limit)s MB. Nothing was kept of it; send less.") % {
        "limit": most // MEGABYTE
    }
    return describe_error(code="too_large", message=sentence)
