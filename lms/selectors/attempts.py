"""Assessed steps as their learner sees them: the terms in words, one question, the review, the result."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import PersonalText
from accounts.services import read_texts
from assessments.documents import AssessmentDocument, Criterion, Submission
from assessments.models import AssessmentEdition, Attempt, Mark, Response
from assessments.rules import (
    AttemptScore,
    Form,
    Problem,
    Visibility,
    attempts_left,
    parse_response,
    public_item,
    review_item,
    visible_feedback,
)
from assessments.services import SUBMISSION, document_of, last_responses, raw_answers, submit_overdue
from core import clock
from lms import texts
from lms.models import Accommodation, Evidence
from lms.rules import Terms, effective_terms
from lms.selectors.courses import read_grant
from lms.selectors.lessons import Place, ServedHere, read_served
from lms.words import (
    end_sentence,
    say_date,
    say_moment,
    say_percent,
    say_points,
    say_saved,
    say_time,
    say_time_left,
)
from modules.models import EditionAssessment
from standards.models import Level

# With more time than this the day it ends says more than the hours that are left.
LONG = 24 * 3600


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
        return self.edition.title_in(texts.language())

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
        if self.document.time_limit_minutes is None:
            return None
        longer = Decimal(self.document.time_limit_minutes) * self.terms.time_factor
        return int(longer.to_integral_value(rounding=ROUND_CEILING))

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
        """The line above a question: “Attempt 1 of 3 · no time limit · pass mark 75%”."""
        current = self.open_attempt or self.last
        number = current.number if current else self.next_number
        allowed = self.terms.attempts_allowed
        attempt = (
            _("Attempt %(number)d of %(allowed)d") % {"number": number, "allowed": max(allowed, number)}
            if allowed
            else _("Attempt %(number)d") % {"number": number}
        )
        limit = self.minutes_allowed
        time = _("no time limit") if limit is None else _("%(minutes)d minutes") % {"minutes": limit}
        mark = ""
        if self.document.pass_mark is not None:
            mark = _("pass mark %(percent)s") % {"percent": say_percent(self.document.pass_mark)}
        return texts.join_facts(attempt, time, mark)

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


def attempt_url(place: Place, attempt: Attempt, name: str = "attempt", **more: Any) -> str:
    """An address of an attempt: `attempt`, `question` (with `number`), `attempt_review` or `result`."""
    where = {
        "enrolment": place.enrolment.pk,
        "step": place.view.step.slug or place.view.step.key,
        "attempt": attempt.pk,
    }
    return reverse(f"lms:{name}", kwargs={**where, **more})


def read_assessment(place: Place) -> AssessmentView:
    """An assessed step. Three queries; more only to hand in an attempt whose time is over."""
    row = (
        EditionAssessment.objects.select_related("assessment")
        .filter(edition_id=place.enrolment.edition_id, step_key=place.outline_step.key)
        .first()
    )
    if row is None:
        raise Http404("This step holds no assessment.")
    edition, now = row.assessment, clock.now()
    document = document_of(edition)
    grants = [read_grant(grant) for grant in Accommodation.objects.filter(enrolment=place.enrolment)]
    terms = effective_terms(
        Terms(
            attempts_allowed=document.attempts,
            opens_at=place.enrolment.offering.opens_at,
            closes_at=place.enrolment.closes_at,
        ),
        grants,
        step=place.outline_step.key,
        at=now,
    )
    attempts = [
        submit_overdue(attempt=attempt)
        for attempt in Attempt.objects.filter(
            sitting__context=place.enrolment.pk,
            sitting__edition=edition,
            sitting__subject=place.enrolment.subject_id,
        )
        .select_related("sitting__edition")
        .order_by("number")
    ]
    return AssessmentView(
        place=place,
        edition=edition,
        document=document,
        terms=terms,
        attempts=tuple(
            AttemptView(
                attempt=attempt,
                url=attempt_url(place, attempt),
                result_url=attempt_url(place, attempt, "result"),
            )
            for attempt in attempts
        ),
        now=now,
    )


def find_attempt(view: AssessmentView, attempt_id: uuid.UUID) -> AttemptView:
    """An attempt of this learner in this step. No query."""
    for found in view.attempts:
        if found.attempt.pk == attempt_id:
            return found
    raise Http404("There is no such attempt.")


# --- While it runs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AnswerMark:
    """One question in the list of questions."""

    number: int
    key: str
    answered: bool
    flagged: bool
    here: bool
    url: str

    @property
    def word(self) -> str:
        if self.here:
            return _("You are here")
        said = _("Answered") if self.answered else _("No answer yet")
        return _("%(state)s, to look at again") % {"state": said} if self.flagged else said


@dataclass(frozen=True, kw_only=True)
class SheetView:
    """The questions of an attempt that runs, with what was saved."""

    view: AssessmentView
    current: AttemptView
    answers: tuple[AnswerMark, ...]
    saved: Mapping[str, Response]
    raw: Mapping[str, Mapping[str, Any]]

    @property
    def attempt(self) -> Attempt:
        return self.current.attempt

    @property
    def total(self) -> int:
        return len(self.answers)

    @property
    def answered(self) -> int:
        return sum(mark.answered for mark in self.answers)

    @property
    def answered_sentence(self) -> str:
        return ngettext(
            "%(answered)d of %(total)d question has an answer.",
            "%(answered)d of %(total)d questions have an answer.",
            self.total,
        ) % {"answered": self.answered, "total": self.total}

    @property
    def unanswered(self) -> list[AnswerMark]:
        return [mark for mark in self.answers if not mark.answered]

    @property
    def flagged(self) -> list[AnswerMark]:
        return [mark for mark in self.answers if mark.flagged]

    @property
    def review_url(self) -> str:
        return attempt_url(self.view.place, self.attempt, "attempt_review")

    @property
    def time_left(self) -> str:
        """How much time was left when the page was made, and until when, by the server's clock."""
        if self.attempt.deadline is None:
            return ""
        seconds = (self.attempt.deadline - self.view.now).total_seconds()
        if seconds > LONG:
            return _("Open until %(moment)s") % {"moment": say_moment(self.attempt.deadline)}
        return _("%(left)s, until %(time)s") % {
            "left": say_time_left(seconds),
            "time": say_time(self.attempt.deadline),
        }

    @property
    def last_number(self) -> int:
        """Where to go on: the question answered last, or the first."""
        latest = max(self.saved.values(), key=lambda row: row.pk, default=None)
        return next((mark.number for mark in self.answers if latest and mark.key == latest.item_key), 1)


