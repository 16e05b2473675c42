"""Log lines: one JSON object each, with the id of the request."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from core.request_id import current_request_id

ORDINARY_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request_id",
    # Django adds the request object itself; its id is enough.
    "request",
    "server_time",
}


class RequestIdFilter(logging.Filter):
    """Puts the id of the current request on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "logger", "message", "request_id", …}``; what ``extra=`` gave stands beside them."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        line |= {key: value for key, value in vars(record).items() if key not in ORDINARY_ATTRIBUTES}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
