"""The author's screens in the CMS: issuing an edition, the editions of a course, its coverage, copying it."""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.admin import messages
from wagtail.models import Page

from accounts.requests import read_job_key
from accounts.services import find_asked, subject_of
from assessments.shapes import say
from core.cms_frame import frame_of_cms
from core.errors import DomainError
from core.extensions import Impact, impact_reports
from core.languages import reading_language
from modules.branch import branch_course
from modules.changes import ChangeLine, describe_changes
from modules.coverage import find_coverage
from modules.documents import Outline
from modules.forms import CopyForm, IssueForm
from modules.jobs import ask_for_edition
from modules.models import CourseEdition
from modules.pages import CoursePage
from modules.permissions import may_copy, may_issue, may_see_editions
from modules.selectors import editions_of, latest_editions
from modules.services import (
    CoursePreview,
    CourseRefused,
    find_framework_edition,
    find_source_course,
    preview_course_edition,
)
from standards.models import FrameworkEdition


def _find_course(page_id: int) -> CoursePage:
    """The course in its source language, whichever language's page was asked for. At most two queries."""
    page = get_object_or_404(CoursePage.objects.select_related("locale"), pk=page_id)
    return find_source_course(page)


def _edit_url(course: CoursePage) -> str:
    return reverse("wagtailadmin_pages:edit", args=[course.pk])


def find_impacts(course_key: uuid.UUID) -> list[Impact]:
    """Whom an edition of the course touches, as the floors above answer."""
    return [impact for answer in impact_reports for impact in answer(kind="course", key=course_key)]


# --- Issuing ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def issue_edition(request: HttpRequest, page_id: int) -> HttpResponse:
    """What the next edition would change and whom it touches; a POST has the queue issue it."""
    if not may_issue(request.user):
        raise PermissionDenied(_("Only authors and administrators issue an edition of a course."))
    course = _find_course(page_id)
    form = IssueForm(request.POST or None)
    asker, key = subject_of(request.user), read_job_key(request)
    if request.method == "POST" and find_asked(asker=asker, job_id=key) is not None:
        # A second press, after the edition of the first was issued.
        return redirect("accounts_admin:job", key)
    preview = preview_course_edition(course_page=course)
    # What stands in the way now is said now; the queue compiles again, and says what came up since.
    if request.method == "POST" and form.is_valid() and _may_be_asked(request, preview):
        job = ask_for_edition(course=course, asker=asker, note=form.cleaned_data["note"], job_id=key)
        return redirect("accounts_admin:job", job.pk)
    changes: list[ChangeLine] = []
    if preview.before is not None and preview.outline is not None and not preview.problems:
        changes = describe_changes(preview.before, preview.outline)
    return render(
        request,
        "modules/admin/issue.html",
        {
            **frame_of_cms(
                (_edit_url(course), course.get_admin_display_title()),
                title=_("Issue edition"),
                icon="success",
                subtitle=course.get_admin_display_title(),
            ),
            "course": course,
            "preview": preview,
            "changes": _link_changes(changes),
            "impacts": find_impacts(course.translation_key),
            "title": preview.outline.title_in(reading_language()) if preview.outline else course.title,
            "modules": _titles_of(preview.outline),
            "framework_title": _title_of(preview.framework),
            "form": form,
            "edit_url": _edit_url(course),
            "job_key": uuid.uuid4(),
        },
    )


def _may_be_asked(request: HttpRequest, preview: CoursePreview) -> bool:
    """Whether the pages make an edition, as far as one can tell now; else it is said, and the screen shows why."""
    if preview.problems:
        messages.error(request, str(CourseRefused(list(preview.problems))))
        return False
    if preview.same_as is not None:
        messages.info(
            request,
            _("Nothing was issued: edition %(number)d has this text already.")
            % {"number": preview.same_as.number},
        )
        return False
    return True


def _link_changes(changes: list[ChangeLine]) -> list[tuple[ChangeLine, str]]:
    """Each change with the editor's address of the page it is about. One query."""
    keys = {change.key for change in changes if change.key}
    pages = dict(
        Page.objects.filter(translation_key__in=keys, locale__language_code="en").values_list(
            "translation_key", "pk"
        )
    )
    return [
        (
            change,
            reverse("wagtailadmin_pages:edit", args=[pages[change.key]]) if change.key in pages else "",
        )
        for change in changes
    ]


