"""Screens of the site that are not pages of the CMS: one's own home, search, the choice of language."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from cms.search import find_entries
from core.caching import never_kept
from core.extensions import home_panels
from core.languages import reading_language

RESULTS_A_PAGE = 20


@require_safe
@never_kept
@login_required
def show_my_home(request: HttpRequest) -> HttpResponse:
    """A person's own home: what the floors have to say to them, in their order."""
    panels = sorted(
        filter(None, (answer(request=request) for answer in home_panels)), key=lambda panel: panel.order
    )
    parts = [render_to_string(panel.template, panel.context, request) for panel in panels]
    return render(request, "cms/my.html", {"parts": parts})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What holds the words, in the language of the screen. Two queries."""
    words = request.GET.get("q", "")[:200].strip()
    found = find_entries(words=words, language=reading_language())
    page = Paginator(found, RESULTS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "cms/search.html", {"words": words, "page_obj": page, "noindex": True})


@require_safe
def switch_language(request: HttpRequest, language: str) -> HttpResponse:
    """Keep the choice of language in a cookie and go back: for addresses that name no language."""
    target = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = f"/{language}/"
    # Not `redirect`, which looks for a view that is called so.
    response = HttpResponseRedirect(target)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
