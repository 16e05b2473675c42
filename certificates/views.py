"""The screens of holders and of those who check certificates."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organization, User
from accounts.services import record_audit, subject_of
from certificates import services, texts
from certificates.forms import (
    MOST_LOOKUPS,
    CheckForm,
    CheckManyForm,
    CorrectionRequestForm,
    CountersignForm,
    ShareLinkForm,
)
from certificates.lookup import Reference, read_reference, split_lines
from certificates.models import Certificate, CorrectionRequest, ShareLink
from certificates.page import CertificatePage, read_page
from certificates.panels import waiting_for_certificate
from certificates.permissions import certificates_of_institutions, is_officer, is_registrar, may_attest
from certificates.places import verification_url
from certificates.selectors import (
    ListedCertificate,
    certificates_of_holder,
    describe_many,
    find_certificate,
    public_path,
    whole_certificates,
)
from certificates.tables import write_csv
from core import clock
from core.caching import never_kept
from core.errors import DomainError, TooMany
from core.extensions import site_identity
from core.ratelimit import Limit, consume, find_address
from lms.texts import language

# By number: whoever walks through numbers is slowed down, a registrar with a pile of paper is not.
LOOKUPS = Limit(amount=30, seconds=60)
LISTS = Limit(amount=20, seconds=60)
ROWS_A_PAGE = 50


# --- Checking -------------------------------------------------------------------------------------------------------


@never_kept
@require_safe
def check(request: HttpRequest) -> HttpResponseBase:
    """Look a certificate up by its number or address. One query, and those of the limit."""
    form = CheckForm(request.GET) if "number" in request.GET else CheckForm()
    context: dict[str, Any] = {"form": form, "problem": None, **_registrar_context(request)}
    if not form.is_bound or not form.is_valid():
        return render(request, "certificates/check.html", context)
    try:
        consume(action="certificate-lookup", key=find_address(request), limit=LOOKUPS)
    except TooMany as error:
        return _slow_down(request, error)
    reference = read_reference(form.cleaned_data["number"])
    found = find_certificate(key=reference.key, number=reference.number) if reference.names_one else None
    if found is not None:
        return redirect(public_path(found.pk))
    context["problem"] = describe_problem(reference)
    return render(request, "certificates/check.html", context)


def describe_problem(reference: Reference) -> dict[str, str]:
    """Why nothing was found, in words that help."""
    if reference.problem == "check":
        return {"title": _("There is a slip in this number"), "text": texts.say_slip(reference.number)}
    if reference.problem:
        return {
            "title": _("This is not a certificate number"),
            "text": _(
                "A number has a year, a row of digits, then a digit and a letter, such as 2026-041837-5Q. It stands "
                "on the certificate at the bottom left. You may also paste the address of its page."
            ),
        }
    if reference.number:
        return {
            "title": _("No certificate has this number"),
            "text": _(
                "%(number)s is written as our numbers are, but we never issued it. Compare it with the certificate; "
                "if it is the same, do not rely on that certificate, and write to us."
            )
            % {"number": reference.number},
        }
    return {
        "title": _("No certificate has this address"),
        "text": _("Compare it with the one on the certificate, or type its number instead."),
    }


def _slow_down(request: HttpRequest, error: TooMany) -> HttpResponse:
    response = render(request, "429.html", {"error": error, "retry_after": error.retry_after}, status=429)
    response["Retry-After"] = str(error.retry_after)
    return response


def _registrar_context(request: HttpRequest) -> dict[str, Any]:
    registrar = is_registrar(request.user)
    return {
        "registrar": registrar,
        "many_form": CheckManyForm() if registrar or is_officer(request.user) else None,
        "contact": site_identity().contact_email,
        "breadcrumbs": [{"title": _("Check a certificate"), "url": ""}],
    }


def registrars_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For registrars, and for the officers who answer their questions; 403 for everyone else who is signed in."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (is_registrar(request.user) or is_officer(request.user)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_kept(login_required(wrapper))


@registrars_only
@require_http_methods(["GET", "POST"])
def check_many(request: HttpRequest) -> HttpResponseBase:
    """Up to 200 certificates at once, on the screen or as a table. Four queries for any number."""
    if request.method == "GET":
        return redirect("certificates:check")
    form = CheckManyForm(request.POST)
    if not form.is_valid():
        return render(request, "certificates/many.html", {"form": form, "rows": [], **_many_frame()})
    try:
        consume(action="certificate-list", key=str(_person(request).pk), limit=LISTS)
    except TooMany as error:
        return _slow_down(request, error)
    asked = split_lines(form.cleaned_data["numbers"], most=MOST_LOOKUPS)
    rows = look_up_many(asked, user=request.user)
    log_opened([row["found"] for row in rows if row["found"]], request=request)
    if request.POST.get("format") == "csv":
        return _write_found(rows)
    context = {"form": form, "rows": rows, "count": sum(1 for row in rows if row["found"]), **_many_frame()}
    return render(request, "certificates/many.html", context)


def _many_frame() -> dict[str, Any]:
    return {
        "breadcrumbs": [
            {"title": _("Check a certificate"), "url": reverse("certificates:check")},
            {"title": _("Many at once"), "url": ""},
        ]
    }


def look_up_many(asked: Sequence[str], *, user: Any) -> list[dict[str, Any]]:
    """What was found for each entry, in the order asked. Three queries for any number, and roles."""
    references = [read_reference(text) for text in asked]
    wanted = whole_certificates().named(
        ids={reference.key for reference in references if reference.key},
        numbers={reference.number for reference in references if reference.names_one and reference.number},
    )
    by_name: dict[Any, ListedCertificate] = {}
    for row in describe_many(wanted, user=user):
        by_name[row.certificate.pk] = by_name[row.certificate.number] = row
    rows = []
    for text, reference in zip(asked, references, strict=True):
        found = by_name.get(reference.key or reference.number) if reference.names_one else None
        rows.append(
            {"asked": text, "found": found, "problem": "" if found else describe_problem(reference)["title"]}
        )
    return rows


def log_opened(rows: Iterable[ListedCertificate], *, request: HttpRequest) -> None:
    """One entry a record that an office opened, in one insert."""
    from accounts.models import AuditEntry
    from core.request_id import current_request_id

    actor = subject_of(_person(request))
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                actor=actor,
                action="certificate.opened",
                subject_id=row.certificate.subject_id,
                target_type=Certificate._meta.label_lower,
                target_id=str(row.certificate.pk),
                details={"as": row.access.reason},
                request_id=current_request_id.get(),
            )
            for row in rows
            if row.access.by_role
        ]
    )


def _write_found(rows: Iterable[dict[str, Any]]) -> HttpResponse:
    return write_csv(
        name=_("certificates-%(day)s.csv") % {"day": f"{clock.now():%Y-%m-%d}"},
        head=[_("Asked for"), *_describe_columns()],
        rows=[
            [row["asked"], *_describe_row(row["found"])] if row["found"] else [row["asked"], row["problem"]]
            for row in rows
        ],
    )


def _describe_columns() -> list[str]:
    return [
        _("Result"),
        _("Number"),
        _("Name"),
        _("Course"),
        pgettext("certificate", "Issued"),
        _("Expires"),
        pgettext("certificate", "Replaced by"),
        _("Page"),
    ]


def _describe_row(row: ListedCertificate) -> list[str]:
    return [
        row.status_words,
        row.certificate.number,
        row.holder_name or _("not shown"),
        row.course_title,
        f"{row.certificate.issued_at:%Y-%m-%d}",
        f"{row.certificate.expires_on or ''}",
        row.replaced_by.number if row.replaced_by else "",
        verification_url(row.certificate.pk),
    ]


@registrars_only
@require_safe
def list_cohorts(request: HttpRequest) -> HttpResponseBase:
    """The certificates of the cohorts that the registrar's institution delivers or partners in.

    Five queries for any number of rows.
    """
    found = certificates_of_institutions(request.user, whole_certificates()).order_by("-issued_at", "number")
    if request.GET.get("format") == "csv":
        rows = describe_many(found, user=request.user)
        _log_listed(request, count=len(rows))
        return write_csv(
            name=_("certificates-%(day)s.csv") % {"day": f"{clock.now():%Y-%m-%d}"},
            head=_describe_columns(),
            rows=[_describe_row(row) for row in rows],
        )
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = describe_many(page.object_list, user=request.user)
    _log_listed(request, count=len(rows))
    context = {
        "rows": rows,
        "page_obj": page,
        "breadcrumbs": [
            {"title": _("Check a certificate"), "url": reverse("certificates:check")},
            {"title": _("Certificates of your cohorts"), "url": ""},
        ],
    }
    return render(request, "certificates/cohorts.html", context)


def _log_listed(request: HttpRequest, *, count: int) -> None:
    if count:
        record_audit(
            actor=subject_of(_person(request)), action="certificate.cohort_listed", details={"count": count}
        )


@registrars_only
@require_http_methods(["GET", "POST"])
def countersign(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """A partner's registrar countersigns a certificate of the partner's own cohort."""
    page = read_page(certificate_id=key, user=request.user)
    if page is None:
        raise Http404
    allowed = may_attest(request.user, page.certificate)
    if not allowed:
        raise PermissionDenied
    organization = Organization.objects.get(pk=allowed.pop())
    form = CountersignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.attest_certificate(
                certificate=page.certificate,
                organization=organization,
                officer=subject_of(_person(request)),
                credits=form.cleaned_data["credits"],
                client_id=uuid.uuid4(),
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The certificate is countersigned. It says so on its page."))
        return redirect(public_path(key))
    context = {
        "form": form,
        "page": page,
        "organization": organization.name_in(language()),
        "breadcrumbs": [
            {"title": page.number, "url": public_path(key)},
            {"title": _("Countersign"), "url": ""},
        ],
    }
    return render(request, "certificates/countersign.html", context)


# --- The holder's own -----------------------------------------------------------------------------------------------


def _person(request: HttpRequest) -> User:
    assert request.user.is_authenticated
    return request.user


def holders_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """One's own certificate; everybody else's is a 404. The view is called with the `Certificate`."""

    @wraps(view)
    def wrapper(request: HttpRequest, *, key: uuid.UUID, **kwargs: Any) -> HttpResponseBase:
        found = Certificate.objects.select_related("content", "subject").filter(
            pk=key, subject=subject_of(_person(request))
        )
        return view(request, certificate=get_object_or_404(found), **kwargs)

    return never_kept(login_required(wrapper))


@never_kept
@login_required
@require_safe
def list_mine(request: HttpRequest) -> HttpResponse:
    """One's own certificates, and those that are being prepared. Four queries for any number."""
    subject = subject_of(_person(request))
    context = {
        "rows": describe_many(certificates_of_holder(subject.pk), user=request.user),
        "waiting": waiting_for_certificate(subject.pk),
        "breadcrumbs": _my_crumbs(),
    }
    return render(request, "certificates/mine.html", context)