@dataclass(frozen=True, kw_only=True)
class QuestionView:
    """One question as asked: nothing of its key."""

    number: int
    item: Mapping[str, Any]
    raw: Mapping[str, Any]
    saved_at_text: str
    flagged: bool
    error: str = ""

    @property
    def key(self) -> str:
        return str(self.item["key"])

    @property
    def chosen(self) -> list[str]:
        choice = self.raw.get("choice")
        return list(self.raw.get("choices", ())) + ([choice] if choice else [])

    @property
    def typed(self) -> str:
        return str(self.raw.get("number") or self.raw.get("text") or "")


def read_sheet(view: AssessmentView, current: AttemptView, *, here: int = 0) -> SheetView:
    """The questions of an attempt and what was saved of each. One query, two where words were typed."""
    attempt = current.attempt
    rows = last_responses(attempt)
    raw = raw_answers(attempt, rows)
    marks = [
        AnswerMark(
            number=number,
            key=key,
            answered=is_answered(raw.get(key)),
            flagged=key in attempt.flagged,
            here=number == here,
            url=attempt_url(view.place, attempt, "question", number=number),
        )
        for number, key in enumerate(Form.from_json(attempt.form).keys, start=1)
    ]
    return SheetView(view=view, current=current, answers=tuple(marks), saved=rows, raw=raw)


def is_answered(raw: Mapping[str, Any] | None) -> bool:
    return any(value not in (None, "", []) for value in (raw or {}).values())


def read_question(
    sheet: SheetView, number: int, *, typed: Mapping[str, Any] | None = None, error: str = ""
) -> QuestionView:
    """One question of the sheet as asked; `typed` is what was sent and could not be kept. No query."""
    form = Form.from_json(sheet.attempt.form)
    if not 1 <= number <= len(form.items):
        raise Http404("There is no such question.")
    shown = form.items[number - 1]
    item = sheet.view.document.items_by_key()[shown.key]
    row = sheet.saved.get(shown.key)
    return QuestionView(
        number=number,
        item=public_item(item, texts.language(), shown.options),
        raw=typed if typed is not None else sheet.raw.get(shown.key, {}),
        saved_at_text=say_saved(row.recorded_at) if row and typed is None else "",
        flagged=shown.key in sheet.attempt.flagged,
        error=error,
    )


# --- Afterwards ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReviewedOption:
    """An answer that could be ticked, with what may be said of it."""

    text_html: str
    chosen: bool
    right: bool
    feedback: str


