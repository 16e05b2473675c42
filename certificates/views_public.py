"""The public addresses of certificates: for everybody, in every language, for ever.

What they say of a person follows the holder's consent; nothing here is kept by a cache without being asked again.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.services import record_audit, subject_of
from certificates.issuer import describe_issuer, get_credential_key, list_credential_keys
from certificates.models import Achievement, Certificate
from certificates.openbadges import proof, status_list
from certificates.openbadges.did import make_verification_method
from certificates.page import CertificatePage, read_page, write_json
from certificates.permissions import may_attest
from certificates.places import LIST_LENGTH, issuer_did, status_list_url
from certificates.selectors import issuer_name, revoked_places
from core import clock
from core.addresses import address_in
from core.errors import describe_error
from core.extensions import site_identity
from lms.texts import language
from modules.models import CourseEdition

View = Callable[..., HttpResponseBase]

LABELS = {"en": "English", "fr": "Français"}


def in_chosen_language(view: View) -> View:
    """The language of `?lang=`, else the one the visitor's cookie or browser asks for."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        chosen = request.GET.get("lang", "")
        if chosen not in dict(settings.LANGUAGES):
            return view(request, *args, **kwargs)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Content-Language", chosen)
            return response

    return wrapper


def never_stale(response: HttpResponseBase, *, public: bool = False) -> HttpResponseBase:
    """Ask again each time: a status may have changed, and a consent may have been withdrawn."""
    response["Cache-Control"] = "no-cache" if public else "private, no-store"
    if not public:
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
    response["X-Robots-Tag"] = "noindex"
    return response


def open_to_programs(response: HttpResponseBase) -> HttpResponseBase:
    """A verifier that runs in a browser may read it from its own site."""
    response["Access-Control-Allow-Origin"] = "*"
    return response


def other_languages(request: HttpRequest) -> list[dict[str, str]]:
    """This same address in the other language: the choice is in the address, so that it can be passed on."""
    links = []
    for code, label in LABELS.items():
        if code != language():
            query = {name: value for name, value in request.GET.items() if name != "lang"}
            links.append(
                {"code": code, "label": label, "url": f"{request.path}?{urlencode({**query, 'lang': code})}"}
            )
    return links


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {"noindex": True, "language_links": other_languages(request), "issuer": issuer_name()}


@require_safe
@in_chosen_language
def show_certificate(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """The verification page. One round trip for a visitor where it was checked within a minute; see `read_page`."""
    page = open_page(request, key)
    if page is None:
        return show_unknown(request)
    context = {
        **_frame(request),
        "page": page,
        "breadcrumbs": [
            {"title": _("Check a certificate"), "url": address_in(language(), "certificates:check")},
            {"title": page.number, "url": ""},
        ],
        "can_attest": page.check.stands
        and bool(may_attest(request.user, page.certificate) - _attested(page)),
    }
    response = never_stale(render(request, "certificates/verify.html", context))
    # A share link is a secret: the sites that are linked to do not learn it.
    response["Referrer-Policy"] = "same-origin"
    return response


def open_page(request: HttpRequest, key: uuid.UUID) -> CertificatePage | None:
    """The page for this visitor. That an office opened a person's record is logged."""
    page = read_page(certificate_id=key, user=request.user, token=request.GET.get("share", "")[:100])
    if page is not None and page.access.by_role:
        assert request.user.is_authenticated
        record_audit(
            actor=subject_of(request.user),
            action="certificate.opened",
            subject=page.certificate.subject,
            target=page.certificate,
            details={"as": page.access.reason},
        )
    return page


def _attested(page: CertificatePage) -> set[uuid.UUID]:
    return {attestation.organization_id for attestation in page.attestations}


def show_unknown(request: HttpRequest) -> HttpResponse:
    """No certificate has this address: said plainly, with a way on."""
    context = {**_frame(request), "contact": site_identity().contact_email}
    response = render(request, "certificates/unknown.html", context, status=404)
    never_stale(response)
    return response


def _refuse_file(request: HttpRequest, page: CertificatePage, *, as_json: bool) -> HttpResponseBase:
    """The certificate exists and this visitor may not have its file: sign in, or be told why."""
    sentence = _("The holder has not consented to show this certificate to everyone.")
    if as_json:
        return never_stale(JsonResponse(describe_error(code="not_allowed", message=sentence), status=403))
    if not request.user.is_authenticated:
        return HttpResponseRedirect(
            f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}"
        )
    context = {
        **_frame(request),
        "title": _("This file is not shown to you"),
        "text": f"{sentence} {_('Ask the holder for a share link.')}",
        "page": page,
    }
    return never_stale(render(request, "certificates/no_file.html", context, status=403))


