"""From the pages that authors edit to the text of a course edition.

Only published pages count: a draft, or a change that is not published yet, is left out and named. Order, keys,
requirements, mappings, options and what is right come from the source language; the other languages give words. A
translation that is missing or differs in structure is a problem, and an edition with a problem is not issued.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.utils.translation import gettext as _
from wagtail.models import Locale, Page

from assessments.documents import AssessmentDocument, CompetencyRef
from assessments.models import AssessmentEdition
from assessments.services import issue_assessment_edition
from core.canonical import digest
from core.errors import DomainError
from modules.assets import Asset
from modules.citations import load_sources
from modules.documents import (
    FrameworkRef,
    Mapped,
    Outline,
    OutlineModule,
    OutlineStep,
    TrainingRef,
    Words,
)
from modules.pages import AssessmentPage, CoursePage, LessonPage, ModulePage, TrainingPage
from modules.render import RenderedLesson, cited_in, clean_rich_text, render_lesson
from modules.structure import align_translation
from standards.models import FrameworkEdition

LANGUAGES: Final = ("en", "fr")


@dataclass(frozen=True)
class Problem:
    """Why an edition cannot be issued, or what will be left out of it, with the page to mend."""

    sentence: str
    page_id: int | None = None
    page_title: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class CompiledStep:
    """One step in one language, as `StepContent` keeps it."""

    key: uuid.UUID
    language: str
    title: str
    lead: str = ""
    segments: Sequence[Mapping[str, Any]] = ()
    keys: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    assets: Sequence[Asset] = ()
    text: str = ""

    @property
    def digest(self) -> str:
        return digest(
            {
                "title": self.title,
                "lead": self.lead,
                "segments": list(self.segments),
                "keys": dict(self.keys),
                "sources": list(self.sources),
                "assets": [asset.to_json() for asset in self.assets],
            }
        )


@dataclass(kw_only=True)
class CompiledCourse:
    """A course as it would be issued now: its text, its files, what blocks it and what it leaves out."""

    outline: Outline
    steps: list[CompiledStep]
    assessments: dict[uuid.UUID, AssessmentEdition]
    problems: list[Problem]
    left_out: list[Problem]

    @property
    def digest(self) -> str:
        return digest(self.outline.to_digest_json())

    @property
    def assets(self) -> dict[str, Asset]:
        """Each file once."""
        return {asset.file: asset for step in self.steps for asset in step.assets}


class Report(Protocol):
    """Told how far the compiling is: so many steps, each in each language, of all."""

    def __call__(self, *, done: int = 0, total: int = 0, doing: str = "") -> object: ...


def say_nothing(*, done: int = 0, total: int = 0, doing: str = "") -> None:
    """Nobody watches."""


def compile_course(
    *, course: CoursePage, framework_edition: FrameworkEdition, progress: Report = say_nothing
) -> CompiledCourse:
    """Compiles the published pages of a course. `course` is the page in the source language.

    Issues the editions of its assessments, so call it inside a transaction (and roll that back for a preview).
    Queries: 9 for the tree in two languages, 1 for the mappings' codes, 1 for sources, those of files, and those of
    each assessment.
    """
    progress(doing="reading")
    return _Compiler(course, framework_edition, progress).compile()


class _Tree:
    """The published pages of a course with their translations."""

    def __init__(self, course: CoursePage) -> None:
        self.course = course
        self.source = course.locale.language_code
        self.locales = {locale.id: locale.language_code for locale in Locale.objects.all()}
        parent = course.get_parent()
        self.training = TrainingPage.objects.get(pk=parent.pk)
        self.modules = list(ModulePage.objects.child_of(course).live().order_by("path"))
        lessons = list(
            LessonPage.objects.descendant_of(course).live().prefetch_related("mappings").order_by("path")
        )
        assessments = list(
            AssessmentPage.objects.descendant_of(course).live().select_related("assessment").order_by("path")
        )
        self.steps: dict[str, list[LessonPage | AssessmentPage]] = defaultdict(list)
        for page in sorted([*lessons, *assessments], key=lambda page: page.path):
            self.steps[page.path[: -page.steplen]].append(page)
        self.words = self._find_words([self.training, course, *self.modules, *lessons, *assessments])
        self.drafts = list(
            Page.objects.descendant_of(course, inclusive=True)
            .filter(live=False)
            .order_by("path")
            .values_list("pk", "title")
        )
        self.changed = list(
            Page.objects.descendant_of(course, inclusive=True)
            .filter(live=True, has_unpublished_changes=True)
            .order_by("path")
            .values_list("pk", "title")
        )

    def _find_words(self, pages: Iterable[Any]) -> dict[uuid.UUID, dict[str, Any]]:
        """Every published language of each page, by translation key. One query a kind of page."""
        found: dict[uuid.UUID, dict[str, Any]] = defaultdict(dict)
        by_model: dict[Any, list[uuid.UUID]] = defaultdict(list)
        for page in pages:
            found[page.translation_key][self.source] = page
            by_model[type(page)].append(page.translation_key)
        for model, keys in by_model.items():
            others = model.objects.filter(translation_key__in=keys, live=True)
            for page in others.exclude(locale_id=self.course.locale_id):
                found[page.translation_key][self.locales[page.locale_id]] = page
        return found


class _Compiler:
    def __init__(self, course: CoursePage, framework_edition: FrameworkEdition, progress: Report) -> None:
        self.tree = _Tree(course)
        self.progress = progress
        self.framework = framework_edition
        self.codes = dict(framework_edition.competencies.values_list("competency_id", "code"))
        spoken = self.tree.words[course.translation_key]
        self.languages = tuple(
            sorted((name for name in LANGUAGES if name in spoken), key=lambda name: name != self.tree.source)
        )
        cited = {
            slug
            for versions in self.tree.words.values()
            for page in versions.values()
            if isinstance(page, LessonPage)
            for slug in cited_in(page.body)
        }
        self.sources = load_sources(cited)
        self.problems: list[Problem] = []
        self.steps: list[CompiledStep] = []
        self.assessments: dict[uuid.UUID, AssessmentEdition] = {}

    def compile(self) -> CompiledCourse:
        course = self.tree.course
        if len(self.languages) < len(LANGUAGES):
            self._complain(
                _("The course has no published translation yet. Translate it and publish the translation."),
                course,
            )
        modules = tuple(self._compile_module(module) for module in self.tree.modules)
        outline = Outline(
            key=course.translation_key,
            slug=course.slug,
            title=self._words(course, "title"),
            lead=self._words(course, "lead"),
            description_html=self._words(course, "description", clean_rich_text),
            outcomes=self._outcomes(course),
            audience=self._words(course, "audience"),
            order=course.order,
            valid_months=course.valid_months,
            starting_content=self._is_starting_content(),
            training=TrainingRef(
                key=self.tree.training.translation_key,
                slug=self.tree.training.slug,
                title=self._words(self.tree.training, "title"),
                summary=self._words(self.tree.training, "summary"),
            ),
            framework=FrameworkRef(
                edition=self.framework.pk,
                number=self.framework.number,
                slug=self.framework.slug,
                title={"en": self.framework.title_en, "fr": self.framework.title_fr},
                digest=self.framework.digest,
            ),
            languages=self.languages,
            modules=tuple(module for module in modules if module.steps),
        )
        self._check_outline(outline)
        return CompiledCourse(
            # Written and read again, so that what is hashed is exactly what will be read.
            outline=Outline.from_json(outline.to_json()) if not self.problems else outline,
            steps=self.steps,
            assessments=self.assessments,
            problems=self.problems,
            left_out=self._left_out(),
        )

    def _complain(self, sentence: str, page: Any, language: str = "") -> None:
        self.problems.append(
            Problem(sentence, page_id=page.pk, page_title=page.title, language=language or self.tree.source)
        )

    def _left_out(self) -> list[Problem]:
        drafts = [
            Problem(_("It is not published, so it stays out of this edition."), page_id=pk, page_title=title)
            for pk, title in self.tree.drafts
        ]
        changed = [
            Problem(_("It has changes that are not published; they stay out of this edition."), pk, title)
            for pk, title in self.tree.changed
        ]
        return drafts + changed

    def _is_starting_content(self) -> bool:
        pages = [self.tree.course, *(page for steps in self.tree.steps.values() for page in steps)]
        return any(getattr(page, "starting_content", False) for page in pages)

    def _words(self, page: Any, name: str, make: Any = str) -> Words:
        """A field of a page in every language that has any."""
        versions = self.tree.words[page.translation_key]
        return {
            language: text
            for language in self.languages
            if language in versions and (text := make(getattr(versions[language], name)))
        }

    def _outcomes(self, course: CoursePage) -> tuple[Words, ...]:
        lists = {
            language: [str(block.value) for block in version.outcomes]
            for language, version in self.tree.words[course.translation_key].items()
            if language in self.languages
        }
        if len({len(texts) for texts in lists.values()}) > 1:
            self._complain(
                _(
                    "The languages differ in the number of things that a person can do afterwards. Make them the same."
                ),
                course,
            )
        return tuple(
            {language: texts[place] for language, texts in lists.items() if place < len(texts)}
            for place in range(len(lists[self.tree.source]))
        )

    def _compile_module(self, module: ModulePage) -> OutlineModule:
        self._check_translated(module)
        steps = [self._compile_step(page) for page in self.tree.steps[module.path]]
        return OutlineModule(
            key=module.translation_key,
            slug=module.slug,
            title=self._words(module, "title"),
            summary=self._words(module, "summary"),
            steps=tuple(steps),
        )

    def _compile_step(self, page: LessonPage | AssessmentPage) -> OutlineStep:
        pages = sum(len(steps) for steps in self.tree.steps.values())
        self.progress(done=len(self.steps), total=pages * len(self.languages), doing="compiling")
        if isinstance(page, LessonPage):
            return self._compile_lesson(page)
        return self._compile_assessment(page)

    def _check_translated(self, page: Any) -> None:
        for language in self.languages:
            if language not in self.tree.words[page.translation_key]:
                self._complain(
                    _(
                        "It has no published text in %(language)s yet. Translate it and publish the translation."
                    )
                    % {"language": describe_language(language)},
                    page,
                    language,
                )

    # --- Lessons ----------------------------------------------------------------------------------------------

    def _compile_lesson(self, page: LessonPage) -> OutlineStep:
        self._check_translated(page)
        versions = self.tree.words[page.translation_key]
        source = self._render(page, self.tree.source)
        digests: dict[str, str] = {}
        for language in self.languages:
            version = versions.get(language)
            if version is None:
                continue
            lesson = source if version is page else self._render(version, language)
            if version is not page:
                for sentence in align_translation(
                    source=source, translation=lesson, source_body=page.body, translated_body=version.body
                ):
                    self._complain(sentence, version, language)
            digests[language] = self._keep(version, language, lesson)
        return OutlineStep(
            key=page.translation_key,
            slug=page.slug,
            kind="lesson",
            title=self._words(page, "title"),
            lead=self._words(page, "lead"),
            minutes=page.minutes,
            required=page.required,
            open_to_public=page.open_to_public,
            competencies=self._mapped(page),
            parts=tuple(source.parts),
            origin=page.origin_key,
            digests=digests,
        )

    def _render(self, page: LessonPage, language: str) -> RenderedLesson:
        lesson = render_lesson(body=page.body, language=language, sources=self.sources)
        for sentence in lesson.problems:
            self._complain(sentence, page, language)
        if not lesson.segments:
            self._complain(_("The lesson has no text yet."), page, language)
        return lesson

    def _keep(self, page: LessonPage, language: str, lesson: RenderedLesson) -> str:
        step = CompiledStep(
            key=page.translation_key,
            language=language,
            title=page.title,
            lead=page.lead,
            segments=lesson.segments,
            keys=lesson.keys,
            sources=lesson.sources,
            assets=lesson.assets,
            text=f"{page.lead} {lesson.text}".strip(),
        )
        self.steps.append(step)
        return step.digest

    def _mapped(self, page: LessonPage) -> tuple[Mapped, ...]:
        mapped = []
        for mapping in page.mappings.all():
            code = self.codes.get(mapping.competency_id)
            if code is None:
                self._complain(
                    _("It is mapped to a competency that edition %(number)d of the standards does not hold.")
                    % {"number": self.framework.number},
                    page,
                )
                continue
            mapped.append(
                Mapped(id=str(mapping.competency_id), code=code, level=mapping.level, counts=mapping.counts)
            )
        return tuple(mapped)

    # --- Assessments ------------------------------------------------------------------------------------------

    def _compile_assessment(self, page: AssessmentPage) -> OutlineStep:
        self._check_translated(page)
        edition: AssessmentEdition | None = None
        document: AssessmentDocument | None = None
        if page.assessment is None:
            self._complain(_("It holds no assessment yet. Choose one."), page)
        else:
            try:
                edition = issue_assessment_edition(
                    assessment=page.assessment, framework_edition=self.framework
                )
            except DomainError as error:
                self._complain(str(error), page)
                for sentence in (text for texts in error.errors.values() for text in texts):
                    self._complain(sentence, page)
        digests: dict[str, str] = {}
        if edition is not None:
            self.assessments[page.translation_key] = edition
            document = AssessmentDocument.from_json(edition.document)
            for language in self.languages:
                version = self.tree.words[page.translation_key].get(language)
                if version is None:
                    continue
                intro = document.intro_html.get(language, "")
                step = CompiledStep(
                    key=page.translation_key,
                    language=language,
                    title=version.title,
                    segments=[{"type": "html", "html": intro}] if intro else [],
                )
                self.steps.append(step)
                digests[language] = step.digest
        return OutlineStep(
            key=page.translation_key,
            slug=page.slug,
            kind=edition.kind if edition else "quiz",
            title=self._words(page, "title"),
            minutes=(document.minutes if document else None) or 0,
            required=page.required,
            competencies=find_evidence(document) if document else (),
            assessment=str(edition.pk) if edition else "",
            assessment_digest=edition.digest if edition else "",
            origin=page.origin_key,
            digests=digests,
        )

    # --- The whole --------------------------------------------------------------------------------------------

    def _check_outline(self, outline: Outline) -> None:
        course = self.tree.course
        steps = list(outline.iter_steps())
        if not steps:
            self._complain(_("The course has no published lesson or assessment yet."), course)
        elif not any(step.required for step in steps):
            self._complain(
                _("No step is needed to complete the course, so nobody could complete it."), course
            )
        slugs = [step.slug for step in steps]
        for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1}):
            self._complain(
                _("Two steps of the course have the address “%(slug)s”. Give one of them another slug.")
                % {"slug": slug},
                course,
            )
        # A person sits an assessment once in a course: two steps with the same one would share its attempts.
        held = [step.assessment for step in steps if step.assessment]
        for step in steps:
            if step.assessment and held.count(step.assessment) > 1:
                self._complain(
                    _(
                        "Another step of the course holds the same assessment as “%(title)s”. "
                        "Copy it, or take one away."
                    )
                    % {"title": step.title.get(self.tree.source, "")},
                    course,
                )
                break


def find_evidence(document: AssessmentDocument) -> tuple[Mapped, ...]:
    """What passing an assessment is evidence of: each competency at each level, once, by code."""
    refs: dict[tuple[str, str], CompetencyRef] = {}
    found = [
        *document.competencies,
        *(item.competency for item in document.iter_items()),
        *(criterion.competency for criterion in document.rubric),
    ]
    for ref in found:
        if ref is not None:
            refs.setdefault((ref.code, ref.level), ref)
    return tuple(
        Mapped(id=ref.id, code=ref.code, level=ref.level, counts="evidence")
        for _place, ref in sorted(refs.items(), key=lambda entry: entry[0])
    )


def describe_language(code: str) -> str:
    """The language's name in the language in force."""
    return {"en": _("English"), "fr": _("French")}.get(code, code)
