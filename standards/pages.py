"""What the standards committee edits. Nobody else reads these pages: see `FrameworkEdition`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Orderable, Page

PLAIN_FEATURES = ["bold", "italic", "ol", "ul", "link"]


class FrameworkPage(Page):
    """A framework of competencies being edited. Its `translation_key` is the framework's key."""

    summary = models.TextField(_("summary"), blank=True)
    starting_content = models.BooleanField(
        _("starting content, for review"), default=False,
        help_text=_("Shown to readers until an editor clears it."),
    )

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("summary"), FieldPanel("starting_content")]
    subpage_types: ClassVar = ["standards.DomainPage"]
    template = "standards/framework_draft.html"

    class Meta:
        verbose_name = _("framework")


class DomainPage(Page):
    """A domain being edited; its children are its competencies."""

    code = models.CharField(_("code"), max_length=10, help_text=_("One letter, such as B."))
    intro = RichTextField(_("opening paragraph"), features=PLAIN_FEATURES, blank=True)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("code"), FieldPanel("intro")]
    parent_page_types: ClassVar = ["standards.FrameworkPage"]
    subpage_types: ClassVar = ["standards.CompetencyPage"]
    template = "standards/domain_draft.html"

    class Meta:
        verbose_name = _("domain")


class CompetencyPage(Page):
    """A competency being edited. Its `translation_key` is the competency's permanent identifier."""

    code = models.CharField(_("code"), max_length=10, help_text=_("The domain's letter and a number, such as B2."))
    kind = models.CharField(
        _("kind"), max_length=20, choices=[("knowledge", _("Knowledge")), ("skill", _("Skill"))], default="skill"
    )
    statement = models.TextField(_("statement"), help_text=_("One sentence: what the person does, and to what end."))
    foundational = models.TextField(_("foundational level"))
    practising = models.TextField(_("practising level"))
    leading = models.TextField(_("leading level"))
    example = models.TextField(_("example from practice"), blank=True)
    example_level = models.CharField(
        _("level of the example"), max_length=20, blank=True,
        choices=[("foundational", _("Foundational")), ("practising", _("Practising")), ("leading", _("Leading"))],
    )

    content_panels: ClassVar = [
        *Page.content_panels,
        MultiFieldPanel([FieldPanel("code"), FieldPanel("kind")], heading=_("Place in the framework")),
        FieldPanel("statement"),
        MultiFieldPanel(
            [FieldPanel("foundational"), FieldPanel("practising"), FieldPanel("leading")], heading=_("Levels")
        ),
        MultiFieldPanel([FieldPanel("example"), FieldPanel("example_level")], heading=_("Example")),
        InlinePanel("source_links", heading=_("What it rests on"), label=_("source")),
        InlinePanel("relations", heading=_("Related competencies"), label=_("relation")),
    ]
    parent_page_types: ClassVar = ["standards.DomainPage"]
    subpage_types: ClassVar = []
    template = "standards/competency_draft.html"

    class Meta:
        verbose_name = _("competency page")


class CompetencySource(Orderable):
    """A source that a competency rests on."""

    page = ParentalKey(CompetencyPage, on_delete=models.CASCADE, related_name="source_links")
    source = models.ForeignKey("standards.Source", on_delete=models.PROTECT, related_name="+")

    panels: ClassVar = [FieldPanel("source")]


class CompetencyRelation(Orderable):
    """A relation of a competency to another one, by its permanent identifier."""

    page = ParentalKey(CompetencyPage, on_delete=models.CASCADE, related_name="relations")
    type = models.CharField(
        _("relation"), max_length=20,
        choices=[
            ("precedes", _("Comes before")),
            ("related_to", _("Goes with")),
            ("replaced_by", _("Replaced by")),
            ("exact_match", _("Same as")),
        ],
    )
    to = models.ForeignKey("standards.Competency", on_delete=models.PROTECT, related_name="+")

    panels: ClassVar = [FieldPanel("type"), FieldPanel("to")]
