"""What the world sees of this floor: the files of editions, and where a page's own address leads."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Final

from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from modules.assets import CONTENT_TYPES, FOLDER, INLINE
from modules.selectors import latest_edition

_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
_CHUNK: Final = 64 * 1024


@require_safe
def show_asset(request: HttpRequest, name: str) -> HttpResponseBase:
    """A file of an edition, by the digest of its bytes: it never changes, so it may be kept for ever.

    One part of it where a player asks for that. The address is the same wherever the files are kept.
    """
    extension = PurePosixPath(name).suffix.removeprefix(".")
    file = f"{FOLDER}/{name}"
    if extension not in CONTENT_TYPES or not default_storage.exists(file):
        raise Http404
    response = _send(request, file, CONTENT_TYPES[extension])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Accept-Ranges"] = "bytes"
    # Whatever it is, it runs nothing.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if extension not in INLINE:
        response["Content-Disposition"] = "attachment"
    return response


def _send(request: HttpRequest, file: str, content_type: str) -> HttpResponseBase:
    size = default_storage.size(file)
    wanted = _RANGE.match(request.headers.get("Range", ""))
    if wanted is None or wanted.groups() == ("", ""):
        return FileResponse(default_storage.open(file, "rb"), content_type=content_type)
    first, last = wanted.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(_read_part(file, start, end), status=206, content_type=content_type)
    response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Content-Length"] = str(end - start + 1)
    return response


def _read_part(file: str, start: int, end: int) -> Any:
    with default_storage.open(file, "rb") as stream:
        stream.seek(start)
        left = end - start + 1
        while left > 0:
            part = stream.read(min(_CHUNK, left))
            if not part:
                return
            left -= len(part)
            yield part


def redirect_to_issued(request: HttpRequest, page: Any) -> HttpResponseBase:
    """To the course that the page belongs to, as issued; 404 while there is none. Two queries."""
    from modules.pages import CoursePage, TrainingPage

    if isinstance(page, TrainingPage):
        return HttpResponseRedirect(_find_address("lms:catalogue"))
    course = page if isinstance(page, CoursePage) else CoursePage.objects.ancestor_of(page).first()
    edition = latest_edition(course.translation_key) if course else None
    if edition is None:
        raise Http404
    return HttpResponseRedirect(_find_address("lms:course", edition.slug))


def _find_address(name: str, *args: str) -> str:
    """The address of a screen of the floor above, known by its name only."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        raise Http404 from None
