"""What became of an attempt: its questions after handing in, and the evidence that it gave."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from assessments.rules import Form, Problem, Visibility, parse_response, public_item, review_item
from assessments.services import last_responses, raw_answers
from lms import texts
from lms.models import Evidence
from lms.selectors.attempts import AssessmentView, AttemptView, is_answered
from lms.words import say_percent, say_points
from standards.models import Level


@dataclass(frozen=True, kw_only=True)
class ReviewedOption:
    """An answer that could be ticked, with what may be said of it."""

    text_html: str
    chosen: bool
    right: bool
    feedback: str


@dataclass(frozen=True, kw_only=True)
class ReviewedItem:
    """A question after handing in, as far as the policy goes."""

    number: int
    item: Mapping[str, Any]
    seen: Mapping[str, Any]
    options: tuple[ReviewedOption, ...] = ()

    @property
    def answered(self) -> bool:
        return is_answered(self.seen["response"])

    @property
    def typed(self) -> str:
        return str(self.seen["response"].get("number") or self.seen["response"].get("text") or "")

    @property
    def shows_results(self) -> bool:
        return "right" in self.seen

    @property
    def is_right(self) -> bool:
        return bool(self.seen.get("right"))

    @property
    def is_partly_right(self) -> bool:
        return not self.is_right and Decimal(self.seen.get("points", "0")) > 0

    @property
    def points(self) -> str:
        if "points" not in self.seen:
            return ""
        return say_points(Decimal(self.seen["points"]), Decimal(self.seen["max_points"]))

    @property
    def feedback(self) -> list[str]:
        """What is said to the answer as a whole; that of an option stands with the option."""
        return [one["html"] for one in self.seen.get("feedback", ()) if not one["option"] or not self.options]

    @property
    def general_feedback(self) -> str:
        return str(self.seen.get("general_feedback", ""))

    @property
    def key_text(self) -> str:
        """The right answer to a typed question, where it may be seen."""
        key = self.seen.get("key", {})
        if "accept" in key:
            return ", ".join(key["accept"])
        return str(key.get("number", ""))


@dataclass(frozen=True, kw_only=True)
class EvidenceView:
    """A competency at a level that something gave evidence of."""

    code: str
    title: str
    level: str
    strength: str

    @property
    def level_word(self) -> str:
        return str(Level(self.level).label).lower()

    @property
    def state(self) -> str:
        return "held" if self.strength == "holds" else "under_way"


@dataclass(frozen=True, kw_only=True)
class ResultView:
    """What became of an attempt that was handed in."""

    view: AssessmentView
    current: AttemptView
    items: tuple[ReviewedItem, ...]
    evidence: tuple[EvidenceView, ...]
    visibility: Visibility

    @property
    def pass_mark(self) -> str:
        mark = self.view.document.pass_mark
        return say_percent(mark) if mark is not None else ""

    @property
    def explains(self) -> bool:
        return self.visibility.results


def read_result(view: AssessmentView, current: AttemptView) -> ResultView:
    """The result of a quiz. Two queries, three where words were typed."""
    attempt = current.attempt
    visibility = view.visibility(attempt)
    raw = raw_answers(attempt, last_responses(attempt))
    items = view.document.items_by_key()
    reviewed = [
        review_shown(number, shown, items[shown.key], raw.get(shown.key, {}), visibility)
        for number, shown in enumerate(Form.from_stored(attempt.form).items, start=1)
    ]
    return ResultView(
        view=view,
        current=current,
        items=tuple(reviewed),
        evidence=read_attempt_evidence(view.place.enrolment.subject_id, [attempt.pk]),
        visibility=visibility,
    )


def review_shown(
    number: int, shown: Any, item: Any, raw: Mapping[str, Any], visibility: Visibility
) -> ReviewedItem:
    """A question of an attempt as it was shown, with what may be said of the answer. No query."""
    language = texts.language()
    parsed = parse_response(item, raw, language=language)
    public = public_item(item, language, shown.options)
    seen = review_item(item, None if isinstance(parsed, Problem) else parsed, visibility, language)
    said = {one["option"]: one["html"] for one in seen.get("feedback", ())}
    chosen = {seen["response"].get("choice"), *seen["response"].get("choices", ())}
    key = seen.get("key", {})
    right = {*key.get("options", ()), key.get("choice")}
    asked = list(public.get("options", ()))
    if item.kind == "true_false":
        asked = [{"key": "true", "text_html": _("True")}, {"key": "false", "text_html": _("False")}]
    options = tuple(
        ReviewedOption(
            text_html=option["text_html"],
            chosen=option["key"] in chosen,
            right=option["key"] in right,
            feedback=said.get(option["key"], ""),
        )
        for option in asked
    )
    return ReviewedItem(number=number, item=public, seen=seen, options=options)


def read_attempt_evidence(
    subject_id: uuid.UUID, attempt_ids: Sequence[uuid.UUID]
) -> tuple[EvidenceView, ...]:
    """The evidence that a person's attempts gave. One query."""
    rows = (
        # By the person, whose evidence has an index; by the attempt alone the whole ledger would be read.
        Evidence.objects.filter(subject_id=subject_id, source__in=list(attempt_ids), retracts__isnull=True)
        .select_related("edition_competency")
        .order_by("edition_competency__position", "level")
    )
    return tuple(
        EvidenceView(
            code=row.edition_competency.code,
            title=row.edition_competency.title_in(texts.language()),
            level=row.level,
            strength=row.strength,
        )
        for row in rows
    )
