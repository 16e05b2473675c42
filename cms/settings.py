"""What a network that changes its name changes here, and nowhere in templates or code."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.models import Orderable


@register_setting(icon="cog")
class SiteSettings(BaseSiteSetting, ClusterableModel):
    """Name, mark, contact, navigation and footer of the site, in both languages."""

    short_name_en = models.CharField(_("short name in English"), max_length=40, default="CMNCP")
    short_name_fr = models.CharField(_("short name in French"), max_length=40, default="RMCPC")
    name_en = models.CharField(
        _("name in English"), max_length=200, default="Canadian Municipal Network on Crime Prevention"
    )
    name_fr = models.CharField(
        _("name in French"),
        max_length=200,
        default="Réseau municipal canadien en prévention de la criminalité",
    )
    tagline_en = models.CharField(_("tagline in English"), max_length=80, default="Learning and standards")
    tagline_fr = models.CharField(_("tagline in French"), max_length=80, default="Formation et normes")
    about_en = models.TextField(_("about, in English"), blank=True)
    about_fr = models.TextField(_("about, in French"), blank=True)
    contact_email = models.EmailField(_("contact address"), blank=True)
    website = models.URLField(_("website"), blank=True)
    signatory_name = models.CharField(_("who signs certificates"), max_length=120, blank=True)
    signatory_title_en = models.CharField(_("title in English"), max_length=120, blank=True)
    signatory_title_fr = models.CharField(_("title in French"), max_length=120, blank=True)

    panels: ClassVar = [
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("name_en"), FieldPanel("name_fr")]),
                FieldRowPanel([FieldPanel("short_name_en"), FieldPanel("short_name_fr")]),
                FieldRowPanel([FieldPanel("tagline_en"), FieldPanel("tagline_fr")]),
                FieldRowPanel([FieldPanel("about_en"), FieldPanel("about_fr")]),
                FieldRowPanel([FieldPanel("contact_email"), FieldPanel("website")]),
            ],
            heading=_("The network"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("signatory_name"),
                FieldRowPanel([FieldPanel("signatory_title_en"), FieldPanel("signatory_title_fr")]),
            ],
            heading=_("Certificates"),
        ),
        InlinePanel("links", heading=_("Navigation and footer"), label=_("link")),
    ]

    class Meta:
        verbose_name = _("name, contact and navigation")


class NavigationLink(Orderable):
    """One link of the navigation or of a column of the footer: a page or an address of the site."""

    class Place(models.TextChoices):
        NAVIGATION = "navigation", _("Navigation")
        LEARN = "learn", _("Footer: learn and practise")
        HELP = "help", _("Footer: help")
        ABOUT = "about", _("Footer: about")

    settings = ParentalKey(SiteSettings, on_delete=models.CASCADE, related_name="links")
    place = models.CharField(_("place"), max_length=20, choices=Place.choices)
    title_en = models.CharField(_("words in English"), max_length=80)
    title_fr = models.CharField(_("words in French"), max_length=80)
    page = models.ForeignKey(
        "wagtailcore.Page",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("page"),
    )
    path = models.CharField(
        _("or a path of the site"),
        max_length=200,
        blank=True,
        help_text=_("Without the language, such as /standards/."),
    )

    panels: ClassVar = [
        FieldPanel("place"),
        FieldRowPanel([FieldPanel("title_en"), FieldPanel("title_fr")]),
        FieldRowPanel([FieldPanel("page"), FieldPanel("path")]),
    ]
