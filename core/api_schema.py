"""The API's own document says which refusals an operation knows, so that nothing it answers is a surprise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema

from core.api_fields import ErrorOutput

REFUSALS: Final[Mapping[str, str]] = {
    "400": "What was sent cannot be used. Nothing was changed.",
    "403": "Not signed in, not for this person, or not without a second factor.",
    "404": "There is no such thing, or none that this person may know of.",
    "406": "The API answers in JSON.",
    "415": "The API reads JSON.",
    "429": "Asked too often; `Retry-After` says when to come back.",
}


class Schema(AutoSchema):
    """drf-spectacular's, with the refusals of an operation in their one shape."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        component = self.resolve_serializer(ErrorOutput, direction)
        for code in self._list_refusals():
            bodies.setdefault(
                code,
                {
                    "description": REFUSALS[code],
                    "content": {"application/json": {"schema": component.ref}},
                },
            )
        return bodies

    def _list_refusals(self) -> list[str]:
        # Staff without a second factor are refused everywhere.
        codes = ["403", "406", "429"]
        if self.method == "POST" or self._is_list_view():
            codes.append("400")
        if self.method == "POST":
            codes.append("415")
        # A page that a cursor names may be gone.
        if "{" in self.path or self._is_list_view():
            codes.append("404")
        return sorted(set(codes))
