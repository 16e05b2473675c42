"""One's own course: where one stands, why it is not complete, the name for the certificate, leaving."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services import read_texts
from core import clock
from core.errors import DomainError
from core.questions import Question
from lms.forms import CertificateNameForm, WithdrawForm
from lms.models import Enrolment, Notice
from lms.selectors.courses import ask_standing, enrolment_url, read_course
from lms.selectors.notices import ask_notices, say_notices
from lms.services import confirm_certificate_name, withdraw_learner
from lms.texts import language
from lms.views.common import course_crumbs, current_subject, learner_view


def _ask_along(
    request: HttpRequest, *, subject_id: uuid.UUID, enrolment: uuid.UUID, **_kwargs: Any
) -> Sequence[Question[Any]]:
    return [*ask_standing([enrolment]), ask_notices(subject_id, enrolment)]


@require_safe
@learner_view(along=_ask_along)
def show_enrolment(request: HttpRequest, *, enrolment: Enrolment, along: Sequence[list[Any]]) -> HttpResponse:
    """The course as its learner's own: the way, what is next, why it is not complete, dates."""
    *standing, notices = along
    course = read_course(enrolment, along=standing)
    name = read_texts([enrolment.certificate_name_id]).get(enrolment.certificate_name_id)  # type: ignore[arg-type]
    context = {
        "course": course,
        "certificate_name": name.text if name else "",
        "notices": say_notices(notices),
        "breadcrumbs": course_crumbs(enrolment),
    }
    return render(request, "lms/enrolment.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@learner_view
def change_name(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """Change the name for the certificate, until that is issued."""
    kept = read_texts([enrolment.certificate_name_id]).get(enrolment.certificate_name_id)  # type: ignore[arg-type]
    initial = kept.text if kept else request.user.get_full_name()  # type: ignore[union-attr]
    form = CertificateNameForm(request.POST or None, initial={"certificate_name": initial})
    if request.method == "POST" and form.is_valid():
        try:
            confirm_certificate_name(enrolment=enrolment, name=form.cleaned_data["certificate_name"])
        except DomainError as error:
            form.add_error("certificate_name", str(error))
        else:
            messages.success(request, _("The name for your certificate is kept."))
            return HttpResponseRedirect(f"{enrolment_url(enrolment)}#certificate")
    context = {
        "form": form,
        "enrolment": enrolment,
        "course_url": enrolment_url(enrolment),
        "breadcrumbs": course_crumbs(enrolment, _("Name for the certificate")),
    }
    return render(request, "lms/certificate_name.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@learner_view
def withdraw(request: HttpRequest, *, enrolment: Enrolment) -> HttpResponse:
    """Leave a course, once it is clear what is kept."""
    if enrolment.state == Enrolment.State.WITHDRAWN:
        return redirect("lms:enrolment", enrolment=enrolment.pk)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        withdraw_learner(
            enrolment=enrolment,
            actor=enrolment.subject,
            reason=form.cleaned_data["reason"],
            client_id=form.cleaned_data["client_id"],
        )
        messages.success(
            request, _("You have left the course. Everything you did is kept, and you can enrol again.")
        )
        return redirect("lms:enrolment", enrolment=enrolment.pk)
    context = {
        "form": form,
        "enrolment": enrolment,
        "course_url": enrolment_url(enrolment),
        "breadcrumbs": course_crumbs(enrolment, _("Leave the course")),
    }
    return render(request, "lms/withdraw.html", context)


@login_required
@require_http_methods(["POST"])
def open_notice(request: HttpRequest, *, notice: uuid.UUID) -> HttpResponse:
    """Note that a notice was read, and go where it leads."""
    found = get_object_or_404(Notice, pk=notice, subject=current_subject(request))
    if found.read_at is None:
        Notice.objects.filter(pk=found.pk, read_at__isnull=True).update(read_at=clock.now())
    if not found.url.startswith("/"):
        return HttpResponseRedirect(f"/{language()}/my/")
    # What is said of a step leads to that step.
    step = f"{found.params['step']}/" if found.url.startswith("/learn/") and found.params.get("step") else ""
    return HttpResponseRedirect(f"/{language()}{found.url}{step}")
