"""The lessons of a training pack: their blocks as the loader would make them, their words, sources and pictures."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from assessments.rules.text import fold_text
from modules.markdown import RawBlock, make_body
from modules.pack_fields import LANGUAGES, SOURCE_LANGUAGE, refuse
from modules.pack_reader import PackLesson
from modules.packcheck.bounds import (
    FEWEST_FEEDBACK_WORDS,
    FEWEST_WORDS,
    GRADES,
    LIX,
    MOST_SHARED,
    MOST_WORDS,
    SEQUENCE,
    WORDS_TO_MEASURE,
)
from modules.packcheck.findings import Findings
from modules.packcheck.passages import Passage, read_links, read_passages
from modules.rules import BlockShape, check_structure, count_words
from modules.rules.readability import grade_english, measure_lix
from modules.rules.repetition import find_overlaps
from modules.structure import describe_problem
from standards.packs_loader import PackError

# Where a learner answers, a source cannot be a link.
_ANSWERED: Final = frozenset({"reflection", "check", "worksheet"})
# Texts of a block that may be empty, but then in every language.
_OPTIONAL: Final = frozenset({"title", "help", "intro", "caption", "credit", "description"})


class FilesInFolder:
    """The files of a pack by name, without a database: a number stands for each, and each must be there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []

    def document(self, name: str, *, place: str) -> int:
        if "/" in name or not (self.folder / name).is_file():
            raise refuse(place, _("the folder “files” has no %(name)s.") % {"name": name})
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def image(self, name: str, *, place: str) -> int:
        return self.document(name, place=place)


@dataclass
class LessonText:
    """A lesson in one language: what its blocks became, and the passages in them."""

    language: str
    blocks: list[tuple[RawBlock, list[dict[str, Any]]]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)

    @property
    def words(self) -> int:
        return sum(count_words(passage.text) for passage in self.passages)

    @property
    def cited(self) -> set[str]:
        """The short names of its sources."""
        found = {slug for passage in self.passages for slug in passage.cited}
        return found | {
            entry["value"]["source"]
            for _block, entries in self.blocks
            for entry in entries
            if entry["type"] == "quotation" and entry["value"]["source"]
        }


