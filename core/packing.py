"""Pages are packed for the way: a lesson of 30 kB takes 10. What that could give away, and why it does not: ADR 80."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from isal import isal_zlib

# Intel's deflate: pages become as small as by zlib's level 1, in a sixth of its time.
LEVEL: Final = 1
GZIP: Final = 31
LEAST_BYTES: Final = 1_000
MOST_PADDING: Final = 100
ACCEPTS: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0+)?\s*(,|$))")
# Where a page shows a lasting secret (a second factor's key, recovery codes, a share link), or staff's work.
NEVER: Final = re.compile(r"^/(admin|api|((en|fr)/)?(accounts|my/certificates|certificates))(/|$)")


def pack(content: bytes) -> bytes:
    """gzip, with a file name of random length in its head, so that the size says less of what is in it."""
    packed = isal_zlib.compress(content, level=LEVEL, wbits=GZIP)
    name = secrets.token_hex(MOST_PADDING)[: 1 + secrets.randbelow(MOST_PADDING)].encode()
    with_name = b"\x08"
    return packed[:3] + with_name + packed[4:10] + name + b"\0" + packed[10:]


class PackingMiddleware:
    """Packs a page that was asked for without parameters, by who can unpack it.

    Nothing that a stranger could choose stands in such a page beside what they want to guess. Costs a tenth of a
    millisecond of processor time a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not self._may_pack(request, response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if ACCEPTS.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response.content = pack(response.content)
            response["Content-Encoding"] = "gzip"
            response["Content-Length"] = str(len(response.content))
            etag = response.get("ETag", "")
            if etag.startswith('"'):
                response["ETag"] = f"W/{etag}"
        return response

    def _may_pack(self, request: HttpRequest, response: HttpResponse) -> bool:
        return (
            request.method == "GET"
            and response.status_code == 200
            and not request.META.get("QUERY_STRING")
            and not response.streaming
            and not response.has_header("Content-Encoding")
            and response.get("Content-Type", "").startswith("text/html")
            and len(response.content) >= LEAST_BYTES
            and NEVER.match(request.path_info) is None
        )
