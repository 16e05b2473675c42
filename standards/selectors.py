"""Reads of the standards, with their cost in queries. `document` is large, so only what serves it reads it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Case, Count, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Length
from django.urls import reverse
from django.utils.translation import gettext as _

from core.extensions import TaughtPlace, taught_in
from core.kept import Kept
from standards.models import (
    Association,
    EditionCompetency,
    EditionDomain,
    FrameworkEdition,
    Level,
)
from standards.pages import CompetencyPage, DomainPage, DraftPage, FrameworkPage
from standards.reading import read_edition
from standards.rules import Change, compare_texts

STANDING = (FrameworkEdition.Status.ADOPTED, FrameworkEdition.Status.CONSULTATION)


def light_editions() -> QuerySet[FrameworkEdition]:
    """Editions without their document."""
    return FrameworkEdition.objects.defer("document")


def rank_status() -> Case:
    """Adopted editions before drafts for consultation, and those before what stands no longer."""
    return Case(
        When(status=FrameworkEdition.Status.ADOPTED, then=Value(0)),
        When(status=FrameworkEdition.Status.CONSULTATION, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


def current_edition(framework_key: uuid.UUID) -> FrameworkEdition | None:
    """The edition in force: the adopted one, else the newest draft for consultation. One query."""
    return (
        light_editions()
        .filter(framework_key=framework_key, status__in=STANDING)
        .order_by(rank_status(), "-number")
        .first()
    )


def edition_digests() -> list[tuple[str, int, str]]:
    """Slug, number and digest of every edition, sorted. One query."""
    return list(FrameworkEdition.objects.order_by("slug", "number").values_list("slug", "number", "digest"))


def find_issued_address(page: DraftPage) -> str:
    """The screen that shows a page's content as issued, or the list of standards. One query."""
    if isinstance(page, CompetencyPage):
        if EditionCompetency.objects.filter(competency_id=page.translation_key).exists():
            return reverse("standards:competency", args=[page.translation_key])
    elif isinstance(page, DomainPage):
        domain = (
            EditionDomain.objects.filter(key=page.translation_key, edition__status__in=STANDING)
            .values_list("edition__slug", "edition__number", "code")
            .order_by("-edition__number")
            .first()
        )
        if domain is not None:
            return reverse("standards:domain", args=domain)
    elif isinstance(page, FrameworkPage):
        edition = current_edition(page.translation_key)
        if edition is not None:
            return reverse("standards:edition", args=[edition.slug, edition.number])
    return reverse("standards:index")


# --- What an edition names, kept by the process ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamedCompetency:
    """A competency as an edition names it: enough for a list beside something else."""

    id: uuid.UUID
    code: str
    title_en: str
    title_fr: str
    domain: EditionDomain

    def title_in(self, language: str) -> str:
        return (self.title_fr if language == "fr" else self.title_en) or self.title_en


_named: Final[Kept[uuid.UUID, Mapping[uuid.UUID, NamedCompetency]]] = Kept(64)


def named_competencies(edition_id: uuid.UUID) -> Mapping[uuid.UUID, NamedCompetency]:
    """The competencies of an edition by their key, in its order. One query the first time, then none."""

    def read() -> dict[uuid.UUID, NamedCompetency]:
        rows = (
            EditionCompetency.objects.filter(edition_id=edition_id)
            .select_related("domain")
            .only("competency_id", "code", "title_en", "title_fr", "domain")
            .order_by("domain__position", "position")
        )
        return {
            row.competency_id: NamedCompetency(
                row.competency_id, row.code, row.title_en, row.title_fr, row.domain
            )
            for row in rows
        }

    return _named.read(edition_id, read)


# --- The list of standards --------------------------------------------------------------------------------------


@dataclass(slots=True)
class FrameworkListing:
    """A framework as the list of standards shows it: the edition in force, its domains, and every edition."""

    current: FrameworkEdition
    domains: list[EditionDomain] = field(default_factory=list)
    editions: list[FrameworkEdition] = field(default_factory=list)

    @property
    def competency_count(self) -> int:
        return sum(getattr(domain, "competency_count", 0) for domain in self.domains)


def list_frameworks() -> list[FrameworkListing]:
    """Every framework with an edition, by title. Two queries."""
    editions: dict[uuid.UUID, list[FrameworkEdition]] = defaultdict(list)
    for edition in light_editions().order_by(rank_status(), "-number"):
        editions[edition.framework_key].append(edition)
    listings = {
        found[0].pk: FrameworkListing(found[0], editions=sorted(found, key=lambda edition: -edition.number))
        for found in editions.values()
    }
    for domain in _count_competencies(EditionDomain.objects.filter(edition__in=list(listings))):
        listings[domain.edition_id].domains.append(domain)
    return sorted(listings.values(), key=lambda listing: (listing.current.title_en, listing.current.slug))


