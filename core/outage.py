"""While the database is away: a calm page that says what was kept and tries again, never a bare error.

The same for a disk that takes no more files. Only for a database that cannot be reached or cannot go on; a fault of
ours stays a fault of ours (500), which a program is told in the shape of every other refusal.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Final

import psycopg
from django.db import Error as DjangoDatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from core.caching import NEVER
from core.errors import NoRoom, describe_error, say_no_room
from core.storage import lacks_room

RETRY_SECONDS: Final = 5

# By SQLSTATE: the connection is lost, the server is stopping, starting or full, its disk fails, it may only read.
LOST_CLASSES: Final = ("08", "53", "58", "57P", "25006")
PROGRAMS: Final = ("/api/", "/ims/")


def is_outage(error: BaseException | None) -> bool:
    """Whether an error says that the database is away, itself or by what it comes from.

    An error that is none of a database's never is, whatever it was raised from.
    """
    if not isinstance(error, DjangoDatabaseError | psycopg.Error):
        return False
    return any(_says_lost(one) for one in _walk_back(error))


def _walk_back(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def _says_lost(error: BaseException) -> bool:
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        # Without a word from the server it is the line that failed.
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(LOST_CLASSES)


def show_failure(request: HttpRequest) -> HttpResponse:
    """The handler of what no view answered (`handler500`): 503 while the database is away, 507 where a disk is full.

    Else 500. No queries.
    """
    error = sys.exc_info()[1]
    outage, full = is_outage(error), lacks_room(error)
    if not outage and not full and not is_program(request):
        return server_error(request)
    language = translation.get_language_from_request(request, check_path=True)
    with translation.override(language):
        if full:
            response = _answer_without_room(request)
        else:
            response = _answer_program(outage=outage) if is_program(request) else _answer_person(request)
    response["Content-Language"] = language
    if outage:
        response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = NEVER
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response


def is_program(request: HttpRequest) -> bool:
    """Whether a program asks, which gets one shape of refusals, and not a page."""
    accepted = request.headers.get("Accept", "")
    return request.path_info.startswith(PROGRAMS) or (
        "application/json" in accepted and "text/html" not in accepted
    )


def _answer_without_room(request: HttpRequest) -> HttpResponse:
    if is_program(request):
        return JsonResponse(describe_error(code=NoRoom.code, message=say_no_room()), status=NoRoom.status)
    context = {"language": translation.get_language()}
    return HttpResponse(render_to_string("no_room.html", context), status=NoRoom.status)


def _answer_program(*, outage: bool) -> HttpResponse:
    if not outage:
        sentence = _("The fault is ours, and it has been recorded. What was saved before is kept.")
        return JsonResponse(describe_error(code="failed", message=sentence), status=500)
    sentence = _(
        "The site cannot reach its records just now. What was saved before is kept. Try again in a few seconds."
    )
    return JsonResponse(describe_error(code="unavailable", message=sentence), status=503)


def _answer_person(request: HttpRequest) -> HttpResponse:
    reads = request.method in {"GET", "HEAD"}
    context = {
        "reads": reads,
        "seconds": RETRY_SECONDS,
        "again": [] if reads else _sent_again(request),
        "path": request.get_full_path(),
        "language": translation.get_language(),
    }
    return HttpResponse(render_to_string("outage.html", context), status=503)


def _sent_again(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of a form whose key makes a repeat harmless, so that one press sends them again; else nothing."""
    try:
        if "client_id" not in request.POST or request.FILES:
            return []
        return [(name, value) for name, values in request.POST.lists() for value in values]
    except (UnreadablePostError, OSError):
        return []


class OutageFilter(logging.Filter):
    """One line a request while the database is away, instead of a traceback for each."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and is_outage(error):
            said = str(error).strip().splitlines()
            record.msg, record.args = (
                f"{record.getMessage()}: the database is away: {said[0] if said else ''}",
                (),
            )
            record.exc_info = record.exc_text = None
        return True
