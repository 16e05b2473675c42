"""What course authors edit. Learners never read these pages: see `CourseEdition`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Orderable, Page
from wagtail.search import index

from modules.blocks import LessonBody, OutcomeBlock
from standards.models import Competency, Level

PLAIN_FEATURES = ["bold", "italic", "ol", "ul", "link"]


class TrainingPage(Page):
    """A training: one course or several that belong together."""

    summary = models.TextField(_("summary"), blank=True, help_text=_("One or two sentences for the catalogue."))
    framework_key = models.UUIDField(
        _("standards it serves"), null=True, help_text=_("The framework whose competencies its lessons are mapped to.")
    )
    starting_content = models.BooleanField(_("starting content, for review"), default=False)

    content_panels: ClassVar = [
        *Page.content_panels, FieldPanel("summary"), FieldPanel("framework_key"), FieldPanel("starting_content"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("summary")]
    subpage_types: ClassVar = ["modules.CoursePage"]
    template = "modules/draft.html"

    class Meta:
        verbose_name = _("training")


class CoursePage(Page):
    """A course being edited. Its `translation_key` is the course's key in every edition."""

    class Order(models.TextChoices):
        SEQUENCE = "sequence", _("Each step opens the next")
        FREE = "free", _("In any order")

    lead = models.TextField(_("lead"), blank=True, help_text=_("One sentence."))
    description = RichTextField(_("description"), features=[*PLAIN_FEATURES, "h3"], blank=True)
    outcomes = StreamField([("outcome", OutcomeBlock())], verbose_name=_("what a person can do afterwards"), blank=True)
    audience = models.TextField(_("for whom"), blank=True)
    order = models.CharField(_("order"), max_length=10, choices=Order.choices, default=Order.SEQUENCE)
    valid_months = models.PositiveIntegerField(
        _("months the certificate is valid"), null=True, blank=True, help_text=_("Leave empty for no expiry.")
    )
    starting_content = models.BooleanField(_("starting content, for review"), default=False)

    content_panels: ClassVar = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("description"),
        FieldPanel("outcomes"),
        FieldPanel("audience"),
        FieldRowPanel([FieldPanel("order"), FieldPanel("valid_months")]),
        FieldPanel("starting_content"),
    ]
    parent_page_types: ClassVar = ["modules.TrainingPage"]
    subpage_types: ClassVar = ["modules.ModulePage"]
    template = "modules/draft.html"

    class Meta:
        verbose_name = _("course")


class ModulePage(Page):
    """A module: lessons and assessments about one thing."""

    summary = models.TextField(_("summary"), blank=True)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("summary")]
    parent_page_types: ClassVar = ["modules.CoursePage"]
    subpage_types: ClassVar = ["modules.LessonPage", "modules.AssessmentPage"]
    template = "modules/draft.html"

    class Meta:
        verbose_name = _("module")


class LessonPage(Page):
    """A lesson being edited. Its `translation_key` is the step's key in every edition and language."""

    lead = models.TextField(_("lead"), blank=True, help_text=_("One sentence."))
    minutes = models.PositiveIntegerField(_("minutes it takes"), default=15)
    body = StreamField(LessonBody(), verbose_name=_("lesson"), blank=True)
    required = models.BooleanField(_("needed to complete the course"), default=True)
    open_to_public = models.BooleanField(
        _("open to the public"), default=False, help_text=_("Anyone may read it without enrolling.")
    )
    origin_key = models.UUIDField(_("copied from"), null=True, blank=True, editable=False)
    starting_content = models.BooleanField(_("starting content, for review"), default=False)

    content_panels: ClassVar = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("body"),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("minutes"), FieldPanel("required"), FieldPanel("open_to_public")])],
            heading=_("In the course"),
        ),
        InlinePanel("mappings", heading=_("What it serves in the standards"), label=_("competency")),
        FieldPanel("starting_content"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("lead")]
    parent_page_types: ClassVar = ["modules.ModulePage"]
    subpage_types: ClassVar = []
    template = "modules/lesson_draft.html"

    class Meta:
        verbose_name = _("lesson")


class LessonMapping(Orderable):
    """What finishing a lesson means for a competency. Read from the source language only."""

    class Counts(models.TextChoices):
        RECOMMEND = "recommend", _("Contributes, and is shown")
        EVIDENCE = "evidence", _("Is evidence at that level")
        COMPLETE = "complete", _("Is needed for the course, not evidence by itself")

    page = ParentalKey(LessonPage, on_delete=models.CASCADE, related_name="mappings")
    competency = models.ForeignKey(Competency, on_delete=models.PROTECT, related_name="+", verbose_name=_("competency"))
    level = models.CharField(_("level"), max_length=20, choices=Level.choices, default=Level.FOUNDATIONAL)
    counts = models.CharField(
        _("finishing the lesson"), max_length=20, choices=Counts.choices, default=Counts.RECOMMEND
    )

    panels: ClassVar = [FieldPanel("competency"), FieldRowPanel([FieldPanel("level"), FieldPanel("counts")])]


class AssessmentPage(Page):
    """A step that holds an assessment."""

    assessment = models.ForeignKey(
        "assessments.Assessment", null=True, on_delete=models.PROTECT, related_name="pages", verbose_name=_("assessment")
    )
    required = models.BooleanField(_("needed to complete the course"), default=True)
    origin_key = models.UUIDField(_("copied from"), null=True, blank=True, editable=False)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("assessment"), FieldPanel("required")]
    parent_page_types: ClassVar = ["modules.ModulePage"]
    subpage_types: ClassVar = []
    template = "modules/draft.html"

    class Meta:
        verbose_name = _("assessment step")