def _count_competencies(domains: QuerySet[EditionDomain]) -> QuerySet[EditionDomain]:
    return domains.annotate(competency_count=Count("competencies")).order_by("position")


# --- One edition ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class EditionScreen:
    """An edition with its domains, and the framework's other editions, newest first."""

    edition: FrameworkEdition
    domains: list[EditionDomain]
    editions: list[FrameworkEdition]

    @property
    def current(self) -> FrameworkEdition:
        """The edition in force; this one where none is any more."""
        standing = [edition for edition in self.editions if edition.status in STANDING]
        standing.sort(
            key=lambda edition: (edition.status != FrameworkEdition.Status.ADOPTED, -edition.number)
        )
        return standing[0] if standing else self.edition

    @property
    def previous(self) -> FrameworkEdition | None:
        return next((edition for edition in self.editions if edition.number < self.edition.number), None)

    @property
    def competency_count(self) -> int:
        return sum(getattr(domain, "competency_count", 0) for domain in self.domains)


def read_edition_screen(*, slug: str, number: int) -> EditionScreen | None:
    """An edition and what surrounds it. Two queries, one for an unknown edition.

    A framework whose slug was changed is found by the slug of any of its editions.
    """
    same_slug = FrameworkEdition.objects.filter(slug=slug).values("framework_key")
    editions = list(
        light_editions()
        .filter(framework_key__in=same_slug)
        .annotate(
            document_size=Length(Cast("document", TextField())),
            licence=KeyTextTransform(
                "title", KeyTransform("licenseURI", KeyTransform("CFDocument", "document"))
            ),
        )
        .order_by("-number")
    )
    edition = next((found for found in editions if found.number == number and found.slug == slug), None)
    if edition is None:
        return None
    editions = [found for found in editions if found.framework_key == edition.framework_key]
    domains = list(_count_competencies(EditionDomain.objects.filter(edition=edition)))
    return EditionScreen(edition, domains, list(editions))


# --- Competencies -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LevelView:
    name: str
    leaves: Sequence[str]
    text: str


@dataclass(frozen=True, slots=True)
class RelationView:
    """A related competency as it is said: “Comes before G3 Reports results without alarm”."""

    words: str
    code: str
    title: str
    url: str


@dataclass(slots=True, kw_only=True)
class CompetencyView:
    """A competency as one screen shows it, in one language."""

    id: uuid.UUID
    code: str
    kind: str
    title: str
    statement: str
    levels: list[LevelView]
    example: str
    example_level: str
    sources: list[dict[str, str]]
    relations: list[RelationView] = field(default_factory=list)
    taught: list[TaughtPlace] = field(default_factory=list)

    @property
    def url(self) -> str:
        return reverse("standards:competency", args=[self.id])


def view_competency(row: EditionCompetency, *, language: str) -> CompetencyView:
    """A row of an edition as it is shown. No queries."""
    return CompetencyView(
        id=row.competency_id,
        code=row.code,
        kind=row.get_kind_display(),
        title=row.title_in(language),
        statement=row.statement_in(language),
        levels=view_levels({level: _choose(words, language) for level, words in row.levels.items()}),
        example=_choose(row.example, language),
        example_level=str(Level(row.example["level"]).label) if row.example.get("level") else "",
        sources=[{"citation": _choose(source, language), "url": source["url"]} for source in row.sources],
    )


def view_levels(texts: Mapping[str, str]) -> list[LevelView]:
    """The three levels in order, each with as many leaves as it is deep."""
    return [
        LevelView(str(level.label), ["held"] * depth, texts.get(level, ""))
        for depth, level in enumerate(Level, start=1)
    ]


def _choose(words: Mapping[str, str], language: str) -> str:
    return words.get(language) or words.get("en", "")


def find_taught(ids: Collection[uuid.UUID], *, language: str) -> dict[uuid.UUID, list[TaughtPlace]]:
    """Where competencies are taught, as the floors above answer: their queries, once for all of them."""
    places: dict[uuid.UUID, list[TaughtPlace]] = defaultdict(list)
    for answer in taught_in:
        for competency_id, found in answer(competency_ids=list(ids), language=language).items():
            places[competency_id].extend(found)
    return places


