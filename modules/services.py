"""Writes of trainings: issuing a course edition, and what it would be."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Subject
from accounts.services import record_audit
from core.errors import DomainError
from modules.assets import store_asset
from modules.compile import CompiledCourse, Problem, Report, compile_course, say_nothing
from modules.documents import Outline
from modules.models import CourseEdition, EditionAssessment, StepContent
from modules.pages import CoursePage, TrainingPage
from modules.selectors import latest_edition
from modules.signals import course_edition_issued
from standards.models import FrameworkEdition
from standards.selectors import current_edition

SOURCE_LANGUAGE = "en"


class CourseRefused(DomainError):
    """The pages do not make an edition yet; `problems` say why, with the page to mend."""

    code = "course_refused"

    def __init__(self, problems: list[Problem]) -> None:
        sentences = [
            f"{problem.page_title}: {problem.sentence}" if problem.page_title else problem.sentence
            for problem in problems
        ]
        super().__init__(
            _("No edition was issued. %(problems)s") % {"problems": " ".join(sentences)},
            errors={"course": sentences},
        )
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class CoursePreview:
    """What issuing an edition now would do: nothing of it was kept."""

    number: int
    outline: Outline | None
    before: Outline | None
    latest: CourseEdition | None
    framework: FrameworkEdition | None
    problems: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    same_as: CourseEdition | None = None


def find_source_course(page: CoursePage) -> CoursePage:
    """The course's page in the source language, itself where it is that. At most one query."""
    if page.locale.language_code == SOURCE_LANGUAGE:
        return page
    found: CoursePage | None = CoursePage.objects.filter(
        translation_key=page.translation_key, locale__language_code=SOURCE_LANGUAGE
    ).first()
    return found or page


def find_framework_edition(course: CoursePage) -> FrameworkEdition | None:
    """The edition of the standards in force for the course's training. Two queries."""
    training = TrainingPage.objects.filter(pk=course.get_parent().pk).only("framework_key").first()
    return current_edition(training.framework_key) if training and training.framework_key else None


@transaction.atomic
def issue_course_edition(
    *,
    course_page: CoursePage,
    issued_by: Subject | None = None,
    note: str = "",
    progress: Report = say_nothing,
) -> CourseEdition:
    """Compile the published pages of a course into its next edition, in every language.

    `progress` is told how many steps are compiled: for whoever watches the job.

    The text of the newest edition, word for word, gives that edition again. Raises CourseRefused with every reason at
    once, and DomainError where the text is that of an older edition.
    """
    # The page's row is the lock for numbering: two authors who issue at once get two numbers, or the same edition.
    course = CoursePage.objects.select_for_update(of=("self",)).get(pk=find_source_course(course_page).pk)
    compiled = _compile_or_refuse(course, progress)
    latest = latest_edition(course.translation_key)
    found = CourseEdition.objects.filter(course_key=course.translation_key, digest=compiled.digest).first()
    if found is not None and latest is not None:
        if found.pk == latest.pk:
            return found
        raise DomainError(
            _(
                "This is word for word edition %(number)d, which edition %(latest)d replaced. Nothing was issued; "
                "change the text, or keep edition %(latest)d."
            )
            % {"number": found.number, "latest": latest.number}
        )
    progress(done=len(compiled.steps), total=len(compiled.steps), doing="writing")
    edition = _write_edition(
        course, compiled, number=latest.number + 1 if latest else 1, issued_by=issued_by, note=note
    )
    record_audit(
        actor=issued_by,
        action="modules.edition_issued",
        target=edition,
        details={"number": edition.number, "digest": edition.digest},
    )
    course_edition_issued.send(sender=CourseEdition, edition=edition)
    return edition


def _compile_or_refuse(course: CoursePage, progress: Report) -> CompiledCourse:
    framework = find_framework_edition(course)
    if framework is None:
        raise CourseRefused([_miss_framework(course)])
    compiled = compile_course(course=course, framework_edition=framework, progress=progress)
    if compiled.problems:
        raise CourseRefused(compiled.problems)
    return compiled


def _miss_framework(course: CoursePage) -> Problem:
    return Problem(
        _(
            "Its training names no standards that have an edition. Choose the standards, or issue an edition of them."
        ),
        page_id=course.get_parent().pk,
        page_title=course.get_parent().title,
    )


def _write_edition(
    course: CoursePage, compiled: CompiledCourse, *, number: int, issued_by: Subject | None, note: str
) -> CourseEdition:
    outline, digest = compiled.outline, compiled.digest
    if outline.training is None or outline.framework is None:
        raise ValueError("A compiled course names its training and its framework.")
    for asset in compiled.assets.values():
        store_asset(asset)
    edition = CourseEdition.objects.create(
        # The same text gets the same identifier wherever it is issued.
        id=uuid.uuid5(course.translation_key, f"edition:{digest}"),
        course_key=course.translation_key,
        training_key=outline.training.key,
        slug=outline.slug,
        number=number,
        title_en=outline.title.get("en", ""),
        title_fr=outline.title.get("fr", ""),
        languages=list(outline.languages),
        outline=outline.to_json(),
        framework_edition_id=outline.framework.edition,
        minutes=outline.minutes,
        valid_months=outline.valid_months,
        starting_content=outline.starting_content,
        digest=digest,
        note=note.strip(),
        issued_by=issued_by,
    )
    EditionAssessment.objects.bulk_create(
        [
            EditionAssessment(edition=edition, step_key=key, assessment=assessment)
            for key, assessment in compiled.assessments.items()
        ]
    )
    StepContent.objects.bulk_create(
        [
            StepContent(
                edition=edition,
                step_key=step.key,
                locale=step.language,
                title=step.title,
                lead=step.lead,
                segments=list(step.segments),
                keys=dict(step.keys),
                sources=list(step.sources),
                assets=[asset.to_json() for asset in step.assets],
                text=step.text,
            )
            for step in compiled.steps
        ]
    )
    return edition


def preview_course_edition(*, course_page: CoursePage) -> CoursePreview:
    """What issuing an edition now would be; nothing is kept, not even the editions of its assessments."""
    course = find_source_course(course_page)
    latest = latest_edition(course.translation_key)
    before = Outline.from_json(latest.outline) if latest else None
    number = latest.number + 1 if latest else 1
    framework = find_framework_edition(course)
    if framework is None:
        return CoursePreview(
            number=number,
            outline=None,
            before=before,
            latest=latest,
            framework=None,
            problems=(_miss_framework(course),),
            left_out=(),
        )
    with transaction.atomic():
        compiled = compile_course(course=course, framework_edition=framework)
        transaction.set_rollback(True)
    same_as = None
    if not compiled.problems:
        same_as = CourseEdition.objects.filter(
            course_key=course.translation_key, digest=compiled.digest
        ).first()
    return CoursePreview(
        number=number,
        outline=compiled.outline,
        before=before,
        latest=latest,
        framework=framework,
        problems=tuple(compiled.problems),
        left_out=tuple(compiled.left_out),
        same_as=same_as,
    )
