"""A step of one's own course: the lesson with its parts, and its worksheets to print."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services import read_texts
from core import clock
from core.errors import DomainError, InvalidInput
from core.pdf import find_unprintable, make_font_css, render_pdf
from core.questions import Question
from lms import texts
from lms.models import Enrolment, StepProgress
from lms.selectors.courses import find_own_enrolment
from lms.selectors.here import StepHere, find_here
from lms.selectors.lessons import (
    WorksheetView,
    find_content,
    read_fields,
    read_lesson,
    read_worksheet,
)
from lms.selectors.places import Place, ask_steps, find_place, guess_key, note_key
from lms.services import (
    PartAnswer,
    answer_check,
    complete_own_lesson,
    form_key,
    open_step,
    save_reflection,
    save_worksheet,
)
from lms.views import assessed
from lms.views.common import (
    course_crumbs,
    current_subject,
    json_refusal,
    learner_view,
    read_key,
    say_no,
    signed_in_view,
    wants_json,
)
from lms.words import say_saved

WORKSHEET_FIELD = "field-"
# Stands for a sign that no typeface here can draw.
STAR = "*"


@require_http_methods(["GET", "HEAD", "POST"])
def show_step(request: HttpRequest, *, enrolment: uuid.UUID, step: str) -> HttpResponse:
    """A step: a lesson, an assessment's first page, or which step opens it. POST acts in it."""
    completes = request.method == "POST" and request.POST.get("do") == "complete"
    return (_complete if completes else _show)(request, enrolment=enrolment, step=step)


def _ask_along(
    request: HttpRequest, *, enrolment: uuid.UUID, step: str, **_kwargs: Any
) -> Sequence[Question[Any]]:
    return ask_steps(enrolment, step)


@learner_view(along=_ask_along)
def _show(
    request: HttpRequest, *, enrolment: Enrolment, step: str, along: Sequence[list[Any]]
) -> HttpResponse:
    place = find_place(enrolment, step, along=along)
    if place.blocker is not None:
        return _show_locked(request, place)
    if request.method == "POST":
        return _save_part(request, place) if place.outline_step.is_lesson else assessed.act(request, place)
    if place.is_open and not place.is_where_left_off:
        open_step(enrolment=enrolment, step_key=place.outline_step.key, language=texts.language())
    if not place.outline_step.is_lesson:
        return assessed.show(request, place)
    return _show_lesson(request, place)


def _show_locked(request: HttpRequest, place: Place) -> HttpResponse:
    context = {
        "place": place,
        "breadcrumbs": course_crumbs(place.enrolment, place.view.full_title),
    }
    return render(request, "lms/locked.html", context, status=409 if request.method == "POST" else 200)


