"""The instructor's desk: the offerings a person teaches, one offering, and its roster to take away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import is_administrator
from accounts.requests import read_job_key
from lms.forms_desk import SORT_WORDS, RosterForm
from lms.jobs import ask_roster
from lms.models import Offering
from lms.permissions import find_taught, offerings_for
from lms.rules import IDLE_DAYS
from lms.selectors.desk import list_offerings, read_cards
from lms.selectors.desk_board import Board, read_board
from lms.selectors.desk_marks import read_marking_job, read_marks
from lms.selectors.desk_people import find_learner
from lms.selectors.desk_plot import plot_board
from lms.selectors.desk_stuck import explain_stuck
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

    return never_cache(login_required(refusals_as_pages(wrapper)))


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
    known = [{"title": _("Your offerings"), "url": reverse("lms:offerings")}]
    return known + [{"title": title, "url": url} for title, url in steps]


@require_safe
@never_cache
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
    board = read_board(offering, RosterForm(request.GET).read(), page=request.GET.get("page"))
    context: dict[str, Any] = {
        "head": board.head,
        "board": board,
        "sorts": SORT_WORDS,
        "wanted": board.wanted,
        "page_obj": board.page,
        "query": board.wanted.query(),
        "show_links": _show_links(board),
        "job_key": uuid.uuid4(),
        "breadcrumbs": desk_crumbs((board.head.title, "")),
    }
    if board.everyone:
        context |= {
            "job": read_marking_job(board),
            "plot": plot_board(board),
            "stuck": explain_stuck(board),
            "idle_days": IDLE_DAYS,
            "marks": read_marks(board, wanted=request.GET.get("quiz", "")),
        }
    return render(request, "lms/desk/offering.html", context)


def _show_links(board: Board) -> list[dict[str, Any]]:
    """Whom the roster shows, as links with their counts."""
    counts = {
        "all": (_("Everyone enrolled"), board.total),
        "needs": (_("Who needs something"), board.needy),
        "withdrawn": (pgettext("several learners", "Withdrawn"), board.withdrawn),
    }
    return [
        {
            "title": title,
            "count": count,
            "url": f"{board.head.url}?{board.wanted.query(show=code)}".rstrip("?&") + "#roster",
            "current": board.wanted.show == code,
        }
        for code, (title, count) in counts.items()
        if count or code != "withdrawn"
    ]


@require_POST
@desk_view
def export_offering(request: HttpRequest, *, offering: Offering) -> HttpResponse:
    """Ask for the roster with progress and marks as CSV, in the language of the screen; the queue writes it."""
    job = ask_roster(offering=offering, asker=current_subject(request), job_id=read_job_key(request))
    return redirect("accounts:job", job.pk)
