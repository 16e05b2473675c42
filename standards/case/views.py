"""CASE 1.1 over HTTP, as far as reading one thing goes: open to everyone, and to programs of other sites."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from standards.case import publish
from standards.models import FrameworkEdition
from standards.selectors import rank_status


@require_safe
def show_package(request: HttpRequest, identifier: uuid.UUID) -> HttpResponse:
    """A whole edition. One query."""
    edition = FrameworkEdition.objects.filter(pk=identifier).first()
    if edition is None:
        return refuse()
    return answer(request, edition, publish.publish_package(edition, origin=settings.PUBLIC_ORIGIN))


@require_safe
def show_document(request: HttpRequest, identifier: uuid.UUID) -> HttpResponse:
    """What an edition is, without its items. One query."""
    edition = FrameworkEdition.objects.filter(pk=identifier).first()
    if edition is None:
        return refuse()
    return answer(request, edition, publish.publish_document(edition, origin=settings.PUBLIC_ORIGIN))


@require_safe
def show_item(request: HttpRequest, identifier: uuid.UUID) -> HttpResponse:
    """A domain, a competency, a level descriptor, or the French twin of one, in the edition in force. One query."""
    return show_node(request, "CFItems", identifier)


@require_safe
def show_association(request: HttpRequest, identifier: uuid.UUID) -> HttpResponse:
    """How two items relate. One query."""
    return show_node(request, "CFAssociations", identifier)


def show_node(request: HttpRequest, collection: str, identifier: uuid.UUID) -> HttpResponse:
    holding = {f"document__{collection}__contains": [{"identifier": str(identifier)}]}
    edition = FrameworkEdition.objects.filter(**holding).order_by(rank_status(), "-number").first()
    if edition is None:
        return refuse()
    node = publish.publish_node(
        edition, collection=collection, identifier=identifier, origin=settings.PUBLIC_ORIGIN
    )
    return answer(request, edition, node)


def answer(request: HttpRequest, edition: FrameworkEdition, body: dict[str, Any]) -> HttpResponse:
    """JSON that may be kept and asked for again: it changes with the edition's status only."""
    state = f"{edition.id}:{edition.status}:{edition.status_changed_at.isoformat()}:{request.path}"
    etag = f'"{hashlib.sha256(state.encode()).hexdigest()[:32]}"'
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False})
    response["ETag"] = etag
    response["Access-Control-Allow-Origin"] = "*"
    patch_cache_control(response, public=True, max_age=300)
    return get_conditional_response(request, etag=etag, response=response) or response


def refuse() -> JsonResponse:
    """CASE's own shape of an error: there is no such object."""
    response = JsonResponse(
        {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": "There is no such object here.",
            "imsx_codeMinor": {
                "imsx_codeMinorField": [
                    {"imsx_codeMinorFieldName": "sourcedId", "imsx_codeMinorFieldValue": "unknownobject"}
                ]
            },
        },
        status=404,
    )
    response["Access-Control-Allow-Origin"] = "*"
    return response
