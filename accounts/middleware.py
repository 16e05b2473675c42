"""Staff do their work with a second factor; allauth's screens wear the site's own frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.requests import RequestSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.permissions import lacks_second_factor
from accounts.renewal import renew_after_change
from accounts.sessions import find_person
from core.errors import describe_error
from core.middleware import has_session

# Where staff work: the CMS, the API, and the instructor's desk, which an administrator may open too.
STAFF_PATHS: Final = re.compile(r"^/(admin|api|(en|fr)/teach)(/|$)")
# Kept in the session: the page that somebody asked for before they had a second factor.
GOAL: Final = "goal_after_second_factor"


class PersonMiddleware(AuthenticationMiddleware):
    """Django's, but who is signed in is read at once where a session was sent, not in a wrapper that reads it later.

    Every page shows who that is, and all that is asked of a wrapper takes several calls. Whoever asks whether the site
    is alive is nobody, so that the answer needs no database.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = find_person(request) if has_session(request) else AnonymousUser()


class SecondFactorMiddleware:
    """Leads staff who have no second factor to set one up before they reach a staff screen.

    There a session also gets a new key where the person's roles have changed (`accounts.renewal`).
    Costs nothing outside those screens, and there one query for staff, besides that for the person's roles.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_SECOND_FACTOR and STAFF_PATHS.match(request.path_info):
            if lacks_second_factor(request.user):
                return self._lead_to_setup(request)
            if GOAL in request.session:
                del request.session[GOAL]
        if STAFF_PATHS.match(request.path_info) and request.user.is_authenticated:
            renew_after_change(request)
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """allauth calls the host name `site`, which in the frame of every page is who runs the site."""
        context = response.context_data
        if context and isinstance(context.get("site"), RequestSite):
            del context["site"]
        return response

    def _lead_to_setup(self, request: HttpRequest) -> HttpResponse:
        sentence = _(
            "Your role asks for two-step sign-in. Set it up now; it takes about two minutes. "
            "After that you go on to the page you asked for."
        )
        if request.path_info.startswith("/api/"):
            return JsonResponse(describe_error(code="second_factor_required", message=sentence), status=403)
        messages.warning(request, sentence)
        request.session[GOAL] = request.get_full_path() if request.method == "GET" else request.path
        return HttpResponseRedirect(reverse("mfa_activate_totp"))