@dataclass(frozen=True, kw_only=True)
class ReviewedItem:
    """A question after handing in, as far as the policy goes."""

    number: int
    item: Mapping[str, Any]
    seen: Mapping[str, Any]
    options: tuple[ReviewedOption, ...] = ()

    @property
    def answered(self) -> bool:
        return is_answered(self.seen["response"])

    @property
    def typed(self) -> str:
        return str(self.seen["response"].get("number") or self.seen["response"].get("text") or "")

    @property
    def shows_results(self) -> bool:
        return "right" in self.seen

    @property
    def is_right(self) -> bool:
        return bool(self.seen.get("right"))

    @property
    def is_partly_right(self) -> bool:
        return not self.is_right and Decimal(self.seen.get("points", "0")) > 0

    @property
    def points(self) -> str:
        if "points" not in self.seen:
            return ""
        return say_points(Decimal(self.seen["points"]), Decimal(self.seen["max_points"]))

    @property
    def feedback(self) -> list[str]:
        """What is said to the answer as a whole; that of an option stands with the option."""
        return [one["html"] for one in self.seen.get("feedback", ()) if not one["option"] or not self.options]

    @property
    def general_feedback(self) -> str:
        return str(self.seen.get("general_feedback", ""))

    @property
    def key_text(self) -> str:
        """The right answer to a typed question, where it may be seen."""
        key = self.seen.get("key", {})
        if "accept" in key:
            return ", ".join(key["accept"])
        return str(key.get("number", ""))


@dataclass(frozen=True, kw_only=True)
class EvidenceView:
    """A competency at a level that something gave evidence of."""

    code: str
    title: str
    level: str
    strength: str

    @property
    def level_word(self) -> str:
        return str(Level(self.level).label).lower()

    @property
    def state(self) -> str:
        return "held" if self.strength == "holds" else "under_way"


@dataclass(frozen=True, kw_only=True)
class ResultView:
    """What became of an attempt that was handed in."""

    view: AssessmentView
    current: AttemptView
    items: tuple[ReviewedItem, ...]
    evidence: tuple[EvidenceView, ...]
    visibility: Visibility

    @property
    def pass_mark(self) -> str:
        mark = self.view.document.pass_mark
        return say_percent(mark) if mark is not None else ""

    @property
    def explains(self) -> bool:
        return self.visibility.results


def read_result(view: AssessmentView, current: AttemptView) -> ResultView:
    """The result of a quiz. Two queries, three where words were typed."""
    attempt = current.attempt
    visibility = view.visibility(attempt)
    raw = raw_answers(attempt, last_responses(attempt))
    items = view.document.items_by_key()
    reviewed = [
        review_shown(number, shown, items[shown.key], raw.get(shown.key, {}), visibility)
        for number, shown in enumerate(Form.from_json(attempt.form).items, start=1)
    ]
    return ResultView(
        view=view,
        current=current,
        items=tuple(reviewed),
        evidence=read_attempt_evidence([attempt.pk]),
        visibility=visibility,
    )


def review_shown(
    number: int, shown: Any, item: Any, raw: Mapping[str, Any], visibility: Visibility
) -> ReviewedItem:
    """A question of an attempt as it was shown, with what may be said of the answer. No query."""
    language = texts.language()
    parsed = parse_response(item, raw, language=language)
    public = public_item(item, language, shown.options)
    seen = review_item(item, None if isinstance(parsed, Problem) else parsed, visibility, language)
    said = {one["option"]: one["html"] for one in seen.get("feedback", ())}
    chosen = {seen["response"].get("choice"), *seen["response"].get("choices", ())}
    key = seen.get("key", {})
    right = {*key.get("options", ()), key.get("choice")}
    asked = list(public.get("options", ()))
    if item.kind == "true_false":
        asked = [{"key": "true", "text_html": _("True")}, {"key": "false", "text_html": _("False")}]
    options = tuple(
        ReviewedOption(
            text_html=option["text_html"],
            chosen=option["key"] in chosen,
            right=option["key"] in right,
            feedback=said.get(option["key"], ""),
        )
        for option in asked
    )
    return ReviewedItem(number=number, item=public, seen=seen, options=options)


def read_attempt_evidence(attempt_ids: Sequence[uuid.UUID]) -> tuple[EvidenceView, ...]:
    """The evidence that attempts gave. One query."""
    rows = (
        Evidence.objects.filter(source__in=list(attempt_ids), retracts__isnull=True)
        .select_related("edition_competency")
        .order_by("edition_competency__position", "level")
    )
    return tuple(
        EvidenceView(
            code=row.edition_competency.code,
            title=row.edition_competency.title_in(texts.language()),
            level=row.level,
            strength=row.strength,
        )
        for row in rows
    )


