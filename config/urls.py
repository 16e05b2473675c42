"""Every address of the site, gathered from the floors."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from django.views.i18n import set_language
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from core import health
from core.security_txt import show_security_txt

# Wagtail's own log-ins know neither the second factor nor the limits on tries.
to_log_in = require_safe(RedirectView.as_view(pattern_name="account_login", query_string=True))

# While the database is away: a calm page instead of a bare error.
handler500 = "core.outage.show_failure"

# Most requests are for a page in a language, and most of those for a course: they are looked for first.
urlpatterns = i18n_patterns(
    path("", include("lms.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("standards.urls")),
    path("", include("certificates.urls")),
    path("", include("cms.urls")),
    path("_util/login/", to_log_in),
    # The page tree answers whatever is left, so it comes last.
    path("", include(wagtail_urls)),
)

urlpatterns += [
    path("healthz", health.show_liveness, name="healthz"),
    path("readyz", health.show_readiness, name="readyz"),
    path(".well-known/security.txt", show_security_txt, name="security_txt"),
    path("language/", set_language, name="set_language"),
    path("admin/login/", to_log_in),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("api/v1/", include("config.api")),
    path("favicon.ico", require_safe(RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.ico"))),
    # Addresses that are printed and kept: without a language, so that they last.
    path("", include("certificates.urls_public")),
    path("", include("standards.case.urls")),
    path("", include("modules.urls")),
]

if settings.DEMO:
    urlpatterns.append(path("demo/", include("cms.urls_demo")))

# Pictures of pages; a proxy may serve them instead. The files of editions have a view of their own in `modules`.
urlpatterns.append(
    re_path(r"^media/(?P<path>images/[\w.-]+)$", require_safe(serve), {"document_root": settings.MEDIA_ROOT})
)
