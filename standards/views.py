"""Browsing the standards: public, in both languages, from editions only."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.languages import reading_language
from standards import selectors
from standards.models import FrameworkEdition

Crumb = dict[str, Any]


def make_crumbs(edition: FrameworkEdition | None = None, *more: Crumb) -> list[Crumb]:
    """The way from the list of standards to here."""
    crumbs: list[Crumb] = [{"title": _("Standards"), "url": reverse("standards:index")}]
    if edition is not None:
        crumbs.append(
            {
                "title": _("Edition %(number)d") % {"number": edition.number},
                "url": reverse("standards:edition", args=[edition.slug, edition.number]),
            }
        )
    return [*crumbs, *more]


@require_safe
def show_index(request: HttpRequest) -> HttpResponse:
    """Every framework with the edition in force."""
    return render(
        request,
        "standards/index.html",
        {"frameworks": selectors.list_frameworks(), "language": reading_language()},
    )


@require_safe
def show_framework(request: HttpRequest, slug: str) -> HttpResponse:
    """A framework's address leads to the edition in force."""
    edition = FrameworkEdition.objects.filter(slug=slug).order_by("-number").only("framework_key").first()
    current = selectors.current_edition(edition.framework_key) if edition else None
    if current is None:
        raise Http404
    return redirect("standards:edition", current.slug, current.number)


@require_safe
def show_edition(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    screen = selectors.read_edition_screen(slug=slug, number=number)
    if screen is None:
        raise Http404
    language = reading_language()
    return render(
        request,
        "standards/edition.html",
        {
            "screen": screen,
            "edition": screen.edition,
            "language": language,
            "breadcrumbs": make_crumbs(screen.edition),
        },
    )


@require_safe
def show_domain(request: HttpRequest, slug: str, number: int, code: str) -> HttpResponse:
    language = reading_language()
    screen = selectors.read_domain_screen(slug=slug, number=number, code=code, language=language)
    if screen is None:
        raise Http404
    edition, codes = screen.around.edition, [domain.code for domain in screen.around.domains]
    here = codes.index(screen.domain.code)
    return render(
        request,
        "standards/domain.html",
        {
            "screen": screen,
            "edition": edition,
            "domain": screen.domain,
            "position": here + 1,
            "total": len(codes),
            "lit": here if here < 8 else None,
            "following": screen.around.domains[here + 1] if here + 1 < len(codes) else None,
            "language": language,
            "breadcrumbs": make_crumbs(
                edition, {"title": _("Domain %(code)s") % {"code": screen.domain.code}}
            ),
        },
    )


@require_safe
def show_competency(request: HttpRequest, competency_id: uuid.UUID) -> HttpResponse:
    """A competency at its permanent address."""
    language = reading_language()
    screen = selectors.read_competency_screen(competency_id, language=language)
    if screen is None:
        raise Http404
    edition, domain = screen.edition, screen.row.domain
    crumbs = make_crumbs(
        edition,
        {
            "title": _("Domain %(code)s") % {"code": domain.code},
            "url": reverse("standards:domain", args=[edition.slug, edition.number, domain.code]),
        },
        {"title": screen.row.code},
    )
    return render(
        request,
        "standards/competency.html",
        {
            "screen": screen,
            "competency": screen.view,
            "edition": edition,
            "domain": domain,
            "language": language,
            "breadcrumbs": crumbs,
        },
    )


@require_safe
def show_changes(request: HttpRequest, slug: str, number: int, other: int) -> HttpResponse:
    """What changed between two editions, word by word, in the language being read."""
    language = reading_language()
    comparison = selectors.compare_editions(slug=slug, numbers=(number, other), language=language)
    if comparison is None:
        raise Http404
    return render(
        request,
        "standards/changes.html",
        {
            "comparison": comparison,
            "language": language,
            "breadcrumbs": make_crumbs(comparison.newer, {"title": _("What changed")}),
        },
    )
