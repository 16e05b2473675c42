"""What authors edit: items and assessments, with revisions, translations and a collection per organization.

Options, keys, mappings and points are read from the source language only; a translation gives words.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.fields import RichTextField, StreamField
from wagtail.models import CollectionMember, PreviewableMixin, RevisionMixin, TranslatableMixin
from wagtail.search import index
from wagtail_localize.fields import SynchronizedField

from assessments.blocks import AcceptBlock, CriterionBlock, OptionBlock, SectionBlock
from standards.models import Competency, Level

ITEM_FEATURES = ["bold", "italic", "ol", "ul", "link"]
PREVIEW_MODES = [("", _("As a learner sees it")), ("key", _("With the key"))]


class Item(CollectionMember, RevisionMixin, PreviewableMixin, TranslatableMixin, index.Indexed, models.Model):
    """One question in one language; its `translation_key` is the item's key in every edition."""

    class Kind(models.TextChoices):
        SINGLE = "single", _("Single choice")
        MULTIPLE = "multiple", _("Multiple response")
        TRUE_FALSE = "true_false", _("True or false")
        NUMERIC = "numeric", _("Number")
        SHORT_TEXT = "short_text", _("Short text")

    class Partial(models.TextChoices):
        PER_OPTION = "per_option", _("Right ticks less wrong ticks")
        ALL_OR_NOTHING = "all_or_nothing", _("All or nothing")

    key = models.SlugField(_("key"), max_length=80, help_text=_("A short name by which assessments find it."))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.SINGLE)
    stem = RichTextField(_("question"), features=ITEM_FEATURES)
    options = StreamField([("option", OptionBlock())], verbose_name=_("options"), blank=True)
    partial = models.CharField(
        _("partial credit"), max_length=20, choices=Partial.choices, default=Partial.PER_OPTION
    )
    answer_true = models.BooleanField(_("the statement is true"), default=False)
    answer = models.DecimalField(_("right number"), max_digits=20, decimal_places=6, null=True, blank=True)
    tolerance = models.DecimalField(
        _("tolerance, either side"), max_digits=20, decimal_places=6, default=0, blank=True
    )
    unit = models.CharField(_("unit"), max_length=60, blank=True)
    accept = StreamField([("answer", AcceptBlock())], verbose_name=_("accepted answers"), blank=True)
    feedback_right = RichTextField(_("feedback when right, or to “true”"), features=ITEM_FEATURES, blank=True)
    feedback_wrong = RichTextField(
        _("feedback when wrong, or to “false”"), features=ITEM_FEATURES, blank=True
    )
    general_feedback = RichTextField(_("feedback to any answer"), features=ITEM_FEATURES, blank=True)
    points = models.DecimalField(_("points"), max_digits=6, decimal_places=2, default=1)
    competency = models.ForeignKey(
        Competency, null=True, on_delete=models.PROTECT, related_name="items", verbose_name=_("competency")
    )
    level = models.CharField(_("level"), max_length=20, choices=Level.choices, default=Level.FOUNDATIONAL)
    tags = models.CharField(_("tags"), max_length=200, blank=True, help_text=_("Words, separated by spaces."))
    starting_content = models.BooleanField(_("starting content, for review"), default=False)
    loaded_digest = models.CharField(max_length=64, blank=True, editable=False)

    # What is not a word of the question is the same in every language.
    override_translatable_fields: ClassVar = [
        SynchronizedField(name, overridable=False) for name in ("key", "tags", "starting_content")
    ]
    search_fields: ClassVar = [
        index.SearchField("key"),
        index.SearchField("stem"),
        index.FilterField("kind"),
        index.FilterField("collection_id"),
        index.FilterField("locale_id"),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("item")
        verbose_name_plural = _("items")

    def __str__(self) -> str:
        return self.key

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return PREVIEW_MODES

    def get_preview_template(self, request: Any, mode_name: str) -> str:
        return "assessments/admin/preview_item.html"

    def get_preview_context(self, request: Any, mode_name: str) -> dict[str, Any]:
        from assessments.previews import preview_item

        context = super().get_preview_context(request, mode_name)
        return {**context, **preview_item(self), "shows_key": mode_name == "key"}


class Assessment(  # type: ignore[django-manager-missing]
    CollectionMember, RevisionMixin, PreviewableMixin, TranslatableMixin, index.Indexed, models.Model
):
    """A quiz, an assignment with a rubric, or an evaluation, in one language."""

    class Kind(models.TextChoices):
        QUIZ = "quiz", _("Quiz")
        ASSIGNMENT = "assignment", _("Assignment")
        EVALUATION = "evaluation", _("Evaluation")

    class Feedback(models.TextChoices):
        AFTER_SUBMIT = "after_submit", _("After each submission")
        AFTER_PASS = "after_pass", _("Once passed")
        AFTER_LAST = "after_last", _("After the last attempt, or once passed")
        NEVER = "never", _("Never")

    key = models.SlugField(_("key"), max_length=80)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.QUIZ)
    title = models.CharField(_("title"), max_length=200)
    intro = RichTextField(_("introduction, or the task"), features=[*ITEM_FEATURES, "h3"], blank=True)
    minutes = models.PositiveIntegerField(_("minutes it takes"), default=15)
    time_limit = models.PositiveIntegerField(_("time limit, in minutes"), null=True, blank=True)
    pass_mark = models.DecimalField(_("pass mark, in percent"), max_digits=5, decimal_places=2, default=75)
    attempts = models.PositiveIntegerField(
        _("attempts"), null=True, blank=True, help_text=_("Leave empty for no limit.")
    )
    feedback = models.CharField(
        _("answers and feedback are shown"),
        max_length=20,
        choices=Feedback.choices,
        default=Feedback.AFTER_SUBMIT,
    )
    shuffle_items = models.BooleanField(_("shuffle the questions"), default=False)
    shuffle_options = models.BooleanField(_("shuffle the options"), default=True)
    sections = StreamField([("section", SectionBlock())], verbose_name=_("questions"), blank=True)
    allow_text = models.BooleanField(_("the learner writes a text"), default=True)
    allow_files = models.BooleanField(_("the learner may send files"), default=False)
    max_files = models.PositiveIntegerField(_("files at most"), default=3)
    rubric = StreamField([("criterion", CriterionBlock())], verbose_name=_("rubric"), blank=True)
    starting_content = models.BooleanField(_("starting content, for review"), default=False)
    loaded_digest = models.CharField(max_length=64, blank=True, editable=False)

    override_translatable_fields: ClassVar = [
        SynchronizedField(name, overridable=False) for name in ("key", "starting_content")
    ]
    search_fields: ClassVar = [
        index.SearchField("title"),
        index.SearchField("key"),
        index.FilterField("kind"),
        index.FilterField("collection_id"),
        index.FilterField("locale_id"),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")

    def __str__(self) -> str:
        return self.title

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return PREVIEW_MODES

    def get_preview_template(self, request: Any, mode_name: str) -> str:
        return "assessments/admin/preview_assessment.html"

    def get_preview_context(self, request: Any, mode_name: str) -> dict[str, Any]:
        from assessments.previews import preview_assessment

        context = super().get_preview_context(request, mode_name)
        return {**context, **preview_assessment(self), "shows_key": mode_name == "key"}
