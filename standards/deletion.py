"""What stands in the way of deleting a page or a source: editions, pages that cite it, and what floors above name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from wagtail.models import Page

from core.errors import DomainError
from core.extensions import used_by
from standards.models import EditionCompetency, EditionDomain, FrameworkEdition, Source
from standards.pages import CompetencyPage, CompetencySource, DomainPage, FrameworkPage


class PageInUse(DomainError):
    """A page is not deleted, because something uses what it says; `uses` are sentences."""

    code = "in_use"

    def __init__(self, uses: list[str]) -> None:
        super().__init__(
            _("Nothing was deleted. %(uses)s Unpublish the page instead: it then leaves the next edition.")
            % {"uses": " ".join(uses)},
            errors={"page": uses},
        )
        self.uses = uses


class SourceInUse(DomainError):
    """A source is not deleted, because it is cited; `uses` are sentences."""

    code = "in_use"

    def __init__(self, uses: list[str]) -> None:
        super().__init__(
            _("Nothing was deleted. %(uses)s Take it out there first.") % {"uses": " ".join(uses)},
            errors={"source": uses},
        )
        self.uses = uses


def find_uses(pages: Iterable[Page]) -> list[str]:
    """Sentences on what uses these pages or those below them. Six queries, and those of the floors above.

    A French page counts as its English one: both say what one competency is.
    """
    found: dict[type[Page], dict[Any, str]] = defaultdict(dict)
    for page in pages:
        for model in (FrameworkPage, DomainPage, CompetencyPage):
            below = model.objects.descendant_of(page, inclusive=True)
            found[model].update(below.values_list("translation_key", "title"))
    uses = [
        *_find_frameworks(found[FrameworkPage]),
        *_find_domains(found[DomainPage]),
        *_find_competencies(found[CompetencyPage]),
    ]
    kinds = {FrameworkPage: "framework", DomainPage: "domain", CompetencyPage: "competency"}
    for model, keys in found.items():
        for key in keys:
            for answer in used_by:
                uses += answer(kind=kinds[model], key=key)
    return list(dict.fromkeys(uses))


def _find_frameworks(keys: dict[Any, str]) -> list[str]:
    editions = FrameworkEdition.objects.filter(framework_key__in=list(keys)).order_by(
        "framework_key", "number"
    )
    return [
        _("“%(title)s” is issued as edition %(numbers)s.") % {"title": keys[key], "numbers": _join(numbers)}
        for key, numbers in _gather(editions.values_list("framework_key", "number")).items()
    ]


def _find_domains(keys: dict[Any, str]) -> list[str]:
    rows = EditionDomain.objects.filter(key__in=list(keys)).order_by("code", "edition__number")
    return [
        _("The domain “%(title)s” stands in edition %(numbers)s.")
        % {"title": keys[key], "numbers": _join(numbers)}
        for key, numbers in _gather(rows.values_list("key", "edition__number")).items()
    ]


def _find_competencies(keys: dict[Any, str]) -> list[str]:
    rows = EditionCompetency.objects.filter(competency__in=list(keys)).order_by("code", "edition__number")
    return [
        _("The competency “%(title)s” stands in edition %(numbers)s.")
        % {"title": keys[key], "numbers": _join(numbers)}
        for key, numbers in _gather(rows.values_list("competency_id", "edition__number")).items()
    ]


def _gather(pairs: Iterable[tuple[Any, int]]) -> dict[Any, list[int]]:
    gathered: dict[Any, list[int]] = defaultdict(list)
    for key, number in pairs:
        gathered[key].append(number)
    return gathered


def _join(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def refuse_if_used(pages: Iterable[Page]) -> None:
    """Raise PageInUse before the page tree is touched."""
    uses = find_uses(pages)
    if uses:
        raise PageInUse(uses)


def refuse_if_cited(sources: Iterable[Source]) -> None:
    """Raise SourceInUse where a competency or a lesson cites one. Two queries, and those of the floors above."""
    known = {source.pk: source.slug for source in sources}
    cited = dict.fromkeys(
        (known[link.source_id], link.page.translation_key)
        for link in CompetencySource.objects.filter(source__in=known).select_related("page")
    )
    titles: dict[Any, str] = {}
    # The English title stands where there is one.
    for page in CompetencyPage.objects.filter(translation_key__in={key for _slug, key in cited}).order_by(
        "-locale__language_code"
    ):
        titles[page.translation_key] = f"{page.code} {page.title}".strip()
    uses = [
        _("“%(source)s” is cited by the competency “%(title)s”.") % {"source": slug, "title": titles[key]}
        for slug, key in cited
    ]
    for slug in known.values():
        for answer in used_by:
            uses += answer(kind="source", key=slug)
    if uses:
        raise SourceInUse(list(dict.fromkeys(uses)))