class LessonCheck:
    """Checks every lesson of a pack. `figures` and `cited` are what it saw, for those who check these."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.files = FilesInFolder(findings.path / "files")
        self.figures: dict[str, dict[str, str]] = {}
        self.cited: dict[str, str] = {}
        self.plain: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}

    def check(self, lesson: PackLesson) -> None:
        source = self._make(lesson, SOURCE_LANGUAGE, None)
        texts = {SOURCE_LANGUAGE: source}
        for language in LANGUAGES:
            if language != SOURCE_LANGUAGE:
                texts[language] = self._make(lesson, language, source)
        for language, text in texts.items():
            self._check_language(lesson, text)
            self.plain[language][f"{language}/{lesson.name}.md"] = " ".join(
                passage.text for passage in text.passages
            )
        self._check_pair(lesson, texts)
        if not lesson.mappings:
            self.findings.add(
                f"en/{lesson.name}.md",
                "no competency is mapped; name what the lesson teaches, and at which level.",
            )
        for code, count in Counter(code for code, _level, _counts in lesson.mappings).items():
            if count > 1 and len({entry for entry in lesson.mappings if entry[0] == code}) < count:
                self.findings.add(
                    f"en/{lesson.name}.md", f"{code} is mapped twice in the same way; once is enough."
                )

    # --- Structure ----------------------------------------------------------------------------------------------

    def _make(self, lesson: PackLesson, language: str, source: LessonText | None) -> LessonText:
        """The lesson's blocks one by one, so that each mistake is told and not the first alone."""
        text = LessonText(language)
        made: dict[tuple[str, str], dict[str, Any]] = {}
        if source is not None:
            made = {
                (block.kind, block.key): entry
                for block, entries in source.blocks
                for entry in entries
                if block.kind
            }
            self._check_order(lesson, language)
        for block in lesson.blocks[language]:
            twin = made.get((block.kind, block.key))
            if source is not None and block.kind and twin is None:
                continue
            try:
                entries = make_body(
                    [block],
                    step=uuid.uuid5(uuid.NAMESPACE_OID, lesson.name),
                    files=self.files,
                    source=None if source is None else [twin] if twin else [],
                )
            except PackError as error:
                self.findings.add_fault(error)
                continue
            text.blocks.append((block, entries))
            text.passages += read_passages(block, entries)
            self._note_figure(block, entries, language)
            for address in read_links(entries):
                self.findings.check_links(block.place, address, html=False)
                if not address.startswith(("/", "#", "http")):
                    self.findings.add(
                        block.place,
                        f"the link {address} is neither internal nor the address of a source; drop it.",
                    )
        return text

    def _check_order(self, lesson: PackLesson, language: str) -> None:
        """The same blocks stand in the same order; of those alike, as many parts are compared later."""
        shapes = {
            one: [
                BlockShape(kind=block.kind.replace("-", "_"), key=block.key)
                for block in lesson.blocks[one]
                if block.kind
            ]
            for one in (SOURCE_LANGUAGE, language)
        }
        for problem in check_structure(shapes[SOURCE_LANGUAGE], shapes[language]):
            self.findings.add(f"{language}/{lesson.name}.md", describe_problem(problem))

    def _note_figure(self, block: RawBlock, entries: Sequence[Mapping[str, Any]], language: str) -> None:
        for entry in entries:
            if entry["type"] == "figure":
                name = self.files.names[entry["value"]["svg"]]
                place = f"{block.place.split('/', 1)[-1]}"
                # By lesson and key, since the same figure stands on another line in the other language.
                self.figures.setdefault(f"{place.split(',', maxsplit=1)[0]} (figure {block.key})", {})[
                    language
                ] = name
                if not name.endswith(".svg"):
                    self.findings.add(
                        block.place, f"{name} is no SVG; a figure is drawn, a photo is a picture."
                    )

    # --- Words --------------------------------------------------------------------------------------------------

    def _check_language(self, lesson: PackLesson, text: LessonText) -> None:
        where = f"{text.language}/{lesson.name}.md"
        for passage in text.passages:
            self.findings.check_text(passage.place, passage.text, text.language)
            for slug in passage.cited:
                self.cited.setdefault(slug, passage.place)
        for block, entries in text.blocks:
            self._check_block(block, entries)
        for slug in text.cited:
            self.cited.setdefault(slug, where)
        most = MOST_WORDS[text.language]
        if not FEWEST_WORDS <= text.words <= most:
            self.findings.add(
                where, f"the lesson has {text.words} words; write between {FEWEST_WORDS} and {most}."
            )
        prose = [passage.text for passage in text.passages if passage.prose]
        if sum(map(count_words, prose)) >= WORDS_TO_MEASURE:
            name, measure, (least, most_hard) = (
                ("Flesch–Kincaid grade", grade_english, GRADES)
                if text.language == "en"
                else ("LIX", measure_lix, LIX)
            )
            value = measure(prose)
            if not least <= value <= most_hard:
                advice = (
                    "shorten its sentences and choose plainer words"
                    if value > most_hard
                    else "say more at a time"
                )
                self.findings.add(
                    where,
                    f"its {name} is {value:.1f}; between {least:g} and {most_hard:g} is wanted: {advice}.",
                )

    def _check_block(self, block: RawBlock, entries: Sequence[Mapping[str, Any]]) -> None:
        if block.kind in _ANSWERED and any(passage.cited for passage in read_passages(block, entries)):
            self.findings.add(
                block.place, "a source is cited where people answer; cite it in the text beside it."
            )
        if block.kind == "check":
            options = [option["value"] for option in entries[0]["value"]["options"]]
            check_options(self.findings, block.place, options, single=entries[0]["value"]["kind"] == "single")
        if block.kind == "picture":
            value = entries[0]["value"]
            alt = value["alt"].lower()
            if not value["decorative"] and alt.rsplit(".", 1)[-1] in {
                "png",
                "jpg",
                "jpeg",
                "webp",
                "gif",
                "svg",
            }:
                self.findings.add(
                    block.place, "the alternative text is a file's name; say what the picture shows."
                )

    def _check_pair(self, lesson: PackLesson, texts: Mapping[str, LessonText]) -> None:
        english, french = texts["en"], texts["fr"]
        place = f"fr/{lesson.name}.md"
        self.findings.check_translated(
            place,
            [passage.text for passage in english.passages],
            [passage.text for passage in french.passages],
        )
        for name, words in (("title", lesson.title), ("lead", lesson.lead)):
            self.findings.check_words(f"{lesson.name}.md, {name}", words, needed=True)
        for slug in sorted(english.cited ^ french.cited):
            lacking = "fr" if slug in english.cited else "en"
            self.findings.add(
                f"{lacking}/{lesson.name}.md",
                f"[^{slug}] is cited in the other language and not here; cite it.",
            )
        theirs = {(block.kind, block.key): (block, entries) for block, entries in french.blocks if block.kind}
        for block, entries in english.blocks:
            if (block.kind, block.key) in theirs:
                twin, other = theirs[block.kind, block.key]
                for what in _compare_values(entries[0]["value"], other[0]["value"]):
                    self.findings.add(twin.place, what)

    def check_overlaps(self) -> None:
        """No two lessons in one language say the same in the same words."""
        for texts in self.plain.values():
            for one, other, share in find_overlaps(texts, length=SEQUENCE, most=MOST_SHARED):
                self.findings.add(
                    one,
                    f"it shares {share:.0%} of its runs of {SEQUENCE} words with {other}; say it in one of them only.",
                )


