"""The officers' screens in the CMS: certificates, what became of them, and what may be done."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import reauthentication_required
from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from wagtail.admin import messages

from accounts.requests import read_job_key
from accounts.services import read_texts, record_audit, subject_of
from certificates import services, texts
from certificates.checks import issuer_day
from certificates.due import list_due_offerings
from certificates.forms import ReinstateForm, ReissueForm, RevokeForm
from certificates.jobs import ask_for_due
from certificates.models import CorrectionRequest, StatusEntry
from certificates.page import CertificatePage, read_page, say_file_size
from certificates.permissions import Access, is_officer
from certificates.rules import Entered, allowed_entries
from certificates.selectors import ListedCertificate, open_requests, public_path, whole_certificates
from core import clock
from core.cms_frame import frame_of_cms
from core.errors import DomainError
from lms.models import Offering

PAGE_SIZE = 50
LIST = ("certificates_admin:list", gettext_lazy("Certificates"))

View = Callable[..., HttpResponse]


class CertificatesFilter(forms.Form):
    q = forms.CharField(label=gettext_lazy("Number or name"), required=False, max_length=200)
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[
            ("", gettext_lazy("Any")),
            ("valid", gettext_lazy("Stands")),
            ("expired", pgettext_lazy("certificate", "Expired")),
            ("superseded", pgettext_lazy("certificate", "Replaced")),
            ("revoked", pgettext_lazy("certificate", "Revoked")),
            ("withdrawn", pgettext_lazy("certificate", "Withdrawn")),
            ("asked", gettext_lazy("A correction is asked for")),
        ],
    )


def for_officers(view: View) -> View:
    """Others who may enter the CMS get 403."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_officer(request.user):
            raise PermissionDenied(_("Only certificates officers and administrators see certificates here."))
        return view(request, *args, **kwargs)

    return checked


def _frame(*trail: tuple[str, str], title: str) -> dict[str, Any]:
    return frame_of_cms(*trail, title=title, icon="success")


def _list_crumb() -> tuple[str, str]:
    return reverse(LIST[0]), str(LIST[1])


