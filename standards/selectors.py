"""Reads of the standards, with their cost in queries. `document` is large, so only what serves it reads it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Length
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.models import Page

from core.extensions import Impact, TaughtPlace, impact_reports, taught_in
from standards.case.package import Stamp, build_package, digest_package
from standards.models import Association, Competency, EditionCompetency, EditionDomain, FrameworkEdition, Level
from standards.pages import CompetencyPage, DomainPage, DraftPage, FrameworkPage
from standards.reading import find_source_page, read_edition, read_pages
from standards.rules import Change, FrameworkText, compare_texts, find_problems, touches_other_words

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


# --- The list of standards --------------------------------------------------------------------------------------


@dataclass(slots=True)
class FrameworkListing:
    """A framework as the list of standards shows it: the edition in force, its domains, and every edition."""

    current: FrameworkEdition
    domains: list[EditionDomain] = field(default_factory=list)
    editions: list[FrameworkEdition] = field(default_factory=list)

    @property
    def competency_count(self) -> int:
        return sum(domain.competency_count for domain in self.domains)


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
        standing.sort(key=lambda edition: (edition.status != FrameworkEdition.Status.ADOPTED, -edition.number))
        return standing[0] if standing else self.edition

    @property
    def previous(self) -> FrameworkEdition | None:
        return next((edition for edition in self.editions if edition.number < self.edition.number), None)

    @property
    def competency_count(self) -> int:
        return sum(domain.competency_count for domain in self.domains)


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
            licence=KeyTextTransform("title", KeyTransform("licenseURI", KeyTransform("CFDocument", "document"))),
        )
        .order_by("-number")
    )
    edition = next((found for found in editions if found.number == number and found.slug == slug), None)
    if edition is None:
        return None
    editions = [found for found in editions if found.framework_key == edition.framework_key]
    domains = list(_count_competencies(EditionDomain.objects.filter(edition=edition)))
    return EditionScreen(edition, domains, editions)


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
        example_level=Level(row.example["level"]).label if row.example.get("level") else "",
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
    ends = {end for association in associations for end in (association.origin_id, association.destination_id)}
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
    preferred = {FrameworkEdition.Status.ADOPTED: 0, FrameworkEdition.Status.CONSULTATION: 1}
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
    editions = {edition.number: edition for edition in FrameworkEdition.objects.filter(slug=slug, number__in=numbers)}
    if len(editions) != 2:
        return None
    older, newer = editions[min(editions)], editions[max(editions)]
    return Comparison(older, newer, compare_texts(read_edition(older), read_edition(newer), language=language))


# --- Drafts, for previews ---------------------------------------------------------------------------------------


def describe_draft(page: DraftPage) -> dict[str, Any]:
    """What a preview shows of a page being edited. Two queries for a competency, two for the rest."""
    language = page.locale.language_code
    if isinstance(page, CompetencyPage):
        return {"draft_kind": "competency", "competency": _view_draft(page, language)}
    if isinstance(page, DomainPage):
        children = CompetencyPage.objects.child_of(page).order_by("path") if page.pk else []
        return {"draft_kind": "domain", "parts": children}
    return {"draft_kind": "framework", "parts": DomainPage.objects.child_of(page).order_by("path") if page.pk else []}


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


# --- Before an edition is issued --------------------------------------------------------------------------------


@dataclass(slots=True)
class EditionPreview:
    """What issuing now would do: problems that forbid it, what changes in each language, and what is left out."""

    last: FrameworkEdition | None
    number: int
    problems: list[str]
    same: bool
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
        same=bool(digest) and FrameworkEdition.objects.filter(framework_key=text.key, digest=digest).exists(),
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
    twins = FrameworkPage.objects.filter(translation_key=framework_page.translation_key).values_list("path", flat=True)
    below = Q()
    for path in twins:
        below |= Q(path__startswith=path)
    return list(
        Page.objects.filter(below).filter(Q(live=False) | Q(has_unpublished_changes=True)).order_by("path")
    )


def report_impact(framework_key: uuid.UUID) -> list[Impact]:
    """Whom an edition of the framework touches, as the floors above answer."""
    return [impact for answer in impact_reports for impact in answer(kind="framework", key=framework_key)]
