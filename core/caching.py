"""What no cache may keep: pages that are about a person, or that must be of now."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.http.response import HttpResponseBase

R = TypeVar("R", bound=HttpResponseBase)

# What Django's `never_cache` says, at a tenth of its calls. It also says `Expires`, for caches older than HTTP/1.1.
NEVER: Final = "max-age=0, no-cache, no-store, must-revalidate, private"


def never_kept(view: Callable[..., R]) -> Callable[..., R]:
    """Have no cache keep what this view answers, the browser's own included."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> R:
        response = view(*args, **kwargs)
        response.headers["Cache-Control"] = NEVER
        return response

    return wrapper
