"""One learner on the instructor's desk: everything about them there, and what can be decided for them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services import record_audit
from core import clock
from core.errors import DomainError
from lms import texts
from lms.forms_desk import ActionForm, ExtendForm, GrantForm, ReinstateLearnerForm, WithdrawLearnerForm
from lms.models import Enrolment
from lms.selectors.desk import OfferingHead, step_titles
from lms.selectors.desk_attempts import read_attempt
from lms.selectors.desk_learner import read_learner
from lms.selectors.desk_people import LearnerHead, learner_url
from lms.services import (
    ExtraAllowance,
    extend_enrolment,
    grant_accommodation,
    reinstate_learner,
    withdraw_learner,
)
from lms.views.common import current_subject
from lms.views.desk import desk_crumbs, learner_of_desk_view
from lms.words import say_date
from modules.selectors import outline_of


def learner_crumbs(enrolment: Enrolment, *titles: str) -> list[dict[str, str]]:
    """The way back to the offering and, from a screen below it, to the learner."""
    head = LearnerHead(enrolment=enrolment, now=clock.now())
    offering = OfferingHead(offering=enrolment.offering, now=head.now)
    return desk_crumbs(
        (offering.title, offering.url), (head.name, head.url), *((title, "") for title in titles)
    )


@require_safe
@learner_of_desk_view
def show_learner(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """One learner: why not complete, every step, attempts, evidence, the ledger. The look is logged."""
    page = read_learner(enrolment, page=request.GET.get("page", 1))
    record_audit(
        actor=current_subject(request), action="learner.opened", subject=enrolment.subject, target=enrolment
    )
    context = {
        "page": page,
        "head": page.head,
        "page_obj": page.ledger_page,
        "noindex": True,
        "breadcrumbs": learner_crumbs(enrolment),
    }
    return render(request, "lms/desk/learner.html", context)


@require_safe
@learner_of_desk_view
def show_attempt(request: HttpRequest, *, enrolment: Enrolment, attempt: uuid.UUID) -> HttpResponse:
    """A quiz as the learner handed it in, with its key. The look is logged."""
    review = read_attempt(enrolment, attempt)
    record_audit(
        actor=current_subject(request),
        action="attempt.opened",
        subject=enrolment.subject,
        target=review.attempt,
    )
    title = _("%(step)s, attempt %(number)d") % {"step": review.step_title, "number": review.attempt.number}
    context = {
        "review": review,
        "head": review.head,
        "title": title,
        "breadcrumbs": learner_crumbs(enrolment, title),
    }
    return render(request, "lms/desk/attempt.html", context)


def _decide(
    request: HttpRequest,
    enrolment: Enrolment,
    form: ActionForm,
    *,
    words: dict[str, Any],
    act: Callable[[], str],
) -> HttpResponse:
    """Ask once, then do it; what a service refuses is said over the form, which keeps what was typed."""
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            said = act()
        except DomainError as error:
            _say_refusal(form, error)
            status = error.status
        else:
            messages.success(request, said)
            return redirect(learner_url(enrolment))
    context = {
        "form": form,
        "head": LearnerHead(enrolment=enrolment, now=clock.now()),
        "breadcrumbs": learner_crumbs(enrolment, words["title"]),
        **words,
    }
    return render(request, "lms/desk/decide.html", context, status=status)


def _say_refusal(form: ActionForm, error: DomainError) -> None:
    fields = {"closes_at": "last_day"}
    named = {fields.get(name, name): said for name, said in error.errors.items()}
    for name, said in named.items():
        form.add_error(name if name in form.fields else None, said)
    if not named:
        form.add_error(None, str(error))


def _refuse_withdrawn(request: HttpRequest, enrolment: Enrolment) -> HttpResponse | None:
    if enrolment.state == Enrolment.State.ACTIVE:
        return None
    messages.error(request, _("This learner has withdrawn. Reinstate them first; nothing was changed."))
    return redirect(learner_url(enrolment))


@require_http_methods(["GET", "HEAD", "POST"])
@learner_of_desk_view
def withdraw(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """Withdraw a learner, with a reason. It can be undone by reinstating them."""
    form = WithdrawLearnerForm(request.POST or None)
    name = LearnerHead(enrolment=enrolment, now=clock.now()).name

    def act() -> str:
        withdraw_learner(
            enrolment=enrolment,
            actor=current_subject(request),
            reason=form.cleaned_data["reason"],
            client_id=form.cleaned_data["client_id"],
        )
        return _(
            "%(name)s is withdrawn. Everything they did is kept, and you can reinstate them on this page."
        ) % {"name": name}

    return _decide(
        request,
        enrolment,
        form,
        act=act,
        words={
            "title": _("Withdraw %(name)s") % {"name": name},
            "lead": _(
                "Nothing more is recorded for them in this offering, and their place is free again. Everything they "
                "did before is kept. They are told, and you can take them back at any time."
            ),
            "button": _("Withdraw"),
            "is_grave": True,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@learner_of_desk_view
def reinstate(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """Take a withdrawn learner back."""
    form = ReinstateLearnerForm(request.POST or None)
    name = LearnerHead(enrolment=enrolment, now=clock.now()).name

    def act() -> str:
        reinstate_learner(
            enrolment=enrolment,
            actor=current_subject(request),
            reason=form.cleaned_data["reason"],
            client_id=form.cleaned_data["client_id"],
        )
        return _("%(name)s is enrolled again, with everything they did before.") % {"name": name}

    return _decide(
        request,
        enrolment,
        form,
        act=act,
        words={
            "title": _("Reinstate %(name)s") % {"name": name},
            "lead": _(
                "They go on where they stopped: everything they did before is still there. They are told."
            ),
            "button": _("Reinstate"),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@learner_of_desk_view
def extend(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """Give a learner until another day, in the time zone of the offering."""
    if refused := _refuse_withdrawn(request, enrolment):
        return refused
    head = LearnerHead(enrolment=enrolment, now=clock.now())
    form = ExtendForm(request.POST or None, zone=head.zone)

    def act() -> str:
        extend_enrolment(
            enrolment=enrolment,
            closes_at=form.closes_at,
            actor=current_subject(request),
            reason=form.cleaned_data["reason"],
            client_id=form.cleaned_data["client_id"],
        )
        if form.closes_at is None:
            return _("The course has no closing date for %(name)s any more. They are told.") % {
                "name": head.name
            }
        return _("%(name)s now has until %(date)s. They are told.") % {
            "name": head.name,
            "date": say_date(form.closes_at, zone=head.zone, year=True),
        }

    lead = _("The course has no closing date for them now.")
    if enrolment.closes_at:
        lead = _("The course closes for them on %(date)s.") % {"date": head.closes}
    return _decide(
        request,
        enrolment,
        form,
        act=act,
        words={
            "title": _("Change the last day of %(name)s") % {"name": head.name},
            "lead": " ".join([lead, _("Nobody else is touched.")]),
            "button": _("Change the last day"),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@learner_of_desk_view
def grant(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """Give a learner more time in timed assessments, or more attempts."""
    if refused := _refuse_withdrawn(request, enrolment):
        return refused
    head = LearnerHead(enrolment=enrolment, now=clock.now())
    titles = step_titles(enrolment.edition)
    steps = [
        (str(step.key), titles[step.key])
        for step in outline_of(enrolment.edition).iter_steps()
        if not step.is_lesson
    ]
    asked = request.GET.get("step", "")
    initial = {"step": asked, "extra_attempts": 1} if asked in dict(steps) else {}
    form = GrantForm(request.POST or None, steps=steps, zone=head.zone, initial=initial)

    def act() -> str:
        grant_accommodation(
            enrolment=enrolment,
            allowance=ExtraAllowance(
                time_factor=form.factor,
                extra_attempts=form.cleaned_data["extra_attempts"],
                step_key=form.step_key,
                ends_at=form.ends_at,
            ),
            actor=current_subject(request),
            reason=form.cleaned_data["reason"],
            accommodation_id=form.cleaned_data["client_id"],
        )
        return _("It is granted to %(name)s and counts at once. They are told.") % {"name": head.name}

    return _decide(
        request,
        enrolment,
        form,
        act=act,
        words={
            "title": _("More time or attempts for %(name)s") % {"name": head.name},
            "lead": _(
                "In “%(course)s”. What it takes to pass stays the same; only the time and the number of tries change."
            )
            % {"course": enrolment.edition.title_in(texts.language())},
            "button": pgettext("button", "Grant"),
        },
    )
