"""News from below that the course engine hears."""

from __future__ import annotations

from typing import Any

from assessments.models import Attempt, Mark
from lms.services import sittings


def hear_attempt_started(*, attempt: Attempt, language: str, **kwargs: Any) -> None:
    sittings.note_attempt_started(attempt=attempt, language=language)


def hear_attempt_submitted(*, attempt: Attempt, language: str, held: object, **kwargs: Any) -> None:
    sittings.note_attempt_submitted(attempt=attempt, language=language, held=held)


def hear_attempt_marked(*, mark: Mark, **kwargs: Any) -> None:
    sittings.note_attempt_marked(mark=mark)


def hear_attempt_deadline_moved(*, attempt: Attempt, **kwargs: Any) -> None:
    sittings.hand_in_when_over(attempt=attempt)
