"""The terms of a sitting: how often, how long, and what may be seen when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal


@dataclass(frozen=True, kw_only=True)
class Visibility:
    """What of a submitted attempt may be shown.

    ``score``: points, percent, passed. ``results``: which answers were right. ``feedback``: what the author
    says to the answers given. ``answers``: the right answers. Each includes those before it.
    """

    score: bool = False
    results: bool = False
    feedback: bool = False
    answers: bool = False


NOTHING = Visibility()
SCORE_ONLY = Visibility(score=True)
OWN_ANSWERS = Visibility(score=True, results=True, feedback=True)
EVERYTHING = Visibility(score=True, results=True, feedback=True, answers=True)


def visible_feedback(
    policy: str,
    *,
    attempts_used: int,
    attempts_allowed: int | None,
    passed: bool | None,
    submitted: bool,
) -> Visibility:
    """Say what a learner may see of an attempt.

    ``attempts_used`` counts started attempts; ``passed`` is the sitting's best result so far. Where the
    window has closed, give ``attempts_allowed=attempts_used``: no attempt is left.

    Nothing before submission, and always the score after it. Then, by policy:

    - ``after_submit``: which answers were right and their feedback; the right answers themselves once the
      person has passed or has no attempt left, so that a second attempt still means something;
    - ``after_pass``: everything once passed;
    - ``after_last``: everything once no attempt is left, or once passed;
    - ``never``: the score only.

    Errors: ``ValueError`` for an unknown policy.
    """
    if policy not in ("after_submit", "after_pass", "after_last", "never"):
        raise ValueError(f"There is no feedback policy {policy}.")
    if not submitted:
        return NOTHING
    none_left = attempts_allowed is not None and attempts_used >= attempts_allowed
    if policy == "after_submit":
        return EVERYTHING if passed or none_left else OWN_ANSWERS
    if policy == "never":
        return SCORE_ONLY
    return EVERYTHING if passed or (policy == "after_last" and none_left) else SCORE_ONLY


def attempt_deadline(
    *,
    started_at: datetime,
    time_limit_minutes: int | None,
    time_factor: Decimal = Decimal(1),
    closes_at: datetime | None = None,
) -> datetime | None:
    """When an attempt ends by itself: start + limit × factor, but never after the window closes.

    Aware datetimes; a fraction of a second is rounded up, for the learner. None: no end.
    Errors: ``ValueError`` for a factor below 1 or a naive datetime.
    """
    if time_factor < 1:
        raise ValueError("A time factor gives more time, never less.")
    if started_at.tzinfo is None or (closes_at is not None and closes_at.tzinfo is None):
        raise ValueError("Times must be aware.")
    if time_limit_minutes is None:
        return closes_at
    seconds = (time_limit_minutes * 60 * time_factor).to_integral_value(rounding=ROUND_CEILING)
    ends_at = started_at + timedelta(seconds=int(seconds))
    return ends_at if closes_at is None else min(ends_at, closes_at)


def attempts_left(*, allowed: int | None, used: int, extra: int = 0) -> int | None:
    """How many attempts may still be started; None: no limit. ``extra`` come from an accommodation."""
    return None if allowed is None else max(0, allowed + extra - used)
