"""An assignment as its learner sees it: what is asked, the draft, and what was handed in before."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import PersonalText
from accounts.services import read_texts
from assessments.documents import AssessmentDocument, Criterion, Submission
from assessments.models import Mark, Response
from assessments.services import SUBMISSION
from core.uploads import LARGEST, MEGABYTE
from lms import texts
from lms.selectors.attempts import AssessmentView, AttemptView
from lms.selectors.served import ServedHere, read_served
from lms.words import say_points, say_saved


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
    def room(self) -> int:
        """How many more files may be added to the draft."""
        return max(0, self.asked.max_files - (len(self.draft.files) if self.draft else 0))

    @property
    def max_bytes(self) -> int:
        """The largest file that is kept."""
        return LARGEST

    @property
    def max_megabytes(self) -> int:
        return LARGEST // MEGABYTE

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
