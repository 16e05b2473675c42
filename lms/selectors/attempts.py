"""Assessed steps as their learner sees them: the terms in words, and what became of each attempt.

An attempt while it runs stands in `sheets`, one that was handed in in `results`, the work of an assignment in
`assignments`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from assessments.documents import AssessmentDocument
from assessments.models import AssessmentEdition, Attempt
from assessments.rules import AttemptScore, Visibility, attempts_left, visible_feedback
from assessments.services import document_of
from core import clock
from core.prepared import PreparedQuery, given_uuid
from lms import texts
from lms.models import Accommodation, Enrolment
from lms.outlines import assessment_in_step
from lms.rules import Terms, effective_terms
from lms.selectors.courses import read_grant
from lms.selectors.places import Place
from lms.services.attempts import hand_in_if_over
from lms.words import end_sentence, say_date, say_percent, say_points
from modules.documents import OutlineStep


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """One attempt in a list: what became of it, in words."""

    attempt: Attempt
    url: str
    result_url: str

    @property
    def number(self) -> int:
        return self.attempt.number

    @property
    def is_open(self) -> bool:
        return self.attempt.submitted_at is None

    @property
    def is_returned(self) -> bool:
        return not self.is_open and self.attempt.passed is False and self.attempt.points is None

    @property
    def is_waiting(self) -> bool:
        return (
            not self.is_open
            and self.attempt.passed is None
            and bool((self.attempt.score or {}).get("waiting"))
        )

    @property
    def outcome(self) -> str:
        if self.is_open:
            return _("Under way")
        if self.is_returned:
            return _("Came back to you")
        if self.is_waiting:
            return _("Waiting to be marked")
        if self.attempt.passed is None:
            return _("Handed in")
        return pgettext("attempt", "Passed") if self.attempt.passed else pgettext("attempt", "Not passed")

    @property
    def state(self) -> str:
        """For the tag `state`."""
        if self.attempt.passed:
            return "ok"
        return "none" if self.attempt.passed is None and not self.is_waiting and not self.is_open else "wait"

    @property
    def score(self) -> AttemptScore | None:
        return AttemptScore.from_json(self.attempt.score) if self.attempt.score else None

    @property
    def points(self) -> str:
        if self.attempt.points is None or not self.attempt.max_points:
            return ""
        return say_points(self.attempt.points, self.attempt.max_points)

    @property
    def percent(self) -> str:
        score = self.score
        return (
            say_percent(score.percent) if score and score.percent is not None and not self.is_returned else ""
        )

    @property
    def when(self) -> str:
        return say_date(self.attempt.submitted_at or self.attempt.started_at)


@dataclass(frozen=True, kw_only=True)
class AssessmentView:
    """An assessed step: its document, what holds for this learner, and their attempts so far."""

    place: Place
    edition: AssessmentEdition
    document: AssessmentDocument
    terms: Terms
    attempts: tuple[AttemptView, ...]
    now: datetime

    @property
    def title(self) -> str:
        return texts.say(self.document.title, texts.language())

    @property
    def intro_html(self) -> str:
        return texts.say(self.document.intro_html, texts.language())

    @property
    def is_assignment(self) -> bool:
        return self.document.submission is not None

    @property
    def open_attempt(self) -> AttemptView | None:
        return next((view for view in self.attempts if view.is_open), None)

    @property
    def submitted(self) -> list[AttemptView]:
        """The attempts handed in, the last one first."""
        return [view for view in reversed(self.attempts) if not view.is_open]

    @property
    def last(self) -> AttemptView | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def passed(self) -> bool:
        return any(view.attempt.passed for view in self.attempts)

    @property
    def is_waiting(self) -> bool:
        """Whether something handed in waits for a marker, so that a new attempt would be beside the point."""
        return self.last is not None and self.last.is_waiting

    @property
    def used(self) -> int:
        return sum(not view.is_returned for view in self.attempts)

    @property
    def left(self) -> int | None:
        return attempts_left(allowed=self.terms.attempts_allowed, used=self.used)

    @property
    def next_number(self) -> int:
        return len(self.attempts) + 1

    @property
    def can_start(self) -> bool:
        return self.place.is_open and not self.why_not_start and self.open_attempt is None

    @property
    def why_not_start(self) -> str:
        """Why no attempt can be begun now; empty where one can."""
        if self.place.is_withdrawn:
            return _("You have withdrawn from this course, so nothing more is recorded.")
        if self.place.is_closed:
            return _("The course has closed for you. Your instructor can give you more time.")
        if self.terms.opens_at and self.now < self.terms.opens_at:
            return _("It opens on %(date)s.") % {"date": say_date(self.terms.opens_at)}
        if self.is_waiting:
            return _("What you handed in waits to be marked. There is nothing for you to do.")
        if self.left == 0 and not self.passed:
            return _(
                "You have used all your attempts. Write to your instructor, who can open one more for you."
            )
        if self.left == 0:
            return _("You have used all your attempts.")
        return ""

    @property
    def questions(self) -> int:
        return count_questions(self.document)

    @property
    def minutes_allowed(self) -> int | None:
        """The time limit with what this learner was granted, whole minutes rounded up."""
        return count_minutes(self.document, self.terms.time_factor)

    @property
    def feedback_policy(self) -> str:
        return texts.say_feedback_policy(self.document.feedback)

    @property
    def attempts_sentence(self) -> str:
        if self.terms.attempts_allowed is None:
            return _("You may try as often as you like.")
        return ngettext(
            "%(left)d of %(allowed)d attempt left",
            "%(left)d of %(allowed)d attempts left",
            self.terms.attempts_allowed,
        ) % {"left": self.left, "allowed": self.terms.attempts_allowed}

    @property
    def attempts_said(self) -> str:
        """The same with a full stop, to stand among sentences."""
        return end_sentence(self.attempts_sentence)

    @property
    def head_facts(self) -> str:
        """The line above the work: “Attempt 1 of 3 · no time limit · pass mark 75%”."""
        current = self.open_attempt or self.last
        return say_head_facts(
            self.document,
            number=current.number if current else self.next_number,
            allowed=self.terms.attempts_allowed,
            minutes=self.minutes_allowed,
        )

    def visibility(self, attempt: Attempt) -> Visibility:
        """What may be shown of an attempt now. After the window has closed, no attempt is left."""
        allowed = self.used if self.place.is_closed else self.terms.attempts_allowed
        return visible_feedback(
            self.document.feedback,
            attempts_used=self.used,
            attempts_allowed=allowed,
            passed=self.passed,
            submitted=attempt.submitted_at is not None,
        )


def count_questions(document: AssessmentDocument) -> int:
    """How many questions an attempt shows."""
    return sum(section.draw or len(section.items) for section in document.sections)


def count_minutes(document: AssessmentDocument, time_factor: Decimal) -> int | None:
    """The time limit for somebody with this factor, whole minutes rounded up; None: no limit."""
    if document.time_limit_minutes is None:
        return None
    longer = Decimal(document.time_limit_minutes) * time_factor
    return int(longer.to_integral_value(rounding=ROUND_CEILING))


def say_head_facts(
    document: AssessmentDocument, *, number: int, allowed: int | None, minutes: int | None
) -> str:
    """The line above a question: “Attempt 1 of 3 · no time limit · pass mark 75%”."""
    attempt = (
        _("Attempt %(number)d of %(allowed)d") % {"number": number, "allowed": max(allowed, number)}
        if allowed
        else _("Attempt %(number)d") % {"number": number}
    )
    time = _("no time limit") if minutes is None else _("%(minutes)d minutes") % {"minutes": minutes}
    mark = ""
    if document.pass_mark is not None:
        mark = _("pass mark %(percent)s") % {"percent": say_percent(document.pass_mark)}
    return texts.join_facts(attempt, time, mark)


def attempt_url(
    enrolment: Enrolment, step: OutlineStep, attempt_id: uuid.UUID, name: str = "attempt", **more: Any
) -> str:
    """An address of an attempt: `attempt`, `question` (with `number`), `attempt_review` or `result`."""
    where = {"enrolment": enrolment.pk, "step": step.slug or step.key, "attempt": attempt_id}
    return reverse(f"lms:{name}", kwargs={**where, **more})


_read_grants: Final = PreparedQuery(
    lambda: Accommodation.objects.filter(enrolment_id=given_uuid("enrolment"))
)
_read_attempts: Final = PreparedQuery(
    lambda: Attempt.objects.filter(
        sitting__context=given_uuid("enrolment"),
        sitting__edition_id=given_uuid("edition"),
        sitting__subject_id=given_uuid("subject"),
    ).order_by("number"),
    joined=("sitting",),
)


def read_assessment(place: Place) -> AssessmentView:
    """An assessed step. Two queries; more only to hand in an attempt whose time is over."""
    enrolment, step = place.enrolment, place.outline_step
    edition, now = assessment_in_step(enrolment.edition_id, step.key), clock.now()
    if edition is None:
        raise Http404("This step holds no assessment.")
    document = document_of(edition)
    terms = effective_terms(
        Terms(
            attempts_allowed=document.attempts,
            opens_at=enrolment.offering.opens_at,
            closes_at=enrolment.closes_at,
        ),
        [read_grant(grant) for grant in _read_grants.objects(enrolment=enrolment.pk)],
        step=step.key,
        at=now,
    )
    found = _read_attempts.objects(enrolment=enrolment.pk, edition=edition.pk, subject=enrolment.subject_id)
    attempts = []
    for attempt in found:
        attempt.sitting.edition = edition
        attempts.append(
            AttemptView(
                attempt=hand_in_if_over(attempt=attempt),
                url=attempt_url(enrolment, step, attempt.pk),
                result_url=attempt_url(enrolment, step, attempt.pk, "result"),
            )
        )
    return AssessmentView(
        place=place, edition=edition, document=document, terms=terms, attempts=tuple(attempts), now=now
    )


def find_attempt(view: AssessmentView, attempt_id: uuid.UUID) -> AttemptView:
    """An attempt of this learner in this step. No query."""
    for found in view.attempts:
        if found.attempt.pk == attempt_id:
            return found
    raise Http404("There is no such attempt.")


def is_answered(raw: Mapping[str, Any] | None) -> bool:
    return any(value not in (None, "", []) for value in (raw or {}).values())
