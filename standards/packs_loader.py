"""Loads a framework pack (`docs/packs.md`) into the CMS: sources, then pages in English and in French.

Loading again changes nothing. What was written to a page or a source is remembered by its digest, so that an editor's
later change is seen, kept and reported.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, Site

from core import canonical
from standards.case.package import Stamp, build_package, digest_package
from standards.models import Association, Competency, FrameworkEdition, Source
from standards.pack_files import (
    LANGUAGES,
    FrameworkPack,
    PackError,
    clean_text,
    competency_values,
    domain_values,
    framework_values,
    read_framework_pack,
    read_front_matter,
    read_yaml,
)
from standards.pages import (
    CompetencyPage,
    CompetencyRelation,
    CompetencySource,
    DomainPage,
    DraftPage,
    FrameworkPage,
)
from standards.reading import SOURCE_LANGUAGE, read_pages
from standards.services import issue_framework_edition

Report = Callable[[str], None]

SOURCE_FIELDS: Final = ("citation_en", "citation_fr", "url", "local_en", "local_fr")
PAGE_FIELDS: Final[dict[type[DraftPage], tuple[str, ...]]] = {
    FrameworkPage: ("title", "summary", "licence", "starting_content"),
    DomainPage: ("title", "code", "intro"),
    CompetencyPage: (
        "title",
        "code",
        "kind",
        "statement",
        "foundational",
        "practising",
        "leading",
        "example",
        "example_level",
    ),
}


# --- Sources ----------------------------------------------------------------------------------------------------


@transaction.atomic
def load_sources(path: Path, *, report: Report, replace: bool = False) -> dict[str, Source]:
    """Load a pack's `sources.yaml` (`path` is the pack); returns every source it names, by slug.

    The pack that brought a source first may change it later; another pack that says it differently is reported and
    the first words stay. So does an editor's change, unless `replace`.
    """
    entries = read_yaml(path / "sources.yaml") or []
    known = Source.objects.in_bulk([entry["slug"] for entry in entries], field_name="slug")
    return {
        entry["slug"]: _load_source(
            entry, known.get(entry["slug"]), pack=path.name, report=report, replace=replace
        )
        for entry in entries
    }


def _load_source(
    entry: Mapping[str, Any], source: Source | None, *, pack: str, report: Report, replace: bool
) -> Source:
    local = entry.get("local") or {}
    values = {
        "citation_en": str(entry.get("en", "")).strip(),
        "citation_fr": str(entry.get("fr", "")).strip(),
        "url": str(entry.get("url") or "").strip(),
        "local_en": str(local.get("en", "")).strip(),
        "local_fr": str(local.get("fr", "")).strip(),
    }
    wanted = canonical.digest(values)
    if source is None:
        return Source.objects.create(slug=entry["slug"], loaded_from=pack, loaded_digest=wanted, **values)
    current = canonical.digest({name: getattr(source, name) for name in SOURCE_FIELDS})
    if current == wanted:
        return source
    if source.loaded_from != pack:
        report(
            _("Source %(slug)s: the pack %(pack)s says it differently; the words of %(first)s stay.")
            % {"slug": source.slug, "pack": pack, "first": source.loaded_from or _("an editor")}
        )
        return source
    if current != source.loaded_digest and not replace:
        if wanted != source.loaded_digest:
            report(
                _("Source %(slug)s: an editor changed it, so the file's new words were not taken.")
                % {"slug": source.slug}
            )
        else:
            report(_("Source %(slug)s: an editor's change was kept.") % {"slug": source.slug})
        return source
    for name, value in values.items():
        setattr(source, name, value)
    source.loaded_digest = wanted
    source.save()
    return source


# --- Pages ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What one load did to pages."""

    made: int = 0
    changed: int = 0
    kept: int = 0
    edited: int = 0


