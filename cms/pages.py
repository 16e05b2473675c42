"""The pages of the public site."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageChooserBlock
from wagtail.models import Page
from wagtail.search import index

LABELS: Final = {"en": "English", "fr": "Français"}
TEXT_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link", "document-link"]


class WayInBlock(blocks.StructBlock):
    """A way in by the work a person does."""

    title = blocks.CharBlock(label=_("Title"))
    text = blocks.CharBlock(label=_("Text"))
    path = blocks.CharBlock(
        label=_("Path of the site"), help_text=_("Without the language, such as /trainings/.")
    )

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


class TranslatedPage(Page):
    """A page that knows where it stands in the other language."""

    class Meta:
        abstract = True

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        if translations := list(self.get_translations().live().select_related("locale")):
            context["language_links"] = [
                {
                    "code": page.locale.language_code,
                    "label": LABELS.get(page.locale.language_code, page.locale.language_code),
                    "url": page.get_url(request),
                }
                for page in translations
            ]
        return context


class HomePage(TranslatedPage):
    """The first page of the site in one language."""

    promise = models.CharField(_("promise"), max_length=200)
    lead = models.TextField(_("lead"), blank=True)
    ways_in = StreamField([("way", WayInBlock())], verbose_name=_("start from the work you do"), blank=True)

    content_panels: ClassVar = [
        *Page.content_panels,
        FieldPanel("promise"),
        FieldPanel("lead"),
        FieldPanel("ways_in"),
    ]
    search_fields: ClassVar = [*Page.search_fields, index.SearchField("lead")]
    template = "cms/home.html"

    class Meta:
        verbose_name = _("home page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        from cms.selectors import home_sections

        return {**super().get_context(request, *args, **kwargs), **home_sections(self.locale.language_code)}


class PlainPage(TranslatedPage):
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
