"""Jobs: what a person asked of the queue, how far each is, and the files that came of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from wagtail.admin.auth import require_admin_access

from accounts import services
from accounts.admin_views import PAGE_SIZE, for_administrators
from accounts.jobs import JobKind, Outcome, find_kind
from accounts.models import Job
from accounts.permissions import is_administrator
from accounts.requests import SignedInRequest
from accounts.second_factor import is_unprotected
from core import clock
from core.caching import never_kept
from core.cms_frame import frame_of_cms
from core.extensions import work_notes

JOBS_A_PAGE: Final = 30
# How soon a page without scripts looks again; it grows with what the job takes, so that a long one does not flicker.
SOONEST, LATEST = 2, 15


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A job as its page shows it, in the language in force."""

    job: Job
    kind: JobKind | None
    viewer: Any

    @property
    def title(self) -> str:
        return self.kind.name(self.job) if self.kind else _("A job of an earlier version of the site")

    @property
    def is_own(self) -> bool:
        return bool(self.job.asker.user_id == self.viewer.pk)

    @property
    def cms_url(self) -> str:
        return reverse("accounts_admin:job", args=[self.job.pk])

    @property
    def url(self) -> str:
        if self.kind and self.kind.in_cms:
            return reverse("accounts_admin:job", args=[self.job.pk])
        return reverse("accounts:job", args=[self.job.pk])

    @property
    def was_given_back(self) -> bool:
        return self.job.state == Job.State.WAITING and self.job.tries > 0

    @property
    def code(self) -> str:
        """What a script compares to see whether there is something to say."""
        return "given_back" if self.was_given_back else str(self.job.state)

    @property
    def icon(self) -> str:
        return {Job.State.DONE: "ok", Job.State.FAILED: "stop"}.get(Job.State(self.job.state), "wait")

    @property
    def word(self) -> str:
        return str(Job.State(self.job.state).label)

    @property
    def sentence(self) -> str:
        job = self.job
        if job.state == Job.State.FAILED:
            return _("It came to nothing.")
        if job.state == Job.State.DONE:
            return self.outcome.sentence
        if self.was_given_back:
            return _("The program that worked on it stopped. It begins again by itself within a few seconds.")
        if job.state == Job.State.WAITING:
            return _(
                "It waits for its turn, most often a second or two. You can leave this page; it goes on."
            )
        return _("It is under way. You can leave this page; it goes on.")

    @property
    def outcome(self) -> Outcome:
        return self.kind.describe(self.job) if self.kind else Outcome("")

    @property
    def how_far(self) -> str:
        """“12 of 200”, and what is being done."""
        job = self.job
        said = ""
        if job.total:
            said = ngettext("%(done)d of %(total)d", "%(done)d of %(total)d", job.total) % {
                "done": job.done,
                "total": job.total,
            }
        doing = str(self.kind.steps.get(job.doing, "")) if self.kind and job.doing else ""
        return " · ".join(part for part in (said, doing) if part)

    @property
    def file_url(self) -> str:
        """Where its file is, for who may have it."""
        job = self.job
        if not job.file or self.kind is None or not self.kind.may_fetch(self.viewer, job):
            return ""
        return "" if _is_past(job) else reverse("accounts:job_file", args=[job.pk])

    @property
    def file_is_gone(self) -> bool:
        return bool(self.job.file_until) and (not self.job.file or _is_past(self.job))

    @property
    def back(self) -> tuple[str, str] | None:
        return self.kind.back(self.job) if self.kind and self.kind.back else None

    @property
    def look_again(self) -> int:
        """Seconds until a page without scripts looks again."""
        passed = (clock.now() - self.job.asked_at).total_seconds()
        return int(min(LATEST, max(SOONEST, passed / 5)))


def _is_past(job: Job) -> bool:
    return job.file_until is not None and job.file_until <= clock.now()


def describe_job(job: Job, *, viewer: Any) -> JobPage:
    """How the job is shown to that person; where its kind is not known any more, what is known."""
    try:
        kind = find_kind(job.kind)
    except LookupError:
        kind = None
    return JobPage(job=job, kind=kind, viewer=viewer)


def find_job(user: Any, key: uuid.UUID) -> Job:
    """The job, for who asked it and for administrators; a stranger learns nothing (404). One query, for most."""
    job = Job.objects.select_related("asker__user").filter(pk=key).first()
    if job is None:
        raise Http404
    if job.asker.user_id == user.pk or (is_administrator(user) and not is_unprotected(user)):
        return job
    raise Http404


@login_required
@never_kept
@require_safe
def list_jobs(request: SignedInRequest) -> HttpResponse:
    """What one asked, the newest first. Two queries for any number, and those of the frame."""
    own = Job.objects.filter(asker=services.subject_of(request.user)).select_related("asker")
    page = Paginator(own, JOBS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "jobs": [describe_job(job, viewer=request.user) for job in page]}
    return render(request, "accounts/jobs.html", context)


@login_required
@never_kept
@require_safe
def show_job(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """One job. It looks again by itself, with scripts and without, until it is over."""
    context = {"shown": describe_job(find_job(request.user, key), viewer=request.user)}
    return render(request, _partial_or(request, "accounts/job.html"), context)


@never_kept
@require_safe
@require_admin_access
def show_job_in_cms(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The same within the frame of the CMS."""
    shown = describe_job(find_job(request.user, key), viewer=request.user)
    trail = [(shown.back[1], shown.back[0])] if shown.back else []
    context = {"shown": shown, **frame_of_cms(*trail, title=shown.title, icon="tasks")}
    return render(request, _partial_or(request, "accounts/admin/job.html"), context)


@for_administrators
@require_safe
def list_all_jobs(request: HttpRequest) -> HttpResponse:
    """What everybody asked, the newest first, those that failed marked. Two queries, and those of the frame."""
    page = Paginator(Job.objects.select_related("asker__user"), PAGE_SIZE).get_page(request.GET.get("p"))
    context = {
        **frame_of_cms(title=_("Background work"), icon="tasks"),
        "page": page,
        "jobs": [describe_job(job, viewer=request.user) for job in page],
        "notes": [note for answer in work_notes for note in answer()],
    }
    return render(request, "accounts/admin/jobs.html", context)


def _partial_or(request: HttpRequest, template: str) -> str:
    return "accounts/parts/job.html" if getattr(request, "htmx", False) else template


@login_required
@never_kept
@require_safe
def fetch_job_file(request: SignedInRequest, key: uuid.UUID) -> FileResponse:
    """The file of a job, for who asked and still may have it. Always an attachment; logged where it is about others."""
    job = find_job(request.user, key)
    shown = describe_job(job, viewer=request.user)
    if not shown.file_url:
        raise Http404
    if not shown.is_own:
        services.record_audit(actor=services.subject_of(request.user), action="job.fetched", target=job)
    try:
        stored = job.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(stored, as_attachment=True, filename=job.file_name, content_type=job.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