@for_officers
@require_safe
def list_certificates(request: HttpRequest) -> HttpResponse:
    """Every certificate, by number or name and by status, the newest first. Three queries, however many."""
    form = CertificatesFilter(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    found = whole_certificates().with_status(issuer_day(clock.now())).matching(chosen.get("q", ""))
    if chosen.get("status") == "asked":
        found = found.filter(correction_requests__closed_at__isnull=True, correction_requests__isnull=False)
    elif chosen.get("status"):
        found = found.filter(effective_status=chosen["status"])
    page = Paginator(
        found.order_by("-issued_at", "number").prefetch_related(open_requests()), PAGE_SIZE
    ).get_page(request.GET.get("p"))
    rows = [
        ListedCertificate(certificate=row, status=row.effective_status, access=Access("officer"))
        for row in page.object_list
    ]
    context = {
        **_frame(title=str(LIST[1])),
        "form": form,
        "page": page,
        "rows": rows,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
    }
    return render(request, "certificates/admin/list.html", context)


def _read(request: HttpRequest, key: uuid.UUID) -> CertificatePage:
    page = read_page(certificate_id=key, user=request.user)
    if page is None:
        raise Http404
    return page


@for_officers
@require_safe
def show_certificate(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One certificate with its facts, ledger, files and requests. Opening it is logged."""
    page = _read(request, key)
    record_audit(
        actor=subject_of(request.user),
        action="certificate.opened",
        subject=page.certificate.subject,
        target=page.certificate,
        details={"as": "officer"},
    )
    entries = list(
        StatusEntry.objects.filter(certificate=page.certificate).select_related("actor__user").order_by("id")
    )
    requests = list(
        CorrectionRequest.objects.filter(certificate=page.certificate).select_related("closed_by__user")
    )
    words = read_texts(
        [
            *(entry.note_id for entry in entries),
            *(key for request_ in requests for key in (request_.name_id, request_.note_id)),
        ]
    )
    allowed = allowed_entries(page.check.status)
    context = {
        **_frame(_list_crumb(), title=page.number),
        "page": page,
        "facts": page.check.facts,
        "status_words": texts.say_status(page.check.status.status),
        "entries": [
            {
                "when": texts.say_instant(entry.recorded_at),
                "what": texts.say_entry(entry.status),
                "why": texts.say_reason(entry.reason),
                "by": entry.actor.user.name if entry.actor and entry.actor.user else "",
                "note": words[entry.note_id].text if entry.note_id in words else "",
            }
            for entry in entries
        ],
        "requests": [
            {
                "request": request_,
                "name": words[request_.name_id].text if request_.name_id in words else "",
                "note": words[request_.note_id].text if request_.note_id in words else "",
            }
            for request_ in requests
        ],
        "files": [
            {"language": language, "size": say_file_size(page.content.pdf_in(language))}
            for language in ("en", "fr")
        ],
        "public_url": public_path(key),
        "may_revoke": Entered.REVOKED in allowed,
        "may_reinstate": Entered.REINSTATED in allowed,
        "may_reissue": Entered.SUPERSEDED in allowed and page.check.facts is not None,
    }
    return render(request, "certificates/admin/show.html", context)


def _confirm(
    request: HttpRequest,
    page: CertificatePage,
    *,
    form: forms.Form,
    title: str,
    note: str,
    button: str,
    danger: bool = False,
) -> HttpResponse:
    back = reverse("certificates_admin:show", args=[page.certificate.pk])
    context = {
        **_frame(_list_crumb(), (back, page.number), title=title),
        "page": page,
        "form": form,
        "title": title,
        "note": note,
        "button": button,
        "danger": danger,
        "back": back,
    }
    return render(request, "certificates/admin/confirm.html", context, status=422 if form.errors else 200)


def _refuse(form: forms.Form, error: DomainError) -> None:
    known = {name: messages_ for name, messages_ in error.errors.items() if name in form.fields}
    for name, sentences in known.items():
        for sentence in sentences:
            form.add_error(name, sentence)
    if not known:
        form.add_error(None, str(error))


@for_officers
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def revoke(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Revoke a certificate, once it is said why. Asks who one is, unless one has just said so."""
    page = _read(request, key)
    form = RevokeForm(request.POST or None, initial={"client_id": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            services.revoke_certificate(
                certificate=page.certificate, actor=subject_of(request.user), **form.cleaned_data
            )
        except DomainError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("Certificate %(number)s is revoked.") % {"number": page.number})
            return redirect("certificates_admin:show", key)
    return _confirm(
        request,
        page,
        form=form,
        title=_("Revoke certificate %(number)s") % {"number": page.number},
        note=_(
            "From now on its page says “Revoked. Do not rely on it”, with the reason, to everyone who checks it. The "
            "holder is told. It can be reinstated later; both stay in its history for good."
        ),
        button=_("Revoke it"),
        danger=True,
    )


@for_officers
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def reinstate(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take a revocation back."""
    page = _read(request, key)
    form = ReinstateForm(request.POST or None, initial={"client_id": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            services.reinstate_certificate(
                certificate=page.certificate, actor=subject_of(request.user), **form.cleaned_data
            )
        except DomainError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("Certificate %(number)s is reinstated.") % {"number": page.number})
            return redirect("certificates_admin:show", key)
    return _confirm(
        request,
        page,
        form=form,
        title=_("Reinstate certificate %(number)s") % {"number": page.number},
        note=_(
            "Its page says again what it said before it was revoked. The holder is told. The revocation and its "
            "reason stay in the history."
        ),
        button=_("Reinstate it"),
    )


@for_officers
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def reissue(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Issue a corrected certificate in the place of this one."""
    page = _read(request, key)
    if page.check.facts is None:
        raise Http404
    asked = CorrectionRequest.objects.filter(certificate=page.certificate, closed_at__isnull=True).first()
    wanted = read_texts([asked.name_id]).get(asked.name_id) if asked else None
    form = ReissueForm(
        request.POST or None,
        initial={
            "client_id": uuid.uuid4(),
            "holder_name": wanted.text if wanted else page.check.facts.holder_name,
            "reason": StatusEntry.Reason.NAME_CHANGED,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.supersede_certificate(
                services.Correction(
                    certificate=page.certificate, actor=subject_of(request.user), **form.cleaned_data
                )
            )
        except DomainError as error:
            _refuse(form, error)
        else:
            messages.success(
                request,
                _("Certificate %(new)s is issued and replaces %(old)s.")
                % {"new": made.number, "old": page.number},
            )
            return redirect("certificates_admin:show", made.pk)
    return _confirm(
        request,
        page,
        form=form,
        title=_("Correct and reissue certificate %(number)s") % {"number": page.number},
        note=_(
            "A new certificate is issued under a new number. This one stays on record; its page says that it was "
            "replaced, why, and by which. The holder is told and chooses again who sees the new one."
        ),
        button=_("Issue the corrected certificate"),
    )


@for_officers
@require_POST
def close_request(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Close a holder's request without reissuing."""
    asked = get_object_or_404(CorrectionRequest.objects.select_related("certificate__subject"), pk=key)
    services.close_correction_request(request=asked, actor=subject_of(request.user))
    messages.success(request, _("The request is closed, and the holder is told."))
    return redirect("certificates_admin:show", asked.certificate_id)


@for_officers
@require_http_methods(["GET", "POST"])
def show_due(request: HttpRequest) -> HttpResponse:
    """What is earned and lacks its certificate or PDFs, by offering; a POST has the queue make it.

    Two queries, and those of the frame.
    """
    if request.method == "POST":
        try:
            offering = get_object_or_404(Offering, pk=uuid.UUID(request.POST.get("offering", "")))
        except ValueError:
            return redirect("certificates_admin:due")
        job = ask_for_due(offering=offering, asker=subject_of(request.user), job_id=read_job_key(request))
        return redirect("accounts_admin:job", job.pk)
    rows = [(due, uuid.uuid4()) for due in list_due_offerings()]
    context = {**_frame(_list_crumb(), title=_("Certificates that are due")), "rows": rows}
    return render(request, "certificates/admin/due.html", context)
