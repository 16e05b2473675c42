"""One text for one content, so that a digest means something.

The shape of RFC 8785 (JSON Canonicalization Scheme): sorted keys, no spaces, UTF-8, with two limits that make the
standard library enough: numbers are whole and within 2**53 (write others as texts, as Decimals are here), and keys are
sorted by code point, which differs from the RFC's UTF-16 order only beyond U+FFFF, so such keys are refused.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

LARGEST_NUMBER: Final = 2**53 - 1


def plain(value: Any) -> Any:
    """The JSON value for ours: UUIDs, Decimals, dates and moments become texts, tuples become lists.

    Raises TypeError for anything else, floats among it, since their text depends on who writes it.
    """
    match value:
        case None | bool() | str():
            # A lazy translation is no str, and would change with the reader's language.
            return value if value is None or isinstance(value, bool) else str(value)
        case int():
            if abs(value) > LARGEST_NUMBER:
                raise TypeError(
                    f"{value} is too large for a JSON number that every reader keeps; write a text."
                )
            return int(value)
        case uuid.UUID():
            return str(value)
        case Decimal():
            return format_decimal(value)
        case datetime():
            if value.tzinfo is None:
                raise TypeError("A moment without a time zone has no canonical text.")
            moment = value.astimezone(UTC)
            return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace(
                "+00:00", "Z"
            )
        case date():
            return value.isoformat()
        case dict():
            return {_check_key(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON; give a text, a whole number or a list.")


def _check_key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"A key must be a text, not {type(key).__name__}.")
    if any(ord(character) > 0xFFFF for character in key):
        raise TypeError(f"The key “{key}” has characters beyond U+FFFF.")
    return str(key)


def format_decimal(value: Decimal) -> str:
    """The shortest plain text of a number: ``2.50`` and ``2.5`` are the same, and there is no exponent."""
    if not value.is_finite():
        raise TypeError(f"{value} has no canonical text.")
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_json(value: Any) -> str:
    """The canonical text of a JSON value."""
    return json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


def digest_bytes(content: bytes) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
