"""The sentences of the course engine: reasons, states and notices, from codes and numbers, in the language in force.

Whoever tells a person something that a ledger or a rule knows by a code takes the words from here, so that learner,
instructor and registrar read the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from assessments.shapes import say
from core.languages import reading_language as language
from lms.models import Notice
from lms.words import end_sentence, say_date, say_minutes, say_moment, say_percent

__all__ = ["language", "say"]


def join_facts(*facts: str) -> str:
    """Short facts in a row: “Complete · 14 min”."""
    return " · ".join(fact for fact in facts if fact)


def say_duration(minutes: int) -> str:
    """Like `say_minutes`, but nothing where the time is not known."""
    return say_minutes(minutes) if minutes else ""


def say_steps(done: int, total: int) -> str:
    """“5 of 24 steps”: always with its denominator. In French the first number decides: “1 étape sur 24”."""
    number = done if language() == "fr" else total
    return ngettext("%(done)d of %(total)d step", "%(done)d of %(total)d steps", number) % {
        "done": done,
        "total": total,
    }


# --- Steps --------------------------------------------------------------------------------------------------------


def say_step_kind(kind: str) -> str:
    """What a step is, in a word."""
    return {
        "lesson": pgettext("kind of step", "Lesson"),
        "quiz": pgettext("kind of step", "Quiz"),
        "assignment": pgettext("kind of step", "Assignment"),
        "evaluation": pgettext("kind of step", "Evaluation"),
    }.get(kind, kind)


def say_step_state(code: str, *, done: bool = False, locked: bool = False) -> str:
    """Where a step stands, in a word or two; nothing where it was not begun."""
    if done:
        return _("Complete")
    if locked:
        return _("Not open yet")
    return {
        "opened": _("Begun"),
        "waiting": _("Waiting to be marked"),
        "returned": _("Came back to you"),
        "failed": _("Not passed yet"),
    }.get(code, "")


def say_completion(reason: Mapping[str, Any], completed_at: datetime) -> str:
    """Why a step is complete, and since when."""
    when = {"date": say_date(completed_at)}
    if reason.get("code") == "assessment_passed":
        if reason.get("percent") is None:
            return _("Passed on %(date)s.") % when
        return _("Passed with %(percent)s on %(date)s, attempt %(number)s.") % {
            **when,
            "percent": say_percent(Decimal(reason["percent"])),
            "number": reason.get("number", 1),
        }
    if reason.get("code") == "evaluation_submitted":
        return _("Handed in on %(date)s.") % when
    if reason.get("checks") or reason.get("reflections"):
        return _("Read to the end and every part filled in, %(date)s.") % when
    return _("Read to the end, %(date)s.") % when


# --- Why is this not complete? ------------------------------------------------------------------------------------


def say_reason(code: str, params: Mapping[str, Any], *, blocker: str = "") -> str:
    """One reason of `lms.rules.reasons` as a sentence; `blocker` is the title of the step to complete first."""
    writer = _REASONS.get(code)
    return writer({**params, "blocker": blocker}) if writer else _("It is not complete yet.")


def _say_checks(params: Mapping[str, Any]) -> str:
    count = len(params["checks"])
    return ngettext(
        "One question in it is not answered yet.", "%(count)d questions in it are not answered yet.", count
    ) % {"count": count}


def _say_reflections(params: Mapping[str, Any]) -> str:
    count = len(params["reflections"])
    return ngettext(
        "One reflection in it waits for your words.",
        "%(count)d reflections in it wait for your words.",
        count,
    ) % {"count": count}


def _say_open_attempt(params: Mapping[str, Any]) -> str:
    if params.get("started_at") is None:
        return _("You have read what it is about and have not begun it.")
    return _("You began on %(moment)s and have not handed it in yet. Your answers are kept.") % {
        "moment": say_moment(params["started_at"])
    }


def _say_waiting(params: Mapping[str, Any]) -> str:
    if params.get("since") is None:
        return _("You handed it in. It waits to be marked, and there is nothing for you to do.")
    return _("You handed it in on %(date)s. It waits to be marked, and there is nothing for you to do.") % {
        "date": say_date(params["since"])
    }


def _say_returned(params: Mapping[str, Any]) -> str:
    if params.get("since") is None:
        return _("It came back with a comment, for another try. This costs you no attempt.")
    return _("It came back on %(date)s with a comment, for another try. This costs you no attempt.") % {
        "date": say_date(params["since"])
    }


def _say_closed(params: Mapping[str, Any]) -> str:
    return _(
        "The course closed for you on %(date)s, so nothing more is recorded. Everything you did is kept. "
        "Your instructor can give you more time."
    ) % {"date": say_date(params["closed_at"])}


def _say_result(params: Mapping[str, Any]) -> str:
    percent, pass_mark = params.get("percent"), params.get("pass_mark")
    if percent is None:
        return _("It is not passed yet.")
    if pass_mark is None:
        return _("Your best result is %(percent)s.") % {"percent": say_percent(percent)}
    return _("Your best result is %(percent)s. The pass mark is %(mark)s.") % {
        "percent": say_percent(percent),
        "mark": say_percent(pass_mark),
    }


_REASONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "not_opened": lambda params: _("You have not opened it yet."),
    "opened_not_finished": lambda params: _(
        "Nothing is missing. It counts as complete once you press “Complete and go on” at its end."
    ),
    "check_unanswered": _say_checks,
    "reflection_empty": _say_reflections,
    "attempt_not_submitted": _say_open_attempt,
    "attempt_failed": lambda params: f"{_say_result(params)} {say_attempts_left(params['attempts_left'])}",
    "no_attempts_left": lambda params: " ".join(
        [
            _say_result(params),
            _("You have no attempt left. Write to your instructor, who can open one more for you."),
        ]
    ),
    "waiting_for_marking": _say_waiting,
    "returned_for_resubmission": _say_returned,
    "locked_by": lambda params: _("It opens once “%(step)s” is complete.") % {"step": params["blocker"]},
    "window_closed": _say_closed,
}


def say_attempts_left(left: int | None) -> str:
    """How many attempts are left, as a sentence."""
    if left is None:
        return _("You may try as often as you like.")
    if left == 0:
        return _("You have no attempt left.")
    return ngettext("You have %(count)d attempt left.", "You have %(count)d attempts left.", left) % {
        "count": left
    }


def say_way_on(code: str, *, blocker: str = "") -> str:
    """What to do about a reason, as words for a link; nothing where there is nothing to do."""
    return {
        "not_opened": _("Open it"),
        "opened_not_finished": _("Finish it"),
        "check_unanswered": _("Answer it"),
        "reflection_empty": _("Write it"),
        "attempt_not_submitted": _("Go on with it"),
        "attempt_failed": _("See your answers and try again"),
        "no_attempts_left": _("See your answers"),
        "waiting_for_marking": _("See what you handed in"),
        "returned_for_resubmission": _("Read the comment and work on it again"),
        "locked_by": _("Go to “%(step)s”") % {"step": blocker},
    }.get(code, "")


# --- Terms of an assessment ---------------------------------------------------------------------------------------


def say_feedback_policy(policy: str) -> str:
    """When feedback is shown, as a sentence."""
    return {
        "after_submit": _(
            "Once you hand in, you see which answers were right and what there is to say to each. The right answers "
            "are shown when you have passed or have no attempt left."
        ),
        "after_pass": _(
            "Once you hand in, you see your result. The answers are explained when you have passed."
        ),
        "after_last": _(
            "Once you hand in, you see your result. The answers are explained when you have passed or have no "
            "attempt left."
        ),
        "never": _(
            "Once you hand in, you see your result. The answers are not shown, so that others can use them."
        ),
    }[policy]


# --- Notices ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NoticeText:
    """A notice in words: a title that can stand alone, and a sentence or two."""

    title: str
    text: str


NoticeWriter = Callable[[Mapping[str, Any]], NoticeText]

_writers: dict[str, NoticeWriter] = {}


def register_notice(kind: str, writer: NoticeWriter) -> None:
    """Let a floor above write the words of its own kind of notice, from the notice's `params`."""
    _writers[kind] = writer