def _my_crumbs(*titles: str, key: uuid.UUID | None = None) -> list[dict[str, str]]:
    crumbs = [{"title": _("My certificates"), "url": reverse("certificates:mine")}]
    if key is not None and len(titles) > 1:
        return [
            *crumbs,
            {"title": titles[0], "url": reverse("certificates:holder", args=[key])},
            {"title": titles[1], "url": ""},
        ]
    return [*crumbs, *({"title": title, "url": ""} for title in titles)]


def _read_own(request: HttpRequest, certificate: Certificate) -> CertificatePage:
    page = read_page(certificate_id=certificate.pk, user=request.user)
    if page is None:
        raise Http404
    return page


@holders_only
@require_safe
def show_mine(request: HttpRequest, *, certificate: Certificate) -> HttpResponse:
    """One's own certificate: files, who may see it, links, a correction. Nine queries."""
    return _render_own(request, certificate)


def _render_own(
    request: HttpRequest,
    certificate: Certificate,
    *,
    link_form: ShareLinkForm | None = None,
    status: int = 200,
) -> HttpResponse:
    page = _read_own(request, certificate)
    now = clock.now()
    links = [
        {
            "link": link,
            "open": link.is_open(now),
            "url": f"{verification_url(certificate.pk)}?share={link.token}",
        }
        for link in ShareLink.objects.filter(certificate=certificate)
    ]
    context = {
        "page": page,
        "wording": _(services.CONSENT_WORDING),
        "links": [row for row in links if row["open"]],
        "link_form": link_form or ShareLinkForm(),
        "correction": CorrectionRequest.objects.filter(
            certificate=certificate, closed_at__isnull=True
        ).first(),
        "address": verification_url(certificate.pk),
        "has_picture": bool(page.content.picture_in(language())),
        "breadcrumbs": _my_crumbs(page.number),
    }
    return render(request, "certificates/holder.html", context, status=status)