@transaction.atomic
def load_framework_pack(path: Path, *, report: Report, replace: bool = False) -> FrameworkEdition | None:
    """Load a framework pack whole or not at all, and issue the edition that `pack.yaml` names.

    `report` is called with one sentence for each thing worth knowing. Returns the edition that has the text now, None
    where none was issued because editors have changed pages. Raises PackError or EditionRefused.
    """
    pack = read_framework_pack(path)
    sources = load_sources(path, report=report, replace=replace)
    tally = Tally()
    load = _PageLoader(tally, report=report, replace=replace)
    framework = load.write(
        FrameworkPage, pack.key, find_roots(), framework_values(pack), slug=pack.slug, label=pack.slug
    )
    _register_competencies(pack)
    relations = _find_relations(pack)
    for files in pack.domains.values():
        head = files["en"].head
        domain = load.write(
            DomainPage,
            uuid.UUID(str(head["id"])),
            framework,
            domain_values(files),
            slug=str(head["code"]).lower(),
            label=str(head["code"]),
        )
        for position, entry in enumerate(head.get("competencies") or ()):
            load.write(
                CompetencyPage,
                uuid.UUID(str(entry["id"])),
                domain,
                competency_values(files, position),
                slug=str(entry["code"]).lower(),
                label=str(entry["code"]),
                links=_Links(_find_sources(entry, sources), relations.get(entry["code"], [])),
            )
    load.publish()
    report(
        _(
            "Framework %(slug)s: %(made)d pages made, %(changed)d changed, %(kept)d as they were, "
            "%(edited)d kept as edited."
        )
        % {
            "slug": pack.slug,
            "made": tally.made,
            "changed": tally.changed,
            "kept": tally.kept,
            "edited": tally.edited,
        }
    )
    return _issue(pack, framework["en"], edited=tally.edited > 0, report=report)


def find_roots() -> dict[str, Page]:
    """The first page of the site in each language; PackError where the site is not set up."""
    site = Site.objects.filter(is_default_site=True).select_related("root_page").first()
    roots: dict[str, Page] = {}
    if site is not None:
        for page in Page.objects.filter(translation_key=site.root_page.translation_key).select_related(
            "locale"
        ):
            roots[page.locale.language_code] = page
    missing = [name for code, name in settings.LANGUAGES if code not in roots]
    if missing:
        raise PackError(
            _("The site has no home page in %(languages)s yet. Run “manage.py setup_site” first.")
            % {"languages": ", ".join(str(name) for name in missing)}
        )
    return roots


def _find_sources(entry: Mapping[str, Any], sources: Mapping[str, Source]) -> list[Source]:
    slugs = entry.get("sources") or []
    unknown = [slug for slug in slugs if slug not in sources]
    if unknown:
        raise PackError(
            _("%(code)s cites %(slugs)s, which sources.yaml does not have.")
            % {"code": entry["code"], "slugs": ", ".join(unknown)}
        )
    return [sources[slug] for slug in slugs]


@dataclass(frozen=True, slots=True)
class _Links:
    """What a competency points at: sources, and other competencies by relation."""

    sources: Sequence[Source] = ()
    relations: Sequence[tuple[str, uuid.UUID]] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "sources": [source.slug for source in self.sources],
            "relations": [[type_, str(key)] for type_, key in self.relations],
        }


class _PageLoader:
    """Writes pages in English, then their French copies, and publishes what it wrote."""

    def __init__(self, tally: Tally, *, report: Report, replace: bool) -> None:
        self.tally, self.report, self.replace = tally, report, replace
        self.locales = {
            code: Locale.objects.get_or_create(language_code=code)[0] for code, _name in settings.LANGUAGES
        }
        self.written: list[DraftPage] = []

    def write(
        self,
        model: type[DraftPage],
        key: uuid.UUID,
        parents: Mapping[str, Page],
        values: Mapping[str, Mapping[str, Any]],
        *,
        slug: str,
        label: str,
        links: _Links = _Links(),
    ) -> dict[str, DraftPage]:
        """The page in each language, as the file has it or as an editor left it."""
        pages: dict[str, DraftPage] = {}
        for language in LANGUAGES:
            wanted = {**values[language], **(links if language == SOURCE_LANGUAGE else _Links()).to_json()}
            page = model.objects.filter(translation_key=key, locale=self.locales[language]).first()
            if page is not None:
                pages[language] = self._change(page, wanted, links, f"{label} ({language})")
                continue
            if language == SOURCE_LANGUAGE:
                page = self._make(
                    model(translation_key=key, title=wanted["title"], slug=slug), parents[language]
                )
            else:
                page = pages[SOURCE_LANGUAGE].copy_for_translation(self.locales[language])
            self._fill(page, wanted, links)
            self.tally.made += 1
            pages[language] = page
        return pages

    def _make(self, page: DraftPage, parent: Page) -> DraftPage:
        page.locale, page.live = self.locales[SOURCE_LANGUAGE], False
        # The parent's row was read before its earlier children were added.
        return Page.objects.get(pk=parent.pk).add_child(instance=page)

    def _change(self, page: DraftPage, wanted: Mapping[str, Any], links: _Links, label: str) -> DraftPage:
        latest = page.get_latest_revision_as_object()
        current, new = canonical.digest(read_values(latest)), canonical.digest(wanted)
        if current == new:
            self.tally.kept += 1
            return page
        if current != page.loaded_digest and not self.replace:
            self.tally.edited += 1
            self.report(
                _("%(label)s: an editor's change was kept.") % {"label": label}
                if new == page.loaded_digest
                else _("%(label)s: an editor changed it, so the file's new words were not taken.")
                % {"label": label}
            )
            return page
        self._fill(latest, wanted, links)
        self.tally.changed += 1
        self.report(_("%(label)s: the file's words were taken.") % {"label": label})
        return latest

    def _fill(self, page: DraftPage, wanted: Mapping[str, Any], links: _Links) -> None:
        for name in PAGE_FIELDS[type(page)]:
            setattr(page, name, wanted[name])
        if isinstance(page, CompetencyPage):
            page.source_links = [
                CompetencySource(source=source, sort_order=at) for at, source in enumerate(links.sources)
            ]
            page.relations = [
                CompetencyRelation(type=type_, to_id=key, sort_order=at)
                for at, (type_, key) in enumerate(links.relations)
            ]
        page.loaded_digest = canonical.digest(wanted)
        self.written.append(page)

    def publish(self) -> None:
        """Save and publish what was written; each page keeps a revision of what it was."""
        for page in self.written:
            page.save_revision(clean=False).publish()


