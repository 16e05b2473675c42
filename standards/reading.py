"""Reads a framework's text: from the pages that the committee edits, and from an edition."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import Any

from django.conf import settings
from wagtail.models import Page
from wagtail.rich_text import expand_db_html

from core.sanitize import clean_kept
from standards.models import Association, EditionCompetency, EditionDomain, FrameworkEdition
from standards.pages import CompetencyPage, CompetencyRelation, CompetencySource, DomainPage, FrameworkPage
from standards.rules import (
    LEVELS,
    CompetencyText,
    DomainText,
    FrameworkText,
    RelationText,
    SourceText,
    Words,
)

# Structure comes from this language's pages; the other language's give words only.
SOURCE_LANGUAGE = settings.LANGUAGE_CODE
OTHER_LANGUAGE = next(code for code, _name in settings.LANGUAGES if code != SOURCE_LANGUAGE)


def find_source_page(page: Any) -> Any:
    """The page of the source language that belongs to `page`, itself where it is that. At most one query."""
    if page.locale.language_code == SOURCE_LANGUAGE:
        return page
    return (
        type(page)
        .objects.filter(translation_key=page.translation_key, locale__language_code=SOURCE_LANGUAGE)
        .first()
        or page
    )


def read_pages(framework_page: FrameworkPage) -> FrameworkText:
    """The published text of a framework's pages, in both languages. Eight queries, however many pages."""
    source = find_source_page(framework_page)
    twin = _find_twins(FrameworkPage, [source]).get(source.translation_key)
    domains = list(DomainPage.objects.live().child_of(source).order_by("path"))
    competencies = list(
        CompetencyPage.objects.live().descendant_of(source).order_by("path") if domains else []
    )
    domain_twins, twins = _find_twins(DomainPage, domains), _find_twins(CompetencyPage, competencies)
    sources, relations = _read_sources(competencies), _read_relations(competencies)
    by_parent: dict[str, list[CompetencyPage]] = defaultdict(list)
    for page in competencies:
        by_parent[page.path[: -Page.steplen]].append(page)
    return FrameworkText(
        key=source.translation_key,
        slug=source.slug,
        title=_read_words(source, twin, "title"),
        summary=_read_words(source, twin, "summary"),
        licence=source.licence,
        starting_content=source.starting_content,
        domains=tuple(
            _read_domain(
                page,
                domain_twins.get(page.translation_key),
                [
                    _read_competency(child, twins.get(child.translation_key), sources.get(child.pk, ()))
                    for child in by_parent[page.path]
                ],
            )
            for page in domains
        ),
        relations=tuple(relations),
    )


def _find_twins(model: type[Any], pages: list[Any]) -> dict[uuid.UUID, Any]:
    if not pages:
        return {}
    found = model.objects.live().filter(
        translation_key__in=[page.translation_key for page in pages], locale__language_code=OTHER_LANGUAGE
    )
    return {page.translation_key: page for page in found}


def _read_words(page: Any, twin: Any, name: str) -> Words:
    texts = {
        SOURCE_LANGUAGE: getattr(page, name).strip(),
        OTHER_LANGUAGE: getattr(twin, name).strip() if twin is not None else "",
    }
    return Words(**texts)


def _read_domain(page: DomainPage, twin: DomainPage | None, competencies: list[CompetencyText]) -> DomainText:
    intro = _read_words(page, twin, "intro")
    return DomainText(
        id=page.translation_key,
        code=page.code.strip(),
        title=_read_words(page, twin, "title"),
        intro=Words(_clean(intro.en), _clean(intro.fr)),
        competencies=tuple(competencies),
    )


def _clean(text: str) -> str:
    return clean_kept(expand_db_html(text)) if text else ""


def _read_competency(
    page: CompetencyPage, twin: CompetencyPage | None, sources: tuple[SourceText, ...]
) -> CompetencyText:
    return CompetencyText(
        id=page.translation_key,
        code=page.code.strip(),
        kind=page.kind,
        title=_read_words(page, twin, "title"),
        statement=_read_words(page, twin, "statement"),
        levels={level: _read_words(page, twin, level) for level in LEVELS},
        example=_read_words(page, twin, "example"),
        example_level=page.example_level if page.example.strip() else "",
        sources=sources,
    )


def _read_sources(pages: list[CompetencyPage]) -> dict[int, tuple[SourceText, ...]]:
    found: dict[int, list[SourceText]] = defaultdict(list)
    links = CompetencySource.objects.filter(page__in=[page.pk for page in pages]).select_related("source")
    for link in links.order_by("page_id", "sort_order", "pk"):
        found[link.page_id].append(
            SourceText(
                slug=link.source.slug,
                citation=Words(link.source.citation_en.strip(), link.source.citation_fr.strip()),
                url=link.source.url,
            )
        )
    return {key: tuple(texts) for key, texts in found.items()}


def _read_relations(pages: list[CompetencyPage]) -> list[RelationText]:
    keys = {page.pk: page.translation_key for page in pages}
    order = {page.pk: position for position, page in enumerate(pages)}
    relations = CompetencyRelation.objects.filter(page__in=list(keys)).order_by("sort_order", "pk")
    return [
        RelationText(type=relation.type, origin=keys[relation.page_id], destination=relation.to_id)
        for relation in sorted(relations, key=lambda relation: order[relation.page_id])
    ]


def read_edition(edition: FrameworkEdition) -> FrameworkText:
    """The text of an edition. Three queries, however long it is."""
    competencies: dict[int, list[CompetencyText]] = defaultdict(list)
    for row in EditionCompetency.objects.filter(edition=edition).order_by("position"):
        competencies[row.domain_id].append(
            CompetencyText(
                id=row.competency_id,
                code=row.code,
                kind=row.kind,
                title=Words(row.title_en, row.title_fr),
                statement=Words(row.statement_en, row.statement_fr),
                levels={level: Words(**row.levels[level]) for level in LEVELS},
                example=Words(row.example.get("en", ""), row.example.get("fr", "")),
                example_level=row.example.get("level", ""),
                sources=tuple(
                    SourceText(
                        slug=source["slug"], citation=Words(source["en"], source["fr"]), url=source["url"]
                    )
                    for source in row.sources
                ),
            )
        )
    licence = edition.document["CFDocument"].get("licenseURI")
    return FrameworkText(
        key=edition.framework_key,
        slug=edition.slug,
        title=Words(edition.title_en, edition.title_fr),
        summary=Words(edition.summary_en, edition.summary_fr),
        licence=FrameworkPage.Licence.CC_BY if licence else FrameworkPage.Licence.RESERVED,
        starting_content=edition.starting_content,
        domains=tuple(
            DomainText(
                id=domain.key,
                code=domain.code,
                title=Words(domain.title_en, domain.title_fr),
                intro=Words(domain.intro_en, domain.intro_fr),
                competencies=tuple(competencies[domain.pk]),
            )
            for domain in EditionDomain.objects.filter(edition=edition).order_by("position")
        ),
        relations=tuple(
            RelationText(
                type=association.type, origin=association.origin_id, destination=association.destination_id
            )
            for association in Association.objects.filter(edition=edition)
        ),
    )
