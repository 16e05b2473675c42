"""A person's account: profile, *My data*, files, and the end of the account."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.adapter import remember_language
from accounts.export import describe_rows, gather_records
from accounts.forms import NOTICES_WORDING, EraseAccountForm, ProfileForm
from accounts.mail import compose_mail, send_or_log
from accounts.models import Consent, LegalHold, PersonalText, Subject
from accounts.own_data import KIND as OWN_DATA
from accounts.permissions import may_read_text
from accounts.requests import SignedInRequest, read_job_key
from accounts.selectors import has_consent, list_consents, list_texts, read_words
from core.caching import never_kept
from core.errors import DomainError

# More than this of one kind are in the download only.
SHOWN_ROWS = 40


@login_required
@never_kept
@require_http_methods(["GET", "POST"])
def edit_profile(request: SignedInRequest) -> HttpResponse:
    """Name, language, time zone, notices."""
    user = request.user
    subject = services.subject_of(user)
    initial = {
        "name": user.name,
        "preferred_language": user.preferred_language,
        "time_zone": user.time_zone,
        "notices": has_consent(subject_id=subject.pk, purpose=Consent.Purpose.NOTICES_BY_EMAIL),
    }
    form = ProfileForm(request.POST or None, initial=initial, user=user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        services.update_profile(
            user=user, name=data["name"], language=data["preferred_language"], time_zone=data["time_zone"]
        )
        services.choose_notices(user=user, wanted=data["notices"], wording=str(NOTICES_WORDING))
        with translation.override(user.preferred_language):
            messages.success(request, _("Your profile is saved."))
            response = redirect("accounts:profile")
        remember_language(response, language=user.preferred_language)
        return response
    return render(request, "accounts/profile.html", {"form": form})


@login_required
@never_kept
@require_safe
def show_data(request: SignedInRequest) -> HttpResponse:
    """Everything held about the person who asks."""
    subject = services.subject_of(request.user)
    language = translation.get_language()
    # Consents and texts have sections of their own here, with what one can do about them.
    parts = [
        {
            "title": records.title,
            "retention": records.retention,
            "count": len(records.rows),
            "shown": describe_rows(records, limit=SHOWN_ROWS),
            "more": max(0, len(records.rows) - SHOWN_ROWS),
        }
        for records in gather_records(subject_id=subject.pk, language=language)
        if records.rows and records.name not in {"consents", "texts_and_files"}
    ]
    context = {
        "subject": subject,
        "parts": parts,
        "consents": list_consents(subject_id=subject.pk, language=language),
        "texts": list_texts(subject_id=subject.pk, limit=SHOWN_ROWS),
        "texts_count": PersonalText.objects.filter(subject=subject, erased_at__isnull=True).count(),
        "held": _is_held(subject),
        "job_key": uuid.uuid4(),
    }
    return render(request, "accounts/data.html", context)


@require_POST
@login_required
def ask_for_data(request: SignedInRequest) -> HttpResponse:
    """Ask for the same as a ZIP file; the queue makes it."""
    job = services.ask_job(
        asker=services.subject_of(request.user),
        request=services.Request(job_id=read_job_key(request), kind=OWN_DATA),
    )
    return redirect("accounts:job", job.pk)


@login_required
@require_POST
def withdraw_consent(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Withdraw one of one's own consents; that to the privacy notice ends with the account."""
    consent = get_object_or_404(Consent, pk=key, subject=services.subject_of(request.user))
    if consent.purpose == Consent.Purpose.PRIVACY_NOTICE:
        return redirect("accounts:erase")
    services.withdraw_consent(consent=consent)
    messages.success(
        request, _("Your consent is withdrawn. What others saw before, they saw; nobody sees it now.")
    )
    return redirect(reverse("accounts:data") + "#consents")


@login_required
@never_kept
@require_http_methods(["GET", "POST"])
def erase_text(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Ask once, then erase one text of one's own."""
    text = get_object_or_404(
        PersonalText,
        pk=key,
        subject=services.subject_of(request.user),
        kind__in=services.ERASABLE_ALONE,
    )
    if text.erased_at is not None and request.method != "POST":
        raise Http404
    # A press that comes twice finds it erased already, and is told the same.
    if request.method == "POST":
        try:
            services.erase_text(text=text)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The text is erased."))
        return redirect(reverse("accounts:data") + "#texts")
    return render(request, "accounts/text_erase.html", {"text": text, "words": read_words(text)})


@sensitive_post_parameters("password")
@login_required
@never_kept
@require_http_methods(["GET", "POST"])
def erase_account(request: SignedInRequest) -> HttpResponse:
    """What goes, what stays, and the last question; then the account is gone."""
    user = request.user
    subject = services.subject_of(user)
    held = _is_held(subject)
    form = EraseAccountForm(request.POST or None, user=user)
    if request.method == "POST" and not held and form.is_valid():
        goodbye = compose_mail(
            to=user.email,
            template="account/erased",
            context={"name": user.name},
            language=user.preferred_language,
            time_zone=user.time_zone,
        )
        try:
            services.erase_person(subject=subject, requested_by=subject)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("accounts:erase")
        get_adapter(request).logout(request)
        # Not by a task: its row would keep the address that was just erased.
        send_or_log(goodbye)
        return redirect("accounts:erased")
    return render(request, "accounts/erase.html", {"form": form, "held": held, "job_key": uuid.uuid4()})


@never_kept
@require_safe
def show_erased(request: HttpRequest) -> HttpResponse:
    """Goodbye."""
    if request.user.is_authenticated:
        return redirect("accounts:profile")
    return render(request, "accounts/erased.html")


@login_required
@never_kept
@require_safe
def download_file(request: SignedInRequest, key: uuid.UUID) -> FileResponse:
    """A file that somebody sent, to its owner and to those who may read the owner's records. Others: 404.

    Never shown in the page's own name: always an attachment, of the kind that its content was found to be.
    """
    text = get_object_or_404(PersonalText.objects.select_related("subject"), pk=key, erased_at__isnull=True)
    reason = may_read_text(viewer=request.user, text=text)
    if reason is None or not text.file:
        raise Http404
    if reason not in {"owner", "writer"}:
        services.record_audit(
            actor=services.subject_of(request.user),
            action="file.opened",
            subject=text.subject,
            target=text,
            details={"reason": reason},
        )
    try:
        stored = text.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        stored,
        as_attachment=True,
        filename=text.file_name,
        content_type=text.content_type or "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def end_session(request: SignedInRequest, key: int) -> HttpResponse:
    """Sign out one other device."""
    session = get_object_or_404(UserSession, pk=key, user=request.user)
    if session.session_key != request.session.session_key:
        session.end()
        messages.success(request, _("That device is signed out."))
    return redirect("usersessions_list")


def _is_held(subject: Subject) -> bool:
    return LegalHold.objects.filter(subject=subject, lifted_at__isnull=True).exists()


def list_account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The screens of the account, for the list beside each of them."""
    links = [
        ("accounts:profile", _("Profile")),
        ("account_email", _("E-mail address")),
        ("account_change_password", _("Password")),
        ("mfa_index", _("Two-step sign-in")),
        ("usersessions_list", _("Devices")),
        ("accounts:data", _("My data")),
        ("accounts:jobs", _("What you asked")),
    ]
    path = request.path
    return [
        {"url": reverse(name), "title": title, "current": path.startswith(reverse(name))}
        for name, title in links
    ]
