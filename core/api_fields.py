"""What the serializers of every floor share."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class Bilingual(serializers.Serializer[Any]):
    """One text in both languages; where the source has one language only, both hold the same text."""

    en = serializers.CharField()
    fr = serializers.CharField()


class ErrorOutput(serializers.Serializer[Any]):
    """Every refusal: `code` is stable and for programs, `message` is a sentence, `errors` names fields."""

    code = serializers.CharField()
    message = serializers.CharField()
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


@extend_schema_field(Bilingual)
class BilingualField(serializers.Field[Any, Any, Any, Any]):
    """The columns `<name>_en` and `<name>_fr` of a row as one value."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        self.name = name
        super().__init__(source=kwargs.pop("source", "*"), read_only=True, **kwargs)

    def to_representation(self, value: Any) -> dict[str, str]:
        en, fr = getattr(value, f"{self.name}_en"), getattr(value, f"{self.name}_fr")
        return {"en": en or fr, "fr": fr or en}


def both(words: Any) -> dict[str, str]:
    """A text of a document, ``{"en": …, "fr": …}``, with what is missing taken from the other language."""
    en, fr = words.get("en", ""), words.get("fr", "")
    return {"en": en or fr, "fr": fr or en}
