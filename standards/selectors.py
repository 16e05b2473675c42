"""Reads of the standards, with their cost in queries."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.urls import reverse

from standards.models import Competency, EditionCompetency, EditionDomain, FrameworkEdition
from standards.pages import CompetencyPage, DomainPage, DraftPage, FrameworkPage


def current_edition(framework_key: uuid.UUID) -> FrameworkEdition | None:
    """The edition that is in force: the adopted one, else the newest draft for consultation. One query."""
    return (
        FrameworkEdition.objects.filter(
            framework_key=framework_key,
            status__in=[FrameworkEdition.Status.ADOPTED, FrameworkEdition.Status.CONSULTATION],
        )
        .order_by(rank_status(), "-number")
        .first()
    )


def rank_status() -> Case:
    """Adopted editions before drafts for consultation, and those before what stands no longer."""
    return Case(
        When(status=FrameworkEdition.Status.ADOPTED, then=Value(0)),
        When(status=FrameworkEdition.Status.CONSULTATION, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


def edition_digests() -> list[tuple[str, int, str]]:
    """Slug, number and digest of every edition, sorted. One query."""
    return list(FrameworkEdition.objects.order_by("slug", "number").values_list("slug", "number", "digest"))


def find_issued_address(page: DraftPage) -> str:
    """The screen that shows a page's content as issued, or the list of standards. At most two queries."""
    if isinstance(page, CompetencyPage):
        if EditionCompetency.objects.filter(competency_id=page.translation_key).exists():
            return reverse("standards:competency", args=[page.translation_key])
    elif isinstance(page, DomainPage):
        domain = (
            EditionDomain.objects.filter(key=page.translation_key)
            .select_related("edition")
            .order_by("-edition__number")
            .first()
        )
        if domain is not None:
            return reverse("standards:domain", args=[domain.edition.slug, domain.edition.number, domain.code])
    elif isinstance(page, FrameworkPage):
        edition = current_edition(page.translation_key)
        if edition is not None:
            return reverse("standards:edition", args=[edition.slug, edition.number])
    return reverse("standards:index")


def describe_draft(page: DraftPage) -> dict[str, Any]:
    """What a preview shows of a page that is not issued yet."""
    return {}


def known_competencies(ids: list[uuid.UUID]) -> dict[uuid.UUID, Competency]:
    """Competencies by their permanent identifier. One query."""
    return Competency.objects.in_bulk(ids)
