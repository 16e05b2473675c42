"""The author's screens beside the lists: what an item or an assessment looks like, and what it still lacks."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assessments.permissions import may, require
from assessments.previews import preview_assessment, preview_item
from assessments.readiness import find_framework, say_readiness
from assessments.snippets import Assessment, Item
from core.cms_frame import frame_of_cms

MODELS: Final[dict[str, Any]] = {"item": Item, "assessment": Assessment}


@require_safe
def check(request: HttpRequest, model_name: str, pk: int) -> HttpResponse:
    """What keeps a thing from being issued, and how a learner will see it; with `?key=1`, the key beside it."""
    model = MODELS.get(model_name)
    if model is None:
        raise Http404
    thing = get_object_or_404(model.objects.select_related("collection", "locale"), pk=pk)
    require(request.user, thing)
    is_item = model is Item
    may_change = may(request.user, "change", thing)
    viewset = model.snippet_viewset
    edit_url = reverse(viewset.get_url_name("edit"), args=[thing.pk]) if may_change else ""
    context: dict[str, Any] = preview_item(thing) if is_item else preview_assessment(thing)
    return render(
        request,
        "assessments/admin/check.html",
        {
            **context,
            **frame_of_cms(
                (reverse(viewset.get_url_name("list")), viewset.menu_label),
                (edit_url, str(thing)),
                title=_("Check"),
                subtitle=str(thing),
                icon="circle-check",
            ),
            "is_item": is_item,
            "problems": say_readiness(thing),
            "framework": None if is_item else find_framework(thing),
            "edit_url": edit_url,
            "shows_key": request.GET.get("key") == "1",
        },
    )
