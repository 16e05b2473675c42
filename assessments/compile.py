"""From the items and assessments that authors edit to the document of an edition.

Options, keys, mappings and points come from the source language; the other languages give words. A
translation whose structure differs is refused with sentences that name it.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from wagtail.rich_text import expand_db_html

from assessments.documents import (
    AssessmentDocument,
    CompetencyRef,
    Criterion,
    Option,
    RubricLevel,
    Section,
    Submission,
)
from assessments.documents import Item as ItemDocument
from assessments.models import Assessment, Item
from assessments.rules import Problem, check_document
from core.errors import InvalidInput
from core.sanitize import clean_kept
from standards.models import Competency, FrameworkEdition

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Competencies:
    """The competencies of a framework edition, by code and by permanent key."""

    by_code: Mapping[str, uuid.UUID]
    codes: Mapping[uuid.UUID, str]

    @classmethod
    def of(cls, edition: FrameworkEdition) -> Competencies:
        """One query."""
        rows = list(edition.competencies.values_list("code", "competency_id"))
        return cls(dict(rows), {key: code for code, key in rows})

    def ref(self, code: str, level: str) -> CompetencyRef | None:
        key = self.by_code.get(code)
        return CompetencyRef(id=str(key), code=code, level=level) if key else None


def compile_assessment(*, assessment: Assessment, framework_edition: FrameworkEdition) -> AssessmentDocument:
    """The document of an assessment in its source language and all translations that exist.

    Queries: a constant number, whatever the number of items. Refuses with `InvalidInput` whose `errors`
    name each problem.
    """
    problems: list[str] = []
    competencies = Competencies.of(framework_edition)
    versions = {version.locale.language_code: version for version in _versions_of(Assessment, [assessment])}
    source = versions.get("en") or assessment
    missing = [language for language in LANGUAGES if language not in versions]
    problems += [
        _("The assessment “%(title)s” has no text in %(language)s yet. Translate it first.")
        % {"title": source.title, "language": _name_language(language)}
        for language in missing
    ]
    banks = _find_items(source, competencies)
    wanted = {item.translation_key: item for bank in banks for item in bank}
    words = _item_versions(list(wanted.values()))
    compiled = {
        key: _compile_item(words[key], competencies, problems) for key in wanted if not missing or words[key]
    }
    document = AssessmentDocument(
        kind=source.kind,
        key=source.key,
        title={language: version.title for language, version in versions.items()},
        intro_html={language: _html(version.intro) for language, version in versions.items()},
        minutes=source.minutes,
        pass_mark=None if source.kind == Assessment.Kind.EVALUATION else source.pass_mark,
        attempts=source.attempts,
        time_limit_minutes=source.time_limit,
        feedback=source.feedback,
        shuffle_items=source.shuffle_items,
        shuffle_options=source.shuffle_options,
        sections=tuple(_compile_sections(versions, source, banks, compiled, problems)),
        rubric=tuple(_compile_rubric(versions, source, competencies, problems))
        if source.kind == Assessment.Kind.ASSIGNMENT
        else (),
        submission=Submission(
            text=source.allow_text,
            files=source.allow_files,
            max_files=source.max_files if source.allow_files else 0,
        )
        if source.kind == Assessment.Kind.ASSIGNMENT
        else None,
    )
    problems += [describe_problem(problem) for problem in check_document(document)]
    if problems:
        raise InvalidInput(
            _("The assessment “%(title)s” cannot be issued yet.") % {"title": source.title},
            errors={source.key or "assessment": problems},
        )
    # Written and read again, so that what is hashed is exactly what will be read.
    return AssessmentDocument.from_json(document.to_json())


def _html(text: Any) -> str:
    """Rich text as it is kept in an edition: links resolved, cleaned."""
    source = text.source if hasattr(text, "source") else str(text or "")
    return clean_kept(expand_db_html(source)) if source else ""


def _versions_of(model: Any, rows: Sequence[Any]) -> Any:
    return model.objects.filter(translation_key__in={row.translation_key for row in rows}).select_related(
        "locale"
    )


def _item_versions(items: Sequence[Item]) -> dict[uuid.UUID, dict[str, Item]]:
    """Every language of each item, by translation key. One query."""
    found: dict[uuid.UUID, dict[str, Item]] = defaultdict(dict)
    for version in _versions_of(Item, items):
        found[version.translation_key][version.locale.language_code] = version
    return found


def _find_items(source: Assessment, competencies: Competencies) -> list[list[Item]]:
    """The items of each section, in order. One query for those drawn by tag or competency, one for chosen ones."""
    chosen_keys = {item.pk for block in source.sections for item in block.value["items"] if item}
    chosen = Item.objects.in_bulk(chosen_keys)
    needs_bank = any(block.value["tag"] or block.value["competency"] for block in source.sections)
    bank = (
        list(Item.objects.filter(collection=source.collection, locale=source.locale).order_by("key"))
        if needs_bank
        else []
    )
    banks = []
    for block in source.sections:
        value = block.value
        found = [chosen[item.pk] for item in value["items"] if item and item.pk in chosen]
        key = competencies.by_code.get(value["competency"] or "")
        found += [
            item
            for item in bank
            if item not in found
            and (
                (value["tag"] and value["tag"] in item.tags.split())
                or (value["competency"] and key is not None and item.competency_id == key)
            )
        ]
        banks.append(found)
    return banks


def _compile_sections(
    versions: Mapping[str, Assessment],
    source: Assessment,
    banks: Sequence[Sequence[Item]],
    compiled: Mapping[uuid.UUID, ItemDocument],
    problems: list[str],
) -> list[Section]:
    blocks = {language: list(version.sections) for language, version in versions.items()}
    if any(len(found) != len(source.sections) for found in blocks.values()):
        problems.append(_differs(source.title, _("number of sections")))
        return []
    return [
        Section(
            title={language: found[index].value["title"] or "" for language, found in blocks.items()},
            draw=block.value["draw"] or None,
            items=tuple(
                compiled[item.translation_key] for item in banks[index] if item.translation_key in compiled
            ),
        )
        for index, block in enumerate(source.sections)
    ]


def _compile_rubric(
    versions: Mapping[str, Assessment], source: Assessment, competencies: Competencies, problems: list[str]
) -> list[Criterion]:
    blocks = {language: list(version.rubric) for language, version in versions.items()}
    shape = [len(block.value["levels"]) for block in source.rubric]
    if any([len(block.value["levels"]) for block in found] != shape for found in blocks.values()):
        problems.append(_differs(source.title, _("criteria or levels of the rubric")))
        return []
    criteria = []
    for index, block in enumerate(source.rubric):
        value = block.value
        ref = None
        if value["competency"]:
            ref = competencies.ref(value["competency"], value["level"] or "foundational")
            if ref is None:
                problems.append(_unknown_code(value["competency"]))
        criteria.append(
            Criterion(
                key=value["key"] or str(block.id),
                title={language: found[index].value["title"] for language, found in blocks.items()},
                competency=ref,
                levels=tuple(
                    RubricLevel(
                        points=Decimal(level["points"]),
                        title={k: f[index].value["levels"][place]["title"] for k, f in blocks.items()},
                        text_html={
                            k: clean_kept(f[index].value["levels"][place]["text"] or "")
                            for k, f in blocks.items()
                        },
                    )
                    for place, level in enumerate(value["levels"])
                ),
            )
        )
    return criteria


def _compile_item(
    versions: Mapping[str, Item], competencies: Competencies, problems: list[str], *, complete: bool = True
) -> ItemDocument:
    source = versions.get("en") or next(iter(versions.values()))
    problems += [
        _("The item “%(item)s” has no text in %(language)s yet. Translate it first.")
        % {"item": source.key, "language": _name_language(language)}
        for language in LANGUAGES
        if complete and language not in versions
    ]
    code = competencies.codes.get(source.competency_id) if source.competency_id else None
    if source.competency_id and code is None:
        problems.append(
            _(
                "The item “%(item)s” is mapped to a competency that this edition of the standards does not hold."
            )
            % {"item": source.key}
        )
    return ItemDocument(
        key=source.key,
        id=str(source.translation_key),
        kind=source.kind,
        competency=competencies.ref(code, source.level) if code else None,
        points=source.points,
        stem_html={language: _html(version.stem) for language, version in versions.items()},
        options=_compile_options(versions, source, problems),
        answer=_answer_of(source),
        tolerance=source.tolerance if source.kind == Item.Kind.NUMERIC else None,
        unit=_words(versions, "unit") if source.kind == Item.Kind.NUMERIC else {},
        accept={
            language: tuple(str(block.value) for block in version.accept)
            for language, version in versions.items()
        }
        if source.kind == Item.Kind.SHORT_TEXT
        else {},
        feedback_html=_feedback_of(versions, source),
        general_feedback_html={
            language: _html(version.general_feedback)
            for language, version in versions.items()
            if version.general_feedback
        },
        partial=source.partial if source.kind == Item.Kind.MULTIPLE else None,
    )


def _compile_options(versions: Mapping[str, Item], source: Item, problems: list[str]) -> tuple[Option, ...]:
    if source.kind not in {Item.Kind.SINGLE, Item.Kind.MULTIPLE}:
        return ()
    blocks = {language: list(version.options) for language, version in versions.items()}
    if any(len(found) != len(source.options) for found in blocks.values()):
        problems.append(_differs(source.key, _("number of options")))
        return ()
    return tuple(
        Option(
            key=block.value["key"] or str(block.id),
            correct=bool(block.value["correct"]),
            text_html={k: _html(found[index].value["text"]) for k, found in blocks.items()},
            feedback_html={
                k: _html(found[index].value["feedback"])
                for k, found in blocks.items()
                if found[index].value["feedback"]
            },
        )
        for index, block in enumerate(source.options)
    )


def draft_item(item: Item) -> ItemDocument:
    """An item as it stands, in its own language alone: what its next edition would hold. One query at most."""
    ref = item.competency if item.competency_id else None
    competencies = Competencies({ref.code: ref.pk}, {ref.pk: ref.code}) if ref else Competencies({}, {})
    problems: list[str] = []
    return _compile_item({item.locale.language_code: item}, competencies, problems, complete=False)


def draft_sections(assessment: Assessment) -> list[tuple[str, int | None, list[Item]]]:
    """The title, the number to draw and the items of each section, of an assessment as it stands. Three queries."""
    codes = {block.value["competency"] for block in assessment.sections if block.value["competency"]}
    known = Competency.objects.filter(code__in=codes).values_list("code", "pk") if codes else ()
    banks = _find_items(assessment, Competencies(dict(known), {}))
    return [
        (block.value["title"] or "", block.value["draw"] or None, bank)
        for block, bank in zip(assessment.sections, banks, strict=True)
    ]


def find_problems(*, assessment: Assessment, framework_edition: FrameworkEdition) -> list[str]:
    """What keeps an assessment from being issued, as sentences; none: it can be. The queries of compiling."""
    try:
        compile_assessment(assessment=assessment, framework_edition=framework_edition)
    except InvalidInput as error:
        return [sentence for sentences in error.errors.values() for sentence in sentences] or [str(error)]
    return []


def find_item_problems(item: Item) -> list[str]:
    """What keeps an item from being issued in any assessment, as sentences. Two queries."""
    versions = _item_versions([item])[item.translation_key]
    problems: list[str] = []
    source = versions.get("en") or item
    ref = source.competency if source.competency_id else None
    competencies = Competencies({ref.code: ref.pk}, {ref.pk: ref.code}) if ref else Competencies({}, {})
    document = _compile_item(versions, competencies, problems)
    if not problems:
        problems = [
            describe_problem(problem)
            for problem in check_document(
                AssessmentDocument(
                    kind="quiz",
                    title={},
                    sections=(Section(items=(document,)),),
                )
            )
            if problem.code not in {"no_points"}
        ]
    return problems


def _answer_of(item: Item) -> bool | Decimal | None:
    if item.kind == Item.Kind.TRUE_FALSE:
        return item.answer_true
    return item.answer if item.kind == Item.Kind.NUMERIC else None


def _feedback_of(versions: Mapping[str, Item], source: Item) -> dict[str, dict[str, str]]:
    if source.kind == Item.Kind.TRUE_FALSE:
        outcomes = {"true": "feedback_right", "false": "feedback_wrong"}
    elif source.kind in {Item.Kind.NUMERIC, Item.Kind.SHORT_TEXT}:
        outcomes = {"right": "feedback_right", "wrong": "feedback_wrong"}
    else:
        return {}
    return {
        outcome: {
            language: _html(getattr(version, field))
            for language, version in versions.items()
            if getattr(version, field)
        }
        for outcome, field in outcomes.items()
    }


def _words(versions: Mapping[str, Any], field: str) -> dict[str, str]:
    return {language: text for language, version in versions.items() if (text := getattr(version, field))}


def _name_language(code: str) -> str:
    return {"en": _("English"), "fr": _("French")}.get(code, code)


def _differs(name: str, what: str) -> str:
    return _("In “%(name)s” the languages differ in the %(what)s. Make them the same, then issue again.") % {
        "name": name,
        "what": what,
    }


def _unknown_code(code: str) -> str:
    return _("There is no competency %(code)s in this edition of the standards.") % {"code": code}


def describe_problem(problem: Problem) -> str:
    """The sentence for a problem of `check_document`."""
    params = {"item": "", "section": "", "criterion": "", **problem.params}
    if "section" in problem.params:
        params["section"] = int(problem.params["section"]) + 1
    sentences = {
        "draw_too_large": _("Section %(section)s draws more questions than there are: at most %(most)s."),
        "item_twice": _("The item “%(item)s” stands in two places; take one away."),
        "item_differs": _("Two items have the key “%(item)s”; give one of them another key."),
        "nothing_to_answer": _("There is no question in it yet."),
        "no_points": _("Nothing in it earns points, so nobody could pass."),
        "rubric_needed": _("An assignment needs a rubric."),
        "repeated_criterion": _("The rubric has two criteria with the key “%(criterion)s”."),
        "too_few_levels": _("The criterion “%(criterion)s” needs at least two levels."),
        "points_too_fine": _("The points of “%(item)s” have more than two decimals."),
        "too_few_options": _("The item “%(item)s” needs at least two options."),
        "repeated_option": _(
            "Two options of “%(item)s” have the same key; give one of them another, or none."
        ),
        "one_right_option_needed": _("Exactly one option of “%(item)s” is to be right."),
        "right_option_needed": _("At least one option of “%(item)s” is to be right."),
        "answer_needed": _("The item “%(item)s” has no right answer yet."),
        "tolerance_below_zero": _("The tolerance of “%(item)s” cannot be below zero."),
        "accepted_text_needed": _("The item “%(item)s” needs an accepted answer in each language."),
    }
    sentence = sentences.get(problem.code)
    if sentence:
        return sentence % params
    return _("The item “%(item)s” is not whole yet: %(code)s %(details)s") % {
        "item": params["item"],
        "code": problem.code.replace("_", " "),
        "details": ", ".join(f"{k} {v}" for k, v in problem.params.items() if k != "item"),
    }
