"""One's own competency map, and the evidence behind it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.caching import never_kept
from lms.selectors.competencies import framework_editions_of, read_domain, read_maps
from lms.views.common import current_subject, my_crumbs


@require_safe
@never_kept
@login_required
def show_map(request: HttpRequest) -> HttpResponse:
    """Domains × levels of the standards, filled by what one holds."""
    context = {
        "maps": read_maps(current_subject(request).pk),
        "breadcrumbs": my_crumbs({"title": _("Your competency map"), "url": ""}),
    }
    return render(request, "lms/competencies.html", context)


@require_safe
@never_kept
@login_required
def show_domain(request: HttpRequest, *, domain: str) -> HttpResponse:
    """One domain: each competency's standing with what it rests on. `?framework=` names one of several."""
    subject = current_subject(request)
    editions = framework_editions_of(subject.pk)
    wanted = request.GET.get("framework", "")
    edition = next((one for one in editions if one.slug == wanted), editions[0] if editions else None)
    found = read_domain(subject.pk, edition, domain) if edition else None
    if found is None:
        raise Http404("There is no such domain in your map.")
    context = {
        "found": found,
        "breadcrumbs": my_crumbs(
            {"title": _("Your competency map"), "url": reverse("lms:competencies")},
            {"title": f"{found.domain.code} {found.title}", "url": ""},
        ),
    }
    return render(request, "lms/competency_domain.html", context)