def find_relations(
    edition: FrameworkEdition, ids: Collection[uuid.UUID], *, language: str
) -> dict[uuid.UUID, list[RelationView]]:
    """The relations of these competencies in an edition, read from either end. Two queries."""
    touching = Q(origin__in=ids) | Q(destination__in=ids)
    associations = list(Association.objects.filter(touching, edition=edition))
    ends = {
        end for association in associations for end in (association.origin_id, association.destination_id)
    }
    rows = {
        row.competency_id: row
        for row in EditionCompetency.objects.filter(edition=edition, competency__in=ends).only(
            "competency", "code", "title_en", "title_fr", "position"
        )
    }
    words = {
        Association.Type.PRECEDES: (_("Comes before"), _("Comes after")),
        Association.Type.RELATED_TO: (_("Goes with"), _("Goes with")),
        Association.Type.REPLACED_BY: (_("Replaced by"), _("Replaces")),
        Association.Type.EXACT_MATCH: (_("Same as"), _("Same as")),
    }
    order = {said: position for position, said in enumerate(said for pair in words.values() for said in pair)}
    found: dict[uuid.UUID, list[RelationView]] = defaultdict(list)
    for association in associations:
        forth, back = words[Association.Type(association.type)]
        for here, there, said in (
            (association.origin_id, association.destination_id, forth),
            (association.destination_id, association.origin_id, back),
        ):
            if here in ids and there in rows:
                row = rows[there]
                address = reverse("standards:competency", args=[there])
                found[here].append(RelationView(said, row.code, row.title_in(language), address))
    for relations in found.values():
        relations.sort(key=lambda relation: (order[relation.words], relation.code))
    return found


@dataclass(slots=True)
class DomainScreen:
    """A domain of an edition with its competencies, and what surrounds it."""

    around: EditionScreen
    domain: EditionDomain
    competencies: list[CompetencyView]


def read_domain_screen(*, slug: str, number: int, code: str, language: str) -> DomainScreen | None:
    """A domain of an edition, whole. Five queries and those of `taught_in`, however many competencies."""
    around = read_edition_screen(slug=slug, number=number)
    domain = next((found for found in around.domains if found.code == code), None) if around else None
    if around is None or domain is None:
        return None
    rows = EditionCompetency.objects.filter(domain=domain).order_by("position")
    views = [view_competency(row, language=language) for row in rows]
    _add_surroundings(around.edition, views, language=language)
    return DomainScreen(around, domain, views)


def _add_surroundings(edition: FrameworkEdition, views: list[CompetencyView], *, language: str) -> None:
    ids = {view.id for view in views}
    relations, taught = find_relations(edition, ids, language=language), find_taught(ids, language=language)
    for view in views:
        view.relations, view.taught = relations[view.id], taught[view.id]


@dataclass(slots=True)
class CompetencyScreen:
    """A competency at its permanent address: its newest text, and every edition it stands in."""

    row: EditionCompetency
    view: CompetencyView
    rows: list[EditionCompetency]

    @property
    def edition(self) -> FrameworkEdition:
        return self.row.edition

    @property
    def stands(self) -> bool:
        """Whether the newest edition that has it is in force or under consultation."""
        return self.edition.status in STANDING


def read_competency_screen(competency_id: uuid.UUID, *, language: str) -> CompetencyScreen | None:
    """A competency in the edition in force, else in the newest that has it. Three queries and those of `taught_in`."""
    rows = list(
        EditionCompetency.objects.filter(competency=competency_id)
        .select_related("edition", "domain")
        .defer("edition__document")
        .order_by("-edition__number")
    )
    if not rows:
        return None
    preferred: dict[str, int] = {FrameworkEdition.Status.ADOPTED: 0, FrameworkEdition.Status.CONSULTATION: 1}
    row = min(rows, key=lambda row: (preferred.get(row.edition.status, 2), -row.edition.number))
    view = view_competency(row, language=language)
    _add_surroundings(row.edition, [view], language=language)
    return CompetencyScreen(row, view, rows)


# --- Two editions -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Comparison:
    """What changed from one edition to another, in one language."""

    older: FrameworkEdition
    newer: FrameworkEdition
    changes: list[Change]

    def count(self, kind: str) -> int:
        return sum(1 for change in self.changes if change.kind == kind)

    @property
    def added(self) -> int:
        return self.count("added")

    @property
    def removed(self) -> int:
        return self.count("removed")

    @property
    def changed(self) -> int:
        return self.count("changed")


def compare_editions(*, slug: str, numbers: tuple[int, int], language: str) -> Comparison | None:
    """The older and the newer edition side by side, whichever was named first. Seven queries."""
    editions = {
        edition.number: edition for edition in FrameworkEdition.objects.filter(slug=slug, number__in=numbers)
    }
    if len(editions) != 2:
        return None
    older, newer = editions[min(editions)], editions[max(editions)]
    return Comparison(
        older, newer, compare_texts(read_edition(older), read_edition(newer), language=language)
    )
