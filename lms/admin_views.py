"""The administrators' screens of e-mails that were not sent, and of newer editions for an offering."""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from wagtail.admin import messages

from accounts.permissions import is_administrator
from accounts.requests import read_job_key
from accounts.services import find_asked, subject_of
from core.cms_frame import frame_of_cms
from lms import texts
from lms.answers_mail import UNSENT
from lms.models import Notice, Offering
from lms.selectors.newer import read_newer_edition
from lms.services.moving import take_up_edition
from lms.services.notices import send_again

PAGE_SIZE = 50


@require_http_methods(["GET", "POST"])
def list_unsent_mail(request: HttpRequest) -> HttpResponse:
    """E-mails about notices that were given up, or of which nobody knows; a POST sends one again.

    Two queries, and those of the frame.
    """
    if not is_administrator(request.user):
        raise PermissionDenied(_("Only administrators see which e-mails were not sent."))
    if request.method == "POST":
        try:
            key = uuid.UUID(request.POST.get("notice", ""))
        except ValueError:
            return redirect("lms_admin:unsent_mail")
        if send_again(notice=get_object_or_404(Notice, pk=key)):
            messages.success(request, _("The e-mail is in the queue again."))
        return redirect("lms_admin:unsent_mail")
    unsent = Notice.objects.filter(mail__in=UNSENT).select_related("subject__user").order_by("-created_at")
    page = Paginator(unsent, PAGE_SIZE).get_page(request.GET.get("p"))
    context = {
        **frame_of_cms(
            (reverse("accounts_admin:jobs"), _("Background work")),
            title=_("E-mails that were not sent"),
            icon="mail",
        ),
        "page": page,
        "rows": [(notice, texts.say_notice(notice).title) for notice in page],
    }
    return render(request, "lms/admin/unsent_mail.html", context)


@require_http_methods(["GET", "POST"])
def show_newer_edition(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What a newer edition changes for an offering and its learners; a POST has it taken up.

    At most eight queries, one for each edition that is not kept yet, and those of the frame.
    """
    if not request.user.has_perm("lms.change_offering"):
        raise PermissionDenied(_("Only administrators change offerings."))
    offering = get_object_or_404(Offering.objects.select_related("edition"), pk=pk)
    actor, key = subject_of(request.user), read_job_key(request)
    if request.method == "POST" and find_asked(asker=actor, job_id=key) is not None:
        # A second press, after the job of the first has begun.
        return redirect("accounts_admin:job", key)
    newer = read_newer_edition(offering)
    if request.method == "POST":
        if request.POST.get("edition") == str(newer.edition.pk) and newer.has_something:
            job = take_up_edition(offering=offering, edition=newer.edition, actor=actor, job_id=key)
            return redirect("accounts_admin:job", job.pk)
        messages.warning(
            request, _("What this page says has changed meanwhile. Nothing was done; read it again.")
        )
        return redirect("lms_admin:newer_edition", pk)
    context = {
        **frame_of_cms(
            (reverse("offerings:index"), _("Offerings")),
            (reverse("offerings:edit", args=[pk]), newer.title),
            title=_("Newer edition"),
            subtitle=newer.title,
            icon="group",
        ),
        "newer": newer,
        "job_key": uuid.uuid4(),
    }
    return render(request, "lms/admin/newer_edition.html", context)
