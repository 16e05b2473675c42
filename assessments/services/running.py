"""An attempt that runs: locked, still open, and the questions marked to be looked at again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from assessments.models import Attempt
from assessments.rules import Form
from assessments.services.editions import kept_edition
from core.errors import DomainError, InvalidInput
from core.prepared import given_uuid
from core.prepared_writes import PreparedLock
from core.questions import Question

# A response that was on its way when time ran out still counts.
GRACE = timedelta(seconds=30)
SUBMISSION = "submission"

_lock: Final[PreparedLock[Attempt]] = PreparedLock(
    lambda: Attempt.objects.filter(pk=given_uuid("attempt")), joined=("sitting",)
)


class AttemptClosed(DomainError):
    """The attempt was submitted, or its time is over. What was saved until then is kept."""

    code = "attempt_closed"


def key_used_elsewhere() -> InvalidInput:
    return InvalidInput(
        _("The key of what was sent was used for something else. Load the page again and try again.")
    )


def lock_attempt(attempt_id: uuid.UUID) -> Attempt:
    """The attempt, locked for the transaction, with its sitting and edition. One query."""
    return found_attempt(_lock.objects(attempt=attempt_id), attempt_id)


def ask_lock(attempt_id: uuid.UUID) -> Question[Attempt]:
    """The same, to be asked together with what is needed of the attempt; `found_attempt` reads the answer."""
    return Question.of(_lock, attempt=attempt_id)


def found_attempt(rows: Sequence[Attempt], attempt_id: uuid.UUID) -> Attempt:
    if not rows:
        raise Attempt.DoesNotExist(f"There is no attempt {attempt_id}.")
    rows[0].sitting.edition = kept_edition(rows[0].sitting.edition_id)
    return rows[0]


def require_running(attempt: Attempt, now: datetime) -> None:
    if attempt.submitted_at is not None:
        raise AttemptClosed(
            _("This attempt was handed in already, so this answer was not added. What you handed in is kept.")
        )
    if attempt.deadline and now > attempt.deadline + GRACE:
        raise AttemptClosed(_("Time is up. The answers you saved until then are kept and will be handed in."))


@transaction.atomic
def flag_item(*, attempt: Attempt, item_key: str, flagged: bool) -> Attempt:
    """Note that a person wants to look at a question again before handing in, or no longer does.

    It is a bookmark and no fact: kept on the attempt, on whatever device the person goes on. Two queries.
    """
    attempt = lock_attempt(attempt.pk)
    if attempt.submitted_at is not None or item_key not in Form.from_stored(attempt.form).keys:
        return attempt
    keys = [key for key in attempt.flagged if key != item_key] + ([item_key] if flagged else [])
    if keys != attempt.flagged:
        attempt.flagged = keys
        attempt.save(update_fields=["flagged"])
    return attempt
