"""What the standards committee edits. Nobody else reads these pages: see `FrameworkEdition`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Orderable, Page
from wagtail_localize.fields import SynchronizedField

PLAIN_FEATURES = ["bold", "italic", "ol", "ul", "link"]

STRUCTURE_HELP = _(
    "Codes, kinds, sources and relations are taken from the English page when an edition is issued; "
    "the French page holds the words only."
)


class DraftPage(Page):
    """A page that is only ever edited: readers are sent to the edition."""

    # What the loader last wrote here, so that it can tell an editor's change from its own.
    loaded_digest = models.CharField(max_length=64, blank=True, editable=False)

    exclude_fields_in_copy: ClassVar = ["loaded_digest"]
    show_in_menus_default = False

    class Meta:
        abstract = True

    def serve(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Send a reader to what was issued."""
        return redirect(self.find_edition_address())

    def find_edition_address(self) -> str:
        """The screen that shows this page as issued. At most two queries."""
        from standards.selectors import find_issued_address

        return find_issued_address(self)

    def delete(self, *args: object, **kwargs: object) -> object:
        """Refused with StillUsed where an edition holds what stands here or below. The CMS asks the same beforehand."""
        from standards.deletion import refuse_if_used

        refuse_if_used([self])
        return super().delete(*args, **kwargs)

    def get_preview_context(self, request: HttpRequest, mode_name: str) -> dict[str, object]:
        from standards.drafts import describe_draft

        return {**super().get_preview_context(request, mode_name), **describe_draft(self)}


class FrameworkPage(DraftPage):
    """A framework of competencies being edited. Its `translation_key` is the framework's key."""

    class Licence(models.TextChoices):
        CC_BY = "CC-BY-4.0", _("Creative Commons Attribution 4.0")
        RESERVED = "reserved", _("All rights reserved")

    summary = models.TextField(
        _("summary"),
        blank=True,
        help_text=_("One to three sentences: for whom these standards are and what they hold."),
    )
    licence = models.CharField(
        _("licence"),
        max_length=20,
        choices=Licence.choices,
        default=Licence.CC_BY,
        help_text=_("What others may do with the text."),
    )
    starting_content = models.BooleanField(
        _("starting content, for review"),
        default=False,
        help_text=_("Shown to readers until an editor clears it and issues the next edition."),
    )

    content_panels: ClassVar = [
        HelpPanel(
            content=_(
                "Readers see editions, never this page. Edit and publish domains and competencies in both languages, "
                "then choose Issue edition in the menu of this page."
            )
        ),
        *Page.content_panels,
        FieldPanel("summary"),
        FieldRowPanel([FieldPanel("licence"), FieldPanel("starting_content")]),
    ]
    subpage_types: ClassVar = ["standards.DomainPage"]
    override_translatable_fields: ClassVar = [
        SynchronizedField("licence", overridable=False),
        SynchronizedField("starting_content", overridable=False),
    ]
    template = "standards/draft.html"

    class Meta:
        verbose_name = _("framework")
        verbose_name_plural = _("frameworks")


class DomainPage(DraftPage):
    """A domain being edited; its children are its competencies."""

    code = models.CharField(_("code"), max_length=10, help_text=_("One letter, such as B."))
    intro = RichTextField(
        _("opening paragraph"),
        features=PLAIN_FEATURES,
        blank=True,
        help_text=_("One paragraph: what this domain is about."),
    )

    content_panels: ClassVar = [
        HelpPanel(content=STRUCTURE_HELP),
        *Page.content_panels,
        FieldPanel("code"),
        FieldPanel("intro"),
    ]
    parent_page_types: ClassVar = ["standards.FrameworkPage"]
    subpage_types: ClassVar = ["standards.CompetencyPage"]
    override_translatable_fields: ClassVar = [SynchronizedField("code", overridable=False)]
    template = "standards/draft.html"

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")


class CompetencyPage(DraftPage):
    """A competency being edited. Its `translation_key` is the competency's permanent identifier."""

    code = models.CharField(
        _("code"), max_length=10, help_text=_("The domain's letter and a number, such as B2.")
    )
    kind = models.CharField(
        pgettext_lazy("of a competency", "kind"),
        max_length=20,
        choices=[("knowledge", _("Knowledge")), ("skill", _("Skill"))],
        default="skill",
    )
    statement = models.TextField(
        _("statement"), help_text=_("One sentence: what the person does, and to what end.")
    )
    foundational = models.TextField(
        _("foundational level"),
        help_text=_("What a person does who is beginning in this work. Two to four sentences."),
    )
    practising = models.TextField(
        _("practising level"),
        help_text=_("What a person does who carries this work alone. Two to four sentences."),
    )
    leading = models.TextField(
        _("leading level"),
        help_text=_("What a person does who leads others in this work. Two to four sentences."),
    )
    example = models.TextField(
        _("example from practice"),
        blank=True,
        help_text=_("Three to five sentences. Name an invented place as invented."),
    )
    example_level = models.CharField(
        _("level of the example"),
        max_length=20,
        blank=True,
        choices=[
            ("foundational", _("Foundational")),
            ("practising", _("Practising")),
            ("leading", _("Leading")),
        ],
    )

    content_panels: ClassVar = [
        HelpPanel(content=STRUCTURE_HELP),
        *Page.content_panels,
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("code"), FieldPanel("kind")])], heading=_("Place in the framework")
        ),
        FieldPanel("statement"),
        MultiFieldPanel(
            [FieldPanel("foundational"), FieldPanel("practising"), FieldPanel("leading")], heading=_("Levels")
        ),
        MultiFieldPanel([FieldPanel("example"), FieldPanel("example_level")], heading=_("Example")),
        InlinePanel("source_links", heading=_("What it rests on"), label=_("source")),
        InlinePanel("relations", heading=_("Related competencies"), label=_("relation")),
    ]
    parent_page_types: ClassVar = ["standards.DomainPage"]
    subpage_types: ClassVar[list[str]] = []
    override_translatable_fields: ClassVar = [
        SynchronizedField("code", overridable=False),
        SynchronizedField("kind", overridable=False),
        SynchronizedField("example_level", overridable=False),
        SynchronizedField("source_links", overridable=False),
        SynchronizedField("relations", overridable=False),
    ]
    template = "standards/draft.html"

    class Meta:
        verbose_name = _("competency page")
        verbose_name_plural = _("competency pages")


class CompetencySource(Orderable):
    """A source that a competency rests on."""

    page = ParentalKey(CompetencyPage, on_delete=models.CASCADE, related_name="source_links")
    source = models.ForeignKey(
        "standards.Source", on_delete=models.PROTECT, related_name="+", verbose_name=_("source")
    )

    panels: ClassVar = [FieldPanel("source")]


class CompetencyRelation(Orderable):
    """A relation of a competency to another one, by its permanent identifier."""

    page = ParentalKey(CompetencyPage, on_delete=models.CASCADE, related_name="relations")
    type = models.CharField(
        _("relation"),
        max_length=20,
        choices=[
            ("precedes", _("Comes before")),
            ("related_to", _("Goes with")),
            ("replaced_by", _("Replaced by")),
            ("exact_match", _("Same as")),
        ],
    )
    to = models.ForeignKey(
        "standards.Competency", on_delete=models.PROTECT, related_name="+", verbose_name=_("competency")
    )

    panels: ClassVar = [FieldRowPanel([FieldPanel("type"), FieldPanel("to")])]
