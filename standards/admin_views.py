"""The committee's screens in the CMS: issuing an edition, the list of editions, and what becomes of one."""

from __future__ import annotations

import uuid
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.admin import messages

from accounts.models import User
from accounts.requests import read_job_key
from accounts.services import find_asked, subject_of
from core.cms_frame import frame_of_cms
from core.errors import DomainError
from core.languages import reading_language
from standards.drafts import EditionPreview, preview_edition, report_impact
from standards.jobs import ask_for_edition
from standards.models import FrameworkEdition
from standards.pages import FrameworkPage
from standards.permissions import may_change_status, may_issue, may_see_editions
from standards.reading import find_source_page
from standards.rules import NEXT_STATUSES
from standards.selectors import light_editions
from standards.services import EditionRefused, change_edition_status


def _title_of(edition: FrameworkEdition) -> str:
    return edition.title_in(reading_language())


@require_http_methods(["GET", "POST"])
def issue_edition(request: HttpRequest, page_id: int) -> HttpResponse:
    """What the next edition would change and whom it touches; a POST has the queue issue it."""
    if not may_issue(request.user):
        raise PermissionDenied(_("Only the standards committee and administrators issue an edition."))
    page = get_object_or_404(FrameworkPage.objects.select_related("locale"), pk=page_id)
    statuses = [FrameworkEdition.Status.CONSULTATION, FrameworkEdition.Status.ADOPTED]
    asker, key = subject_of(cast("User", request.user)), read_job_key(request)
    if request.method == "POST" and find_asked(asker=asker, job_id=key) is not None:
        # A second press, after the edition of the first was issued.
        return redirect("accounts_admin:job", key)
    preview = preview_edition(page)
    # A refusal is shown on the same screen, as a fresh look at what stands in the way.
    if (
        request.method == "POST"
        and request.POST.get("status") in statuses
        and _may_be_asked(request, preview)
    ):
        job = ask_for_edition(
            framework=find_source_page(page), asker=asker, status=request.POST["status"], job_id=key
        )
        return redirect("accounts_admin:job", job.pk)
    edit_url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    return render(
        request,
        "standards/admin/issue.html",
        {
            **frame_of_cms(
                (edit_url, page.get_admin_display_title()), title=_("Issue edition"), icon="success"
            ),
            "page": page,
            "preview": preview,
            "statuses": statuses,
            "impacts": report_impact(page.translation_key),
            "edit_url": edit_url,
            "job_key": uuid.uuid4(),
        },
    )


def _may_be_asked(request: HttpRequest, preview: EditionPreview) -> bool:
    """Whether the pages make an edition, as far as one can tell now; else it is said, and the screen shows why."""
    if preview.problems:
        messages.error(request, str(EditionRefused(preview.problems)))
        return False
    if preview.same is not None:
        messages.info(
            request,
            _("Nothing was issued: edition %(number)d has this text already.")
            % {"number": preview.same.number},
        )
        return False
    return True


@require_safe
def list_editions(request: HttpRequest) -> HttpResponse:
    """Every edition with its status. One query, and those of the frame."""
    if not may_see_editions(request.user):
        raise PermissionDenied(_("Only the standards committee and administrators see the list of editions."))
    editions = list(light_editions().order_by("slug", "-number"))
    may_change = may_change_status(request.user)
    rows = [
        {
            "edition": edition,
            "steps": [FrameworkEdition.Status(status) for status in NEXT_STATUSES[edition.status]]
            if may_change
            else [],
        }
        for edition in editions
    ]
    return render(
        request,
        "standards/admin/editions.html",
        {**frame_of_cms(title=_("Editions of the standards"), icon="history"), "rows": rows},
    )


@require_http_methods(["GET", "POST"])
def change_status(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Adopt, supersede or withdraw an edition, after saying what that means and whom it touches."""
    if not may_change_status(request.user):
        raise PermissionDenied(
            _("Only the standards committee and administrators change an edition's status.")
        )
    edition = get_object_or_404(light_editions(), pk=key)
    wanted = (request.POST if request.method == "POST" else request.GET).get("to", "")
    if wanted not in FrameworkEdition.Status.values:
        return redirect("standards_admin:editions")
    status = FrameworkEdition.Status(wanted)
    if request.method == "POST":
        try:
            change_edition_status(
                edition=edition, status=status, changed_by=subject_of(cast("User", request.user))
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request,
                _("Edition %(number)d of “%(title)s” is now: %(status)s.")
                % {"number": edition.number, "title": _title_of(edition), "status": status.label},
            )
        return redirect("standards_admin:editions")
    meanings = {
        FrameworkEdition.Status.ADOPTED: _(
            "Readers see it as the standards in force. The edition adopted before it, and earlier drafts, are "
            "superseded at the same moment. "
            "Courses keep the edition they were issued against."
        ),
        FrameworkEdition.Status.SUPERSEDED: _(
            "It stays readable, marked as superseded. Courses and certificates that rest on it keep it."
        ),
        FrameworkEdition.Status.WITHDRAWN: _(
            "It stays readable, marked as withdrawn, because certificates name it. This cannot be undone."
        ),
        FrameworkEdition.Status.CONSULTATION: "",
    }
    return render(
        request,
        "standards/admin/status.html",
        {
            **frame_of_cms(
                (reverse("standards_admin:editions"), _("Editions of the standards")),
                title=_("Edition %(number)d: change its status") % {"number": edition.number},
                icon="history",
            ),
            "edition": edition,
            "edition_title": _title_of(edition),
            "status": status,
            "meaning": meanings[status],
            "impacts": report_impact(edition.framework_key),
        },
    )
