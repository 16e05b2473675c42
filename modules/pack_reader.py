"""The files of a training pack (`docs/packs.md`), read and checked before anything is written."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from modules.markdown import RawBlock, make_rich_text, split_blocks
from modules.pack_fields import LANGUAGES, SOURCE_LANGUAGE, Fields, list_entries, refuse
from standards.packs_loader import PackError, read_front_matter, read_yaml

COUNTS: Final = ("recommend", "evidence", "complete")
LEVELS: Final = ("foundational", "practising", "leading")
ITEM_KINDS: Final = ("single", "multiple", "true_false", "numeric", "short_text")
FEEDBACK: Final = ("after_submit", "after_pass", "after_last", "never")

Words = Mapping[str, str]
Mapping_ = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class PackStep:
    """A step of a module: a lesson or an assessment, by the name of its file or its key."""

    kind: str
    name: str
    key: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class PackModule:
    key: uuid.UUID
    slug: str
    title: Words
    summary: Words
    steps: tuple[PackStep, ...]


@dataclass(frozen=True, kw_only=True)
class PackCourse:
    key: uuid.UUID
    slug: str
    title: Words
    lead: Words
    description: Words
    outcomes: Mapping[str, list[str]]
    audience: Words
    order: str
    valid_months: int | None
    modules: tuple[PackModule, ...]


@dataclass(frozen=True, kw_only=True)
class PackLesson:
    """One lesson: structure from the source language's file, words and blocks by language."""

    name: str
    title: Words
    lead: Words
    minutes: int
    required: bool
    public: bool
    mappings: tuple[Mapping_, ...]
    blocks: Mapping[str, Sequence[RawBlock]]


@dataclass(frozen=True, kw_only=True)
class PackItem:
    """One question; HTML by language, and its structure. `place` is where its file has it."""

    place: str
    key: str
    id: uuid.UUID
    kind: str
    competency: tuple[str, str]
    tags: tuple[str, ...]
    points: Decimal
    stem: Words
    options: tuple[dict[str, Any], ...]
    partial: str
    answer_true: bool
    answer: Decimal | None
    tolerance: Decimal
    unit: Words
    accept: Mapping[str, list[str]]
    feedback_right: Words
    feedback_wrong: Words
    general_feedback: Words


@dataclass(frozen=True, kw_only=True)
class PackSection:
    title: Words
    items: tuple[str, ...]
    draw: int | None
    tag: str
    competency: str


@dataclass(frozen=True, kw_only=True)
class PackAssessment:
    place: str
    key: str
    id: uuid.UUID
    kind: str
    title: Words
    intro: Words
    minutes: int
    time_limit: int | None
    pass_mark: Decimal
    attempts: int | None
    feedback: str
    shuffle_items: bool
    shuffle_options: bool
    sections: tuple[PackSection, ...]
    rubric: tuple[dict[str, Any], ...]
    allow_text: bool
    allow_files: bool
    max_files: int


@dataclass(frozen=True, kw_only=True)
class TrainingPack:
    """A whole training pack as its files say it."""

    path: Path
    key: uuid.UUID
    slug: str
    framework: str
    title: Words
    summary: Words
    starting_content: bool
    courses: tuple[PackCourse, ...]
    lessons: Mapping[str, PackLesson]
    items: Mapping[str, PackItem]
    assessments: Mapping[str, PackAssessment]


Faults = list[PackError]


@contextmanager
def _keep(faults: Faults | None) -> Iterator[None]:
    """Puts a mistake into the list, where there is one; raises it where there is none."""
    try:
        yield
    except PackError as error:
        if faults is None:
            raise
        faults.append(error)


def read_training_pack(path: Path, *, faults: Faults | None = None) -> TrainingPack:
    """Reads every file of a pack. Raises PackError with the file, the place and the field of the first mistake.

    With a list of `faults`, every mistake outside `pack.yaml` is put there instead, and the lesson, the item or the
    assessment that has it is left out of what is returned.
    """
    about = Fields(read_yaml(path / "pack.yaml"), "pack.yaml")
    about.choice("kind", ("training",))
    if about.take("source_language") != SOURCE_LANGUAGE or about.take("languages") != list(LANGUAGES):
        raise refuse("pack.yaml", _("a training pack is written in English and put into French."))
    about.text("licence", required=False)
    note = about.words("note", required=False)
    slug, key, framework = about.slug("slug"), about.key(), about.slug("framework")
    title, summary = about.words("title"), about.words("summary")
    courses = tuple(_read_course(entry) for entry in about.many("courses"))
    about.close()
    steps = [step for course in courses for module in course.modules for step in module.steps]
    # What a broken entry is called is still its name, so that those who use it are not called wrong too.
    named: dict[str, set[str]] = {"items": set(), "assessments": set()}
    items = _read_items(path, faults, named["items"])
    pack = TrainingPack(
        path=path,
        key=key,
        slug=slug,
        framework=framework,
        title=title,
        summary=summary,
        starting_content=any(note.values()),
        courses=courses,
        lessons=_read_lessons(path, [step.name for step in steps if step.kind == "lesson"], faults),
        items=items,
        assessments=_read_assessments(path, named["items"], faults, named["assessments"]),
    )
    _check_whole(pack, steps, named["assessments"], faults)
    return pack