def _title_of(framework: FrameworkEdition | None) -> str:
    return framework.title_in(reading_language()) if framework else ""


def _titles_of(outline: Outline | None) -> list[tuple[str, list[str]]]:
    """Each module's title with those of its steps, in the reader's language."""
    language = reading_language()
    return [
        (say(module.title, language), [step.title_in(language) for step in module.steps])
        for module in (outline.modules if outline else ())
    ]


# --- Reading ----------------------------------------------------------------------------------------------------


@require_safe
def list_courses(request: HttpRequest) -> HttpResponse:
    """Every course with its newest edition. Three queries, and those of the frame."""
    if not may_see_editions(request.user):
        raise PermissionDenied(_("Only authors and administrators see the list of courses."))
    courses = list(
        CoursePage.objects.filter(locale__language_code="en").select_related("locale").order_by("title")
    )
    newest = latest_editions(course.translation_key for course in courses)
    rows = [{"course": course, "edition": newest.get(course.translation_key)} for course in courses]
    return render(
        request,
        "modules/admin/courses.html",
        {
            **frame_of_cms(title=_("Courses"), icon="folder-open-inverse"),
            "rows": rows,
            "may_issue": may_issue(request.user),
        },
    )


@require_safe
def list_editions(request: HttpRequest, page_id: int) -> HttpResponse:
    """The editions of a course with their digests. Two queries, and those of the frame."""
    if not may_see_editions(request.user):
        raise PermissionDenied(_("Only authors and administrators see the editions of a course."))
    course = _find_course(page_id)
    found = editions_of(course.translation_key).select_related("framework_edition", "issued_by__user")
    editions = [(edition, _title_of(edition.framework_edition)) for edition in found]
    return render(
        request,
        "modules/admin/editions.html",
        {
            **frame_of_cms(
                (_edit_url(course), course.get_admin_display_title()),
                title=_("Editions"),
                icon="history",
                subtitle=course.get_admin_display_title(),
            ),
            "course": course,
            "editions": editions,
            "may_issue": may_issue(request.user),
        },
    )


@require_safe
def show_coverage(request: HttpRequest, page_id: int) -> HttpResponse:
    """What the course serves of the standards, as its published pages stand."""
    if not may_see_editions(request.user):
        raise PermissionDenied(
            _("Only authors and administrators see what a course covers of the standards.")
        )
    course = _find_course(page_id)
    framework = find_framework_edition(course)
    preview = preview_course_edition(course_page=course) if framework else None
    domains = []
    if framework is not None and preview is not None and preview.outline is not None:
        domains = find_coverage(outline=preview.outline, framework=framework)
    return render(
        request,
        "modules/admin/coverage.html",
        {
            **frame_of_cms(
                (_edit_url(course), course.get_admin_display_title()),
                title=_("Coverage of the standards"),
                icon="table",
                subtitle=course.get_admin_display_title(),
            ),
            "course": course,
            "framework": framework,
            "framework_title": _title_of(framework),
            "served": [domain for domain in domains if domain.is_served],
            "unserved": [domain for domain in domains if not domain.is_served],
        },
    )


# --- Copying ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def copy_course(request: HttpRequest, page_id: int) -> HttpResponse:
    """Copies the course in all its languages as a new one, after saying what that means."""
    course = _find_course(page_id)
    if not may_copy(request.user, course):
        raise PermissionDenied(_("Only authors and administrators who may add a course here can copy it."))
    form = CopyForm(request.POST or None, course=course)
    if request.method == "POST" and form.is_valid():
        try:
            made = branch_course(
                course_page=course,
                titles=form.read_titles(),
                user=request.user,
                copied_by=subject_of(request.user),
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request,
                _("“%(title)s” was made as a copy. Its pages are not published yet.") % {"title": made.title},
            )
            return redirect("wagtailadmin_explore", made.pk)
    return render(
        request,
        "modules/admin/copy.html",
        {
            **frame_of_cms(
                (_edit_url(course), course.get_admin_display_title()),
                title=_("Copy as a new course"),
                icon="copy",
                subtitle=course.get_admin_display_title(),
            ),
            "course": course,
            "form": form,
            "edit_url": _edit_url(course),
            "editions": CourseEdition.objects.filter(course_key=course.translation_key).count(),
        },
    )
