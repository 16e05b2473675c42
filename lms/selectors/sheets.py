"""An attempt while it runs: one question, the list of all, the review before handing in.

What a learner asks for most often in an assessment is read here, without the way around the step and without their
other attempts: one query for the attempt, one for what was saved, one more where words were typed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.documents import AssessmentDocument, Item
from assessments.models import Attempt
from assessments.rules import Form, public_item
from assessments.services import (
    SavedAnswer,
    ask_last_responses,
    by_item,
    document_of,
    last_responses,
    raw_answers,
)
from core import clock
from core.prepared import PreparedQuery, given_uuid
from core.questions import Question, ask_together
from lms import texts
from lms.models import Enrolment
from lms.outlines import assessment_in_step
from lms.selectors.attempts import attempt_url, count_minutes, is_answered, say_head_facts
from lms.selectors.here import StepHere, find_here
from lms.services.attempts import hand_in_if_over
from lms.words import say_moment, say_saved, say_time, say_time_left

# With more time than this the day it ends says more than the hours that are left.
LONG = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class RunningView:
    """An attempt of a learner in a step, with the terms that it was begun on."""

    here: StepHere
    document: AssessmentDocument
    attempt: Attempt
    saved: Mapping[str, SavedAnswer] | None
    now: datetime

    @property
    def is_open(self) -> bool:
        return self.attempt.submitted_at is None

    @property
    def is_assignment(self) -> bool:
        return self.document.submission is not None

    @property
    def title(self) -> str:
        return texts.say(self.document.title, texts.language())

    @property
    def enrolment(self) -> Enrolment:
        return self.here.enrolment

    @property
    def head_facts(self) -> str:
        sitting = self.attempt.sitting
        return say_head_facts(
            self.document,
            number=self.attempt.number,
            allowed=sitting.attempts_allowed,
            minutes=count_minutes(self.document, sitting.time_factor),
        )

    @property
    def feedback_policy(self) -> str:
        return texts.say_feedback_policy(self.document.feedback)

    def url(self, name: str = "attempt", **more: Any) -> str:
        """An address of the attempt (see `attempt_url`)."""
        return attempt_url(self.enrolment, self.here.step, self.attempt.pk, name, **more)

    @cached_property
    def form(self) -> Form:
        """What the attempt shows, in order."""
        return Form.from_stored(self.attempt.form)

    @property
    def total(self) -> int:
        return len(self.form.items)

    @property
    def after_url(self) -> str:
        """Where one comes who has handed in: to the result, or to the work."""
        return self.here.url if self.is_assignment else self.url("result")


_read_attempt: Final = PreparedQuery(
    lambda: Attempt.objects.filter(
        pk=given_uuid("attempt"),
        sitting__context=given_uuid("enrolment"),
        sitting__subject_id=given_uuid("subject"),
    ),
    joined=("sitting",),
)


def ask_running(
    *, subject_id: uuid.UUID, enrolment_id: uuid.UUID, attempt_id: uuid.UUID, answers: bool
) -> Sequence[Question[Any]]:
    """What `find_running` needs to know."""
    attempt = Question.of(_read_attempt, attempt=attempt_id, enrolment=enrolment_id, subject=subject_id)
    return [attempt, *([ask_last_responses(attempt_id)] if answers else [])]


def find_running(
    enrolment: Enrolment, slug: str, attempt_id: uuid.UUID, *, along: Sequence[list[Any]] = ()
) -> RunningView:
    """An attempt of this learner in this step: 404 for any other. One query, none where the answers to `ask_running`
    were read along with the enrolment; more to hand in what is over.
    """
    here = find_here(enrolment, slug)
    edition = assessment_in_step(enrolment.edition_id, here.step.key)
    if edition is None:
        raise Http404("This step holds no assessment.")
    found, *saved = along or ask_together(
        *ask_running(
            subject_id=enrolment.subject_id,
            enrolment_id=enrolment.pk,
            attempt_id=attempt_id,
            answers=False,
        )
    )
    if not found or found[0].sitting.edition_id != edition.pk:
        raise Http404("There is no such attempt.")
    found[0].sitting.edition = edition
    return RunningView(
        here=here,
        document=document_of(edition),
        attempt=hand_in_if_over(attempt=found[0]),
        saved=by_item(saved[0]) if saved else None,
        now=clock.now(),
    )


class AnswerMark(NamedTuple):
    """One question in the list of questions, to be said in a language. An assessment has twenty, so it costs little."""

    number: int
    key: str
    answered: bool
    flagged: bool
    here: bool
    running: RunningView
    language: str

    @property
    def url(self) -> str:
        return self.running.url("question", number=self.number)

    @property
    def word(self) -> str:
        return _say_mark(self.language, answered=self.answered, flagged=self.flagged, here=self.here)


@lru_cache(maxsize=16)
def _say_mark(language: str, *, answered: bool, flagged: bool, here: bool) -> str:
    """The state of a question in words, in the language in force."""
    if here:
        return _("You are here")
    said = _("Answered") if answered else _("No answer yet")
    return _("%(state)s, to look at again") % {"state": said} if flagged else said


@dataclass(frozen=True, kw_only=True)
class SheetView:
    """The questions of an attempt that runs, with what was saved."""

    running: RunningView
    answers: tuple[AnswerMark, ...]
    saved: Mapping[str, SavedAnswer]
    raw: Mapping[str, Mapping[str, Any]]

    @property
    def attempt(self) -> Attempt:
        return self.running.attempt

    @property
    def total(self) -> int:
        return len(self.answers)

    @cached_property
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

    @cached_property
    def time_left(self) -> str:
        """How much time was left when the page was made, and until when, by the server's clock."""
        if self.attempt.deadline is None:
            return ""
        seconds = (self.attempt.deadline - self.running.now).total_seconds()
        if seconds > LONG:
            return _("Open until %(moment)s") % {"moment": say_moment(self.attempt.deadline)}
        return _("%(left)s, until %(time)s") % {
            "left": say_time_left(seconds),
            "time": say_time(self.attempt.deadline),
        }

    @property
    def last_number(self) -> int:
        """Where to go on: the question answered last, or the first."""
        latest = max(self.saved.values(), key=lambda row: row.id, default=None)
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


