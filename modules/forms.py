"""Forms of this floor's screens in the CMS."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminPageForm

from core.languages import reading_language
from standards.pages import FrameworkPage

if TYPE_CHECKING:
    from modules.pages import CoursePage


def list_frameworks() -> list[tuple[str, str]]:
    """The frameworks by title in the language in force. One query."""
    language = reading_language()
    titles: dict[str, str] = {}
    pages = FrameworkPage.objects.select_related("locale").order_by("title")
    for page in sorted(pages, key=lambda page: page.locale.language_code == language):
        # A long title would push the list of choices out of its column.
        titles[str(page.translation_key)] = Truncator(page.title).chars(60)
    return [("", "---------"), *titles.items()]


class TrainingForm(WagtailAdminPageForm):
    """A training names its framework by title; what is kept is the framework's key."""

    framework_key = forms.TypedChoiceField(
        label=_("Standards it serves"),
        help_text=_("The framework whose competencies its lessons and assessments are mapped to."),
        choices=list_frameworks,
        coerce=uuid.UUID,
        empty_value=None,
        required=False,
    )


class IssueForm(forms.Form):
    """What an author says of a new edition."""

    note = forms.CharField(
        label=_("What changed"),
        help_text=_("One or two sentences for instructors and partners, kept with the edition."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
    )


class CopyForm(forms.Form):
    """The titles of a copied course, one a language."""

    def __init__(self, *args: Any, course: CoursePage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.languages = [
            page.locale.language_code
            for page in [course, *course.get_translations().select_related("locale")]
        ]
        names = {"en": _("Title in English"), "fr": _("Title in French")}
        for language in self.languages:
            self.fields[f"title_{language}"] = forms.CharField(
                label=names.get(language, language), max_length=200
            )

    def read_titles(self) -> dict[str, str]:
        return {language: self.cleaned_data[f"title_{language}"] for language in self.languages}
