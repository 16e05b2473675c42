"""Marks: what a person decides about work that was handed in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText, Subject
from accounts.services import save_text
from assessments.models import Attempt, Mark
from assessments.rules import score_rubric
from assessments.services.editions import document_of
from assessments.services.handing_in import set_score
from assessments.services.running import key_used_elsewhere, lock_attempt
from assessments.signals import attempt_marked
from core.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a marker decides about a submitted attempt."""

    decision: str
    levels: Mapping[str, int]
    comment: str = ""


@transaction.atomic
def mark_attempt(*, attempt: Attempt, marker: Subject, judgement: Judgement, client_id: uuid.UUID) -> Mark:
    """Mark a submitted attempt: lock → score by the rubric → add to the ledger → announce.

    A repeat gives the first row. A pass that was given is not taken back here.
    """
    attempt = lock_attempt(attempt.pk)
    if found := Mark.objects.filter(client_id=client_id, attempt=attempt).first():
        return found
    if attempt.submitted_at is None:
        raise InvalidInput(_("This work has not been handed in yet."))
    document = document_of(attempt.sitting.edition)
    returned = judgement.decision == Mark.Decision.RETURNED
    try:
        score = score_rubric(document, dict(judgement.levels))
    except ValueError as error:
        raise InvalidInput(_("Choose one level for each criterion of the rubric.")) from error
    if score.waiting and not returned:
        raise InvalidInput(
            _("Choose one level for each criterion of the rubric. Your comment is kept."),
            errors={key: [_("Choose a level.")] for key in score.waiting},
        )
    if returned and not judgement.comment.strip():
        raise InvalidInput(_("Say in the comment what to change, so that the learner can try again."))
    if attempt.passed and (returned or score.passed is False):
        raise InvalidInput(
            _(
                "This work has passed, and the learner's standing rests on it. Its mark can be raised, not taken back."
            )
        )
    comment = None
    if judgement.comment.strip() and attempt.sitting.subject is not None:
        comment = save_text(
            subject=attempt.sitting.subject,
            author=marker,
            kind=PersonalText.Kind.COMMENT,
            text=judgement.comment.strip(),
        )
    if Mark.objects.filter(client_id=client_id).exists():
        raise key_used_elsewhere()
    mark = Mark.objects.create(
        client_id=client_id,
        attempt=attempt,
        marker=marker,
        decision=judgement.decision,
        levels=dict(judgement.levels),
        points=None if returned else score.points,
        max_points=score.max_points,
        passed=False if returned else score.passed,
        comment_id=comment.id if comment else None,
    )
    set_score(attempt, score)
    if returned:
        attempt.points, attempt.passed = None, False
    attempt.save(update_fields=["points", "max_points", "passed", "score"])
    attempt_marked.send(sender=Mark, mark=mark)
    return mark
