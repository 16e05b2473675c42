"""The catalogue, a course's page, enrolling, and the lessons that anyone may read."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import DomainError
from lms import texts
from lms.forms import EnrolForm, read_filters
from lms.models import Enrolment
from lms.selectors.catalogue import find_course, find_offering, read_catalogue, read_course_page
from lms.selectors.lessons import read_public_lesson
from lms.services import EnrolmentRequest, enrol_learner
from lms.views.common import current_subject, home_crumbs


@require_safe
def show_catalogue(request: HttpRequest) -> HttpResponse:
    """Trainings and courses with what one chooses by, and the filters."""
    form = read_filters(request.GET.urlencode())
    context = {
        "form": form,
        "catalogue": read_catalogue(form.filter),
        "breadcrumbs": home_crumbs({"title": _("Training"), "url": ""}),
    }
    return render(request, "lms/catalogue.html", context)


@require_safe
def show_course(request: HttpRequest, *, course: str) -> HttpResponse:
    """A course: what it is about, what one does, and how one can take it."""
    edition = find_course(course)
    if edition.slug != course:
        return redirect("lms:course", course=edition.slug)
    subject_id = current_subject(request).pk if request.user.is_authenticated else None
    page = read_course_page(edition, subject_id=subject_id)
    context = {
        "course": page,
        "enrolled": {enrolment.offering_id: enrolment for enrolment in page.enrolments},
        "current": next((one for one in page.enrolments if one.state == Enrolment.State.ACTIVE), None),
        "breadcrumbs": home_crumbs(
            {"title": _("Training"), "url": reverse("lms:catalogue")},
            {"title": page.title, "url": ""},
        ),
    }
    return render(request, "lms/course.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest, *, course: str, offering: str) -> HttpResponse:
    """Enrol in an offering. Who is enrolled already comes to their course; a repeat enrols once."""
    edition = find_course(course)
    view = find_offering(offering, course_key=edition.course_key)
    subject = current_subject(request)
    known = Enrolment.objects.filter(offering=view.offering, subject=subject).first()
    if known and known.state == Enrolment.State.ACTIVE:
        return redirect("lms:enrolment", enrolment=known.pk)
    form = EnrolForm(request.POST or None, user=request.user)  # type: ignore[arg-type]
    if request.method == "POST" and form.is_valid():
        try:
            enrolment = enrol_learner(
                EnrolmentRequest(
                    offering=view.offering,
                    subject=subject,
                    enrolment_id=form.cleaned_data["enrolment"],
                    certificate_name=form.cleaned_data["certificate_name"],
                    organization=form.cleaned_data.get("organization"),
                )
            )
        except DomainError as error:
            form.add_error(None, str(error))
            view = find_offering(offering, course_key=edition.course_key)
        else:
            messages.success(
                request,
                _("You are enrolled in “%(course)s”. Your progress is kept from now on.")
                % {"course": edition.title_in(texts.language())},
            )
            return redirect("lms:enrolment", enrolment=enrolment.pk)
    context: dict[str, Any] = {
        "form": form,
        "offering": view,
        "edition": view.offering.edition,
        "title": view.offering.edition.title_in(texts.language()),
        "course_slug": edition.slug,
        "comes_back": known is not None,
        "breadcrumbs": home_crumbs(
            {"title": _("Training"), "url": reverse("lms:catalogue")},
            {"title": edition.title_in(texts.language()), "url": reverse("lms:course", args=[edition.slug])},
            {"title": _("Enrol"), "url": ""},
        ),
    }
    return render(request, "lms/enrol.html", context, status=409 if form.non_field_errors() else 200)


@require_safe
def show_public_lesson(request: HttpRequest, *, course: str, step: str) -> HttpResponse:
    """A lesson that anyone may read. Who is enrolled in its course reads it there."""
    edition = find_course(course)
    lesson = read_public_lesson(edition, step, language=texts.language())
    if lesson is None:
        raise Http404("There is no such lesson, or it is not open to the public.")
    if edition.slug != course:
        return HttpResponseRedirect(reverse("lms:public_lesson", args=[edition.slug, step]))
    context = {
        "lesson": lesson,
        "breadcrumbs": home_crumbs(
            {"title": _("Training"), "url": reverse("lms:catalogue")},
            {"title": lesson.course_title, "url": reverse("lms:course", args=[edition.slug])},
            {"title": lesson.title, "url": ""},
        ),
    }
    return render(request, "lms/public_lesson.html", context)