@require_safe
@in_chosen_language
def show_credential(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """The signed Open Badges 3.0 credential."""
    page = open_page(request, key)
    if page is None or page.content.credential is None:
        error = describe_error(code="not_found", message=_("No certificate has this address."))
        return open_to_programs(never_stale(JsonResponse(error, status=404)))
    if not page.access.full:
        return open_to_programs(_refuse_file(request, page, as_json=True))
    body = write_json(page.content.credential)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type="application/ld+json")
    response["ETag"] = etag
    response["Content-Disposition"] = f'inline; filename="{page.number}.json"'
    found = get_conditional_response(request, etag=etag, response=response)
    return open_to_programs(never_stale(found or response, public=page.access.reason == "public"))


@require_safe
@in_chosen_language
def download_pdf(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """The signed PDF in the language asked for."""
    page = open_page(request, key)
    if page is None:
        return show_unknown(request)
    if page.check.facts is not None and not page.access.full:
        return _refuse_file(request, page, as_json=False)
    file = page.content.pdf_in(language())
    if not file:
        return _say_no_pdf(request, page)
    public = page.access.reason == "public"
    etag = f'"{page.number}-{language()}-{page.content.pdf_key_id}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return never_stale(unchanged, public=public)
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        return _say_no_pdf(request, page)
    response = FileResponse(
        opened, filename=f"{page.number}-{language()}.pdf", content_type="application/pdf"
    )
    response["ETag"] = etag
    return never_stale(response, public=public)


def _say_no_pdf(request: HttpRequest, page: CertificatePage) -> HttpResponseBase:
    if page.check.facts is None:
        text = _("It was erased with the holder's data.")
    elif page.unprintable:
        text = _(
            "The typefaces of the PDF do not have every character of this name. The certificate stands, and its page "
            "is the whole certificate."
        )
    else:
        text = _(
            "It is being prepared and will be here in a minute or two. The page of the certificate is ready."
        )
    context = {**_frame(request), "title": _("There is no PDF here now"), "text": text, "page": page}
    response = render(request, "certificates/no_file.html", context, status=404)
    return never_stale(response)


@require_safe
def show_achievement(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """What a credential calls its achievement: the page of the course as it is today. Two queries."""
    achievement = Achievement.objects.filter(pk=key, kind=Achievement.Kind.COURSE).first()
    edition = (
        CourseEdition.objects.filter(course_key=achievement.key).order_by("-number").only("slug").first()
        if achievement
        else None
    )
    if edition is None:
        raise Http404
    return redirect("lms:course", edition.slug)


@require_safe
def show_status_list(request: HttpRequest, number: int) -> HttpResponseBase:
    """Which certificates of one list are not to be relied on, signed. Three queries; signed once a change."""
    start = number * LIST_LENGTH
    in_list = Certificate.objects.filter(status_index__gte=start, status_index__lt=start + LIST_LENGTH)
    if number > 10_000 or (number and not in_list.exists()):
        raise Http404
    row, key = get_credential_key()
    places = revoked_places(start=start, length=LIST_LENGTH)
    stamp = hashlib.sha256(repr((number, row.public, places)).encode()).hexdigest()
    body = cache.get(f"certificates:status:{stamp}")
    if body is None:
        url = status_list_url(number)
        document = status_list.build_status_list_credential(
            url=url,
            issuer=issuer_did(),
            purpose="revocation",
            set_bits=places,
            valid_from=row.created_at,
        )
        signed = proof.add_proof(
            document,
            key=key,
            verification_method=make_verification_method(issuer_did(), row.public),
            created=clock.now(),
        )
        body = write_json(signed)
        cache.set(f"certificates:status:{stamp}", body, timeout=24 * 3600)
    return _serve_document(request, body, content_type="application/ld+json")


@require_safe
def show_did(request: HttpRequest) -> HttpResponseBase:
    """The issuer's keys, retired ones included. One query; the first key is made where there is none."""
    rows = list_credential_keys()
    if not rows:
        get_credential_key()
        rows = list_credential_keys()
    return _serve_document(request, write_json(describe_issuer(rows)), content_type="application/did+ld+json")


def _serve_document(request: HttpRequest, body: bytes, *, content_type: str) -> HttpResponseBase:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type=content_type)
    response["ETag"] = etag
    found = get_conditional_response(request, etag=etag, response=response)
    return open_to_programs(never_stale(found or response, public=True))