@holders_only
@require_safe
def show_picture(request: HttpRequest, *, certificate: Certificate) -> HttpResponseBase:
    """The page of the PDF as a picture, in the language of the screen."""
    file = certificate.content.picture_in(language())
    if not file:
        raise Http404
    try:
        return FileResponse(file.open("rb"), content_type="image/webp")
    except FileNotFoundError as error:
        raise Http404 from error


@holders_only
@require_POST
def change_consent(request: HttpRequest, *, certificate: Certificate) -> HttpResponse:
    """Show the certificate to everyone who has its address, or stop showing it."""
    if request.POST.get("show") == "yes":
        services.show_publicly(certificate=certificate, language=language())
        messages.success(
            request, _("Whoever has the address or the number now sees your name and what was certified.")
        )
    else:
        services.stop_showing(certificate=certificate)
        messages.success(
            request,
            _("Your name and the competencies are no longer shown. What people saw before, they saw."),
        )
    return redirect("certificates:holder", certificate.pk)


@holders_only
@require_POST
def make_link(request: HttpRequest, *, certificate: Certificate) -> HttpResponse:
    """A link for somebody who should see the certificate while others do not."""
    form = ShareLinkForm(request.POST)
    if not form.is_valid():
        return _render_own(request, certificate, link_form=form, status=422)
    lasts = form.cleaned_data["lasts"]
    try:
        services.make_share_link(
            certificate=certificate,
            link_id=_read_key(request),
            label=form.cleaned_data["label"],
            ends_at=clock.now() + lasts if lasts else None,
        )
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The link is made. Copy it from the list and pass it on."))
    return redirect(reverse("certificates:holder", args=[certificate.pk]) + "#links")


