"""A training pack as a whole: its courses in both languages, and what it teaches of the standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from modules.citations import find_citations
from modules.pack_fields import LANGUAGES
from modules.pack_reader import PackCourse, TrainingPack, read_training_pack
from modules.packcheck.figures import check_drawings
from modules.packcheck.findings import Findings
from modules.packcheck.framework import FrameworkCodes
from modules.packcheck.lessons import LessonCheck
from modules.packcheck.papers import check_papers
from modules.packcheck.questions import (
    bank_keys,
    check_assessments,
    check_items,
    find_final,
    rubric_competencies,
)
from modules.packcheck.sources import Entries, check_use, compare_sources, list_addresses, read_sources
from standards.models import Level
from standards.packs_loader import PackError

FOUNDATIONAL = Level.FOUNDATIONAL.value


def check_training(
    path: Path,
    *,
    frameworks: Mapping[str, FrameworkCodes],
    sources: Sequence[tuple[str, Entries]],
    ids: dict[str, str],
) -> Findings:
    """Everything that is wrong with a training pack.

    `sources` are those of packs loaded before it, by name; `ids` gathers where each id stands, over all packs.
    """
    findings = Findings(path)
    listed = read_sources(path, findings)
    findings.addresses = list_addresses(listed)
    compare_sources(findings, listed, sources)
    check_papers(findings)
    faults: list[PackError] = []
    try:
        pack = read_training_pack(path, faults=faults)
    except PackError as error:
        findings.add_fault(error)
        return findings
    for fault in faults:
        findings.add_fault(fault)
    _check_ids(findings, pack, ids)
    _check_titles(findings, pack)
    lessons = LessonCheck(findings)
    for lesson in pack.lessons.values():
        lessons.check(lesson)
    lessons.check_overlaps()
    check_use(findings, listed, lessons.cited, _cited_in_files(path))
    check_drawings(findings, path / "files", lessons.figures, {})
    _check_files(findings, lessons)
    check_items(findings, pack)
    check_assessments(findings, pack)
    for course in pack.courses:
        _check_coverage(findings, pack, course, frameworks.get(pack.framework))
    if pack.framework not in frameworks:
        findings.add("pack.yaml", f"there is no framework pack {pack.framework}; mend the name.")
    return findings


def _check_ids(findings: Findings, pack: TrainingPack, ids: dict[str, str]) -> None:
    """No id stands in another pack too (within the pack the reader looks)."""
    keys = [
        pack.key,
        *(course.key for course in pack.courses),
        *(module.key for course in pack.courses for module in course.modules),
        *(step.key for course in pack.courses for module in course.modules for step in module.steps),
        *(item.id for item in pack.items.values()),
        *(assessment.id for assessment in pack.assessments.values()),
    ]
    for key in map(str, keys):
        if ids.setdefault(key, pack.slug) != pack.slug:
            findings.add("", f"the id {key} stands in the pack {ids[key]} too; make a new one.")


def _check_titles(findings: Findings, pack: TrainingPack) -> None:
    findings.check_words("pack.yaml, title", pack.title, needed=True)
    findings.check_words("pack.yaml, summary", pack.summary, needed=True)
    for course in pack.courses:
        where = f"pack.yaml, {course.slug}"
        findings.check_words(f"{where}, title", course.title, needed=True)
        findings.check_words(f"{where}, lead", course.lead, needed=True)
        findings.check_words(f"{where}, description", course.description, html=True, needed=True)
        findings.check_words(f"{where}, audience", course.audience)
        for number in range(max(map(len, course.outcomes.values()), default=0)):
            words = {language: texts[number] for language, texts in course.outcomes.items()}
            findings.check_words(f"{where}, outcomes {number + 1}", words, needed=True)
        for module in course.modules:
            findings.check_words(f"pack.yaml, {module.slug}, title", module.title, needed=True)
            findings.check_words(f"pack.yaml, {module.slug}, summary", module.summary, needed=True)


def _cited_in_files(path: Path) -> frozenset[str]:
    """Short names cited anywhere in lessons, also where a block has a mistake and so was not read."""
    found: set[str] = set()
    for language in LANGUAGES:
        for file in (path / language).glob("*.md"):
            text = file.read_text(encoding="utf-8", errors="replace")
            found.update(find_citations(text))
            found.update(
                line.removeprefix("source:").strip().strip("\"'")
                for line in text.splitlines()
                if line.startswith("source:")
            )
    return frozenset(found)


def _check_files(findings: Findings, lessons: LessonCheck) -> None:
    """Each file of the pack is shown somewhere."""
    folder = lessons.files.folder
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        mentioned = any(
            file.name in lesson.read_text(encoding="utf-8", errors="replace")
            for language in LANGUAGES
            for lesson in (findings.path / language).glob("*.md")
        )
        if file.name not in lessons.files.names and not mentioned:
            findings.add(f"files/{file.name}", "no lesson shows this file; show it, or take it out.")


def _check_coverage(
    findings: Findings, pack: TrainingPack, course: PackCourse, codes: FrameworkCodes | None
) -> None:
    """What the course serves is in the framework, and each competency is taught and asked at the foundational level."""
    steps = [step for module in course.modules for step in module.steps]
    taught = {
        (code, level): f"en/{step.name}.md"
        for step in steps
        if step.kind == "lesson" and step.name in pack.lessons
        for code, level, _counts in pack.lessons[step.name].mappings
    }
    assessments = [
        pack.assessments[step.name]
        for step in steps
        if step.kind == "assessment" and step.name in pack.assessments
    ]
    asked = {
        pack.items[key].competency: pack.items[key].place
        for assessment in assessments
        for key in bank_keys(pack, assessment)
        if key in pack.items
    }
    judged = {one: found.place for found in assessments for one in rubric_competencies(found)}
    drawn = {
        (section.competency, ""): assessment.place
        for assessment in assessments
        for section in assessment.sections
        if section.competency
    }
    if codes is not None:
        for (code, _level), place in {**drawn, **judged, **asked, **taught}.items():
            for sentence in codes.find_faults(code):
                findings.add(place, sentence)
    final = find_final(pack, course)
    bank = {
        pack.items[key].competency for key in (bank_keys(pack, final) if final else ()) if key in pack.items
    }
    for code in sorted({code for code, _level in (*taught, *judged, *asked)}):
        if (code, FOUNDATIONAL) not in taught:
            findings.add(
                "pack.yaml",
                f"no lesson of {course.slug} teaches {code} at the foundational level; map one to it.",
            )
        if (code, FOUNDATIONAL) not in bank:
            findings.add(
                "pack.yaml",
                f"no item of the final bank of {course.slug} asks for {code} at the foundational level; write one.",
            )
