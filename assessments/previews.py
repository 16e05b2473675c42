"""What an author sees of items and assessments that are not issued yet, as a learner will, with or without the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from assessments.compile import draft_item, draft_sections
from assessments.documents import Item as ItemDocument
from assessments.rules import KIND_REGISTRY, Visibility, public_item, review_item
from assessments.snippets import Assessment, Item
from core.sanitize import clean_kept
from standards.models import Level


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """One line of an item's key: an option or an outcome, whether it is right, and what is said to it."""

    text_html: str
    right: bool
    feedback_html: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftQuestion:
    """A question as `assessments/parts/answer.html` shows it (`item`, nothing chosen), and its key beside it."""

    number: int
    item: dict[str, Any]
    key: list[KeyLine]
    answer: str
    general_feedback: str
    about: str
    chosen: tuple[str, ...] = ()
    typed: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftSection:
    title: str
    draw: int | None
    questions: list[DraftQuestion]


def preview_item(item: Item) -> dict[str, Any]:
    """The context of an item's preview. One query at most."""
    return {"question": read_question(item, number=1), "thing": item}


def preview_assessment(assessment: Assessment) -> dict[str, Any]:
    """The context of an assessment's preview: its sections with all that may be drawn, or its rubric. Four queries."""
    number = 0
    sections = []
    for title, draw, items in draft_sections(assessment):
        questions = []
        for item in items:
            number += 1
            questions.append(read_question(item, number=number))
        sections.append(DraftSection(title=title, draw=draw, questions=questions))
    is_assignment = assessment.kind == Assessment.Kind.ASSIGNMENT
    return {
        "thing": assessment,
        "intro_html": clean_kept(_expand(assessment.intro)),
        "sections": [] if is_assignment else sections,
        "rubric": read_rubric(assessment) if is_assignment else [],
    }


def _expand(text: Any) -> str:
    from wagtail.rich_text import expand_db_html

    return expand_db_html(str(text or ""))


def read_question(item: Item, *, number: int) -> DraftQuestion:
    language = item.locale.language_code
    document = draft_item(item)
    about = [str(Level(item.level).label)] if item.level else []
    if item.competency_id and item.competency:
        about.insert(0, str(item.competency))
    revealed = KIND_REGISTRY[document.kind].reveal(document, language)
    seen = review_item(document, None, Visibility(feedback=True), language)
    return DraftQuestion(
        number=number,
        item=public_item(document, language, KIND_REGISTRY[document.kind].option_keys(document)),
        key=_read_key(document, language),
        answer=_say_answer(revealed, document),
        general_feedback=str(seen.get("general_feedback", "")),
        about=" · ".join(about),
    )


def _read_key(document: ItemDocument, language: str) -> list[KeyLine]:
    if document.options:
        return [
            KeyLine(
                text_html=option.text_html.get(language, ""),
                right=option.correct,
                feedback_html=option.feedback_html.get(language, ""),
            )
            for option in document.options
        ]
    words = {outcome: said.get(language, "") for outcome, said in document.feedback_html.items()}
    right = "true" if document.answer is True else "false" if document.answer is False else "right"
    # What was answered, where that is not the same as being right.
    names = {"true": _("True"), "false": _("False")}
    return [
        KeyLine(text_html=names.get(outcome, ""), right=outcome == right, feedback_html=said)
        for outcome in ("true", "false", "right", "wrong")
        if (said := words.get(outcome, "")) or (outcome in names and isinstance(document.answer, bool))
    ]


def _say_answer(revealed: dict[str, Any], document: ItemDocument) -> str:
    if "accept" in revealed:
        return ", ".join(revealed["accept"])
    number = revealed.get("number")
    if number is None or document.answer is None:
        return ""
    tolerance = revealed.get("tolerance")
    return f"{number} ± {tolerance}" if tolerance not in (None, "", "0") else str(number)


def read_rubric(assessment: Assessment) -> list[dict[str, Any]]:
    """The criteria as `assessments/parts/rubric.html` shows them."""
    return [
        {
            "title": block.value["title"],
            "levels": [
                {
                    "title": level["title"],
                    "points": level["points"],
                    "text_html": clean_kept(level["text"] or ""),
                }
                for level in block.value["levels"]
            ],
        }
        for block in assessment.rubric
    ]
