"""What the learner's views share: whose enrolment it is, and how a refusal is said."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts.models import Subject
from accounts.services import subject_of
from core.caching import never_kept
from core.errors import DomainError, InvalidInput, NotAllowed, NotFound, describe_error
from core.questions import Question
from lms.models import Enrolment
from lms.selectors.courses import enrolment_url, find_own_enrolment, find_own_enrolment_along
from lms.texts import language

View = Callable[..., HttpResponse]
Along = Callable[..., Sequence[Question[Any]]]


def learner_view(view: View | None = None, *, along: Along | None = None) -> Any:
    """A screen of one's own enrolment: sign-in, then 404 for everyone else's; never kept by a shared cache.

    The view is called with the `Enrolment` for the `enrolment` of the address. What `along` asks, called with the
    request, the subject's key and all of the address, is asked in the same round trip; its answers are the view's
    `along`. It is asked before it is known whose enrolment it is, so a question names the subject, or its answer is
    used for nothing but this enrolment.
    """
    if view is None:
        return lambda later: learner_view(later, along=along)

    @wraps(view)
    def wrapper(request: HttpRequest, *, enrolment: uuid.UUID, **kwargs: Any) -> HttpResponse:
        subject = current_subject(request)
        if along is None:
            return view(request, enrolment=find_own_enrolment(subject, enrolment), **kwargs)
        questions = along(request, subject_id=subject.pk, enrolment=enrolment, **kwargs)
        found, answers = find_own_enrolment_along(subject, enrolment, questions)
        return view(request, enrolment=found, along=answers, **kwargs)

    return signed_in_view(wrapper)


def signed_in_view(view: View) -> View:
    """A screen of one's own: sign-in, 404 for what is not there or not one's own; never kept by a shared cache."""
    return never_kept(login_required(refusals_as_pages(view)))


def refusals_as_pages(view: View) -> View:
    """What a service does not find is a 404, what it does not allow a 403. Other refusals are the view's to say."""

    @wraps(view)
    def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error

    return wrapper


def current_subject(request: HttpRequest) -> Subject:
    """The pseudonymous key of who is signed in."""
    assert request.user.is_authenticated
    return subject_of(request.user)


def wants_json(request: HttpRequest) -> bool:
    """Whether this is autosave speaking, not a form."""
    return "field" in request.POST and "application/json" in request.headers.get("Accept", "")


def say_no(request: HttpRequest, error: DomainError) -> None:
    """Put a refusal where the next page says it."""
    messages.error(request, str(error))


def json_refusal(error: DomainError) -> JsonResponse:
    """A refusal for autosave: the sentence is shown beside the field, and what was typed stays on the device."""
    return JsonResponse(
        describe_error(code=error.code, message=error, errors=error.errors), status=error.status
    )


def read_key(request: HttpRequest, name: str = "client_id") -> uuid.UUID:
    """The client-made UUID of a form. A form without one was not rendered by us."""
    try:
        return uuid.UUID(request.POST.get(name, ""))
    except ValueError as error:
        raise InvalidInput(
            _("Part of the form was missing. Load the page again; what you wrote before is kept.")
        ) from error


Crumb = dict[str, str]


def home_crumbs(*crumbs: Crumb) -> list[Crumb]:
    """The way back to the home page, before these."""
    return [{"title": _("Home"), "url": f"/{language()}/"}, *crumbs]


def my_crumbs(*crumbs: Crumb) -> list[Crumb]:
    """The way back to one's own home, before these."""
    return [{"title": _("My learning"), "url": f"/{language()}/my/"}, *crumbs]


def course_crumbs(enrolment: Enrolment, *titles: str) -> list[Crumb]:
    """The way back to one's own course, then the page itself."""
    course = {"title": enrolment.edition.title_in(language()), "url": enrolment_url(enrolment)}
    return my_crumbs(course, *({"title": title, "url": ""} for title in titles))
