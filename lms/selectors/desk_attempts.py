"""The attempts of one learner as their instructor sees them: a line of each, and one in full."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from assessments.documents import AssessmentDocument
from assessments.models import AssessmentKind, Attempt, Mark
from assessments.rules import Form, Visibility
from assessments.services import document_of, last_responses, raw_answers
from core import clock
from lms import texts
from lms.models import Enrolment, Offering
from lms.selectors.desk import step_titles
from lms.selectors.desk_people import LearnerHead, learner_url
from lms.selectors.results import ReviewedItem, review_shown
from lms.words import say_date, say_moment, say_percent, say_points
from modules.models import EditionAssessment


def say_outcome(attempt: Attempt) -> str:
    """What became of an attempt, said to an instructor."""
    if attempt.submitted_at is None:
        return _("Under way")
    if attempt.points is None:
        return _("Returned for another try") if attempt.passed is False else _("Waiting to be marked")
    if attempt.passed is None:
        return _("Handed in")
    return _("Passed") if attempt.passed else _("Not passed")


@dataclass(frozen=True, kw_only=True)
class ToldAttempt:
    """An attempt as instructors are told of it, wherever it stands."""

    attempt: Attempt

    @property
    def outcome(self) -> str:
        return say_outcome(self.attempt)

    @property
    def state(self) -> str:
        """For the tag `state`."""
        if self.attempt.passed:
            return "ok"
        return "none" if self.attempt.submitted_at is None else "wait"

    @property
    def points(self) -> str:
        if self.attempt.points is None or not self.attempt.max_points:
            return ""
        return say_points(self.attempt.points, self.attempt.max_points)

    @property
    def handed_in(self) -> str:
        return say_moment(self.attempt.submitted_at) if self.attempt.submitted_at else ""


def mark_url(offering: Offering, attempt: Attempt) -> str:
    """Where a piece of work is marked."""
    return reverse("lms:mark", kwargs={"offering": offering.slug, "attempt": attempt.pk})


@dataclass(frozen=True, kw_only=True)
class AttemptLine(ToldAttempt):
    """An attempt in the list of a learner's attempts."""

    step_title: str
    url: str
    is_assignment: bool

    @property
    def is_open(self) -> bool:
        return self.attempt.submitted_at is None

    @property
    def when(self) -> str:
        return say_date(self.attempt.submitted_at or self.attempt.started_at)


def read_attempts(
    enrolment: Enrolment, places: Mapping[uuid.UUID, uuid.UUID], titles: Mapping[uuid.UUID, str]
) -> list[AttemptLine]:
    rows = (
        Attempt.objects.filter(sitting__context=enrolment.pk, sitting__subject=enrolment.subject_id)
        .select_related("sitting__edition")
        .defer("sitting__edition__document", "form", "score")
        .order_by("-started_at")
    )
    lines = []
    for attempt in rows:
        step_key = places.get(attempt.sitting.edition_id)
        kind = attempt.sitting.edition.kind
        url = ""
        # Work that is not handed in yet is still the learner's own; so is what they thought of the course.
        if attempt.submitted_at and kind == AssessmentKind.ASSIGNMENT:
            url = mark_url(enrolment.offering, attempt)
        elif attempt.submitted_at and kind == AssessmentKind.QUIZ:
            url = learner_url(enrolment, "learner_attempt", attempt=attempt.pk)
        lines.append(
            AttemptLine(
                attempt=attempt,
                step_title=titles.get(step_key, "") if step_key else "",
                url=url,
                is_assignment=kind == AssessmentKind.ASSIGNMENT,
            )
        )
    return lines


# --- One attempt --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AttemptReview(ToldAttempt):
    """A quiz as it was handed in, with its key: for instructors only."""

    head: LearnerHead
    document: AssessmentDocument
    step_title: str
    items: tuple[ReviewedItem, ...]

    @property
    def took(self) -> str:
        if self.attempt.submitted_at is None:
            return ""
        minutes = max(1, round((self.attempt.submitted_at - self.attempt.started_at).total_seconds() / 60))
        return texts.say_duration(minutes)

    @property
    def pass_mark(self) -> str:
        mark = self.document.pass_mark
        return say_percent(mark) if mark is not None else ""


EVERYTHING = Visibility(score=True, results=True, feedback=True, answers=True)


def read_attempt(enrolment: Enrolment, attempt_id: uuid.UUID) -> AttemptReview:
    """An attempt of this learner that was handed in, with the key. Four queries; another's, or an open one, is 404."""
    attempt = (
        Attempt.objects.filter(
            pk=attempt_id,
            sitting__context=enrolment.pk,
            sitting__subject=enrolment.subject_id,
            submitted_at__isnull=False,
        )
        .select_related("sitting__edition")
        .first()
    )
    # An assignment has its own screen; what a learner thought of the course is not told by name.
    if attempt is None or attempt.sitting.edition.kind != AssessmentKind.QUIZ:
        raise Http404("There is no such attempt.")
    place = EditionAssessment.objects.filter(
        edition_id=enrolment.edition_id, assessment_id=attempt.sitting.edition_id
    ).first()
    document = document_of(attempt.sitting.edition)
    items = document.items_by_key()
    raw = raw_answers(attempt, last_responses(attempt))
    return AttemptReview(
        head=LearnerHead(enrolment=enrolment, now=clock.now()),
        attempt=attempt,
        document=document,
        step_title=step_titles(enrolment.edition).get(place.step_key, "") if place else "",
        items=tuple(
            review_shown(number, shown, items[shown.key], raw.get(shown.key, {}), EVERYTHING)
            for number, shown in enumerate(Form.from_json(attempt.form).items, start=1)
        ),
    )


def last_marks(attempts: Sequence[uuid.UUID]) -> dict[uuid.UUID, Mark]:
    """The mark that counts of each of these attempts, with who gave it. One query."""
    rows = (
        Mark.objects.filter(attempt_id__in=attempts)
        .select_related("marker__user")
        .order_by("attempt_id", "-id")
    )
    return {mark.attempt_id: mark for mark in rows.distinct("attempt_id")}