def _compare_values(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """What one language of a block has and the other has not."""
    found = []
    for name, value in ours.items():
        if name in _OPTIONAL and bool(value) != bool(theirs[name]):
            found.append(f"“{name}” stands in one language only; write it in both or in none.")
        elif isinstance(value, list) and name != "equivalent":
            if len(value) != len(theirs[name]):
                found.append(
                    f"“{name}” has {len(theirs[name])} entries here and {len(value)} in the other language; "
                    "write as many."
                )
                continue
            for one, other in zip(value, theirs[name], strict=True):
                if isinstance(one["value"], Mapping):
                    found += _compare_values(one["value"], other["value"])
                elif isinstance(one["value"], list) and len(one["value"]) != len(other["value"]):
                    found.append(f"a row of “{name}” has another number of cells; write as many.")
    return found


def check_options(
    findings: Findings, where: str, options: Sequence[Mapping[str, Any]], *, single: bool
) -> None:
    """Options of a question in one language: `text`, `feedback` (plain) and `correct`. One clear key, none twice."""
    right = sum(bool(option["correct"]) for option in options)
    if single and right != 1:
        findings.add(where, f"a single choice has one right option, and {right} are marked; mark one.")
    if not single and not 0 < right < len(options):
        findings.add(
            where,
            f"{right} of {len(options)} options are right; a question with several needs a right and a wrong one.",
        )
    said = Counter(fold_text(option["text"]) for option in options)
    for option in options:
        if said[fold_text(option["text"])] > 1:
            findings.add(where, f"two options say the same: “{option['text']}”; change one.")
        check_feedback(findings, where, option["feedback"])


def check_feedback(findings: Findings, where: str, feedback: str) -> None:
    """Feedback that teaches has more than a word."""
    if count_words(feedback) < FEWEST_FEEDBACK_WORDS:
        said = f"only says “{feedback}”" if feedback else "is missing"
        findings.add(where, f"feedback {said}; say why the answer is right or wrong.")
