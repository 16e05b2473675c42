"""Whether the office that a person holds counts: without a second factor it opens nobody's record."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.permissions import lacks_second_factor


def is_unprotected(user: Any) -> bool:
    """Whether the person's role asks for a second factor that they have not set up.

    `accounts.middleware` keeps such a person from the staff's own screens; this is for screens that everybody has, and
    that show more to an office. At most two queries, once a request.
    """
    if not settings.STAFF_SECOND_FACTOR:
        return False
    known: bool | None = getattr(user, "_is_unprotected", None)
    if known is None:
        known = lacks_second_factor(user)
        user._is_unprotected = known
    return known
