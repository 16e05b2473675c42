"""Loads a training pack (`docs/packs.md`) into the CMS: sources, items, assessments, then pages in both languages.

Loading again changes nothing. What was written is remembered by its digest, so that an editor's later change is seen,
kept and reported. A pack is loaded whole or not at all.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Locale, Page

from assessments.models import Assessment
from core.canonical import digest
from modules.loaded_values import describe_page
from modules.markdown import make_body
from modules.models import CourseEdition
from modules.pack_fields import LANGUAGES, SOURCE_LANGUAGE, refuse
from modules.pack_items import SnippetLoader
from modules.pack_reader import PackCourse, PackLesson, PackModule, TrainingPack, read_training_pack
from modules.pages import (
    AssessmentPage,
    AuthoredPage,
    CoursePage,
    LessonMapping,
    LessonPage,
    ModulePage,
    TrainingPage,
)
from modules.selectors import latest_edition
from modules.services import issue_course_edition, preview_course_edition
from modules.tally import Tally
from standards.models import Competency
from standards.packs_loader import PackError, find_roots, load_sources
from standards.pages import FrameworkPage

Report = Callable[[str], None]
Pages = dict[str, AuthoredPage]
PACKS: Final = Path(__file__).parent / "packs"


@transaction.atomic
def load_training_pack(
    path: Path, *, report: Report, replace: bool = False, issue: bool = False
) -> list[CourseEdition]:
    """Load a training pack whole or not at all, and issue the first edition of each course that has none.

    `report` is called with one sentence for each thing worth knowing. With `issue`, a course whose text has changed
    gets its next edition too; without, that is said and left to an author, who sees whom it touches. Returns the
    editions in force. Raises PackError, or CourseRefused where the pages make no edition.
    """
    pack = read_training_pack(path)
    load_sources(path, report=report, replace=replace)
    tally = Tally(report=report, replace=replace)
    framework_key, competencies = find_competencies(pack)
    snippets = SnippetLoader(pack, tally=tally, competencies=competencies)
    snippets.load()
    report(_("Training %(slug)s: items and assessments are in place.") % {"slug": pack.slug})
    courses = _PageLoader(pack, snippets, tally).load(framework_key)
    report(
        _(
            "Training %(slug)s: %(made)d made, %(changed)d changed, %(same)d as they were, %(edited)d kept as edited."
        )
        % {
            "slug": pack.slug,
            "made": tally.made,
            "changed": tally.changed,
            "same": tally.same,
            "edited": tally.edited,
        }
    )
    return [edition for course in courses if (edition := _issue(course, report=report, issue=issue))]


def find_competencies(pack: TrainingPack) -> tuple[uuid.UUID, dict[str, uuid.UUID]]:
    """The framework that a pack names, and its competencies by code. Two queries."""
    framework = FrameworkPage.objects.filter(
        slug=pack.framework, locale__language_code=SOURCE_LANGUAGE
    ).first()
    if framework is None:
        raise PackError(
            _(
                "The pack %(slug)s is mapped to the framework %(framework)s, which is not loaded. Load that pack first."
            )
            % {"slug": pack.slug, "framework": pack.framework}
        )
    key = framework.translation_key
    return key, dict(Competency.objects.filter(framework_key=key).values_list("code", "id"))


def _issue(course: CoursePage, *, report: Report, issue: bool) -> CourseEdition | None:
    latest = latest_edition(course.translation_key)
    if latest is None or issue:
        edition = issue_course_edition(
            course_page=course, note=_("As loaded from its pack.") if latest is None else ""
        )
        if latest is None or edition.pk != latest.pk:
            report(
                _("Course %(slug)s: edition %(number)d was issued.")
                % {"slug": course.slug, "number": edition.number}
            )
        return edition
    if (same_as := preview_course_edition(course_page=course).same_as) is None or same_as.pk != latest.pk:
        report(
            _(
                "Course %(slug)s: its text differs from edition %(number)d. Issue an edition in the CMS, where you see "
                "whom it touches, or load with --issue."
            )
            % {"slug": course.slug, "number": latest.number}
        )
    return latest


class PackFiles:
    """A pack's files as documents and pictures of the CMS, each once."""

    def __init__(self, pack: TrainingPack) -> None:
        self.folder = pack.path / "files"
        self.known: dict[str, int] = {}

    def _read(self, name: str, place: str) -> bytes:
        path = self.folder / name
        # Nothing from outside the pack: no way up, and no link out of it.
        if "/" in name or path.is_symlink() or not path.is_file():
            raise refuse(place, _("the folder “files” has no %(name)s.") % {"name": name})
        return path.read_bytes()

    def document(self, name: str, *, place: str) -> int:
        return self._keep(get_document_model(), name, place)

    def image(self, name: str, *, place: str) -> int:
        return self._keep(get_image_model(), name, place)

    def _keep(self, model: Any, name: str, place: str) -> int:
        if name in self.known:
            return self.known[name]
        content = self._read(name, place)
        for kept in model.objects.filter(title=name).order_by("pk"):
            with kept.file.open("rb") as stream:
                if stream.read() == content:
                    self.known[name] = kept.pk
                    return self.known[name]
        made = model(title=name, file=ContentFile(content, name=name))
        if model is get_document_model():
            # Not done by save(), which trusts that a form has done it.
            made._set_document_file_metadata()
        made.save()
        self.known[name] = made.pk
        return self.known[name]


