"""The items and assessments of a training pack: one clear key, feedback everywhere, banks that can be drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from assessments.rules.text import fold_text
from modules.citations import find_citations
from modules.pack_fields import LANGUAGES
from modules.pack_reader import PackAssessment, PackCourse, PackItem, PackSection, TrainingPack
from modules.packcheck.bounds import (
    FEWEST_BANK_ITEMS,
    FEWEST_QUIZ_ITEMS,
    FEWEST_QUIZ_KINDS,
    FINAL_ITEMS,
    LARGEST_TOLERANCE,
)
from modules.packcheck.findings import Findings
from modules.packcheck.lessons import check_feedback, check_options
from modules.packcheck.passages import plain_units

_NAMES: Final = {"en": "English", "fr": "French"}


def _plain(html: str) -> str:
    return " ".join(text for text, _heading in plain_units(html))


def check_items(findings: Findings, pack: TrainingPack) -> None:
    for item in pack.items.values():
        _check_item(findings, item)
    for language in LANGUAGES:
        stems = Counter(fold_text(_plain(item.stem[language])) for item in pack.items.values())
        for item in pack.items.values():
            if stems[fold_text(_plain(item.stem[language]))] > 1:
                findings.add(item.place, "another item asks the same in the same words; change one of them.")
    used = {key for assessment in pack.assessments.values() for key in bank_keys(pack, assessment)}
    for item in pack.items.values():
        if item.key not in used:
            findings.add(
                item.place, "no assessment uses this item; give it the tag of a section, or take it out."
            )


def _check_item(findings: Findings, item: PackItem) -> None:
    for name, words, needed in _texts_of(item):
        findings.check_words(f"{item.place}, {name}", words, html=True, needed=needed)
        if any(find_citations(text) for text in words.values()):
            findings.add(f"{item.place}, {name}", "a source cannot be cited in a question; name it in words.")
    for language in LANGUAGES:
        _check_answers(findings, item, language)
    names = [option["key"] for option in item.options]
    if len(set(names)) < len(names):
        findings.add(item.place, "two options have the same key; give each its own.")
    if item.kind in {"single", "multiple"} and len(names) < 2:
        findings.add(item.place, "a choice needs two options or more.")
    if item.points <= 0:
        findings.add(item.place, "the item is worth no points; give it one or more.")
    if item.kind == "numeric" and item.answer is not None:
        _check_number(findings, item, item.answer)


def _check_answers(findings: Findings, item: PackItem, language: str) -> None:
    where = f"{item.place}, {_NAMES[language]}"
    if item.kind in {"single", "multiple"}:
        options = [
            {
                "text": _plain(option["text"][language]),
                "feedback": _plain(option["feedback"][language]),
                "correct": option["correct"],
            }
            for option in item.options
        ]
        check_options(findings, where, options, single=item.kind == "single")
    else:
        for feedback in (item.feedback_right, item.feedback_wrong):
            check_feedback(findings, where, _plain(feedback[language]))
    if item.kind == "short_text":
        accepted = [fold_text(text) for text in item.accept[language]]
        if not all(accepted):
            findings.add(where, "an accepted answer is empty; take it out.")
        if len(set(accepted)) < len(accepted):
            findings.add(where, "two accepted answers are the same without case and accents; keep one.")


def _texts_of(item: PackItem) -> Iterator[tuple[str, Mapping[str, str], bool]]:
    yield "stem", item.stem, True
    for option in item.options:
        yield f"option {option['key']}", option["text"], True
        yield f"feedback of {option['key']}", option["feedback"], False
    yield "unit", item.unit, False
    yield "feedback, right or true", item.feedback_right, False
    yield "feedback, wrong or false", item.feedback_wrong, False
    yield "general_feedback", item.general_feedback, False


def _check_number(findings: Findings, item: PackItem, answer: Decimal) -> None:
    if item.tolerance < 0:
        findings.add(item.place, "the tolerance is below zero; give 0 or more.")
    elif item.tolerance == 0 and answer != answer.to_integral_value():
        findings.add(item.place, "an answer with decimals needs a tolerance, since people round differently.")
    elif item.tolerance > abs(answer) * Decimal(str(LARGEST_TOLERANCE)):
        findings.add(
            item.place,
            f"the tolerance {item.tolerance} is more than {LARGEST_TOLERANCE:.0%} of the answer {answer}; narrow it.",
        )


# --- Assessments ------------------------------------------------------------------------------------------------


def section_keys(pack: TrainingPack, section: PackSection) -> list[str]:
    """The items that a section shows or draws from."""
    return list(section.items) + [
        item.key
        for item in pack.items.values()
        if item.key not in section.items
        and (
            (section.tag and section.tag in item.tags)
            or (section.competency and item.competency[0] == section.competency)
        )
    ]


def bank_keys(pack: TrainingPack, assessment: PackAssessment) -> list[str]:
    """The items of every section of an assessment, each once."""
    return list(dict.fromkeys(key for section in assessment.sections for key in section_keys(pack, section)))


def find_final(pack: TrainingPack, course: PackCourse) -> PackAssessment | None:
    """The final assessment of a course: the quiz that no lesson follows, in the last of its modules."""
    quizzes = [
        pack.assessments[step.name]
        for step in course.modules[-1].steps
        if step.kind == "assessment" and step.name in pack.assessments
    ]
    return next((one for one in reversed(quizzes) if one.kind == "quiz"), None)


def check_assessments(findings: Findings, pack: TrainingPack) -> None:
    finals = {final.key for course in pack.courses if (final := find_final(pack, course)) is not None}
    for course in pack.courses:
        if find_final(pack, course) is None:
            findings.add(
                "pack.yaml",
                f"the last module of the course {course.slug} has no final assessment; add a quiz there.",
            )
    placed = {step.name for course in pack.courses for module in course.modules for step in module.steps}
    for assessment in pack.assessments.values():
        where = assessment.place
        if assessment.key not in placed:
            findings.add(where, "no step of pack.yaml names this assessment; add one, or take it out.")
        findings.check_words(f"{where}, title", assessment.title, needed=True)
        findings.check_words(f"{where}, intro", assessment.intro, html=True)
        for section in assessment.sections:
            findings.check_words(f"{where}, sections", section.title)
        if assessment.kind == "assignment":
            _check_rubric(findings, assessment)
        elif assessment.kind == "quiz":
            if not 0 < assessment.pass_mark <= 100:
                findings.add(where, "the pass mark is a percentage above 0.")
            _check_sections(findings, pack, assessment)
            _check_size(findings, pack, assessment, final=assessment.key in finals)


def _check_size(findings: Findings, pack: TrainingPack, assessment: PackAssessment, *, final: bool) -> None:
    bank = [pack.items[key] for key in bank_keys(pack, assessment) if key in pack.items]
    shown = sum(
        section.draw if section.draw is not None else len(section_keys(pack, section))
        for section in assessment.sections
    )
    kinds = {item.kind for item in bank}
    where = assessment.place
    if final:
        if shown != FINAL_ITEMS:
            findings.add(where, f"the final assessment shows {shown} items; it should show {FINAL_ITEMS}.")
        if len(bank) < FEWEST_BANK_ITEMS:
            findings.add(where, f"its bank has {len(bank)} items; at least {FEWEST_BANK_ITEMS} are wanted.")
    elif shown < FEWEST_QUIZ_ITEMS:
        findings.add(where, f"the quiz shows {shown} items; at least {FEWEST_QUIZ_ITEMS} are wanted.")
    if len(kinds) < FEWEST_QUIZ_KINDS:
        findings.add(
            where,
            f"its items are of {len(kinds)} kinds ({', '.join(sorted(kinds))}); "
            f"at least {FEWEST_QUIZ_KINDS} are wanted.",
        )


def _check_sections(findings: Findings, pack: TrainingPack, assessment: PackAssessment) -> None:
    """Each section can be filled whatever the sections before it drew (as `assessments.rules.forms` asks)."""
    fixed = [
        key for section in assessment.sections if section.draw is None for key in section_keys(pack, section)
    ]
    for key, count in Counter(fixed).items():
        if count > 1:
            findings.add(assessment.place, f"the item {key} is shown twice; name it in one section.")
    earlier: list[tuple[set[str], int]] = []
    for number, section in enumerate(assessment.sections, start=1):
        bank = set(section_keys(pack, section))
        if not bank:
            findings.add(assessment.place, f"no item has what section {number} asks for; check its tag.")
        if section.draw is None:
            continue
        least = len(bank - set(fixed)) - sum(min(draw, len(bank & other)) for other, draw in earlier)
        if section.draw > least:
            findings.add(
                assessment.place,
                f"section {number} draws {section.draw} items and can be sure of {max(0, least)}; "
                "write more, or draw fewer.",
            )
        earlier.append((bank, section.draw))


def _check_rubric(findings: Findings, assessment: PackAssessment) -> None:
    for criterion in assessment.rubric:
        where = f"{assessment.place}, rubric {criterion['key']}"
        findings.check_words(where, criterion["title"], needed=True)
        if criterion["competency"] is None:
            findings.add(where, "the criterion is mapped to no competency; name one and its level.")
        points = [level["points"] for level in criterion["levels"]]
        if len(points) < 2 or points != sorted(set(points)):
            findings.add(
                where, "its levels go from the fewest points to the most, each worth more than the last."
            )
        for level in criterion["levels"]:
            findings.check_words(where, level["title"], needed=True)
            findings.check_words(where, level["text"], needed=True)


def used_competencies(items: Sequence[PackItem]) -> set[tuple[str, str]]:
    """Competency codes with levels that items serve."""
    return {item.competency for item in items}


def rubric_competencies(assessment: PackAssessment) -> set[tuple[str, str]]:
    found: set[Any] = {criterion["competency"] for criterion in assessment.rubric}
    return {one for one in found if one is not None}
