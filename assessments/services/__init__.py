"""Writes of assessments: editions, sittings, attempts, responses and marks. One function a verb."""

from assessments.services.answers import (
    SavedAnswer,
    add_response,
    ask_last_responses,
    by_item,
    describe_response_problem,
    last_responses,
    lock_with_last,
    raw_answers,
    save_response,
    save_submission,
)
from assessments.services.editions import document_of, issue_assessment_edition, kept_edition
from assessments.services.handing_in import hand_in, is_over, submit_attempt, submit_overdue
from assessments.services.marking import Judgement, mark_attempt
from assessments.services.running import GRACE, SUBMISSION, AttemptClosed, flag_item, lock_attempt
from assessments.services.sittings import NoAttemptLeft, Terms, open_sitting, start_attempt

__all__ = [
    "GRACE",
    "SUBMISSION",
    "AttemptClosed",
    "Judgement",
    "NoAttemptLeft",
    "SavedAnswer",
    "Terms",
    "add_response",
    "ask_last_responses",
    "by_item",
    "describe_response_problem",
    "document_of",
    "flag_item",
    "hand_in",
    "is_over",
    "issue_assessment_edition",
    "kept_edition",
    "last_responses",
    "lock_attempt",
    "lock_with_last",
    "mark_attempt",
    "open_sitting",
    "raw_answers",
    "save_response",
    "save_submission",
    "start_attempt",
    "submit_attempt",
    "submit_overdue",
]
