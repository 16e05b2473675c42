"""The administrators' screens in the CMS: people and their roles, legal holds, the audit log."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from wagtail.admin import messages

from accounts import services
from accounts.admin_forms import AuditFilter, HoldForm, PeopleFilter, RoleForm
from accounts.audit_words import describe_action
from accounts.mail import compose_mail, send_or_log
from accounts.models import AuditEntry, LegalHold, Role, User
from accounts.permissions import is_administrator
from accounts.requests import SignedInRequest
from accounts.selectors import find_audit_entries, find_people
from core.cms_frame import frame_of_cms
from core.errors import DomainError

PAGE_SIZE = 50
PEOPLE = ("accounts_admin:people", gettext_lazy("People"))
HOLDS = ("accounts_admin:holds", gettext_lazy("Legal holds"))
AUDIT = ("accounts_admin:audit", gettext_lazy("Audit log"))

View = Callable[..., HttpResponse]


def for_administrators(view: View) -> View:
    """Others who may enter the CMS get 403."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_administrator(request.user):
            raise PermissionDenied(_("Only administrators see people, legal holds and the audit log."))
        return view(request, *args, **kwargs)

    return checked


def _frame(*trail: tuple[str, Any], title: str, icon: str) -> dict[str, Any]:
    """The frame of a screen, its trail given by names of addresses."""
    return frame_of_cms(*((reverse(name), label) for name, label in trail), title=title, icon=icon)


