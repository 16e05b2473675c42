"""The pages of the public site."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageChooserBlock
from wagtail.models import Page
from wagtail.search import index

TEXT_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link", "document-link"]


class WayInBlock(blocks.StructBlock):
    """A way in by the work a person does."""

    title = blocks.CharBlock(label=_("Title"))
    text = blocks.CharBlock(label=_("Text"))
    path = blocks.CharBlock(label=_("Path of the site"), help_text=_("Without the language, such as /trainings/."))

    class Meta:
        icon = "user"
        label = _("Way in")


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=_("Picture"))
    alt = blocks.CharBlock(label=_("Alternative text"), required=False)
    caption = blocks.CharBlock(label=_("Caption"), required=False)

    class Meta:
        icon = "image"
        label = _("Picture")


class HomePage(Page):
    """The first page of the site in one language."""

    promise = models.CharField(_("promise"), max_length=200)
    lead = models.TextField(_("lead"), blank=True)
    ways_in = StreamField([("way", WayInBlock())], verbose_name=_("start from the work you do"), blank=True)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("promise"), FieldPanel("lead"), FieldPanel("ways_in")]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("lead")]
    template = "cms/home.html"
    max_count_per_parent = None

    class Meta:
        verbose_name = _("home page")


class PlainPage(Page):
    """A page of text: about, accessibility, privacy, help."""

    lead = models.TextField(_("lead"), blank=True)
    body = StreamField(
        [
            ("text", blocks.RichTextBlock(label=_("Text"), features=TEXT_FEATURES)),
            ("picture", PictureBlock()),
        ],
        verbose_name=_("text"),
        blank=True,
    )

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("lead"), index.SearchField("body")]
    template = "cms/plain.html"

    class Meta:
        verbose_name = _("page of text")
