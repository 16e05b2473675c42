"""What stands in the way of deleting a page or a source: editions, pages that cite it, and what floors above name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from wagtail.models import Page

from core.errors import StillUsed
from core.extensions import find_uses_above
from standards.models import EditionCompetency, EditionDomain, FrameworkEdition, Source
from standards.pages import CompetencyPage, CompetencySource, DomainPage, FrameworkPage


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
            uses += find_uses_above(kinds[model], key)
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


def refuse_if_used(things: Iterable[Any]) -> None:
    """Raise StillUsed before anything is touched, for pages and sources."""
    things = list(things)
    if uses := find_uses([thing for thing in things if isinstance(thing, Page)]):
        raise StillUsed(uses, advice=_("Unpublish the page instead: it then leaves the next edition."))
    if uses := find_citations([thing for thing in things if isinstance(thing, Source)]):
        raise StillUsed(uses, advice=_("Take it out there first."))


def find_citations(sources: Iterable[Source]) -> list[str]:
    """Sentences on what cites these sources. Two queries, and those of the floors above; none where there are none."""
    known = {source.pk: source.slug for source in sources}
    if not known:
        return []
    cited = dict.fromkeys(
        (known[link.source_id], link.page.translation_key)
        for link in CompetencySource.objects.filter(source__in=known).select_related("page")
    )
    # The English title stands where there is one.
    pages = CompetencyPage.objects.filter(translation_key__in={key for _slug, key in cited})
    titles = {
        page.translation_key: f"{page.code} {page.title}".strip()
        for page in pages.order_by("-locale__language_code")
    }
    uses = [
        _("“%(source)s” is cited by the competency “%(title)s”.") % {"source": slug, "title": titles[key]}
        for slug, key in cited
    ]
    for slug in known.values():
        uses += find_uses_above("source", slug)
    return list(dict.fromkeys(uses))
