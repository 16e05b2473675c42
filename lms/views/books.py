"""The printed course book."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.caching import never_kept
from lms import texts
from lms.permissions import find_printable
from lms.selectors.book import read_book
from lms.views.common import my_crumbs


@require_safe
@never_kept
@login_required
def show_book(request: HttpRequest, *, edition: uuid.UUID) -> HttpResponse:
    """A course edition on one page, laid out for paper: all of it, or for a learner what is open to them."""
    found = find_printable(request.user, edition)
    book = read_book(found.edition, language=texts.language(), open_steps=found.steps)
    context = {
        "book": book,
        "noindex": True,
        "breadcrumbs": my_crumbs({"title": _("Course book: %(course)s") % {"course": book.title}, "url": ""}),
    }
    return render(request, "lms/book.html", context)
