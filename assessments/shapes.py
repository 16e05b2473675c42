"""Reading JSON objects strictly: the tools of :mod:`assessments.documents` and of the rules above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

Words = Mapping[str, str]
T = TypeVar("T")


class DocumentError(ValueError):
    """A JSON object does not have the expected shape; ``place`` says where."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place or 'document'}: {message}")
        self.place = place


def say(words: Words, language: str) -> str:
    """Return the text in ``language``, or in the first language that has any, or the empty string."""
    return words.get(language) or next((text for text in words.values() if text), "")


def write_decimal(number: Decimal) -> str:
    """Write a decimal canonically: no exponent, no trailing zeros, ``"0"`` for any zero."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Reader:
    """Reads one JSON object field by field, remembering where it stands, and refuses what it does not know."""

    def __init__(self, data: object, place: str = "") -> None:
        if not isinstance(data, Mapping):
            raise DocumentError(place, "an object is expected")
        self.data: dict[str, Any] = dict(data)
        self.place = place

    def at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def take(self, name: str, default: object = None) -> Any:
        return self.data.pop(name, default)

    def close(self) -> None:
        if self.data:
            raise DocumentError(self.place, f"unknown keys: {', '.join(sorted(self.data))}")

    def text(self, name: str, default: str | None = None) -> str:
        value = self.take(name, default)
        if not isinstance(value, str):
            raise DocumentError(self.at(name), "text is expected")
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise DocumentError(self.at(name), f"one of {', '.join(allowed)} is expected")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise DocumentError(self.at(name), "true or false is expected")
        return value

    def whole(self, name: str, *, least: int = 0) -> int | None:
        value = self.take(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise DocumentError(self.at(name), f"a whole number from {least} up, or null, is expected")
        return value

    def decimal(self, name: str, default: str | None = None) -> Decimal | None:
        value = self.take(name)
        if value is None:
            value = default
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise DocumentError(self.at(name), "a decimal written as text is expected")
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise DocumentError(self.at(name), "a decimal written as text is expected") from None
        if not number.is_finite() or len(number.as_tuple().digits) > 24 or abs(number.adjusted()) > 24:
            raise DocumentError(self.at(name), "a number of at most 24 digits is expected")
        return Decimal(write_decimal(number))

    def words(self, name: str) -> Words:
        return read_words(self.take(name, {}), self.at(name))

    def many(self, name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        value = self.take(name, [])
        if not isinstance(value, list | tuple):
            raise DocumentError(self.at(name), "a list is expected")
        return tuple(read(entry, f"{self.at(name)}[{number}]") for number, entry in enumerate(value))


def read_words(data: object, place: str) -> Words:
    """Read ``{"en": "…", "fr": "…"}``."""
    if not isinstance(data, Mapping) or not all(
        isinstance(language, str) and isinstance(text, str) for language, text in data.items()
    ):
        raise DocumentError(place, "text by language is expected")
    return dict(data)
