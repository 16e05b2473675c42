"""An assessed step: its first page, beginning an attempt, and the draft of an assignment."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from core import clock
from core.errors import DomainError, InvalidInput, NoRoom
from lms import texts
from lms.selectors.assignments import read_assignment
from lms.selectors.attempts import AssessmentView, AttemptView, attempt_url, read_assessment
from lms.selectors.places import Place
from lms.selectors.results import EvidenceView, read_attempt_evidence
from lms.selectors.served import read_served
from lms.services import begin_attempt, save_draft
from lms.views.common import json_refusal, read_key, say_no, wants_json
from lms.words import say_saved


def _read_evidence(view: AssessmentView) -> tuple[EvidenceView, ...]:
    return read_attempt_evidence(view.place.enrolment.subject_id, [one.attempt.pk for one in view.attempts])


def show(request: HttpRequest, place: Place) -> HttpResponse:
    """The first page of a quiz or an evaluation, or the whole of an assignment."""
    view = read_assessment(place)
    return _show_assignment(request, view) if view.is_assignment else _show_intro(request, view)


def act(request: HttpRequest, place: Place) -> HttpResponse:
    """What a form of the first page asks for."""
    view = read_assessment(place)
    if request.POST.get("do") == "start":
        return _start(request, view)
    if view.is_assignment:
        return _keep_draft(request, view)
    return redirect(place.view.url)


def _show_intro(request: HttpRequest, view: AssessmentView) -> HttpResponse:
    place = view.place
    context = {
        "view": view,
        "place": place,
        "served": read_served(
            place.enrolment.edition, place.outline_step, subject_id=place.enrolment.subject_id
        ),
        "evidence": _read_evidence(view),
    }
    return render(request, "lms/assessment.html", context)


def _start(request: HttpRequest, view: AssessmentView) -> HttpResponse:
    place = view.place
    try:
        attempt = begin_attempt(
            enrolment=place.enrolment,
            step_key=place.outline_step.key,
            attempt_id=read_key(request),
            language=texts.language(),
        )
    except DomainError as error:
        say_no(request, error)
        return redirect(place.view.url)
    if view.is_assignment:
        return HttpResponseRedirect(f"{place.view.url}#work")
    return HttpResponseRedirect(
        attempt_url(place.enrolment, place.outline_step, attempt.pk, "question", number=1)
    )


# --- Assignments --------------------------------------------------------------------------------------------------


def _show_assignment(
    request: HttpRequest,
    view: AssessmentView,
    *,
    typed: str | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    assignment = read_assignment(view)
    context = {
        "view": view,
        "place": view.place,
        "assignment": assignment,
        "evidence": _read_evidence(view),
        "text": typed if typed is not None else (assignment.draft.text if assignment.draft else ""),
        "refusal": refusal,
    }
    return render(request, "lms/assignment.html", context, status=refusal.status if refusal else 200)


def _keep_draft(request: HttpRequest, view: AssessmentView) -> HttpResponse:
    """Keep words and files; then stay, or go on to hand in. The words are kept even where a file is refused."""
    current = view.open_attempt
    try:
        if current is None:
            raise InvalidInput(_("This work was handed in already. What you handed in is kept."))
        _save_words(request, view, current)
        if not wants_json(request):
            _save_files(request, view, current)
    except DomainError as error:
        if wants_json(request):
            return json_refusal(error)
        typed = request.POST.get("text")
        return _show_assignment(request, read_assessment(view.place), typed=typed, refusal=error)
    if wants_json(request):
        return JsonResponse({"saved_at_text": say_saved(clock.now())})
    if request.POST.get("do") == "review":
        return HttpResponseRedirect(
            attempt_url(view.place.enrolment, view.place.outline_step, current.attempt.pk, "attempt_review")
        )
    messages.success(request, _("Your draft is kept. Only you can read it until you hand it in."))
    return HttpResponseRedirect(f"{view.place.view.url}#work")


def _save_words(request: HttpRequest, view: AssessmentView, current: AttemptView) -> None:
    text = request.POST.get("value") if wants_json(request) else request.POST.get("text")
    if text is not None:
        save_draft(
            enrolment=view.place.enrolment, attempt=current.attempt, form_id=read_key(request), text=text
        )


def _save_files(request: HttpRequest, view: AssessmentView, current: AttemptView) -> None:
    remove = set()
    if request.POST.get("remove"):
        try:
            remove = {uuid.UUID(request.POST["remove"])}
        except ValueError as error:
            raise InvalidInput(_("There is no such file. Load the page again; your text is kept.")) from error
    uploads = request.FILES.getlist("file")
    if not remove and not uploads:
        return
    try:
        save_draft(
            enrolment=view.place.enrolment,
            attempt=current.attempt,
            form_id=uuid.uuid5(read_key(request), "files"),
            add=uploads,
            remove=remove,
        )
    except (InvalidInput, NoRoom) as error:
        raise type(error)(str(error), errors={"file": [str(error)]}) from error