def _read_course(entry: Fields) -> PackCourse:
    modules = []
    for module in entry.many("modules"):
        steps = tuple(_read_step(step) for step in module.many("steps"))
        modules.append(
            PackModule(
                key=module.key(),
                slug=module.slug("slug"),
                title=module.words("title"),
                summary=module.words("summary", required=False),
                steps=steps,
            )
        )
        module.close()
    course = PackCourse(
        key=entry.key(),
        slug=entry.slug("slug"),
        title=entry.words("title"),
        lead=entry.words("lead", required=False),
        description=_rich_words(entry, "description", headings=("h3",)),
        outcomes=entry.word_lists("outcomes"),
        audience=entry.words("audience", required=False),
        order=entry.choice("order", ("sequence", "free"), "sequence"),
        valid_months=entry.whole("valid_months", least=1),
        modules=tuple(modules),
    )
    entry.close()
    return course


def _read_step(entry: Fields) -> PackStep:
    kind = "lesson" if entry.has("lesson") else "assessment"
    step = PackStep(kind=kind, name=entry.slug(kind), key=entry.key())
    entry.close()
    return step


def _rich_words(
    entry: Fields, name: str, *, headings: Sequence[str] = (), required: bool = False
) -> dict[str, str]:
    """Markdown in every language, as the HTML of a rich text field."""
    texts = entry.words(name, required=required, markdown=True)
    return {
        language: make_rich_text(text, place=f"{entry.place}, {name}, {language}", headings=headings)
        if text
        else ""
        for language, text in texts.items()
    }


# --- Lessons ----------------------------------------------------------------------------------------------------


def _read_lessons(path: Path, names: Sequence[str], faults: Faults | None) -> dict[str, PackLesson]:
    lessons = {}
    for name in names:
        with _keep(faults):
            lessons[name] = _read_lesson(path, name)
    return lessons


def _read_lesson(path: Path, name: str) -> PackLesson:
    source, blocks = _read_lesson_file(path, SOURCE_LANGUAGE, name)
    title, lead = {SOURCE_LANGUAGE: source.text("title", longest=200)}, {SOURCE_LANGUAGE: source.text("lead")}
    minutes = source.whole("minutes", least=1)
    if minutes is None:
        raise source.refuse("minutes", _("a whole number from %(least)d is expected.") % {"least": 1})
    required, public = source.flag("required", default=True), source.flag("public")
    mappings = tuple(_read_mapping(entry) for entry in source.many("competencies", required=False))
    source.close()
    by_language = {SOURCE_LANGUAGE: blocks}
    for language in LANGUAGES:
        if language == SOURCE_LANGUAGE:
            continue
        words, by_language[language] = _read_lesson_file(path, language, name)
        title[language], lead[language] = words.text("title", longest=200), words.text("lead")
        words.close()
    return PackLesson(
        name=name,
        title=title,
        lead=lead,
        minutes=minutes,
        required=required,
        public=public,
        mappings=mappings,
        blocks=by_language,
    )


def _read_lesson_file(path: Path, language: str, name: str) -> tuple[Fields, list[RawBlock]]:
    file = f"{language}/{name}.md"
    head, body = read_front_matter(path / language / f"{name}.md")
    whole = (path / language / f"{name}.md").read_text(encoding="utf-8")
    # Where the text begins, so that each mistake is found by its line.
    first_line = whole[: whole.find(body)].count("\n") + 1 if body else 1
    return Fields(head, file), split_blocks(body, file=file, first_line=first_line)


def _read_mapping(entry: Fields) -> Mapping_:
    mapping = (entry.text("code"), entry.choice("level", LEVELS), entry.choice("counts", COUNTS))
    entry.close()
    return mapping