def say_notice(notice: Notice) -> NoticeText:
    """A notice in the language in force."""
    writer = _writers.get(notice.kind) or _NOTICES.get(notice.kind)
    if writer is None:
        return NoticeText(title=_("There is news for you"), text=_("Open it to see what has changed."))
    return writer(notice.params)


def _write_extension(params: Mapping[str, Any]) -> NoticeText:
    closes_at = parse_datetime(params["closes_at"]) if params.get("closes_at") else None
    if closes_at is None:
        return NoticeText(
            title=_("You have more time for your course"),
            text=_("Your course has no closing date any more. Take the time you need."),
        )
    return NoticeText(
        title=_("You have more time for your course"),
        text=end_sentence(
            _("Your course now closes for you on %(moment)s") % {"moment": say_moment(closes_at)}
        ),
    )


def _write_mark(params: Mapping[str, Any]) -> NoticeText:
    if params.get("passed"):
        return NoticeText(
            title=_("Your work was marked, and it passed"),
            text=_("Open it to read the levels and the comment."),
        )
    return NoticeText(
        title=_("Your work was marked"),
        text=_("It has not passed yet. Open it to read the levels and the comment, and how to go on."),
    )


_NOTICES: dict[str, NoticeWriter] = {
    "enrolment_withdrawn": lambda params: NoticeText(
        title=_("You were withdrawn from a course"),
        text=_("Nothing more is recorded there. Everything you did before is kept."),
    ),
    "enrolment_reinstated": lambda params: NoticeText(
        title=_("You are enrolled in your course again"),
        text=_("Everything you did before is still there, and you can go on where you stopped."),
    ),
    "enrolment_extended": _write_extension,
    "enrolment_moved": lambda params: NoticeText(
        title=_("Your course has a newer edition"),
        text=_("You were moved to it. What you have completed still counts where the step is the same."),
    ),
    "accommodation_granted": lambda params: NoticeText(
        title=_("You have more time or more attempts"),
        text=_(
            "It counts at once, also in an attempt that you have begun. "
            "The first page of each assessment says what holds for you."
        ),
    ),
    "work_returned": lambda params: NoticeText(
        title=_("Your work came back with a comment"),
        text=_("Read the comment, change your work and hand it in again. This costs you no attempt."),
    ),
    "work_marked": _write_mark,
}
