"""An attempt: one question a page, the review, handing in, the result."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import PersonalText
from assessments.services import flag_item
from core import clock
from core.errors import DomainError
from core.questions import Question
from lms import texts
from lms.models import Enrolment
from lms.selectors.assignments import read_assignment
from lms.selectors.attempts import find_attempt, read_assessment
from lms.selectors.courses import enrolment_url
from lms.selectors.places import find_place
from lms.selectors.results import read_result
from lms.selectors.sheets import (
    RunningView,
    ask_running,
    find_question,
    find_running,
    read_question,
    read_sheet,
)
from lms.services import answer_question, submit_work
from lms.views.common import course_crumbs, json_refusal, learner_view, read_key, say_no, wants_json
from lms.words import say_saved


@require_safe
@learner_view
def show_attempt(
    request: HttpRequest, *, enrolment: Enrolment, step: str, attempt: uuid.UUID
) -> HttpResponse:
    """Where an attempt goes on: the question answered last, or its result."""
    running = find_running(enrolment, step, attempt)
    if running.is_assignment:
        return HttpResponseRedirect(f"{running.here.url}#work")
    if not running.is_open:
        return HttpResponseRedirect(running.after_url)
    return HttpResponseRedirect(running.url("question", number=read_sheet(running).last_number))


def _ask_along(
    request: HttpRequest, *, subject_id: uuid.UUID, enrolment: uuid.UUID, attempt: uuid.UUID, **_kwargs: Any
) -> Sequence[Question[Any]]:
    return ask_running(
        subject_id=subject_id,
        enrolment_id=enrolment,
        attempt_id=attempt,
        answers=request.method != "POST",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@learner_view(along=_ask_along)
def show_question(
    request: HttpRequest,
    *,
    enrolment: Enrolment,
    step: str,
    attempt: uuid.UUID,
    number: int,
    along: Sequence[list[Any]],
) -> HttpResponse:
    """One question. POST saves its answer and goes where the pressed button leads."""
    running = find_running(enrolment, step, attempt, along=along)
    if running.is_assignment or not running.is_open:
        return _show_closed(request, running)
    if request.method == "POST":
        return _save_answer(request, running, number)
    return _render_question(request, running, number)


def _show_closed(request: HttpRequest, running: RunningView) -> HttpResponse:
    """The attempt was handed in meanwhile, by another tab or because its time was over."""
    if wants_json(request):
        sentence = _(
            "This attempt was handed in, so this answer was not added. What was saved before counts."
        )
        return JsonResponse({"code": "attempt_closed", "message": sentence, "errors": {}}, status=409)
    if request.method == "POST":
        messages.warning(
            request,
            _("This attempt was handed in, so this answer was not added. What was saved before counts."),
        )
    return HttpResponseRedirect(running.after_url)


def _render_question(
    request: HttpRequest,
    running: RunningView,
    number: int,
    *,
    typed: dict[str, Any] | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    sheet = read_sheet(running, here=number)
    question = read_question(sheet, number, typed=typed, error=str(refusal) if refusal else "")
    context = {
        "sheet": sheet,
        "running": running,
        "question": question,
        "breadcrumbs": course_crumbs(running.enrolment, running.here.full_title),
    }
    return render(request, "lms/question.html", context, status=refusal.status if refusal else 200)


def _save_answer(request: HttpRequest, running: RunningView, number: int) -> HttpResponse:
    item = find_question(running, number)
    raw: dict[str, Any] = {}
    try:
        form_id = read_key(request)
        if wants_json(request) and request.POST["field"] == "flagged":
            _keep_flag(running, item.key, bool(request.POST.getlist("value")))
            return JsonResponse({"saved_at_text": say_saved(clock.now())})
        raw = _read_raw(request, item.kind)
        answer_question(
            enrolment=running.enrolment,
            attempt=running.attempt,
            item_key=item.key,
            raw=raw,
            form_id=form_id,
            language=texts.language(),
            is_autosave=wants_json(request),
        )
        if not wants_json(request):
            _keep_flag(running, item.key, "flagged" in request.POST)
    except DomainError as error:
        if wants_json(request):
            return json_refusal(error)
        return _render_question(request, running, number, typed=raw, refusal=error)
    if wants_json(request):
        return JsonResponse({"saved_at_text": say_saved(clock.now())})
    return HttpResponseRedirect(_find_goal(request, running, number))


def _keep_flag(running: RunningView, key: str, flagged: bool) -> None:
    if (key in running.attempt.flagged) != flagged:
        flag_item(attempt=running.attempt, item_key=key, flagged=flagged)


def _read_raw(request: HttpRequest, kind: str) -> dict[str, Any]:
    """The answer as `assessments.rules` reads it, from a form or from autosave's one field."""
    names = {
        "single": "choice",
        "true_false": "choice",
        "multiple": "choices",
        "numeric": "number",
        "short_text": "text",
    }
    name = names[kind]
    values = request.POST.getlist("value" if wants_json(request) else name)
    if name == "choices":
        return {"choices": values} if values else {}
    return {name: values[0]} if values and values[0].strip() else {}