def _list_entries_of(path: Path, name: str, faults: Faults | None) -> Iterator[Fields]:
    """The entries of `<name>.yaml`, then those of each file in `<name>/`, so that a large pack has a file a module."""
    for file in [path / f"{name}.yaml", *sorted((path / name).glob("*.yaml"))]:
        if file.exists():
            entries: list[Fields] = []
            with _keep(faults):
                entries = list(list_entries(read_yaml(file) or [], file.relative_to(path).as_posix()))
            yield from entries


# --- Items ------------------------------------------------------------------------------------------------------


def _read_items(
    path: Path, faults: Faults | None = None, named: set[str] | None = None
) -> dict[str, PackItem]:
    items: dict[str, PackItem] = {}
    for entry in _list_entries_of(path, "items", faults):
        if named is not None:
            named.add(str(entry.data.get("key")))
        with _keep(faults):
            item = _read_item(entry)
            if item.key in items:
                raise refuse(entry.place, _("another item has this key."))
            items[item.key] = item
    return items


def _read_item(entry: Fields) -> PackItem:
    kind = entry.choice("kind", ITEM_KINDS)
    competency = entry.competency(required=True)
    assert competency is not None
    right, wrong = _read_feedback(entry, kind)
    item = PackItem(
        place=entry.place,
        key=entry.slug("key"),
        id=entry.key(),
        kind=kind,
        competency=competency,
        tags=tuple(entry.texts("tags")),
        points=entry.number("points", default="1"),
        stem=_rich_words(entry, "stem", required=True),
        options=tuple(_read_option(option) for option in entry.many("options"))
        if kind in {"single", "multiple"}
        else (),
        partial=(entry.take("partial") or "per_option") if kind in {"single", "multiple"} else "per_option",
        answer_true=entry.flag("answer") if kind == "true_false" else False,
        answer=entry.number("answer") if kind == "numeric" else None,
        tolerance=entry.number("tolerance", default="0") if kind == "numeric" else Decimal(0),
        unit=entry.words("unit", required=False) if kind == "numeric" else dict.fromkeys(LANGUAGES, ""),
        accept=_read_accepted(entry) if kind == "short_text" else {language: [] for language in LANGUAGES},
        feedback_right=right,
        feedback_wrong=wrong,
        general_feedback=_rich_words(entry, "general_feedback"),
    )
    if item.partial not in {"per_option", "all_or_nothing"}:
        raise entry.refuse("partial", _("per_option or all_or_nothing is expected."))
    entry.close()
    return item


def _read_option(entry: Fields) -> dict[str, Any]:
    option = {
        "key": entry.slug("key"),
        "correct": entry.flag("correct"),
        "text": _rich_words(entry, "text", required=True),
        "feedback": _rich_words(entry, "feedback"),
    }
    entry.close()
    return option


def _read_accepted(entry: Fields) -> dict[str, list[str]]:
    inner = entry.inner("accept", required=True)
    assert inner is not None
    accepted = {language: inner.texts(language) for language in LANGUAGES}
    inner.close()
    if not all(accepted.values()):
        raise entry.refuse("accept", _("each language needs at least one answer."))
    return accepted


def _read_feedback(entry: Fields, kind: str) -> tuple[Words, Words]:
    """The texts for right and wrong; for true or false, those for having said so."""
    empty = dict.fromkeys(LANGUAGES, "")
    inner = entry.inner("feedback") if kind in {"true_false", "numeric", "short_text"} else None
    if inner is None:
        return empty, empty
    # YAML reads the bare words true and false as such.
    names: tuple[Any, Any] = (True, False) if kind == "true_false" else ("right", "wrong")
    texts = tuple(_rich_words(inner, name) for name in names)
    inner.close()
    return texts[0], texts[1]


# --- Assessments ------------------------------------------------------------------------------------------------


def _read_assessments(
    path: Path, items: Collection[str], faults: Faults | None = None, named: set[str] | None = None
) -> dict[str, PackAssessment]:
    assessments: dict[str, PackAssessment] = {}
    for entry in _list_entries_of(path, "assessments", faults):
        if named is not None:
            named.add(str(entry.data.get("key")))
        with _keep(faults):
            assessment = _read_assessment(entry, items)
            if assessment.key in assessments:
                raise refuse(entry.place, _("another assessment has this key."))
            assessments[assessment.key] = assessment
    return assessments


