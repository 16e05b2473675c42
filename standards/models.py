"""Frameworks of competencies: the pages that the committee edits, and the editions that everyone reads."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Subject
from core import clock
from core.languages import reading_language
from core.models import UUIDModel


class Level(models.TextChoices):
    """What a competency looks like at three depths."""

    FOUNDATIONAL = "foundational", _("Foundational")
    PRACTISING = "practising", _("Practising")
    LEADING = "leading", _("Leading")


class CompetencyKind(models.TextChoices):
    KNOWLEDGE = "knowledge", _("Knowledge")
    SKILL = "skill", _("Skill")


class Source(models.Model):
    """A published work that standards and lessons cite by its slug."""

    slug = models.SlugField(max_length=80, unique=True)
    citation_en = models.TextField(_("citation in English"), help_text=_("Markdown: titles in *italics*."))
    citation_fr = models.TextField(_("citation in French"), blank=True)
    url = models.URLField(_("address"), blank=True, help_text=_("Only an address that was checked."))
    local_en = models.TextField(_("where to find the local number, in English"), blank=True)
    local_fr = models.TextField(_("where to find the local number, in French"), blank=True)
    loaded_from = models.CharField(max_length=80, blank=True, editable=False)
    loaded_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Competency(models.Model):
    """The permanent identity of a competency; its key is also its CASE identifier.

    It is the `translation_key` of its page. What it says stands in each edition; `code` and titles here are
    what it was last called, so that an editor can choose it by name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    framework_key = models.UUIDField(db_index=True)
    code = models.CharField(_("code"), max_length=10, blank=True)
    title_en = models.CharField(_("title in English"), max_length=255, blank=True)
    title_fr = models.CharField(_("title in French"), max_length=255, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("competency")
        verbose_name_plural = _("competencies")
        ordering = ["framework_key", "code"]

    def __str__(self) -> str:
        """The code and title in the language in force. No queries."""
        title = self.title_in(reading_language())
        return f"{self.code} {title}".strip() or str(self.id)

    def title_in(self, language: str) -> str:
        return (self.title_fr if language.startswith("fr") else self.title_en) or self.title_en


class FrameworkEdition(UUIDModel):
    """The numbered, immutable text of a framework, in both languages. `document` is a CASE package."""

    class Status(models.TextChoices):
        CONSULTATION = "consultation", pgettext_lazy("edition", "Draft for consultation")
        ADOPTED = "adopted", pgettext_lazy("edition", "Adopted")
        SUPERSEDED = "superseded", pgettext_lazy("edition", "Superseded")
        WITHDRAWN = "withdrawn", pgettext_lazy("edition", "Withdrawn")

    framework_key = models.UUIDField()
    slug = models.SlugField(max_length=80)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=Status.choices)
    title_en = models.CharField(max_length=255)
    title_fr = models.CharField(max_length=255)
    summary_en = models.TextField(blank=True)
    summary_fr = models.TextField(blank=True)
    starting_content = models.BooleanField(default=False)
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField(default=clock.now, editable=False)
    issued_by = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="+")
    status_changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("framework edition")
        verbose_name_plural = _("framework editions")
        ordering = ["framework_key", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["framework_key", "number"], name="standards_an_edition_number_is_used_once"
            ),
            models.UniqueConstraint(
                fields=["framework_key", "digest"], name="standards_an_edition_text_is_issued_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title_en}, edition {self.number}"

    def title_in(self, language: str) -> str:
        return (self.title_fr if language == "fr" else self.title_en) or self.title_en


class EditionDomain(models.Model):
    """A domain as it stands in one edition."""

    edition = models.ForeignKey(
        FrameworkEdition, on_delete=models.PROTECT, related_name="domains", db_index=False
    )
    key = models.UUIDField()
    code = models.CharField(max_length=10)
    position = models.PositiveIntegerField()
    title_en = models.CharField(max_length=255)
    title_fr = models.CharField(max_length=255)
    intro_en = models.TextField(blank=True, help_text=_("Cleaned HTML."))
    intro_fr = models.TextField(blank=True, help_text=_("Cleaned HTML."))

    class Meta:
        ordering = ["edition", "position"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "code"], name="standards_a_domain_code_is_used_once"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title_en}"

    def title_in(self, language: str) -> str:
        return (self.title_fr if language == "fr" else self.title_en) or self.title_en

    def intro_in(self, language: str) -> str:
        return (self.intro_fr if language == "fr" else self.intro_en) or self.intro_en


class EditionCompetency(models.Model):
    """A competency as it stands in one edition: statement, levels, example and sources, EN and FR."""

    edition = models.ForeignKey(
        FrameworkEdition, on_delete=models.PROTECT, related_name="competencies", db_index=False
    )
    domain = models.ForeignKey(EditionDomain, on_delete=models.PROTECT, related_name="competencies")
    competency = models.ForeignKey(Competency, on_delete=models.PROTECT, related_name="editions")
    code = models.CharField(max_length=10)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=CompetencyKind.choices)
    title_en = models.CharField(max_length=255)
    title_fr = models.CharField(max_length=255)
    statement_en = models.TextField()
    statement_fr = models.TextField()
    levels = models.JSONField(help_text='{"foundational": {"en": text, "fr": text}, …}')
    example = models.JSONField(default=dict, help_text='{"level": level, "en": text, "fr": text}')
    sources = models.JSONField(default=list, help_text='[{"slug", "en", "fr", "url"}], in Markdown')

    class Meta:
        ordering = ["edition", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "code"], name="standards_a_competency_code_is_used_once"
            ),
            models.UniqueConstraint(
                fields=["edition", "competency"], name="standards_a_competency_stands_once_in_an_edition"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title_en}"

    def title_in(self, language: str) -> str:
        return (self.title_fr if language == "fr" else self.title_en) or self.title_en

    def statement_in(self, language: str) -> str:
        return (self.statement_fr if language == "fr" else self.statement_en) or self.statement_en


class Association(UUIDModel):
    """How one competency relates to another in an edition; the key is its CASE identifier."""

    class Type(models.TextChoices):
        PRECEDES = "precedes", _("Comes before")
        RELATED_TO = "related_to", _("Goes with")
        REPLACED_BY = "replaced_by", _("Replaced by")
        EXACT_MATCH = "exact_match", _("Same as")

    edition = models.ForeignKey(
        FrameworkEdition, on_delete=models.PROTECT, related_name="associations", db_index=False
    )
    type = models.CharField(max_length=20, choices=Type.choices)
    origin = models.ForeignKey(Competency, on_delete=models.PROTECT, related_name="+")
    destination = models.ForeignKey(Competency, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "type", "origin", "destination"],
                name="standards_an_association_is_said_once",
            )
        ]


from standards.pages import CompetencyPage, DomainPage, FrameworkPage  # noqa: E402

__all__ = [
    "Association",
    "Competency",
    "CompetencyKind",
    "CompetencyPage",
    "DomainPage",
    "EditionCompetency",
    "EditionDomain",
    "FrameworkEdition",
    "FrameworkPage",
    "Level",
    "Source",
]
