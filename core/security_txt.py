"""Where a weakness is reported (RFC 9116), as the operator has set it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core import clock
from core.languages import reading_language

# The file says until when it may be believed; it is made anew at every request.
GOOD_FOR: Final = timedelta(days=90)


@require_safe
def show_security_txt(request: HttpRequest) -> HttpResponse:
    """`/.well-known/security.txt`; 404 where no address is set. No queries."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {clock.now() + GOOD_FOR:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en, fr",
        f"Canonical: {settings.PUBLIC_ORIGIN}/.well-known/security.txt",
    ]
    response = HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    response["Content-Language"] = reading_language()
    return response


def warn_of_missing_address(**_kwargs: Any) -> list[checks.CheckMessage]:
    """A site in service says where a weakness can be reported."""
    if settings.SECURITY_CONTACT or settings.OWN_MACHINE:
        return []
    return [
        checks.Warning(
            "SECURITY_CONTACT is not set, so nobody knows where to report a weakness.",
            hint="Set it to an address that is read, such as mailto:security@example.ca or https://example.ca/report.",
            id="core.W001",
        )
    ]
