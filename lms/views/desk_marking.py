"""Marking: the queue of an offering, and one piece of work beside its rubric."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services import record_audit
from assessments.models import Mark
from assessments.services import Judgement
from core.errors import DomainError
from lms.forms_desk import MarkForm
from lms.models import Offering
from lms.selectors.desk_attempts import mark_url
from lms.selectors.desk_marking import TABS, MarkingPage, next_waiting, read_marking, read_queue
from lms.services import MarkedMeanwhile, mark_submission
from lms.views.common import current_subject
from lms.views.desk import desk_crumbs, desk_view


@require_safe
@desk_view
def show_queue(request: HttpRequest, *, offering: Offering) -> HttpResponse:
    """What waits to be marked, what went back, what was marked."""
    tab = request.GET.get("tab", "")
    queue = read_queue(offering, tab=tab if tab in TABS else "waiting", page=request.GET.get("page", 1))
    context = {
        "queue": queue,
        "head": queue.head,
        "page_obj": queue.page,
        "breadcrumbs": desk_crumbs((queue.head.title, queue.head.url), (_("Marking"), "")),
    }
    return render(request, "lms/desk/marking.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_view
def mark(request: HttpRequest, *, offering: Offering, attempt: uuid.UUID) -> HttpResponse:
    """One piece of work: read it, choose levels, and mark it or give it back. The look is logged."""
    page = read_marking(offering, attempt)
    if request.method == "POST":
        return _mark(request, page)
    record_audit(
        actor=current_subject(request),
        action="work.opened",
        subject=page.head.enrolment.subject,
        target=page.work.attempt,
    )
    last = page.work.last
    changes = last is not None and "change" in request.GET
    form = None
    if not page.why_not and (last is None or changes):
        form = MarkForm(
            rubric=page.rubric,
            name=page.head.name,
            levels=last.mark.levels if last else None,
            initial={"seen": last.mark.pk if last else 0, "comment": last.comment if last else ""},
        )
    return _show(request, page, form)


def _show(
    request: HttpRequest, page: MarkingPage, form: MarkForm | None, *, status: int = 200, meanwhile: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "page": page,
        "head": page.head,
        "form": form,
        "meanwhile": meanwhile,
        "noindex": True,
        "breadcrumbs": desk_crumbs(
            (page.offering.title, page.offering.url),
            (_("Marking"), page.offering.marking_url),
            (page.head.name, ""),
        ),
    }
    return render(request, "lms/desk/mark.html", context, status=status)


def _mark(request: HttpRequest, page: MarkingPage) -> HttpResponse:
    form = MarkForm(request.POST, rubric=page.rubric, name=page.head.name)
    if page.why_not:
        messages.error(request, page.why_not)
        return redirect(page.url)
    if not form.is_valid():
        return _show(request, page, form)
    try:
        decided = mark_submission(
            attempt=page.work.attempt,
            actor=current_subject(request),
            judgement=Judgement(
                decision=form.decision, levels=form.levels, comment=form.cleaned_data["comment"].strip()
            ),
            client_id=form.cleaned_data["client_id"],
            seen=form.cleaned_data["seen"] or 0,
        )
    except MarkedMeanwhile as error:
        return _show_meanwhile(request, page, error)
    except DomainError as error:
        form.add_error(None, str(error))
        return _show(request, page, form, status=error.status)
    messages.success(request, _say_decided(page, decided))
    following = next_waiting(page.offering.offering, after=page.work.attempt)
    if following is None:
        return redirect(page.offering.marking_url)
    return redirect(mark_url(page.offering.offering, following))


def _show_meanwhile(request: HttpRequest, page: MarkingPage, error: MarkedMeanwhile) -> HttpResponse:
    """What the other marker decided stands above what this one wrote, which is kept but was not recorded.

    Sent again, it is a change of that decision, made knowingly.
    """
    page = read_marking(page.offering.offering, page.work.attempt.pk)
    typed = request.POST.copy()
    typed["seen"] = str(error.mark.pk)
    typed["client_id"] = str(uuid.uuid4())
    form = None if page.why_not else MarkForm(typed, rubric=page.rubric, name=page.head.name)
    return _show(request, page, form, status=error.status, meanwhile=str(error))


def _say_decided(page: MarkingPage, decided: Mark) -> str:
    name = page.head.name
    if decided.decision == Mark.Decision.RETURNED:
        said = _("%(name)s’s work is returned for another try. They are told.") % {"name": name}
    elif decided.passed:
        said = _("%(name)s’s work is marked and passes. They are told.") % {"name": name}
    else:
        said = _("%(name)s’s work is marked. They are told.") % {"name": name}
    following = (
        pgettext("after marking", "This is the next one.")
        if page.waiting
        else pgettext("after marking", "Nothing else waits.")
    )
    return f"{said} {following}"