def read_values(page: DraftPage) -> dict[str, Any]:
    """What the loader would have to write to get this page. A query for each source of a competency."""
    links = _Links()
    # Structure counts in the source language only; the French page's copy of it is never read.
    if isinstance(page, CompetencyPage) and page.locale.language_code == SOURCE_LANGUAGE:
        links = _Links(
            [link.source for link in page.source_links.all()],
            [(relation.type, relation.to_id) for relation in page.relations.all()],
        )
    return {name: getattr(page, name) for name in PAGE_FIELDS[type(page)]} | links.to_json()


def _register_competencies(pack: FrameworkPack) -> None:
    for files in pack.domains.values():
        pairs = zip(
            files["en"].head.get("competencies") or (),
            files["fr"].head.get("competencies") or (),
            strict=True,
        )
        for entry, twin in pairs:
            Competency.objects.get_or_create(
                id=uuid.UUID(str(entry["id"])),
                defaults={
                    "framework_key": pack.key,
                    "code": entry["code"],
                    "title_en": clean_text(entry.get("title")),
                    "title_fr": clean_text(twin.get("title")),
                },
            )


def _find_relations(pack: FrameworkPack) -> dict[str, list[tuple[str, uuid.UUID]]]:
    """The associations of `pack.yaml` by the code that each begins at."""
    keys = {
        entry["code"]: uuid.UUID(str(entry["id"]))
        for files in pack.domains.values()
        for entry in files["en"].head.get("competencies") or ()
    }
    relations: dict[str, list[tuple[str, uuid.UUID]]] = {}
    for entry in pack.about.get("associations") or ():
        if (
            entry["from"] not in keys
            or entry["to"] not in keys
            or entry["type"] not in Association.Type.values
        ):
            raise PackError(
                _("pack.yaml: the association from %(origin)s to %(destination)s cannot be used.")
                % {"origin": entry["from"], "destination": entry["to"]}
            )
        relations.setdefault(entry["from"], []).append((entry["type"], keys[entry["to"]]))
    return relations


def _issue(pack: FrameworkPack, page: DraftPage, *, edited: bool, report: Report) -> FrameworkEdition | None:
    wanted = pack.about.get("edition") or {}
    text = read_pages(page)
    digest = digest_package(build_package(text, stamp=Stamp()))
    editions = FrameworkEdition.objects.filter(framework_key=pack.key)
    found = editions.filter(digest=digest).first()
    if found is not None:
        return found
    if edited:
        report(
            _(
                "Framework %(slug)s: no edition was issued, because editors have changed pages. Issue it in the CMS."
            )
            % {"slug": pack.slug}
        )
        return None
    last = editions.order_by("-number").first()
    if last is not None and last.number >= int(wanted.get("number", 1)):
        report(
            _(
                "Framework %(slug)s: the text differs from edition %(number)d, and no edition was issued. Raise the "
                "edition's number in pack.yaml, or issue an edition in the CMS."
            )
            % {"slug": pack.slug, "number": last.number}
        )
        return None
    edition = issue_framework_edition(
        framework_page=page, status=wanted.get("status", FrameworkEdition.Status.CONSULTATION)
    )
    report(
        _("Framework %(slug)s: edition %(number)d was issued.")
        % {"slug": pack.slug, "number": edition.number}
    )
    return edition


__all__ = [
    "PackError",
    "find_roots",
    "load_framework_pack",
    "load_sources",
    "read_framework_pack",
    "read_front_matter",
    "read_yaml",
]
