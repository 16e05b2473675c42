"""Reads of what is being edited: previews of pages, and what the next edition would be. With their cost in queries."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from wagtail.models import Page

from core.extensions import Impact, impact_reports
from standards.case.package import Stamp, build_package, digest_package
from standards.models import Association, Competency, FrameworkEdition, Level
from standards.pages import CompetencyPage, DomainPage, DraftPage, FrameworkPage
from standards.reading import find_source_page, read_edition, read_pages
from standards.rules import Change, FrameworkText, compare_texts, find_problems, touches_other_words
from standards.selectors import CompetencyView, RelationView, view_levels


def describe_draft(page: DraftPage) -> dict[str, Any]:
    """What a preview shows of a page being edited. Two queries for a competency, two for the rest."""
    language = page.locale.language_code
    if isinstance(page, CompetencyPage):
        return {"draft_kind": "competency", "competency": _view_draft(page, language)}
    if isinstance(page, DomainPage):
        children = CompetencyPage.objects.child_of(page).order_by("path") if page.pk else []
        return {"draft_kind": "domain", "parts": children}
    return {
        "draft_kind": "framework",
        "parts": DomainPage.objects.child_of(page).order_by("path") if page.pk else [],
    }


def _view_draft(page: CompetencyPage, language: str) -> CompetencyView:
    links = [link.source for link in page.source_links.all()]
    names = {str(value): str(label) for value, label in Association.Type.choices}
    return CompetencyView(
        id=page.translation_key,
        code=page.code,
        kind=page.get_kind_display(),
        title=page.title,
        statement=page.statement,
        levels=view_levels({level: getattr(page, level) for level in Level.values}),
        example=page.example,
        example_level=page.get_example_level_display() if page.example_level else "",
        sources=[
            {"citation": (source.citation_fr if language == "fr" else source.citation_en), "url": source.url}
            for source in links
        ],
        relations=[
            RelationView(
                names[relation.type],
                relation.to.code,
                relation.to.title_in(language),
                reverse("standards:competency", args=[relation.to_id]),
            )
            for relation in page.relations.all()
        ],
    )


@dataclass(slots=True)
class EditionPreview:
    """What issuing now would do: problems that forbid it, what changes in each language, and what is left out."""

    last: FrameworkEdition | None
    number: int
    problems: list[str]
    same: FrameworkEdition | None
    changes: list[tuple[str, list[Change]]]
    marks_changed: bool
    unpublished: list[Page]
    competency_count: int


def preview_edition(framework_page: FrameworkPage) -> EditionPreview:
    """The next edition against the last one. At most sixteen queries, however many pages."""
    source = find_source_page(framework_page)
    text = read_pages(source)
    last = FrameworkEdition.objects.filter(framework_key=text.key).order_by("-number").first()
    problems = find_text_problems(text)
    before = read_edition(last) if last else None
    changes = []
    if before is not None and not problems:
        for code, name in settings.LANGUAGES:
            changes.append((str(name), compare_texts(before, text, language=code)))
    digest = "" if problems else digest_package(build_package(text, stamp=Stamp()))
    return EditionPreview(
        last=last,
        number=last.number + 1 if last else 1,
        problems=problems,
        same=FrameworkEdition.objects.filter(framework_key=text.key, digest=digest).defer("document").first()
        if digest
        else None,
        changes=changes,
        marks_changed=before is not None and touches_other_words(before, text),
        unpublished=find_unpublished(source),
        competency_count=sum(1 for _competency in text.competencies()),
    )


def find_text_problems(text: FrameworkText) -> list[str]:
    """Why a text cannot be issued. At most one query."""
    own = {competency.id for competency in text.competencies()}
    outside = {relation.destination for relation in text.relations} - own
    known = Competency.objects.filter(id__in=outside).values_list("id", flat=True) if outside else ()
    return find_problems(text, known=frozenset(known))


def find_unpublished(framework_page: FrameworkPage) -> list[Page]:
    """Pages of the framework, in either language, whose newest words would not be in the edition. One query."""
    twins = FrameworkPage.objects.filter(translation_key=framework_page.translation_key).values_list(
        "path", flat=True
    )
    below = Q()
    for path in twins:
        below |= Q(path__startswith=path)
    return list(
        Page.objects.filter(below).filter(Q(live=False) | Q(has_unpublished_changes=True)).order_by("path")
    )


def report_impact(framework_key: uuid.UUID) -> list[Impact]:
    """Whom an edition of the framework touches, as the floors above answer."""
    return [impact for answer in impact_reports for impact in answer(kind="framework", key=framework_key)]
