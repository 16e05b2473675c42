"""The administrators' screen of e-mails that were not sent."""

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
from lms import texts
from lms.answers_mail import UNSENT
from lms.models import Notice
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
    title = _("E-mails that were not sent")
    context = {
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("accounts_admin:jobs"), "label": _("Background work")},
            {"url": "", "label": title},
        ],
        "header_title": title,
        "page_title": title,
        "header_icon": "mail",
        "page": page,
        "rows": [(notice, texts.say_notice(notice).title) for notice in page],
    }
    return render(request, "lms/admin/unsent_mail.html", context)