def _show_lesson(
    request: HttpRequest,
    place: Place,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    lesson = read_lesson(place, language=texts.language(), typed=typed, errors=errors)
    context = {"lesson": lesson, "place": place, "refusal": refusal, "breadcrumbs": None}
    return render(request, "lms/lesson.html", context, status=refusal.status if refusal else 200)


@signed_in_view
def _complete(request: HttpRequest, *, enrolment: uuid.UUID, step: str) -> HttpResponse:
    """Complete a lesson, and go on. The enrolment is read where it is locked; the way around the lesson, where it is
    shown again.
    """
    subject = current_subject(request)
    found: list[StepHere] = []

    def find_key(own: Enrolment) -> uuid.UUID:
        found.append(find_here(own, step))
        note_key(step, found[0].step.key)
        return found[0].step.key

    try:
        complete_own_lesson(
            enrolment_id=enrolment,
            subject_id=subject.pk,
            find_key=find_key,
            guess=guess_key(step),
            language=texts.language(),
            client_id=read_key(request),
        )
    except DomainError as error:
        return _refuse(request, error, own=find_own_enrolment(subject, enrolment), slug=step)
    here = found[0]
    messages.success(request, _("“%(step)s” is complete.") % {"step": here.full_title})
    return HttpResponseRedirect(here.next_url)


def _refuse(request: HttpRequest, error: DomainError, *, own: Enrolment, slug: str) -> HttpResponse:
    """Why a step cannot be completed, where that can be mended."""
    place = find_place(own, slug)
    if place.blocker is not None:
        return _show_locked(request, place)
    if not place.outline_step.is_lesson:
        return redirect(place.view.url)
    return _show_lesson(request, place, errors=error.errors, refusal=error)


def _save_part(request: HttpRequest, place: Place) -> HttpResponse:
    """Keep a reflection, a worksheet or an answer. Autosave hears when; a form comes back to the part."""
    key = request.POST.get("part", "")
    content = find_content(place.enrolment.edition_id, place.outline_step.key, texts.language())
    part = content.part(key) or {}
    typed = _read_typed(request, part)
    try:
        if not typed:
            raise InvalidInput(
                _("Part of the form was missing. Load the page again; what you wrote before is kept.")
            )
        form_id = read_key(request)
        if wants_json(request) or not _is_kept(place, part, typed[key]):
            # Autosave makes a key for each change; a form has one, whatever it comes back with.
            client_id = (
                form_id if wants_json(request) else form_key(form_id, typed[key], _last_result(place, key))
            )
            answer = PartAnswer(
                step_key=place.outline_step.key,
                part_key=key,
                client_id=client_id,
                language=content.locale,
            )
            _keep_part(place, part["type"], answer, typed[key])
    except DomainError as error:
        if wants_json(request):
            return json_refusal(error)
        errors = error.errors or ({key: [str(error)]} if key else {})
        return _show_lesson(request, place, typed=typed, errors=errors, refusal=error)
    if wants_json(request):
        return JsonResponse({"saved_at_text": say_saved(clock.now())})
    anchor = "answer" if part["type"] == "check" else "part"
    return HttpResponseRedirect(f"{place.view.url}#{anchor}-{key}")


def _read_typed(request: HttpRequest, part: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent for a part, by its key. Autosave sends one field, a form all of them."""
    sent = (
        {request.POST["field"]: request.POST.getlist("value")}
        if wants_json(request)
        else dict(request.POST.lists())
    )
    key = part.get("key", "")
    match part.get("type"):
        case "reflection" if "text" in sent:
            return {key: (sent["text"] or [""])[0]}
        case "check":
            return {key: list(sent.get("choice", []))}
        case "worksheet":
            fields = {
                name.removeprefix(WORKSHEET_FIELD): (words or [""])[0]
                for name, words in sent.items()
                if name.startswith(WORKSHEET_FIELD)
            }
            return {key: fields} if fields else {}
    return {}


def _last_result(place: Place, key: str) -> Mapping[str, Any]:
    return place.own.parts.get(key, {})


def _is_kept(place: Place, part: Mapping[str, Any], words: Any) -> bool:
    """Whether this is what is kept of the part already: a form that comes twice is one fact. At most one query."""
    last = _last_result(place, part["key"])
    if part["type"] == "check":
        return bool(words) and sorted(set(words)) == sorted(last.get("choices", []))
    text = next(iter(read_texts([last.get("text")]).values()), None)
    if text is None:
        return False
    if part["type"] == "worksheet":
        return {**read_fields(text), **words} == read_fields(text)
    return bool(words == text.text)


def _keep_part(place: Place, kind: str, answer: PartAnswer, words: Any) -> StepProgress:
    match kind:
        case "reflection":
            return save_reflection(enrolment=place.enrolment, answer=answer, text=words)
        case "worksheet":
            return save_worksheet(enrolment=place.enrolment, answer=answer, fields=words)
        case "check":
            return answer_check(enrolment=place.enrolment, answer=answer, choices=words or [])
    raise InvalidInput(_("This part is only to be read."))


@require_safe
@learner_view
def print_worksheet(request: HttpRequest, *, enrolment: Enrolment, step: str, part: str) -> HttpResponse:
    """A worksheet on a page of its own, to print or to fill in by hand."""
    place = find_place(enrolment, step)
    if place.blocker is not None:
        return redirect(place.view.url)
    sheet = read_worksheet(place, part, language=texts.language())
    context = {"sheet": sheet, "place": place, "breadcrumbs": course_crumbs(enrolment, sheet.title)}
    return render(request, "lms/worksheet.html", context)


def _print_sheet(sheet: WorksheetView) -> bytes:
    """The worksheet as a PDF. A sign that no typeface here has becomes a star, and the page says so."""
    context: dict[str, Any] = {"sheet": sheet, "language": sheet.language}
    html: str = render_to_string("lms/worksheet_pdf.html", context)
    if missing := find_unprintable(html):
        html = render_to_string("lms/worksheet_pdf.html", {**context, "stars": True})
        html = html.translate({ord(sign): STAR for sign in missing})
    return render_pdf(html=html.replace("/* fonts */", make_font_css(html)))


@require_safe
@learner_view
def download_worksheet(request: HttpRequest, *, enrolment: Enrolment, step: str, part: str) -> HttpResponse:
    """The same worksheet as a PDF."""
    place = find_place(enrolment, step)
    if place.blocker is not None:
        say_no(request, InvalidInput(_("This step is not open yet.")))
        return redirect(place.view.url)
    sheet = read_worksheet(place, part, language=texts.language())
    pdf = _print_sheet(sheet)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{slugify(sheet.title)[:80] or "worksheet"}.pdf"'
    return response
