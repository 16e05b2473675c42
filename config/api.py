"""The REST API, version 1: its document, and what each floor adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.urls import URLPattern, URLResolver, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from certificates import api as certificates
from core.api import make_unknown_api
from lms import api as lms

PREFIX: Final = "/api/v1/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="api_schema"),
    path("courses/", lms.CoursesApi.as_view(), name="api_courses"),
    path("courses/<slug:slug>/", lms.CourseApi.as_view(), name="api_course"),
    path("my/enrolments/", lms.MyEnrolmentsApi.as_view(), name="api_my_enrolments"),
    path("my/standing/", lms.MyStandingApi.as_view(), name="api_my_standing"),
    path("my/certificates/", certificates.MyCertificatesApi.as_view(), name="api_my_certificates"),
    path("offerings/", lms.OfferingsApi.as_view(), name="api_offerings"),
    path("offerings/<slug:slug>/learners/", lms.LearnersApi.as_view(), name="api_learners"),
    path("certificates/checks/", certificates.ChecksApi.as_view(), name="api_checks"),
    path("certificates/<str:reference>/", certificates.VerificationApi.as_view(), name="api_verification"),
    re_path(r"^.*$", make_unknown_api(), name="api_unknown"),
]


def keep_our_addresses(
    endpoints: Sequence[tuple[str, str, str, Any]], **kwargs: Any
) -> list[tuple[str, str, str, Any]]:
    """The endpoints (path, pattern, method, view) of this API, without those that the CMS has for itself."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]
