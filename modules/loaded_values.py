"""What a page or a snippet says, in a shape that does not change when an editor opens and saves it unchanged."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from assessments.models import Assessment, Item
from modules.pack_fields import SOURCE_LANGUAGE
from modules.pages import AssessmentPage, AuthoredPage, CoursePage, LessonPage, ModulePage, TrainingPage

# The second half of each pair is structure: it counts in the source language only.
FIELDS: Final[dict[Any, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    TrainingPage: (("title", "summary"), ("framework_key", "starting_content")),
    CoursePage: (
        ("title", "lead", "description", "outcomes", "audience"),
        ("order", "valid_months", "starting_content"),
    ),
    ModulePage: (("title", "summary"), ()),
    LessonPage: (
        ("title", "lead", "body"),
        ("minutes", "required", "open_to_public", "starting_content"),
    ),
    AssessmentPage: (("title",), ("required",)),
    Item: (
        ("stem", "options", "unit", "accept", "feedback_right", "feedback_wrong", "general_feedback"),
        (
            *(
                "key",
                "kind",
                "partial",
                "answer_true",
                "answer",
                "tolerance",
                "points",
                "competency_id",
                "level",
            ),
            *("tags", "starting_content"),
        ),
    ),
    Assessment: (
        ("title", "intro", "sections", "rubric"),
        (
            *("key", "kind", "minutes", "time_limit", "pass_mark", "attempts", "feedback", "shuffle_items"),
            *("shuffle_options", "allow_text", "allow_files", "max_files", "starting_content"),
        ),
    ),
}
_BLOCK_KEY = re.compile(r'\s*data-block-key="[^"]*"')
_BETWEEN = re.compile(r">\s+<")
_SPACES = re.compile(r"\s+", re.ASCII)


def describe_page(page: AuthoredPage) -> dict[str, Any]:
    """A page's content. A query for the mappings of a lesson, and one for an assessment that is not loaded yet."""
    values = _describe(page)
    if page.locale.language_code == SOURCE_LANGUAGE:
        if isinstance(page, LessonPage):
            values["mappings"] = [
                [str(mapping.competency_id), mapping.level, mapping.counts] for mapping in page.mappings.all()
            ]
        if isinstance(page, AssessmentPage):
            values["assessment"] = str(page.assessment.translation_key) if page.assessment else ""
    return values


def describe_snippet(snippet: Item | Assessment) -> dict[str, Any]:
    """An item's or an assessment's content. No query."""
    return _describe(snippet)


def _describe(thing: Any) -> dict[str, Any]:
    words, structure = FIELDS[type(thing)]
    names = words if thing.locale.language_code != SOURCE_LANGUAGE else (*words, *structure)
    return {name: _normalise(getattr(thing, name)) for name in names}


def _normalise(value: Any) -> Any:
    if hasattr(value, "get_prep_value"):
        value = value.get_prep_value()
    if isinstance(value, str):
        text = _BETWEEN.sub("><", _BLOCK_KEY.sub("", value))
        return _SPACES.sub(" ", html.unescape(text)).strip(" ")
    if isinstance(value, dict):
        return {str(key): _normalise(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_normalise(entry) for entry in value]
    if isinstance(value, float):
        return str(value)
    return value
