"""Makers of assessment editions for tests, issued without pages. Give only what the test is about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from assessments.documents import AssessmentDocument
from assessments.models import AssessmentEdition
from core.canonical import digest

Competency = Mapping[str, str]


def words(english: str, french: str = "") -> dict[str, str]:
    return {"en": english, "fr": french or f"{english} (fr)"}


def make_single(key: str, *, competency: Competency | None = None, points: str = "1") -> dict[str, Any]:
    """A single choice between three, of which `right` is right; each option has feedback."""
    return {
        "key": key,
        "kind": "single",
        "points": points,
        "competency": competency,
        "stem_html": words(f"<p>Question {key}?</p>", f"<p>Question {key}, en français?</p>"),
        "options": [
            {
                "key": name,
                "text_html": words(f"{key} {name}"),
                "feedback_html": words(f"Said to {key} {name}."),
                "correct": name == "right",
            }
            for name in ("left", "right", "middle")
        ],
        "general_feedback_html": words(f"About {key}."),
    }


def make_multiple(key: str, *, competency: Competency | None = None) -> dict[str, Any]:
    """A multiple response of two points, of which `one` and `two` are right."""
    item = make_single(key, competency=competency, points="2")
    options = [
        {
            "key": name,
            "text_html": words(f"{key} {name}"),
            "feedback_html": words(f"Said to {key} {name}."),
            "correct": name in ("one", "two"),
        }
        for name in ("one", "two", "three")
    ]
    return {**item, "kind": "multiple", "options": options, "partial": "per_option"}


def make_true_false(key: str, *, answer: bool = True) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "true_false",
        "points": "1",
        "stem_html": words(f"<p>Statement {key}.</p>"),
        "answer": answer,
        "feedback_html": {"true": words("You said true."), "false": words("You said false.")},
    }


def make_numeric(key: str, *, answer: str = "12.5", tolerance: str = "0.5") -> dict[str, Any]:
    return {
        "key": key,
        "kind": "numeric",
        "points": "1",
        "stem_html": words(f"<p>Number {key}?</p>"),
        "answer": answer,
        "tolerance": tolerance,
        "unit": words("residents", "habitants"),
        "feedback_html": {"right": words("Well counted."), "wrong": words("Count again.")},
    }


def make_short_text(key: str, *, accept: Sequence[str] = ("scanning", "repérage")) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "short_text",
        "points": "1",
        "stem_html": words(f"<p>Word {key}?</p>"),
        "accept": {"en": list(accept), "fr": list(accept)},
        "feedback_html": {"right": words("That word."), "wrong": words("Another word.")},
    }


def make_quiz(
    *,
    items: Sequence[Mapping[str, Any]] | None = None,
    competency: Competency | None = None,
    pass_mark: str | None = "50",
    attempts: int | None = 3,
    draw: int | None = None,
    title: str = "Check what you know",
    **fields: Any,
) -> AssessmentEdition:
    """A quiz of four single choices, two of which pass it, unless told otherwise."""
    shown = (
        items
        if items is not None
        else [make_single(f"q{number}", competency=competency) for number in range(1, 5)]
    )
    return make_assessment_edition(
        {
            "kind": "quiz",
            "title": words(title, "Vérifiez vos acquis"),
            "intro_html": words("<p>Take your time.</p>", "<p>Prenez votre temps.</p>"),
            "minutes": 10,
            "pass_mark": pass_mark,
            "attempts": attempts,
            "sections": [{"items": list(shown), "draw": draw}],
            **fields,
        }
    )


def make_assignment(
    *,
    competency: Competency | None = None,
    pass_mark: str | None = "50",
    attempts: int | None = 2,
    max_files: int = 2,
    **fields: Any,
) -> AssessmentEdition:
    """An assignment of a text and files, marked by two criteria of three levels (0, 1 and 2 points)."""
    levels = [
        {"points": str(points), "title": words(title), "text_html": words(f"<p>{title} work.</p>")}
        for points, title in enumerate(("Not there yet", "Sound", "Strong"))
    ]
    return make_assessment_edition(
        {
            "kind": "assignment",
            "title": words("Describe one problem", "Décrivez un problème"),
            "intro_html": words("<p>One page.</p>", "<p>Une page.</p>"),
            "pass_mark": pass_mark,
            "attempts": attempts,
            "rubric": [
                {"key": key, "title": words(title), "competency": competency, "levels": levels}
                for key, title in (("specific", "It is specific"), ("figures", "It rests on figures"))
            ],
            "submission": {"text": True, "files": max_files > 0, "max_files": max_files},
            **fields,
        }
    )


def make_assessment_edition(document: Mapping[str, Any]) -> AssessmentEdition:
    """An edition with this document, checked as the site reads it."""
    content = AssessmentDocument.from_json({"key": str(uuid.uuid4()), **document}).to_json()
    return AssessmentEdition.objects.create(
        assessment_key=uuid.UUID(content["key"]),
        number=1,
        kind=content["kind"],
        document=content,
        digest=digest(content),
    )
