"""What course authors edit. Learners never read these pages: see `CourseEdition`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Orderable, Page
from wagtail.search import index
from wagtail_localize.fields import SynchronizedField, TranslatableField

from modules.blocks import LessonBody, OutcomeBlock
from modules.forms import TrainingForm
from standards.models import Competency, Level

PLAIN_FEATURES = ["bold", "italic", "ol", "ul", "link"]
# Everyone reads editions, under the source language's slug: a translator has nothing to choose here.
SAME_SLUG = SynchronizedField("slug", overridable=False)


class AuthoredPage(Page):
    """A page of a course being edited: it is previewed here, and read in editions.

    `loaded_digest` is the digest of what `load_content` last wrote to it, by which an editor's change is seen.
    """

    loaded_digest = models.CharField(max_length=64, blank=True, editable=False)

    preview_template: ClassVar[str] = "modules/draft_part.html"
    exclude_fields_in_copy: ClassVar = ["loaded_digest"]
    override_translatable_fields: ClassVar = [SAME_SLUG]

    class Meta:
        abstract = True

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refused with StillUsed, before the page tree is touched, while an edition uses it or what stands below."""
        from modules.deletion import refuse_if_used

        refuse_if_used([self])
        return super().delete(*args, **kwargs)

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Its own address leads to where the course is read."""
        from modules.views import redirect_to_issued

        return redirect_to_issued(request, self)

    def get_preview_template(self, request: HttpRequest, mode_name: str) -> str:
        return self.preview_template

    def get_preview_context(self, request: HttpRequest, mode_name: str) -> dict[str, Any]:
        from modules.previews import describe_draft

        return {**super().get_preview_context(request, mode_name), **describe_draft(self)}


class TrainingPage(AuthoredPage):
    """A training: one course or several that belong together."""

    summary = models.TextField(
        _("summary"), blank=True, help_text=_("One or two sentences for the catalogue.")
    )
    framework_key = models.UUIDField(
        _("standards it serves"),
        null=True,
        help_text=_("The framework whose competencies its lessons and assessments are mapped to."),
    )
    starting_content = models.BooleanField(
        _("starting content, for review"),
        default=False,
        help_text=_("Clear this once the text has been reviewed."),
    )

    base_form_class = TrainingForm
    content_panels: ClassVar = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("framework_key"),
        FieldPanel("starting_content"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("summary")]
    subpage_types: ClassVar = ["modules.CoursePage"]
    override_translatable_fields: ClassVar = [
        SAME_SLUG,
        SynchronizedField("framework_key", overridable=False),
        SynchronizedField("starting_content"),
    ]

    class Meta:
        verbose_name = _("training")
        verbose_name_plural = _("trainings")


class CoursePage(AuthoredPage):
    """A course being edited. Its `translation_key` is the course's key in every edition."""

    class Order(models.TextChoices):
        SEQUENCE = "sequence", _("Each step opens the next")
        FREE = "free", _("In any order")

    lead = models.TextField(
        _("lead"), blank=True, help_text=_("One sentence that says what one learns to do.")
    )
    description = RichTextField(
        _("description"),
        features=[*PLAIN_FEATURES, "h3"],
        blank=True,
        help_text=_("What a person needs to know to decide whether to take the course."),
    )
    outcomes = StreamField(
        [("outcome", OutcomeBlock())],
        verbose_name=_("what a person can do afterwards"),
        blank=True,
        help_text=_("Three to six sentences that begin with a verb."),
    )
    audience = models.TextField(
        _("for whom"), blank=True, help_text=_("Whose work it is about, and what they need to know before.")
    )
    order = models.CharField(
        _("order"),
        max_length=10,
        choices=Order.choices,
        default=Order.SEQUENCE,
        help_text=_("Whether a step opens once the one before is complete, or all are open from the start."),
    )
    valid_months = models.PositiveIntegerField(
        _("months the certificate is valid"),
        null=True,
        blank=True,
        help_text=_("Leave it empty for no expiry."),
    )
    starting_content = models.BooleanField(
        _("starting content, for review"),
        default=False,
        help_text=_("Readers see that it is to be reviewed, until you clear this and issue an edition."),
    )

    content_panels: ClassVar = [
        HelpPanel(template="modules/admin/course_help.html", heading=_("How a course reaches its learners")),
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("description"),
        FieldPanel("outcomes"),
        FieldPanel("audience"),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("order"), FieldPanel("valid_months")])], heading=_("How it is taken")
        ),
        FieldPanel("starting_content"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("lead")]
    parent_page_types: ClassVar = ["modules.TrainingPage"]
    subpage_types: ClassVar = ["modules.ModulePage"]
    override_translatable_fields: ClassVar = [
        SAME_SLUG,
        SynchronizedField("order", overridable=False),
        SynchronizedField("valid_months", overridable=False),
        SynchronizedField("starting_content"),
        TranslatableField("outcomes"),
    ]

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")