@for_administrators
@require_safe
def list_people(request: SignedInRequest) -> HttpResponse:
    """Everybody who has an account, with the roles they hold. Five queries, however many."""
    form = PeopleFilter(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    organization = chosen.get("organization")
    people = find_people(
        words=chosen.get("q", ""),
        what=chosen.get("what", ""),
        organization=str(organization.pk) if organization else "",
    )
    page = Paginator(people, PAGE_SIZE).get_page(request.GET.get("p"))
    return render(
        request,
        "accounts/admin/people.html",
        {
            **_frame(title=str(PEOPLE[1]), icon="group"),
            "form": form,
            "page": page,
            "query": _keep_query(request),
        },
    )


@for_administrators
@require_safe
def show_person(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """One person: roles then and now, legal holds, the last entries of the audit log. Opening it is logged."""
    person = get_object_or_404(User, pk=key)
    subject = services.subject_of(person)
    viewer = services.subject_of(request.user)
    if viewer.pk != subject.pk:
        services.record_audit(actor=viewer, action="person.opened", subject=subject)
    entries = list(find_audit_entries(subject=str(subject.pk))[:20])
    return render(
        request,
        "accounts/admin/person.html",
        {
            **_frame(PEOPLE, title=person.name, icon="user"),
            "person": person,
            "subject": subject,
            "roles": person.roles.select_related("organization", "granted_by__user").order_by(
                "ended_at", "granted_at"
            ),
            "holds": LegalHold.objects.filter(subject=subject),
            "has_second_factor": is_mfa_enabled(person),
            "entries": _describe_entries(entries),
            "audit_url": f"{reverse('accounts_admin:audit')}?person={subject.pk}",
        },
    )


@for_administrators
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def grant_role(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Give a person a role. Asks who one is, unless one has just said so."""
    person = get_object_or_404(User, pk=key)
    form = RoleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        role = services.grant_role(
            user=person,
            organization=form.cleaned_data["organization"],
            what=form.cleaned_data["what"],
            granted_by=services.subject_of(request.user),
        )
        messages.success(
            request,
            _("%(name)s now holds the role “%(role)s”.")
            % {"name": person.name, "role": role.get_what_display()},
        )
        return redirect("accounts_admin:person", person.pk)
    title = _("Grant a role to %(name)s") % {"name": person.name}
    return render(
        request,
        "accounts/admin/form.html",
        {
            **_frame(PEOPLE, title=title, icon="user"),
            "form": form,
            "back": reverse("accounts_admin:person", args=[person.pk]),
            "button": _("Grant the role"),
            "note": _(
                "Roles that run the network's own work (administrator, course author, standards committee, "
                "certificates officer) need two-step sign-in; the person is led to it."
            ),
        },
    )


@for_administrators
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def end_role(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """End a role today, once it has been asked."""
    role = get_object_or_404(Role.objects.select_related("user", "organization"), pk=key)
    # A press that comes twice finds it ended already, and is told the same.
    if role.ended_at is not None and request.method != "POST":
        raise Http404
    if request.method == "POST":
        try:
            services.end_role(role=role, ended_by=services.subject_of(request.user))
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request,
                _("%(name)s no longer holds the role “%(role)s”.")
                % {"name": role.user.name, "role": role.get_what_display()},
            )
        return redirect("accounts_admin:person", role.user_id)
    title = _("End the role “%(role)s” of %(name)s?") % {
        "role": role.get_what_display(),
        "name": role.user.name,
    }
    return render(
        request,
        "accounts/admin/form.html",
        {
            **_frame(PEOPLE, title=title, icon="user"),
            "back": reverse("accounts_admin:person", args=[role.user_id]),
            "button": _("End the role"),
            "note": _("It ends at once. That it was held stays on record."),
            "danger": True,
        },
    )


@for_administrators
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def reset_factor(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Let somebody in who has lost phone and recovery codes, once it has been asked. They are told by e-mail."""
    person = get_object_or_404(User, pk=key)
    if request.method == "POST":
        if services.reset_second_factor(user=person, reset_by=services.subject_of(request.user)):
            message = compose_mail(
                to=person.email,
                template="account/second_factor_reset",
                context={"user": person},
                language=person.preferred_language,
                time_zone=person.time_zone,
            )
            send_or_log(message)
            messages.success(request, _("Two-step sign-in of %(name)s is off.") % {"name": person.name})
        return redirect("accounts_admin:person", person.pk)
    title = _("Reset the two-step sign-in of %(name)s?") % {"name": person.name}
    return render(
        request,
        "accounts/admin/form.html",
        {
            **_frame(PEOPLE, title=title, icon="key"),
            "back": reverse("accounts_admin:person", args=[person.pk]),
            "button": _("Reset it"),
            "note": _(
                "For somebody who has lost phone and recovery codes. Make sure first, by telephone or in person, that "
                "it is really them who ask. They are told by e-mail, and it is logged."
            ),
            "danger": True,
        },
    )


@for_administrators
@require_safe
def list_holds(request: SignedInRequest) -> HttpResponse:
    """Legal holds, those that stand first. Two queries a page."""
    holds = LegalHold.objects.select_related("subject__user", "placed_by__user", "lifted_by__user").order_by(
        "-lifted_at", "-placed_at"
    )
    page = Paginator(holds, PAGE_SIZE).get_page(request.GET.get("p"))
    return render(
        request,
        "accounts/admin/holds.html",
        {**_frame(title=str(HOLDS[1]), icon="lock"), "page": page, "query": _keep_query(request)},
    )


@for_administrators
@require_http_methods(["GET", "POST"])
@reauthentication_required(app="accounts")
def place_hold(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Keep a person's records from being erased."""
    person = get_object_or_404(User, pk=key)
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.place_hold(
            subject=services.subject_of(person),
            reason=form.cleaned_data["reason"],
            placed_by=services.subject_of(request.user),
        )
        messages.success(
            request, _("The legal hold stands. Nothing of this person is erased until it is lifted.")
        )
        return redirect("accounts_admin:person", person.pk)
    title = _("Place a legal hold on the records of %(name)s") % {"name": person.name}
    return render(
        request,
        "accounts/admin/form.html",
        {
            **_frame(PEOPLE, title=title, icon="lock"),
            "form": form,
            "back": reverse("accounts_admin:person", args=[person.pk]),
            "button": _("Place the hold"),
            "note": _("While it stands, the person cannot erase their account, and is told so."),
        },
    )


@for_administrators
@require_POST
@reauthentication_required(app="accounts")
def lift_hold(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Let a person's records be erased again."""
    hold = get_object_or_404(LegalHold, pk=key)
    services.lift_hold(hold=hold, lifted_by=services.subject_of(request.user))
    messages.success(request, _("The legal hold is lifted."))
    return redirect("accounts_admin:holds")


@for_administrators
@require_safe
def list_audit(request: SignedInRequest) -> HttpResponse:
    """What staff did, the newest first. Four queries a page."""
    form = AuditFilter(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    entries = find_audit_entries(subject=chosen.get("person", ""), action=chosen.get("action", ""))
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("p"))
    return render(
        request,
        "accounts/admin/audit.html",
        {
            **_frame(title=str(AUDIT[1]), icon="history"),
            "form": form,
            "page": page,
            "entries": _describe_entries(page.object_list),
            "query": _keep_query(request),
        },
    )


def _describe_entries(entries: Any) -> list[dict[str, Any]]:
    return [
        {
            "entry": entry,
            "what": describe_action(entry.action),
            "details": ", ".join(f"{key}: {value}" for key, value in entry.details.items()),
        }
        for entry in entries
        if isinstance(entry, AuditEntry)
    ]


def _keep_query(request: HttpRequest) -> str:
    """The filters, for the links to other pages of the list."""
    query = request.GET.copy()
    query.pop("p", None)
    return query.urlencode()
