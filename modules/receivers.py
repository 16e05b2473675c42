"""The last guard: whatever way something is deleted, not while an edition or a page of a course uses it."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import pre_delete
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from assessments.models import Assessment, Item
from modules.deletion import PAGES, refuse_if_used


def keep_what_is_used(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Raises StillUsed; the screens of the CMS ask before, and say so."""
    refuse_if_used([instance])


def connect() -> None:
    for model in (*PAGES, Item, Assessment, get_document_model(), get_image_model()):
        pre_delete.connect(keep_what_is_used, sender=model, dispatch_uid=f"modules.keep.{model.__name__}")