class _PageLoader:
    """Writes the tree in English, then its French copies, and publishes what it wrote."""

    def __init__(self, pack: TrainingPack, snippets: SnippetLoader, tally: Tally) -> None:
        self.pack, self.snippets, self.tally = pack, snippets, tally
        self.files = PackFiles(pack)
        self.locales = {locale.language_code: locale for locale in Locale.objects.all()}

    def load(self, framework_key: uuid.UUID) -> list[CoursePage]:
        pack = self.pack
        training = self._write(
            TrainingPage,
            pack.key,
            find_roots(),
            pack.slug,
            {
                language: {
                    "title": pack.title[language],
                    "summary": pack.summary[language],
                    "framework_key": framework_key,
                    "starting_content": pack.starting_content,
                }
                for language in LANGUAGES
            },
        )
        return [self._load_course(course, training) for course in pack.courses]

    def _load_course(self, course: PackCourse, training: Pages) -> CoursePage:
        pages = self._write(
            CoursePage,
            course.key,
            training,
            course.slug,
            {language: self._course_values(course, language) for language in LANGUAGES},
        )
        known = self._known_children(pages)
        for module in course.modules:
            self._load_module(module, pages)
        self._arrange(pages, known, [module.key for module in course.modules])
        page = pages[SOURCE_LANGUAGE]
        assert isinstance(page, CoursePage)
        return page

    def _course_values(self, course: PackCourse, language: str) -> dict[str, Any]:
        outcomes = [
            {"type": "outcome", "id": str(uuid.uuid5(course.key, f"outcome:{number}")), "value": text}
            for number, text in enumerate(course.outcomes[language])
        ]
        return {
            "title": course.title[language],
            "lead": course.lead[language],
            "description": course.description[language],
            "outcomes": json.dumps(outcomes),
            "audience": course.audience[language],
            "order": course.order,
            "valid_months": course.valid_months,
            "starting_content": self.pack.starting_content,
        }

    def _load_module(self, module: PackModule, course: Pages) -> None:
        pages = self._write(
            ModulePage,
            module.key,
            course,
            module.slug,
            {
                language: {"title": module.title[language], "summary": module.summary[language]}
                for language in LANGUAGES
            },
        )
        known = self._known_children(pages)
        for step in module.steps:
            if step.kind == "lesson":
                self._load_lesson(self.pack.lessons[step.name], step.key, pages)
            else:
                self._load_assessment(step.name, step.key, pages)
        self._arrange(pages, known, [step.key for step in module.steps])

    def _load_lesson(self, lesson: PackLesson, key: uuid.UUID, module: Pages) -> None:
        source = make_body(lesson.blocks[SOURCE_LANGUAGE], step=key, files=self.files)
        values = {}
        for language in LANGUAGES:
            body = source
            if language != SOURCE_LANGUAGE:
                body = make_body(lesson.blocks[language], step=key, files=self.files, source=source)
            values[language] = {
                "title": lesson.title[language],
                "lead": lesson.lead[language],
                "body": json.dumps(body),
                "minutes": lesson.minutes,
                "required": lesson.required,
                "open_to_public": lesson.public,
                "starting_content": self.pack.starting_content,
            }
        mappings = [
            (self._competency(code, lesson.name), level, counts) for code, level, counts in lesson.mappings
        ]
        self._write(LessonPage, key, module, lesson.name, values, mappings=mappings)

    def _competency(self, code: str, name: str) -> uuid.UUID:
        return self.snippets.competency(code, f"{SOURCE_LANGUAGE}/{name}.md")

    def _load_assessment(self, name: str, key: uuid.UUID, module: Pages) -> None:
        assessments: dict[str, Assessment] = {
            language: self.snippets.assessments[name, language] for language in LANGUAGES
        }
        self._write(
            AssessmentPage,
            key,
            module,
            name,
            {
                language: {"title": assessment.title, "assessment": assessment, "required": True}
                for language, assessment in assessments.items()
            },
        )

    # --- One page ---------------------------------------------------------------------------------------------

    def _write(
        self,
        model: type[AuthoredPage],
        key: uuid.UUID,
        parents: Mapping[str, Page],
        slug: str,
        values: Mapping[str, Mapping[str, Any]],
        *,
        mappings: Sequence[tuple[uuid.UUID, str, str]] = (),
    ) -> Pages:
        """The page in each language, as the file has it or as an editor left it."""
        pages: Pages = {}
        for language in LANGUAGES:
            page = model.objects.filter(translation_key=key, locale=self.locales[language]).first()
            if page is not None:
                pages[language] = self._change(page, values[language], mappings, f"{slug} ({language})")
                continue
            if language == SOURCE_LANGUAGE:
                made = model(
                    translation_key=key,
                    locale=self.locales[language],
                    title=values[language]["title"],
                    slug=slug,
                    live=False,
                )
                # The parent's row was read before its earlier children were added.
                Page.objects.get(pk=parents[language].pk).add_child(instance=made)
            else:
                made = pages[SOURCE_LANGUAGE].copy_for_translation(self.locales[language])
            self.tally.made += 1
            pages[language] = self._publish(made, values[language], mappings)
        return pages

    def _change(
        self,
        page: AuthoredPage,
        values: Mapping[str, Any],
        mappings: Sequence[tuple[uuid.UUID, str, str]],
        label: str,
    ) -> AuthoredPage:
        latest = page.get_latest_revision_as_object()
        # The same page as the file would have it, to compare like with like; never saved, and so no shared object.
        wanted = type(page).objects.get(pk=page.pk)
        self._fill(wanted, values, mappings)
        if not self.tally.may_write(
            label=label,
            wanted=describe_page(wanted),
            current=describe_page(latest),
            loaded=page.loaded_digest,
        ):
            return page
        return self._publish(latest, values, mappings)

    def _fill(
        self, page: AuthoredPage, values: Mapping[str, Any], mappings: Sequence[tuple[uuid.UUID, str, str]]
    ) -> None:
        for name, value in values.items():
            setattr(page, name, value)
        if isinstance(page, LessonPage):
            page.mappings = [
                LessonMapping(competency_id=competency, level=level, counts=counts, sort_order=number)
                for number, (competency, level, counts) in enumerate(mappings)
            ]

    def _publish(
        self,
        page: AuthoredPage,
        values: Mapping[str, Any],
        mappings: Sequence[tuple[uuid.UUID, str, str]],
    ) -> AuthoredPage:
        self._fill(page, values, mappings)
        page.loaded_digest = digest(describe_page(page))
        page.save_revision(clean=False).publish()
        page.refresh_from_db()
        return page

    # --- The order of the children ----------------------------------------------------------------------------

    def _known_children(self, parents: Pages) -> list[uuid.UUID]:
        """The children that stood there before the load, in order. One query."""
        return _children_of(parents[SOURCE_LANGUAGE])

    def _arrange(self, parents: Pages, known: Sequence[uuid.UUID], wanted: Sequence[uuid.UUID]) -> None:
        """Puts the children into the file's order where one was added; says what is no longer in the file."""
        now = _children_of(parents[SOURCE_LANGUAGE])
        gone = [key for key in now if key not in wanted]
        if gone:
            titles = Page.objects.filter(
                translation_key__in=gone, locale=self.locales[SOURCE_LANGUAGE]
            ).values_list("title", flat=True)
            self.tally.report(
                _("“%(parent)s” has pages that are not in its pack; they stay: %(titles)s.")
                % {"parent": parents[SOURCE_LANGUAGE].title, "titles": ", ".join(titles)}
            )
        ordered = [key for key in now if key in wanted]
        if ordered == list(wanted):
            return
        # Without a new child the order is an editor's, or the file's own changed: only --replace decides that.
        if set(now) == set(known) and not self.tally.replace:
            self.tally.edited += 1
            self.tally.report(
                _("“%(parent)s”: its pages stand in another order than in the pack, and stay so.")
                % {"parent": parents[SOURCE_LANGUAGE].title}
            )
            return
        for parent in parents.values():
            for key in [*wanted, *gone]:
                child = Page.objects.filter(translation_key=key, locale_id=parent.locale_id).first()
                if child is not None:
                    child.move(Page.objects.get(pk=parent.pk), pos="last-child")


def _children_of(parent: AuthoredPage) -> list[uuid.UUID]:
    children = Page.objects.child_of(Page.objects.get(pk=parent.pk)).order_by("path")
    return list(children.values_list("translation_key", flat=True))
