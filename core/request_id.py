"""The id of the request or task being worked on, for logs."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from typing import Final

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")

ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


def choose_request_id(offered: str | None) -> str:
    """The id that a proxy sent, if it is harmless in a log, else a new one."""
    if offered and ACCEPTABLE.fullmatch(offered):
        return offered
    return uuid.uuid4().hex