class ModulePage(AuthoredPage):
    """A module: lessons and assessments about one thing."""

    summary = models.TextField(
        _("summary"), blank=True, help_text=_("One or two sentences that say what the module is about.")
    )

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("summary")]
    parent_page_types: ClassVar = ["modules.CoursePage"]
    subpage_types: ClassVar = ["modules.LessonPage", "modules.AssessmentPage"]

    class Meta:
        verbose_name = _("module")
        verbose_name_plural = _("modules")


class LessonPage(AuthoredPage):
    """A lesson being edited. Its `translation_key` is the step's key in every edition and language."""

    lead = models.TextField(
        _("lead"), blank=True, help_text=_("One sentence that says why the lesson matters.")
    )
    minutes = models.PositiveIntegerField(
        _("minutes it takes"),
        default=15,
        help_text=_("About how long a careful reader needs, questions included."),
    )
    body = StreamField(LessonBody(), verbose_name=_("lesson"), blank=True)
    required = models.BooleanField(
        _("needed to complete the course"), default=True, help_text=_("Clear this for further reading.")
    )
    open_to_public = models.BooleanField(
        _("open to the public"), default=False, help_text=_("Anyone may read it without enrolling.")
    )
    origin_key = models.UUIDField(_("copied from"), null=True, blank=True, editable=False)
    starting_content = models.BooleanField(
        _("starting content, for review"),
        default=False,
        help_text=_("Clear this once the text has been reviewed."),
    )

    content_panels: ClassVar = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("body"),
        MultiFieldPanel(
            [
                FieldPanel("minutes"),
                FieldPanel("required"),
                FieldPanel("open_to_public"),
            ],
            heading=_("In the course"),
        ),
        InlinePanel(
            "mappings",
            heading=_("What it serves in the standards"),
            label=_("competency"),
            help_text=_("Read from the source language only; a translation follows it."),
        ),
        FieldPanel("starting_content"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("lead")]
    parent_page_types: ClassVar = ["modules.ModulePage"]
    subpage_types: ClassVar[list[str]] = []
    preview_template: ClassVar[str] = "modules/draft_lesson.html"
    override_translatable_fields: ClassVar = [
        SAME_SLUG,
        SynchronizedField("minutes", overridable=False),
        SynchronizedField("required", overridable=False),
        SynchronizedField("open_to_public", overridable=False),
        SynchronizedField("starting_content"),
        SynchronizedField("mappings", overridable=False),
    ]

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")


class LessonMapping(Orderable):
    """What finishing a lesson means for a competency. Read from the source language only."""

    class Counts(models.TextChoices):
        RECOMMEND = "recommend", _("Contributes, and is shown")
        EVIDENCE = "evidence", _("Is evidence at that level")
        COMPLETE = "complete", _("Is needed for the course, not evidence by itself")

    page = ParentalKey(LessonPage, on_delete=models.CASCADE, related_name="mappings")
    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="+", verbose_name=_("competency")
    )
    level = models.CharField(_("level"), max_length=20, choices=Level.choices, default=Level.FOUNDATIONAL)
    counts = models.CharField(
        _("finishing the lesson"), max_length=20, choices=Counts.choices, default=Counts.RECOMMEND
    )

    panels: ClassVar = [FieldPanel("competency"), FieldRowPanel([FieldPanel("level"), FieldPanel("counts")])]


class AssessmentPage(AuthoredPage):
    """A step that holds an assessment."""

    assessment = models.ForeignKey(
        "assessments.Assessment",
        null=True,
        on_delete=models.PROTECT,
        related_name="pages",
        verbose_name=_("assessment"),
        help_text=_("What passing it is evidence of stands with its questions or its rubric."),
    )
    required = models.BooleanField(
        _("needed to complete the course"),
        default=True,
        help_text=_("Clear this for an assessment one may leave out."),
    )
    origin_key = models.UUIDField(_("copied from"), null=True, blank=True, editable=False)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("assessment"), FieldPanel("required")]
    parent_page_types: ClassVar = ["modules.ModulePage"]
    subpage_types: ClassVar[list[str]] = []
    override_translatable_fields: ClassVar = [SAME_SLUG, SynchronizedField("required", overridable=False)]

    class Meta:
        verbose_name = _("assessment step")
        verbose_name_plural = _("assessment steps")
