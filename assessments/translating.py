"""Translating in the CMS, one college's things apart from another's.

wagtail-localize asks whether a person may edit items at all, not which. So its screens about one thing first ask the
policy of the thing's collection, and its lists leave out what the person may not see.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLResolver
from django.urls.resolvers import RegexPattern
from rest_framework.parsers import FormParser, MultiPartParser
from wagtail_localize.models import Translation, TranslationSource
from wagtail_localize.views.report import TranslationsReportView
from wagtail_localize.views.snippets_api import SnippetViewSet
from wagtail_localize.wagtail_hooks import register_admin_urls

from assessments.permissions import MODELS, require, require_key, visible_to

TYPED = {"edit_string_translation", "edit_override"}
LISTS = {"translations_report", "translations_report_results"}


@lru_cache(maxsize=1)
def _addresses() -> URLResolver:
    return URLResolver(RegexPattern(r"^"), register_admin_urls())


def guard(request: HttpRequest, rest: str) -> HttpResponse:
    """The screen of wagtail-localize at this address, where it is about nothing that is closed to the person."""
    match = _addresses().resolve(f"localize/{rest}")
    kwargs = match.kwargs
    if match.url_name in TYPED and hasattr(match.func, "cls"):
        # Its editor sends forms, which this site's own API does not read.
        match.func.cls.parser_classes = [MultiPartParser, FormParser]
    if match.url_name in LISTS:
        return OpenTranslationsReport.as_view(results_only=match.url_name == "translations_report_results")(
            request
        )
    if kwargs.get("app_label") == "assessments" and match.url_name in {
        "snippets_api_listing",
        "snippets_api_detail",
    }:
        action = "retrieve" if "pk" in kwargs else "list"
        return OpenSnippets.as_view({"get": action})(request, **kwargs)
    _require_open(request.user, kwargs)
    return match.func(request, *match.args, **kwargs)


def _require_open(user: Any, kwargs: dict[str, Any]) -> None:
    if "translation_id" in kwargs:
        found = Translation.objects.filter(pk=kwargs["translation_id"]).select_related("source").first()
        if found is not None:
            _require_source(user, found.source)
    elif "translation_source_id" in kwargs:
        source = TranslationSource.objects.filter(pk=kwargs["translation_source_id"]).first()
        if source is not None:
            _require_source(user, source)
    elif kwargs.get("app_label") == "assessments":
        for model in MODELS:
            if model._meta.model_name == kwargs.get("model_name"):
                if not str(kwargs["pk"]).isdigit():
                    raise Http404
                thing = model.objects.filter(pk=kwargs["pk"]).select_related("collection").first()
                if thing is None:
                    raise Http404
                require(user, thing, "change")


def _require_source(user: Any, source: TranslationSource) -> None:
    model = source.specific_content_type.model_class()
    if model in MODELS:
        require_key(user, model, uuid.UUID(str(source.object_id)), "change")


class OpenTranslationsReport(TranslationsReportView):
    """The report without translations of what the person may not see."""

    def get_queryset(self) -> Any:
        return self._leave_out(super().get_queryset())

    def _leave_out(self, queryset: Any) -> Any:
        hidden = Q()
        for model in MODELS:
            kind = ContentType.objects.get_for_model(model)
            seen = visible_to(self.request.user, model).values("translation_key")
            hidden |= Q(source__specific_content_type=kind) & ~Q(source__object_id__in=seen)
        return queryset.exclude(hidden).order_by("-pk")


class OpenSnippets(SnippetViewSet):
    def get_queryset(self) -> Any:
        return visible_to(self.request.user, self.get_model())
