"""Trainings as authors edit them, and the immutable course editions that everyone else reads."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Subject
from assessments.models import AssessmentEdition
from core import clock
from core.models import Language, UUIDModel
from modules.blocks import INTERACTIVE_KINDS
from standards.models import FrameworkEdition


class CourseEdition(UUIDModel):
    """The numbered, immutable text of a course: outline, assessment editions, framework edition, digest.

    `course_key` is the `translation_key` of the course page. `outline` has the shape of
    `modules.documents.Outline`: titles in each language, modules, steps with keys, kinds, minutes,
    requirements and mappings. The rendered steps stand in `StepContent`.
    """

    course_key = models.UUIDField()
    training_key = models.UUIDField(db_index=True)
    slug = models.SlugField(max_length=120)
    number = models.PositiveIntegerField()
    title_en = models.CharField(max_length=200)
    title_fr = models.CharField(max_length=200, blank=True)
    languages = models.JSONField(default=list)
    outline = models.JSONField()
    framework_edition = models.ForeignKey(FrameworkEdition, on_delete=models.PROTECT, related_name="courses")
    minutes = models.PositiveIntegerField(default=0)
    valid_months = models.PositiveIntegerField(null=True, blank=True)
    starting_content = models.BooleanField(default=False)
    digest = models.CharField(max_length=64)
    note = models.TextField(_("what changed"), blank=True)
    issued_at = models.DateTimeField(default=clock.now, editable=False)
    issued_by = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("course edition")
        verbose_name_plural = _("course editions")
        ordering = ["course_key", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["course_key", "number"], name="modules_an_edition_number_is_used_once"
            ),
            models.UniqueConstraint(
                fields=["course_key", "digest"], name="modules_an_edition_text_is_issued_once"
            ),
        ]
        # `add_courseedition` is the right to issue.
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return f"{self.title_en}, edition {self.number}"

    def title_in(self, language: str) -> str:
        return (self.title_fr if language == "fr" else self.title_en) or self.title_en


class EditionAssessment(models.Model):
    """Which assessment edition a step of a course edition holds."""

    edition = models.ForeignKey(
        CourseEdition, on_delete=models.PROTECT, related_name="assessments", db_index=False
    )
    step_key = models.UUIDField()
    assessment = models.ForeignKey(AssessmentEdition, on_delete=models.PROTECT, related_name="courses")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "step_key"], name="modules_a_step_holds_one_assessment_edition"
            )
        ]

    def __str__(self) -> str:
        return f"{self.step_key}: {self.assessment_id}"


class StepContent(models.Model):
    """One step of an edition in one language: rendered, already cleaned.

    `segments` is what a reader may see, in order: `{"type": "html", "html"}`, an interactive part (`reflection`,
    `check`, `worksheet`) with its key and words, or a `video` or `audio` with its key. `keys` holds the inline
    checks' answers and feedback, `{check key: {"correct": [option keys], "feedback": {option key: text}}}`, and
    never leaves the server whole. `text` is plain text, for search. An assessment's row has its introduction.
    """

    edition = models.ForeignKey(
        CourseEdition, on_delete=models.PROTECT, related_name="contents", db_index=False
    )
    step_key = models.UUIDField()
    locale = models.CharField(max_length=2, choices=Language.choices)
    title = models.CharField(max_length=200)
    lead = models.TextField(blank=True)
    segments = models.JSONField(default=list)
    keys = models.JSONField(default=dict)
    sources = models.JSONField(default=list, help_text='[{"slug", "html", "url", "local"}] in citing order')
    assets = models.JSONField(default=list, help_text='[{"name", "file", "content_type", "size"}]')
    text = models.TextField(blank=True)

    class Meta:
        verbose_name = _("step content")
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "step_key", "locale"], name="modules_a_step_is_rendered_once_a_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.locale})"

    @property
    def interactive_keys(self) -> list[str]:
        """Keys of the parts that a learner fills in."""
        return [part["key"] for part in self.segments if part["type"] in INTERACTIVE_KINDS]

    def part(self, key: str) -> dict[str, Any] | None:
        """The interactive part with that key, or None."""
        return next((part for part in self.segments if part.get("key") == key), None)


from modules.pages import (  # noqa: E402
    AssessmentPage,
    CoursePage,
    LessonMapping,
    LessonPage,
    ModulePage,
    TrainingPage,
)


class LoadedPack(models.Model):
    """Which files of a content pack were loaded last, so that a start need not read them again."""

    name = models.CharField(max_length=120, primary_key=True)
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name


__all__ = [
    "AssessmentPage",
    "CourseEdition",
    "CoursePage",
    "EditionAssessment",
    "LessonMapping",
    "LessonPage",
    "LoadedPack",
    "ModulePage",
    "StepContent",
    "TrainingPage",
]