def _read_assessment(entry: Fields, items: Collection[str]) -> PackAssessment:
    kind = entry.choice("kind", ("quiz", "assignment", "evaluation"))
    shuffle = entry.inner("shuffle") or Fields({}, entry.place)
    submission = entry.inner("submission") or Fields({}, entry.place)
    claimed = {
        (one.text("code"), one.choice("level", LEVELS)) for one in entry.many("competencies", required=False)
    }
    rubric = tuple(_read_criterion(one) for one in entry.many("rubric")) if kind == "assignment" else ()
    assessment = PackAssessment(
        place=entry.place,
        key=entry.slug("key"),
        id=entry.key(),
        kind=kind,
        title=entry.words("title"),
        intro=_rich_words(entry, "intro", headings=("h3",)),
        minutes=entry.whole("minutes", default=15, least=1) or 15,
        time_limit=entry.whole("time_limit", least=1),
        pass_mark=entry.number("pass_mark", default="0" if kind == "evaluation" else None),
        attempts=entry.whole("attempts", least=1),
        feedback=entry.choice("feedback", FEEDBACK, "after_submit"),
        shuffle_items=shuffle.flag("items"),
        shuffle_options=shuffle.flag("options", default=True),
        sections=tuple(_read_section(one, items) for one in entry.many("sections"))
        if kind != "assignment"
        else (),
        rubric=rubric,
        allow_text=submission.flag("text", default=True),
        allow_files=submission.flag("files"),
        max_files=submission.whole("max_files", default=3, least=0) or 0,
    )
    shuffle.close()
    submission.close()
    entry.close()
    served = {criterion["competency"] for criterion in rubric}
    if claimed - served:
        raise entry.refuse(
            "competencies",
            _("no criterion of the rubric serves %(codes)s.")
            % {"codes": ", ".join(f"{code} {level}" for code, level in sorted(claimed - served))},
        )
    return assessment


def _read_section(entry: Fields, items: Collection[str]) -> PackSection:
    chosen = tuple(entry.texts("items"))
    unknown = [key for key in chosen if key not in items]
    if unknown:
        raise entry.refuse("items", _("the pack’s items have no %(keys)s.") % {"keys": ", ".join(unknown)})
    bank = entry.inner("from") or Fields({}, entry.place)
    section = PackSection(
        title=entry.words("title", required=False),
        items=chosen,
        draw=entry.whole("draw", least=1),
        tag=bank.text("tag", required=False),
        competency=bank.text("competency", required=False),
    )
    bank.close()
    entry.close()
    if not (chosen or section.tag or section.competency):
        raise refuse(entry.place, _("the section names no items."))
    return section


def _read_criterion(entry: Fields) -> dict[str, Any]:
    levels = []
    for level in entry.many("levels"):
        levels.append(
            {
                "points": level.number("points"),
                "title": level.words("title"),
                "text": level.words("text", required=False),
            }
        )
        level.close()
    criterion = {
        "key": entry.slug("key"),
        "title": entry.words("title"),
        "competency": entry.competency(),
        "levels": levels,
    }
    entry.close()
    return criterion


# --- The whole --------------------------------------------------------------------------------------------------


def _check_whole(
    pack: TrainingPack, steps: Sequence[PackStep], assessments: Collection[str], faults: Faults | None
) -> None:
    for step in steps:
        if step.kind == "assessment" and step.name not in assessments:
            with _keep(faults):
                raise refuse(
                    "pack.yaml",
                    _("the assessment “%(name)s” is not among the pack’s assessments.") % {"name": step.name},
                )
    keys = [
        pack.key,
        *(step.key for step in steps),
        *(course.key for course in pack.courses),
        *(module.key for course in pack.courses for module in course.modules),
        *(item.id for item in pack.items.values()),
        *(assessment.id for assessment in pack.assessments.values()),
    ]
    twice = sorted({str(key) for key in keys if keys.count(key) > 1})
    with _keep(faults):
        if twice:
            raise PackError(_("The pack uses an id twice: %(ids)s.") % {"ids": ", ".join(twice)})
    lessons = {step.name for step in steps if step.kind == "lesson"}
    for language in LANGUAGES:
        stray = sorted(file.stem for file in (pack.path / language).glob("*.md") if file.stem not in lessons)
        with _keep(faults):
            if stray:
                raise refuse(
                    "pack.yaml",
                    _("no step names the lessons %(names)s of the folder %(folder)s.")
                    % {"names": ", ".join(stray), "folder": language},
                )