# --- Assignments --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MarkedCriterion:
    """A criterion of the rubric, with the level that the marker chose, if any."""

    criterion: Criterion
    chosen: int | None = None

    @property
    def title(self) -> str:
        return texts.say(self.criterion.title, texts.language())

    @property
    def levels(self) -> list[dict[str, Any]]:
        language = texts.language()
        return [
            {
                "title": texts.say(level.title, language),
                "text_html": texts.say(level.text_html, language),
                "points": say_points(level.points, self.criterion.max_points),
                "chosen": index == self.chosen,
            }
            for index, level in enumerate(self.criterion.levels)
        ]

    @property
    def level(self) -> dict[str, Any] | None:
        return None if self.chosen is None else self.levels[self.chosen]


@dataclass(frozen=True, kw_only=True)
class SubmissionView:
    """One piece of work: its words, its files, and, once a person has read it, what they said."""

    view: AttemptView
    text: str = ""
    files: tuple[PersonalText, ...] = ()
    saved_at: datetime | None = None
    mark: Mark | None = None
    comment: str = ""
    criteria: tuple[MarkedCriterion, ...] = ()
    is_erased: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.files

    @property
    def saved_at_text(self) -> str:
        return say_saved(self.saved_at)


@dataclass(frozen=True, kw_only=True)
class AssignmentView:
    """An assignment: what is asked, how it is marked, the draft, and what was handed in before."""

    view: AssessmentView
    asked: Submission
    rubric: tuple[MarkedCriterion, ...]
    draft: SubmissionView | None
    history: tuple[SubmissionView, ...]
    served: Sequence[ServedHere] = field(default_factory=tuple)

    @property
    def max_points(self) -> Decimal:
        return sum((row.criterion.max_points for row in self.rubric), Decimal(0))

    @property
    def pass_sentence(self) -> str:
        mark = self.view.document.pass_mark
        if mark is None:
            return ""
        needed = (mark * self.max_points / 100).quantize(Decimal("0.01"), rounding=ROUND_CEILING)
        return _("%(points)s passes.") % {"points": say_points(needed, self.max_points)}

    @property
    def last_mark(self) -> SubmissionView | None:
        return self.history[0] if self.history and self.history[0].mark else None


def read_assignment(view: AssessmentView) -> AssignmentView:
    """An assignment with every attempt. Five queries, however many attempts and files there are."""
    asked = view.document.submission
    if asked is None:
        raise Http404("This step asks for no work.")
    ids = [one.attempt.pk for one in view.attempts]
    rows = {
        row.attempt_id: row
        for row in Response.objects.filter(attempt_id__in=ids, item_key=SUBMISSION)
        .order_by("attempt_id", "-id")
        .distinct("attempt_id")
    }
    marks = {
        mark.attempt_id: mark
        for mark in Mark.objects.filter(attempt_id__in=ids)
        .order_by("attempt_id", "-id")
        .distinct("attempt_id")
    }
    words = read_texts(
        [
            *(row.text_id for row in rows.values()),
            *(key for row in rows.values() for key in row.value.get("files", ())),
            *(mark.comment_id for mark in marks.values()),
        ]
    )
    submissions = [
        _read_submission(one, rows.get(one.attempt.pk), marks.get(one.attempt.pk), words, view.document)
        for one in view.attempts
    ]
    return AssignmentView(
        view=view,
        asked=asked,
        rubric=tuple(MarkedCriterion(criterion=criterion) for criterion in view.document.rubric),
        draft=next((one for one in submissions if one.view.is_open), None),
        history=tuple(one for one in reversed(submissions) if not one.view.is_open),
        served=read_served(
            view.place.enrolment.edition, view.place.outline_step, subject_id=view.place.enrolment.subject_id
        ),
    )


def _read_submission(
    view: AttemptView,
    row: Response | None,
    mark: Mark | None,
    words: Mapping[uuid.UUID, PersonalText],
    document: AssessmentDocument,
) -> SubmissionView:
    text = words.get(row.text_id) if row and row.text_id else None
    keys = [uuid.UUID(key) for key in row.value.get("files", ())] if row else []
    comment = words.get(mark.comment_id) if mark and mark.comment_id else None
    levels = mark.levels if mark else {}
    return SubmissionView(
        view=view,
        text=text.text if text else "",
        files=tuple(words[key] for key in keys if key in words),
        saved_at=row.recorded_at if row else None,
        mark=mark,
        comment=comment.text if comment else "",
        criteria=tuple(
            MarkedCriterion(criterion=criterion, chosen=levels.get(criterion.key))
            for criterion in document.rubric
        )
        if mark and levels
        else (),
        is_erased=row is not None and text is None,
    )