@holders_only
@require_POST
def close_link(request: HttpRequest, *, certificate: Certificate, link: uuid.UUID) -> HttpResponse:
    """From now on the link shows no more than anyone sees."""
    found = get_object_or_404(ShareLink, pk=link, certificate=certificate)
    services.close_share_link(link=found)
    messages.success(request, _("The link is closed."))
    return redirect(reverse("certificates:holder", args=[certificate.pk]) + "#links")


@holders_only
@require_http_methods(["GET", "POST"])
def ask_correction(request: HttpRequest, *, certificate: Certificate) -> HttpResponse:
    """Ask for another name on the certificate."""
    page = _read_own(request, certificate)
    facts = page.check.facts
    if facts is None:
        raise Http404
    form = CorrectionRequestForm(request.POST or None, initial={"holder_name": facts.holder_name})
    if request.method == "POST" and form.is_valid():
        try:
            services.request_correction(
                certificate=certificate,
                holder_name=form.cleaned_data["holder_name"],
                note=form.cleaned_data["note"],
                request_id=_read_key(request),
            )
        except DomainError as error:
            form.add_error("holder_name", str(error))
        else:
            messages.success(
                request,
                _("Your request is sent. You get a notice here as soon as an officer has looked at it."),
            )
            return redirect("certificates:holder", certificate.pk)
    context = {
        "form": form,
        "page": page,
        "breadcrumbs": _my_crumbs(page.number, _("Correct the name"), key=certificate.pk),
    }
    return render(request, "certificates/correct.html", context)


def _read_key(request: HttpRequest) -> uuid.UUID:
    """The client-made UUID of a form; a new one where a form came without."""
    try:
        return uuid.UUID(request.POST.get("client_id", ""))
    except ValueError:
        return uuid.uuid4()
