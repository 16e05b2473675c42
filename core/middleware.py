"""What every request passes through that Django and Wagtail do not bring."""

from __future__ import annotations

import logging
import time
import zoneinfo
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware
from django.utils import timezone

from core.languages import reading_language
from core.request_id import choose_request_id, current_request_id
from core.translations import flatten_catalogues

access_log = logging.getLogger("access")

# Asked by load balancers and monitors; see `core.health`.
HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz"})

GetResponse = Callable[[HttpRequest], HttpResponse]

# By what a policy is made of, so that other settings make another one.
_policies: dict[str, str] = {}


class RequestIdMiddleware:
    """Gives each request an id, sends it back as ``X-Request-ID``, and logs one line when it is answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = choose_request_id(request.META.get("HTTP_X_REQUEST_ID"))
        token = current_request_id.set(request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            access_log.info(
                "%s %s %s",
                request.method,
                request.path,
                response.status_code,
                extra={
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                },
            )
            return response
        finally:
            current_request_id.reset(token)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The strict policy everywhere, and Wagtail's own under ``/admin/``.

    Two policies serve all pages, so the header of each is put together once a process.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        parts = self.get_policy_parts(request, response)
        if settings.DEBUG or parts.update or parts.nonce or getattr(response, "_csp_exempt", False):
            return super().process_response(request, response)
        config = parts.config or settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        key = repr((config, parts.replace))
        policy = _policies.get(key)
        if policy is None:
            policy = _policies[key] = build_policy(**asdict(parts))
        response.headers.setdefault(HEADER, policy)
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith("/admin/") and parts.config is None:
            parts.config = settings.ADMIN_CONTENT_SECURITY_POLICY
        if getattr(request, "is_dummy", False):
            # The CMS shows the preview of a draft in a frame of its own.
            parts.replace = {**(parts.replace or {}), "frame-ancestors": ["'self'"]}
        return parts


class LocaleMiddleware(DjangoLocaleMiddleware):
    """Django's, but an address that has a view keeps that view's own 404.

    Django would send the reader of an unknown certificate, or a program that asks the API for what is not there, to
    the same address under a language, where the page tree knows even less.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        flatten_catalogues(request.LANGUAGE_CODE)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code == 404 and request.resolver_match is not None:
            response.headers.setdefault("Content-Language", reading_language())
            return response
        return super().process_response(request, response)


def has_session(request: HttpRequest) -> bool:
    """Whether a session was sent with what may need one."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.path_info not in HEALTH_PATHS


class TimeZoneMiddleware:
    """Shows times in the time zone that a signed-in person chose, else in the site's.

    Costs nothing more than the user that the session names, read only where a session was sent.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = self._find_name(request)
        if name is None:
            return self.get_response(request)
        with timezone.override(name):
            return self.get_response(request)

    def _find_name(self, request: HttpRequest) -> zoneinfo.ZoneInfo | None:
        if not has_session(request):
            return None
        user: Any = request.user
        if not user.is_authenticated or not user.time_zone:
            return None
        try:
            return zoneinfo.ZoneInfo(user.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return None
