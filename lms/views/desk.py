"""The instructor's desk: the offerings a person teaches, one offering, and its roster to take away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import is_administrator
from accounts.requests import read_job_key
from core.caching import never_kept
from lms import texts
from lms.forms_desk import RosterForm
from lms.jobs import ask_roster
from lms.models import Offering
from lms.permissions import find_taught, offerings_for
from lms.rules import IDLE_DAYS
from lms.selectors.desk import list_offerings, read_cards
from lms.selectors.desk_board import read_board
from lms.selectors.desk_marks import read_marking_job, read_marks
from lms.selectors.desk_people import find_learner
from lms.selectors.desk_plot import plot_board
from lms.selectors.desk_stuck import read_stuck
from lms.views.common import current_subject, refusals_as_pages

View = Callable[..., HttpResponse]

OFFERINGS_A_PAGE = 20


def desk_view(view: View) -> View:
    """A screen of an offering for those who teach it: sign-in, then 404 or 403; never kept by a shared cache.

    The view is called with the `Offering` for the `offering` of the address.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *, offering: str, **kwargs: Any) -> HttpResponse:
        return view(request, offering=find_taught(request.user, offering), **kwargs)

    return never_kept(login_required(refusals_as_pages(wrapper)))


def learner_of_desk_view(view: View) -> View:
    """A screen of one learner of an offering. The view is called with the `Enrolment` of the address."""

    @wraps(view)
    def wrapper(
        request: HttpRequest, *, offering: Offering, enrolment: uuid.UUID, **kwargs: Any
    ) -> HttpResponse:
        return view(request, enrolment=find_learner(offering, enrolment), **kwargs)

    return desk_view(wrapper)


def desk_crumbs(*steps: tuple[str, str]) -> list[dict[str, str]]:
    """The way back through the desk: (title, url), the last one the page itself."""
    known = (_way_in(texts.language()), *steps)
    return [{"title": title, "url": url} for title, url in known]


@lru_cache(maxsize=8)
def _way_in(language: str) -> tuple[str, str]:
    """The first step of the way, in the language in force, which is the one named."""
    return _("Your offerings"), reverse("lms:offerings")


@require_safe
@never_kept
@login_required
def list_desk(request: HttpRequest) -> HttpResponse:
    """The offerings that the person teaches, with what needs doing in each."""
    page = Paginator(list_offerings(offerings_for(request.user)), OFFERINGS_A_PAGE).get_page(
        request.GET.get("page")
    )
    cards = read_cards(list(page))
    context = {
        "running": [card for card in cards if not card.is_over],
        "over": [card for card in cards if card.is_over],
        "page_obj": page,
        "is_administrator": is_administrator(request.user),
        "breadcrumbs": desk_crumbs(),
    }
    return render(request, "lms/desk/offerings.html", context)


@require_safe
@desk_view
def show_offering(request: HttpRequest, *, offering: Offering) -> HttpResponse:
    """Everyone in an offering: today's jobs, where they are, who is stuck and why, marks, the roster."""
    board = read_board(offering, RosterForm.read_from(request.GET), page=request.GET.get("page"))
    context: dict[str, Any] = {
        "head": board.head,
        "board": board,
        "job_key": uuid.uuid4(),
        "breadcrumbs": desk_crumbs((board.head.title, "")),
    }
    if board.everyone:
        context |= {
            "job": read_marking_job(board),
            "plot": plot_board(board),
            "stuck": read_stuck(board),
            "idle_days": IDLE_DAYS,
            "marks": read_marks(board, wanted=request.GET.get("quiz", "")),
        }
    return render(request, "lms/desk/offering.html", context)


@require_POST
@desk_view
def export_offering(request: HttpRequest, *, offering: Offering) -> HttpResponse:
    """Ask for the roster with progress and marks as CSV, in the language of the screen; the queue writes it."""
    job = ask_roster(offering=offering, asker=current_subject(request), job_id=read_job_key(request))
    return redirect("accounts:job", job.pk)
