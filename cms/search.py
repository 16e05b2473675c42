"""Search over the site: pages, courses, lessons open to the public, and standards, as issued.

Entries hold accent-folded words computed in Python, so that any PostgreSQL finds “cœur” for “coeur”.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import models, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from core.models import Language
from core.sanitize import strip_tags
from core.text import fold_text
from modules.documents import Outline
from modules.models import CourseEdition, StepContent
from modules.selectors import published_courses
from standards.models import EditionCompetency, EditionDomain, FrameworkEdition
from standards.selectors import current_edition

LANGUAGES = ("en", "fr")


class SearchEntry(models.Model):
    """One thing that search finds, in one language. Made again whenever an edition or a page is published."""

    class Kind(models.TextChoices):
        PAGE = "page", _("Page")
        COURSE = "course", _("Course")
        LESSON = "lesson", _("Lesson")
        DOMAIN = "domain", _("Domain of the standards")
        COMPETENCY = "competency", _("Competency")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    language = models.CharField(max_length=2, choices=Language.choices)
    title = models.CharField(max_length=255)
    context = models.CharField(max_length=255, blank=True)
    summary = models.TextField(blank=True)
    url = models.CharField(max_length=300)
    folded_title = models.TextField()
    folded = models.TextField()

    class Meta:
        verbose_name = _("search entry")
        constraints = [
            models.UniqueConstraint(
                fields=["language", "url"], name="cms_an_address_is_found_once_a_language"
            )
        ]

    def __str__(self) -> str:
        return self.title


def _entry(
    kind: str, language: str, title: str, url: str, *, context: str = "", text: str = "", summary: str = ""
) -> SearchEntry:
    return SearchEntry(
        kind=kind,
        language=language,
        title=title[:255],
        context=context[:255],
        summary=summary[:400],
        url=url,
        folded_title=fold_text(title),
        folded=fold_text(f"{summary} {text}"),
    )


def _pages() -> Iterator[SearchEntry]:
    from cms.pages import PlainPage

    for page in PlainPage.objects.live().public().select_related("locale"):
        text = " ".join(strip_tags(str(block.value)) for block in page.body if block.block_type == "text")
        yield _entry(
            SearchEntry.Kind.PAGE,
            page.locale.language_code,
            page.title,
            page.url or "",
            summary=page.lead,
            text=text,
        )


def _courses() -> Iterator[SearchEntry]:
    editions = published_courses()
    texts: dict[tuple[object, object, str], StepContent] = {
        (content.edition_id, content.step_key, content.locale): content
        for content in StepContent.objects.filter(edition__in=editions)
    }
    for edition in editions:
        outline = Outline.from_json(edition.outline)
        for language in edition.languages or LANGUAGES:
            with override(language):
                yield _entry(
                    SearchEntry.Kind.COURSE,
                    language,
                    edition.title_in(language),
                    reverse("lms:course", args=[edition.slug]),
                    summary=outline.lead.get(language, ""),
                    text=" ".join(
                        [strip_tags(outline.description_html.get(language, ""))]
                        + [step.title.get(language, "") for step in outline.iter_steps()]
                    ),
                )
                yield from _lessons(edition, outline, language, texts)


def _lessons(
    edition: CourseEdition,
    outline: Outline,
    language: str,
    texts: dict[tuple[object, object, str], StepContent],
) -> Iterator[SearchEntry]:
    for step in outline.iter_steps():
        content = texts.get((edition.pk, step.key, language))
        if step.open_to_public and step.kind == "lesson" and content:
            yield _entry(
                SearchEntry.Kind.LESSON,
                language,
                content.title,
                reverse("lms:public_lesson", args=[edition.slug, step.slug]),
                context=edition.title_in(language),
                summary=content.lead,
                text=content.text,
            )


def _standards() -> Iterator[SearchEntry]:
    keys = FrameworkEdition.objects.order_by().values_list("framework_key", flat=True).distinct()
    for edition in filter(None, (current_edition(key) for key in keys)):
        domains: Iterable[EditionDomain] = edition.domains.all()
        competencies: Iterable[EditionCompetency] = edition.competencies.select_related("domain")
        for language in LANGUAGES:
            with override(language):
                for domain in domains:
                    yield _entry(
                        SearchEntry.Kind.DOMAIN,
                        language,
                        f"{domain.code} {domain.title_in(language)}",
                        reverse("standards:domain", args=[edition.slug, edition.number, domain.code]),
                        context=edition.title_in(language),
                        summary=strip_tags(domain.intro_in(language)),
                    )
                for row in competencies:
                    levels = " ".join(words.get(language, "") for words in row.levels.values())
                    yield _entry(
                        SearchEntry.Kind.COMPETENCY,
                        language,
                        f"{row.code} {row.title_in(language)}",
                        reverse("standards:competency", args=[row.competency_id]),
                        context=row.domain.title_in(language),
                        summary=row.statement_in(language),
                        text=f"{levels} {row.example.get(language, '')}",
                    )


@transaction.atomic
def refresh_search() -> int:
    """Make all entries again; how many there are. A constant number of queries a course and a framework."""
    entries = {
        (entry.language, entry.url): entry for make in (_pages, _courses, _standards) for entry in make()
    }
    SearchEntry.objects.all().delete()
    SearchEntry.objects.bulk_create(entries.values(), batch_size=500)
    return len(entries)


def find_entries(*, words: str, language: str) -> QuerySet[SearchEntry]:
    """Entries that hold every word, or a word that begins so; the best first. Nothing for no words."""
    terms = re.findall(r"\w+", fold_text(words))[:12]
    if not terms:
        return SearchEntry.objects.none()
    query = SearchQuery(" & ".join(f"{term}:*" for term in terms), search_type="raw", config="simple")
    vector = SearchVector("folded_title", weight="A", config="simple") + SearchVector(
        "folded", weight="C", config="simple"
    )
    return (
        SearchEntry.objects.filter(language=language)
        .annotate(vector=vector, rank=SearchRank(vector, query))
        .filter(vector=query)
        .order_by("-rank", "title")
    )