def _find_goal(request: HttpRequest, running: RunningView, number: int) -> str:
    go = request.POST.get("go", "")
    if go == "review":
        return running.url("attempt_review")
    if go == "leave":
        return enrolment_url(running.enrolment)
    goal = int(go) if go.isdigit() and 1 <= int(go) <= running.total else number
    return running.url("question", number=goal)


@require_http_methods(["GET", "HEAD", "POST"])
@learner_view
def review(request: HttpRequest, *, enrolment: Enrolment, step: str, attempt: uuid.UUID) -> HttpResponse:
    """What will be handed in, with what is still open named. POST hands it in, once."""
    running = find_running(enrolment, step, attempt)
    if not running.is_open:
        return HttpResponseRedirect(running.after_url)
    if request.method == "POST":
        return _hand_in(request, running)
    context: dict[str, Any] = {
        "running": running,
        "breadcrumbs": course_crumbs(enrolment, running.here.full_title),
    }
    if running.is_assignment:
        view = read_assessment(find_place(enrolment, step))
        context |= {"view": view, "place": view.place, "assignment": read_assignment(view)}
        return render(request, "lms/assignment_review.html", context)
    return render(request, "lms/attempt_review.html", {**context, "sheet": read_sheet(running)})


def _hand_in(request: HttpRequest, running: RunningView) -> HttpResponse:
    try:
        submit_work(
            enrolment=running.enrolment,
            attempt=running.attempt,
            form_id=read_key(request),
            language=texts.language(),
        )
    except DomainError as error:
        say_no(request, error)
        return redirect(running.here.url)
    if running.is_assignment:
        messages.success(
            request, _("Your work is handed in. You get a notice here as soon as it has been marked.")
        )
    return HttpResponseRedirect(running.after_url)


@require_safe
@learner_view
def show_result(request: HttpRequest, *, enrolment: Enrolment, step: str, attempt: uuid.UUID) -> HttpResponse:
    """What became of an attempt, explained as far as the policy goes."""
    place = find_place(enrolment, step)
    if place.outline_step.is_lesson:
        raise Http404("This step is a lesson.")
    view = read_assessment(place)
    current = find_attempt(view, attempt)
    if view.is_assignment:
        return redirect(view.place.view.url)
    if current.is_open:
        return redirect(current.url)
    context = {
        "view": view,
        "place": view.place,
        "result": read_result(view, current),
        "breadcrumbs": course_crumbs(enrolment, view.place.view.full_title),
    }
    return render(request, "lms/result.html", context)


@require_safe
@learner_view
def download_file(request: HttpRequest, *, enrolment: Enrolment, step: str, file: uuid.UUID) -> HttpResponse:
    """A file that the learner sent, given back to them and to nobody else by this address."""
    kept = PersonalText.objects.filter(
        pk=file, subject=enrolment.subject_id, kind=PersonalText.Kind.UPLOAD, erased_at__isnull=True
    ).first()
    if kept is None or not kept.file:
        raise Http404("There is no such file.")
    response = FileResponse(kept.file.open("rb"), as_attachment=True, filename=kept.file_name)
    response["Content-Type"] = kept.content_type or "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    # Django's stubs do not know that a file's answer goes wherever another one does.
    return cast(HttpResponse, response)
