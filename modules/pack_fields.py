"""Reading the files of a pack strictly: each refusal names the file, the line or the entry, and the field."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext as _

from standards.packs_loader import PackError

LANGUAGES: Final = ("en", "fr")
SOURCE_LANGUAGE: Final = "en"
SLUG: Final = re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)*$")
_SPACES = re.compile(r"[ \t\r\n]+")


def refuse(place: str, sentence: str) -> PackError:
    """The error of a pack at a place, to be raised."""
    return PackError(f"{place}: {sentence}")


def fold_spaces(text: str) -> str:
    """One line of plain text. Folded YAML has line breaks; no-break spaces stay, since French needs them."""
    return _SPACES.sub(" ", text).strip(" ")


class Fields:
    """One mapping of a file, taken field by field; what nobody took is refused at the end."""

    def __init__(self, data: object, place: str) -> None:
        if not isinstance(data, Mapping):
            raise refuse(place, _("names and values are expected."))
        self.data: dict[Any, Any] = dict(data)
        self.place = place

    def refuse(self, name: str, sentence: str) -> PackError:
        return refuse(self.place, _("“%(field)s”: %(sentence)s") % {"field": name, "sentence": sentence})

    def has(self, name: str) -> bool:
        return name in self.data

    def take(self, name: Any, default: Any = None) -> Any:
        return self.data.pop(name, default)

    def close(self) -> None:
        if self.data:
            names = ", ".join(str(name) for name in self.data)
            raise refuse(self.place, _("there is no field %(names)s here.") % {"names": names})

    def raw_text(self, name: str, *, required: bool = True) -> str:
        """A text as it stands, line breaks kept (Markdown)."""
        value = self.take(name)
        if value is None and not required:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.refuse(name, _("a text is missing."))
        text = str(value).strip(" \n")
        if required and not text:
            raise self.refuse(name, _("a text is missing."))
        return text

    def text(self, name: str, *, required: bool = True, longest: int | None = None) -> str:
        """A text on one line."""
        text = fold_spaces(self.raw_text(name, required=required))
        if longest and len(text) > longest:
            raise self.refuse(
                name,
                _("the text has %(length)d characters; %(longest)d are allowed.")
                % {"length": len(text), "longest": longest},
            )
        return text

    def slug(self, name: str) -> str:
        text = self.text(name, longest=80)
        if not SLUG.match(text):
            raise self.refuse(
                name, _("“%(text)s” is no key: use small letters, digits and hyphens.") % {"text": text}
            )
        return text

    def key(self, name: str = "id") -> uuid.UUID:
        text = self.text(name)
        try:
            return uuid.UUID(text)
        except ValueError:
            raise self.refuse(name, _("“%(text)s” is no UUID.") % {"text": text}) from None

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.take(name, default)
        if value not in allowed:
            raise self.refuse(
                name,
                _("“%(value)s” is not one of: %(allowed)s.")
                % {"value": value, "allowed": ", ".join(allowed)},
            )
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise self.refuse(name, _("true or false is expected."))
        return value

    def whole(
        self, name: str, *, default: int | None = None, least: int = 0, most: int | None = None
    ) -> int | None:
        value = self.take(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least or (most and value > most):
            raise self.refuse(name, _("a whole number from %(least)d is expected.") % {"least": least})
        return value

    def number(self, name: str, *, default: str | None = None) -> Decimal:
        value = self.take(name, default)
        try:
            if isinstance(value, bool) or value is None:
                raise InvalidOperation
            return Decimal(str(value))
        except InvalidOperation:
            raise self.refuse(name, _("a number is expected.")) from None

    def words(self, name: Any, *, required: bool = True, markdown: bool = False) -> dict[str, str]:
        """A text in every language."""
        value = self.take(name)
        if value is None and not required:
            return dict.fromkeys(LANGUAGES, "")
        inner = Fields(value, f"{self.place}, {str(name).lower()}")
        read = inner.raw_text if markdown else inner.text
        texts = {language: read(language, required=required) for language in LANGUAGES}
        inner.close()
        return texts

    def word_lists(self, name: str) -> dict[str, list[str]]:
        """A list of texts in every language, as long in each."""
        inner = Fields(self.take(name) or {}, f"{self.place}, {name}")
        lists = {language: inner.texts(language) for language in LANGUAGES}
        inner.close()
        if len({len(texts) for texts in lists.values()}) > 1:
            raise self.refuse(name, _("the languages have lists of different lengths."))
        return lists

    def texts(self, name: str) -> list[str]:
        value = self.take(name, [])
        if not isinstance(value, list):
            raise self.refuse(name, _("a list is expected."))
        return [fold_spaces(str(entry)) for entry in value]

    def many(self, name: str, *, required: bool = True) -> list[Fields]:
        """A list of mappings; each knows its place."""
        value = self.take(name)
        if value is None and not required:
            return []
        if not isinstance(value, list) or (required and not value):
            raise self.refuse(name, _("a list is expected."))
        return [
            Fields(entry, f"{self.place}, {name} {number}") for number, entry in enumerate(value, start=1)
        ]

    def inner(self, name: str, *, required: bool = False) -> Fields | None:
        value = self.take(name)
        if value is None:
            if required:
                raise self.refuse(name, _("names and values are expected."))
            return None
        return Fields(value, f"{self.place}, {name}")

    def competency(self, name: str = "competency", *, required: bool = False) -> tuple[str, str] | None:
        """A competency's code and a level."""
        inner = self.inner(name, required=required)
        if inner is None:
            return None
        found = (inner.text("code"), inner.choice("level", ("foundational", "practising", "leading")))
        inner.close()
        return found


def list_entries(data: object, place: str) -> Iterator[Fields]:
    """The entries of a file that is a list; each is named by its key where it has one."""
    if not isinstance(data, list):
        raise refuse(place, _("a list is expected."))
    for number, entry in enumerate(data, start=1):
        name = entry.get("key") if isinstance(entry, Mapping) else None
        yield Fields(entry, f"{place}, {name or number}")