def read_sheet(running: RunningView, *, here: int = 0) -> SheetView:
    """The questions of an attempt and what was saved of each.

    One query where that was not read along, and one more where words were typed.
    """
    attempt = running.attempt
    rows = running.saved if running.saved is not None else last_responses(attempt)
    raw = raw_answers(attempt, rows)
    language = texts.language()
    marks = [
        AnswerMark(
            number=number,
            key=key,
            answered=is_answered(raw.get(key)),
            flagged=key in attempt.flagged,
            here=number == here,
            running=running,
            language=language,
        )
        for number, key in enumerate(running.form.keys, start=1)
    ]
    return SheetView(running=running, answers=tuple(marks), saved=rows, raw=raw)


def find_question(running: RunningView, number: int) -> Item:
    """A question of the attempt by its number, key included: what it asks is shown by `read_question`. No query."""
    if not 1 <= number <= running.total:
        raise Http404("There is no such question.")
    return running.document.items_by_key()[running.form.items[number - 1].key]


def read_question(
    sheet: SheetView, number: int, *, typed: Mapping[str, Any] | None = None, error: str = ""
) -> QuestionView:
    """One question of the sheet as asked; `typed` is what was sent and could not be kept. No query."""
    item = find_question(sheet.running, number)
    shown = sheet.running.form.items[number - 1]
    row = sheet.saved.get(shown.key)
    return QuestionView(
        number=number,
        item=public_item(item, texts.language(), shown.options),
        raw=typed if typed is not None else sheet.raw.get(shown.key, {}),
        saved_at_text=say_saved(row.recorded_at) if row and typed is None else "",
        flagged=shown.key in sheet.attempt.flagged,
        error=error,
    )
