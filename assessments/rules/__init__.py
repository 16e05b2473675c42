"""The pure rules of assessments: no database, no clock, no settings.

:mod:`kinds` says what each kind of item accepts and how it is scored, :mod:`forms` what an attempt shows,
:mod:`scoring` what it earns, :mod:`policy` how often, how long and what may be seen, :mod:`text` how typed
answers are read. A new kind of item is one class with ``@register`` in :mod:`kinds`.
"""

from assessments.rules.forms import Form, FormItem, check_document, draw_form, public_item
from assessments.rules.kinds import (
    KIND_REGISTRY,
    ItemKind,
    ItemScore,
    Problem,
    Response,
    register,
)
from assessments.rules.policy import Visibility, attempt_deadline, attempts_left, visible_feedback
from assessments.rules.scoring import (
    AttemptScore,
    CompetencyScore,
    best_score,
    parse_response,
    review_item,
    score_attempt,
    score_item,
    score_rubric,
)
from assessments.rules.text import NotANumber, fold_text, matches_text, read_number

__all__ = [
    "KIND_REGISTRY",
    "AttemptScore",
    "CompetencyScore",
    "Form",
    "FormItem",
    "ItemKind",
    "ItemScore",
    "NotANumber",
    "Problem",
    "Response",
    "Visibility",
    "attempt_deadline",
    "attempts_left",
    "best_score",
    "check_document",
    "draw_form",
    "fold_text",
    "matches_text",
    "parse_response",
    "public_item",
    "read_number",
    "register",
    "review_item",
    "score_attempt",
    "score_item",
    "score_rubric",
    "visible_feedback",
]
