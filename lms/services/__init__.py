"""Writes of the course engine: one function a verb, each in one transaction."""

from lms.services.attempts import (
    answer_question,
    begin_attempt,
    form_key,
    hand_in_if_over,
    save_draft,
    submit_work,
)
from lms.services.desk import (
    ExtraAllowance,
    MarkedMeanwhile,
    extend_enrolment,
    grant_accommodation,
    mark_submission,
    open_next_attempt,
    reinstate_learner,
    withdraw_learner,
)
from lms.services.enrolments import EnrolmentRequest, confirm_certificate_name, enrol_learner
from lms.services.learning import (
    PartAnswer,
    answer_check,
    complete_lesson,
    complete_own_lesson,
    open_step,
    save_reflection,
    save_worksheet,
)
from lms.services.notices import notify
from lms.services.sittings import open_step_sitting, terms_of_step

__all__ = [
    "EnrolmentRequest",
    "ExtraAllowance",
    "MarkedMeanwhile",
    "PartAnswer",
    "answer_check",
    "answer_question",
    "begin_attempt",
    "complete_lesson",
    "complete_own_lesson",
    "confirm_certificate_name",
    "enrol_learner",
    "extend_enrolment",
    "form_key",
    "grant_accommodation",
    "hand_in_if_over",
    "mark_submission",
    "notify",
    "open_next_attempt",
    "open_step",
    "open_step_sitting",
    "reinstate_learner",
    "save_draft",
    "save_reflection",
    "save_worksheet",
    "submit_work",
    "terms_of_step",
    "withdraw_learner",
]
