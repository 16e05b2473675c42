"""The course engine's sections of a person's home: what is next, why something is not complete, the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services import subject_of
from core import clock
from core.extensions import HomePanel
from lms.selectors.competencies import read_maps
from lms.selectors.courses import CourseView, own_enrolments, read_courses
from lms.selectors.notices import NoticeView, read_notices
from lms.words import end_sentence, say_moment

# Sections of other floors place themselves between and after these.
ORDER_NEXT = 10
ORDER_WHY = 20
ORDER_MAP = 30


@dataclass(frozen=True, kw_only=True)
class Learning:
    """A person's courses, read once a request for all panels: the one they worked in last comes first."""

    courses: tuple[CourseView, ...]
    notices: tuple[NoticeView, ...]

    @property
    def under_way(self) -> list[CourseView]:
        return [course for course in self.courses if course.is_open and not course.is_complete]

    @property
    def first(self) -> CourseView | None:
        return next(iter(self.under_way), None)

    @property
    def others(self) -> list[CourseView]:
        """Every other course that one has not left, the open ones first."""
        rest = [course for course in self.courses if course is not self.first and not course.is_withdrawn]
        return sorted(rest, key=lambda course: course.is_complete or not course.is_open)


def read_learning(request: HttpRequest) -> Learning:
    """Six queries, however many courses; kept on the request."""
    kept: Learning | None = getattr(request, "_learning", None)
    if kept is None:
        assert request.user.is_authenticated
        subject = subject_of(request.user)
        courses = read_courses(list(own_enrolments(subject)))
        latest = sorted(
            courses, key=lambda one: one.state.active_at or one.enrolment.enrolled_at, reverse=True
        )
        kept = Learning(courses=tuple(latest), notices=tuple(read_notices(subject.pk)))
        request._learning = kept  # type: ignore[attr-defined]
    return kept


def greet(name: str) -> str:
    """“Good afternoon, Jordan.” by the person's own clock."""
    first = name.split(maxsplit=1)[0] if name.split() else ""
    hour = timezone.localtime(clock.now()).hour
    if hour < 12:
        said = _("Good morning, %(name)s.")
    elif hour < 18:
        said = _("Good afternoon, %(name)s.")
    else:
        said = _("Good evening, %(name)s.")
    return said % {"name": first}


def show_next(*, request: HttpRequest) -> HomePanel | None:
    """What is next, with the page's heading; for who is enrolled nowhere, the way to the catalogue."""
    if not request.user.is_authenticated:
        return None
    learning = read_learning(request)
    first = learning.first
    stopped = ""
    if first and first.next and first.next.is_begun and first.state.active_at:
        stopped = end_sentence(
            _("You stopped here on %(moment)s") % {"moment": say_moment(first.state.active_at)}
        )
    context: dict[str, Any] = {
        "greeting": greet(request.user.get_full_name()),
        "stopped": stopped,
        "learning": learning,
        "course": first,
        "notices": learning.notices,
        "has_left_all": bool(learning.courses) and all(course.is_withdrawn for course in learning.courses),
    }
    return HomePanel(template="lms/panels/next.html", context=context, order=ORDER_NEXT)


def show_why(*, request: HttpRequest) -> HomePanel | None:
    """Why the course one works in is not complete; nothing before one has begun."""
    if not request.user.is_authenticated:
        return None
    course = read_learning(request).first
    if course is None or not course.state.steps:
        return None
    # What only waits for its turn needs no line each: the way through the course shows it.
    explanations = [one for one in course.explanations if one.code not in ("locked_by", "not_opened")]
    if not explanations:
        return None
    context = {"course": course, "explanations": explanations}
    return HomePanel(template="lms/panels/why.html", context=context, order=ORDER_WHY)


def show_competency_map(*, request: HttpRequest) -> HomePanel | None:
    """The map of what one holds. Four queries."""
    if not request.user.is_authenticated:
        return None
    maps = read_maps(subject_of(request.user).pk)
    return (
        HomePanel(template="lms/panels/map.html", context={"maps": maps}, order=ORDER_MAP) if maps else None
    )
