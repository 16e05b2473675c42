"""A translation gives words and nothing else: what must be the same in each language of a lesson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from assessments.rules import Problem
from modules.blocks import LessonBody
from modules.render import RenderedLesson
from modules.rules import BlockShape, check_structure


def align_translation(
    *, source: RenderedLesson, translation: RenderedLesson, source_body: Any, translated_body: Any
) -> list[str]:
    """Gives the translation the source's keys, kinds, requirements and answers; returns what keeps it from that.

    Texts may be cut into blocks differently; every other block stands in the same order in each language, and what a
    learner fills in takes the source's key by its place.
    """
    problems = check_structure(_shapes(source_body), _shapes(translated_body))
    if problems or len(source.parts) != len(translation.parts):
        return [describe_problem(problem) for problem in problems]
    ours = {segment["key"]: segment for segment in source.segments if "key" in segment}
    renamed = {theirs.key: part.key for theirs, part in zip(translation.parts, source.parts, strict=True)}
    translation.segments = [
        _take_structure(ours[renamed[segment["key"]]], segment) if segment.get("key") in renamed else segment
        for segment in translation.segments
    ]
    translation.keys = {
        part.key: _take_answers(source.keys[part.key], translation.keys[theirs.key])
        for theirs, part in zip(translation.parts, source.parts, strict=True)
        if part.key in source.keys
    }
    translation.parts = list(source.parts)
    return []


def _shapes(body: Any) -> list[BlockShape]:
    return [_shape(block) for block in body if block.block_type != "text"]


def _shape(block: Any) -> BlockShape:
    value: Mapping[str, Any] = block.value
    parts = 0
    if block.block_type == "accordion":
        parts = len(value["items"])
    elif block.block_type == "case_study":
        parts = len(value["questions"])
    elif block.block_type == "table":
        parts = len(value["rows"])
    return BlockShape(
        kind=block.block_type,
        key=value["key"] or "",
        options=tuple(option["key"] or "" for option in value.get("options") or ()),
        fields=tuple(entry["key"] or "" for entry in value.get("fields") or ()),
        parts=parts,
    )


def _take_structure(source: Mapping[str, Any], translation: Mapping[str, Any]) -> dict[str, Any]:
    """The source's segment with the translation's words."""
    taken = {**translation, "key": source["key"]}
    for name in ("required", "kind"):
        if name in source:
            taken[name] = source[name]
    for name in ("options", "fields"):
        if name in source:
            taken[name] = [
                {**theirs, "key": ours["key"], **({"rows": ours["rows"]} if "rows" in ours else {})}
                for ours, theirs in zip(source[name], translation[name], strict=True)
            ]
    return taken


def _take_answers(source: Mapping[str, Any], translation: Mapping[str, Any]) -> dict[str, Any]:
    """What is right comes from the source; what is said about it from the translation."""
    texts = list(translation["feedback"].values())
    return {"correct": source["correct"], "feedback": dict(zip(source["feedback"], texts, strict=True))}


def describe_problem(problem: Problem) -> str:
    """The sentence for a problem of `check_structure`."""
    params = dict(problem.params)
    block = LessonBody().child_blocks.get(params.get("kind", ""))
    params["block"] = block.label if block else params.get("kind", "")
    named = f" ({params['key']})" if params.get("key") else ""
    params["block"] = f"{params['block']}{named}"
    sentences = {
        "block_missing": _(
            "The block “%(block)s” of the source language is missing here. Add it at the same place."
        ),
        "block_extra": _(
            "The block “%(block)s” is not in the source language. Add it there, or take it away here."
        ),
        "block_order": _(
            "Its blocks stand in another order than in the source language, from “%(block)s” on."
        ),
        "option_count": _("“%(block)s” has %(found)s options here and %(expected)s in the source language."),
        "field_count": _("“%(block)s” has %(found)s fields here and %(expected)s in the source language."),
        "part_count": _("“%(block)s” has %(found)s parts here and %(expected)s in the source language."),
        "option_keys": _("The options of “%(block)s” have other keys than in the source language."),
        "field_keys": _("The fields of “%(block)s” have other keys than in the source language."),
    }
    return sentences[problem.code] % params
