"""The screens of the demo: the cast, the tour, and the e-mails that would have been sent."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_POST

from accounts.models import User
from certificates.models import Certificate
from cms.demo.cast import (
    COHORT,
    FINISHERS,
    PASSWORD,
    PLAYERS,
    SELF_PACED,
    cohort_address,
    demo_enrolments,
    key_of,
)
from cms.demo.mail import list_messages, read_message
from core.languages import reading_language
from lms.models import Enrolment
from modules.selectors import outline_of
from standards.models import FrameworkEdition
from standards.selectors import rank_status


def _in_english(name: str, *args: Any) -> str:
    with override("en"):
        return reverse(name, args=args)


def find_places() -> dict[str, Any]:
    """The addresses that the demo is shown at, as the public contract promises them. A constant number of queries."""
    enrolments = demo_enrolments()
    issued = {
        certificate.enrolment_id: certificate
        for certificate in Certificate.objects.filter(
            enrolment_id__in=enrolments.values(), supersedes__isnull=True
        )
    }
    key = key_of(SELF_PACED, PLAYERS[0].name)
    enrolment = Enrolment.objects.select_related("edition", "progress").filter(pk=key).first()
    framework = FrameworkEdition.objects.order_by(rank_status(), "-number").defer("document").first()
    lesson = ""
    if enrolment:
        lessons = {step.key: step for step in outline_of(enrolment.edition).iter_steps() if step.is_lesson}
        # Where the learner stopped; a lesson once they have gone on to an assessment.
        last = enrolment.progress.last_step_key
        here = lessons[last] if last in lessons else next(iter(lessons.values()))
        lesson = _in_english("lms:step", enrolment.pk, here.slug)
    return {
        "certificates": {
            state: f"/certificates/{issued[key].pk}/" for state, key in enrolments.items() if key in issued
        },
        "offering": _in_english("lms:offering", COHORT),
        "lesson": lesson,
        "standards": _in_english("standards:edition", framework.slug, framework.number) if framework else "",
    }


def show_demo(request: HttpRequest) -> HttpResponse:
    """The cast and the tour; as JSON for who asks for it."""
    places = find_places()
    if request.accepts("application/json") and not request.accepts("text/html"):
        accounts = [{"role": player.role, "email": player.email, "password": PASSWORD} for player in PLAYERS]
        return JsonResponse({"accounts": accounts, **places})
    return render(
        request,
        "cms/demo.html",
        {
            "players": PLAYERS,
            "password": PASSWORD,
            "tour": _tour(places),
            "places": places,
            "mails": list_messages()[:5],
        },
    )


def _localized(path: str) -> str:
    return path.replace("/en/", f"/{reading_language()}/", 1)


def _lesson_to_edit(lesson: str) -> str:
    """Where an author changes the lesson that the tour reads."""
    from modules.pages import LessonPage

    slug = lesson.rstrip("/").rsplit("/", 1)[-1]
    page = LessonPage.objects.filter(slug=slug, locale__language_code="en").first()
    return reverse("wagtailadmin_pages:edit", args=[page.pk]) if page else reverse("wagtailadmin_home")


def _finisher() -> str:
    """Who of the cohort has only the final assessment left, in the language of the page."""
    return FINISHERS[reading_language()]


def _last_step() -> str:
    """Where they take it."""
    enrolment = Enrolment.objects.select_related("edition").filter(pk=key_of(COHORT, _finisher())).first()
    if enrolment is None:
        return ""
    steps = list(outline_of(enrolment.edition).iter_steps())
    return _in_english("lms:step", enrolment.pk, steps[-1].slug)


def _tour(places: dict[str, Any]) -> list[dict[str, Any]]:
    """What to try, as whom, and how long it takes."""
    stops = [
        (_("Read a lesson, write a reflection and answer its check"), "learner", places["lesson"], 4),
        (_("See which competencies you hold, and why"), "learner", _in_english("lms:competencies"), 2),
        (_("Take the final assessment and get the certificate"), "finisher", _last_step(), 8),
        (_("See who is where and who is stuck, and mark an assignment"), "instructor", places["offering"], 4),
        (
            _("Change that lesson, then issue a second edition of the course"),
            "author",
            _lesson_to_edit(places["lesson"]),
            5,
        ),
        (_("Check certificates, one or many"), "registrar", _in_english("certificates:check"), 2),
        (_("Correct a name or revoke a certificate"), "admin", reverse("certificates_admin:list"), 3),
        (_("Read the standards and issue an edition of them"), "committee", places["standards"], 3),
    ]
    names = {player.role: player.name for player in PLAYERS} | {"finisher": _finisher()}
    return [
        {"title": title, "role": role, "name": names[role], "path": _localized(path), "minutes": minutes}
        for title, role, path, minutes in stops
        if path
    ]


@require_POST
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the cast, and only as one of the cast, without typing the password they all have."""
    role = request.POST.get("role", "")
    addresses = {player.role: player.email for player in PLAYERS} | {"finisher": cohort_address(_finisher())}
    user = User.objects.filter(email=addresses.get(role, "")).first()
    if not settings.DEMO or user is None:
        raise Http404
    login(request, user, backend="accounts.backends.PersonBackend")
    record_authentication(request, user, method="password", email=user.email)
    target = request.POST.get("next", "")
    places = {stop["path"] for stop in _tour(find_places())}
    return redirect(target if target in places else _home_of(role))


def _home_of(role: str) -> str:
    homes = {
        "instructor": "lms:offerings",
        "registrar": "certificates:check",
        "author": "wagtailadmin_home",
        "committee": "wagtailadmin_home",
        "admin": "wagtailadmin_home",
    }
    return reverse(homes.get(role, "cms:my"))


def show_mails(request: HttpRequest) -> HttpResponse:
    """Every e-mail that would have been sent, the newest first."""
    return render(request, "cms/demo_mails.html", {"mails": list_messages()})


def show_mail(request: HttpRequest, name: str) -> HttpResponse:
    """One e-mail, as text."""
    message = read_message(name)
    if message is None:
        raise Http404
    return render(request, "cms/demo_mail.html", {"mail": message})
