"""Sources and competencies in the CMS."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.admin.views.generic.chooser import ChooseResultsView, ChooseView
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.snippets.views.snippets import SnippetViewSet

from core.text import fold_text
from standards.models import Competency, Source


class SourceViewSet(SnippetViewSet):
    """The works that standards and lessons cite."""

    model = Source
    icon = "openquote"
    menu_label = _("Sources")
    list_display = ("slug", "citation_en", "citation_fr")
    search_fields = ("slug", "citation_en", "citation_fr")
    search_backend_name = None
    ordering = ("slug",)
    panels = (
        FieldPanel(
            "slug", help_text=_("How texts cite it, such as perreault-2023. It does not change afterwards.")
        ),
        FieldPanel("citation_en"),
        FieldPanel("citation_fr", help_text=_("An edition of the standards cannot be issued without it.")),
        FieldPanel("url"),
        FieldRowPanel([FieldPanel("local_en"), FieldPanel("local_fr")]),
    )


class CompetencyFilter(BaseFilterForm):
    """Finds competencies by words of their code or of their title in either language, accents or not."""

    q = forms.CharField(
        label=_("Code or words of the title"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "B2"}),
    )

    def filter(self, objects: QuerySet[Competency]) -> QuerySet[Competency]:
        words = fold_text(self.cleaned_data["q"]).split()
        if not words:
            return objects
        self.is_searching, self.search_query = True, self.cleaned_data["q"]
        # A framework has tens of competencies, and PostgreSQL alone cannot fold accents.
        found = [
            competency.pk
            for competency in objects
            if all(
                word in fold_text(f"{competency.code} {competency.title_en} {competency.title_fr}")
                for word in words
            )
        ]
        return objects.filter(pk__in=found)


class _Choices:
    """Competencies that were published once, in the order of the standards."""

    filter_form_class = CompetencyFilter
    ordering = ("framework_key", "code")
    per_page = 50

    def get_object_list(self) -> QuerySet[Competency]:
        return Competency.objects.exclude(code="")


class CompetencyChooseView(_Choices, ChooseView):
    pass


class CompetencyChooseResultsView(_Choices, ChooseResultsView):
    pass


class CompetencyChooserViewSet(ChooserViewSet):
    """Registers the widget for every foreign key to a competency; there is no form to make one."""

    model = Competency
    icon = "tag"
    choose_one_text = _("Choose a competency")
    choose_another_text = _("Choose another competency")
    choose_view_class: Any = CompetencyChooseView
    choose_results_view_class: Any = CompetencyChooseResultsView


competency_chooser = CompetencyChooserViewSet("competency_chooser")
CompetencyChooserBlock = competency_chooser.get_block_class(
    name="CompetencyChooserBlock", module_path="standards.viewsets"
)
