"""Writes of the standards: issuing an edition, and what becomes of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Subject
from accounts.services import record_audit
from core import clock
from core.errors import DomainError
from core.extensions import site_identity
from standards.case.package import (
    ASSOCIATION_TYPES,
    Stamp,
    build_package,
    digest_package,
    make_association_id,
)
from standards.drafts import find_text_problems
from standards.models import Association, Competency, EditionCompetency, EditionDomain, FrameworkEdition
from standards.pages import CompetencyPage, FrameworkPage
from standards.reading import SOURCE_LANGUAGE, find_source_page, read_pages
from standards.rules import LEVELS, NEXT_STATUSES, CompetencyText, DomainText, FrameworkText
from standards.signals import framework_edition_issued, framework_status_changed


class EditionRefused(DomainError):
    """The pages do not make an edition yet; `problems` are sentences that say why."""

    code = "edition_refused"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            _("No edition was issued. %(problems)s") % {"problems": " ".join(problems)},
            errors={"framework": problems},
        )
        self.problems = problems


class StatusRefused(DomainError):
    """An edition cannot take that status now."""

    code = "status_refused"


@transaction.atomic
def issue_framework_edition(
    *,
    framework_page: FrameworkPage,
    issued_by: Subject | None = None,
    status: str = FrameworkEdition.Status.CONSULTATION,
) -> FrameworkEdition:
    """Compile the published pages of a framework into its next edition, in both languages.

    The same text gives the edition that has it already, whatever its status. Raises EditionRefused with every reason
    at once: what lacks French, codes that collide, relations that lead nowhere.
    """
    if status not in {FrameworkEdition.Status.CONSULTATION, FrameworkEdition.Status.ADOPTED}:
        raise StatusRefused(_("A new edition is a draft for consultation or adopted."))
    # The page's row is the lock for numbering: two editors who issue at once get two numbers, or the same edition.
    source = FrameworkPage.objects.select_for_update().get(pk=find_source_page(framework_page).pk)
    text = read_checked_text(source)
    digest = digest_package(build_package(text, stamp=Stamp()))
    found = FrameworkEdition.objects.filter(framework_key=text.key, digest=digest).first()
    if found is not None:
        return found
    edition = _write_edition(text, digest=digest, status=status, issued_by=issued_by, now=clock.now())
    record_audit(
        actor=issued_by,
        action="standards.edition_issued",
        target=edition,
        details={"number": edition.number, "status": status, "digest": digest},
    )
    framework_edition_issued.send(sender=FrameworkEdition, edition=edition)
    _supersede_others(edition, actor=issued_by, now=edition.issued_at)
    return edition


def read_checked_text(framework_page: FrameworkPage) -> FrameworkText:
    """The published text, or EditionRefused with every reason. Eleven queries at most."""
    text = read_pages(framework_page)
    problems = find_text_problems(text)
    if problems:
        raise EditionRefused(problems)
    return text


def _write_edition(
    text: FrameworkText, *, digest: str, status: str, issued_by: Subject | None, now: datetime
) -> FrameworkEdition:
    last = FrameworkEdition.objects.filter(framework_key=text.key).order_by("-number").first()
    number = last.number + 1 if last else 1
    # The same text gets the same identifier wherever it is issued.
    edition_id = uuid.uuid5(text.key, f"edition:{digest}")
    stamp = Stamp(edition_id=edition_id, number=number, issued_at=now, creator=_find_creator())
    edition = FrameworkEdition.objects.create(
        id=edition_id,
        framework_key=text.key,
        slug=text.slug,
        number=number,
        status=status,
        title_en=text.title.en,
        title_fr=text.title.fr,
        summary_en=text.summary.en,
        summary_fr=text.summary.fr,
        starting_content=text.starting_content,
        document=build_package(text, stamp=stamp),
        digest=digest,
        issued_at=now,
        issued_by=issued_by,
        status_changed_at=now,
    )
    domains = EditionDomain.objects.bulk_create(
        [_make_domain(edition, domain, position) for position, domain in enumerate(text.domains, start=1)]
    )
    for domain in text.domains:
        for competency in domain.competencies:
            name_competency(
                competency_id=competency.id,
                framework_key=text.key,
                code=competency.code,
                title_en=competency.title.en,
                title_fr=competency.title.fr,
            )
    pairs = [
        (row, competency)
        for row, domain in zip(domains, text.domains, strict=True)
        for competency in domain.competencies
    ]
    EditionCompetency.objects.bulk_create(
        [
            _make_competency(edition, row, competency, position)
            for position, (row, competency) in enumerate(pairs, start=1)
        ]
    )
    Association.objects.bulk_create(
        [
            Association(
                id=make_association_id(
                    edition.id, ASSOCIATION_TYPES[relation.type], relation.origin, relation.destination
                ),
                edition=edition,
                type=relation.type,
                origin_id=relation.origin,
                destination_id=relation.destination,
            )
            for relation in text.relations
        ]
    )
    return edition


def _find_creator() -> str:
    """Who promulgates the framework, as CASE wants it named."""
    try:
        return site_identity().name["en"]
    except LookupError:
        # A command of this floor alone, before the site has an identity.
        return str(settings.WAGTAIL_SITE_NAME)


def _make_domain(edition: FrameworkEdition, domain: DomainText, position: int) -> EditionDomain:
    return EditionDomain(
        edition=edition,
        key=domain.id,
        code=domain.code,
        position=position,
        title_en=domain.title.en,
        title_fr=domain.title.fr,
        intro_en=domain.intro.en,
        intro_fr=domain.intro.fr,
    )


def _make_competency(
    edition: FrameworkEdition, domain: EditionDomain, competency: CompetencyText, position: int
) -> EditionCompetency:
    return EditionCompetency(
        edition=edition,
        domain=domain,
        competency_id=competency.id,
        code=competency.code,
        position=position,
        kind=competency.kind,
        title_en=competency.title.en,
        title_fr=competency.title.fr,
        statement_en=competency.statement.en,
        statement_fr=competency.statement.fr,
        levels={level: competency.levels[level].to_json() for level in LEVELS},
        example={"level": competency.example_level, **competency.example.to_json()}
        if competency.example.en
        else {},
        sources=[
            {"slug": source.slug, **source.citation.to_json(), "url": source.url}
            for source in competency.sources
        ],
    )


def name_competency(
    *,
    competency_id: uuid.UUID,
    framework_key: uuid.UUID,
    code: str,
    title_en: str | None,
    title_fr: str | None,
) -> Competency:
    """Register a competency's permanent identifier and what it is called now; None leaves a title as it is.

    Two queries, one where nothing changed.
    """
    names: dict[str, Any] = {"code": code}
    names |= {"title_en": title_en} if title_en is not None else {}
    names |= {"title_fr": title_fr} if title_fr is not None else {}
    competency, made = Competency.objects.get_or_create(
        id=competency_id, defaults={"framework_key": framework_key, **names}
    )
    if not made and any(getattr(competency, name) != value for name, value in names.items()):
        Competency.objects.filter(id=competency_id).update(**names)
        competency.refresh_from_db()
    return competency


def register_competency_page(*, page: CompetencyPage) -> Competency | None:
    """Register the competency of a published page, so that lessons and relations can name it. Four queries."""
    framework = FrameworkPage.objects.ancestor_of(page).first()
    if framework is None:
        return None
    is_source = page.locale.language_code == SOURCE_LANGUAGE
    if not is_source and not Competency.objects.filter(id=page.translation_key).exists():
        # A French page alone is not a competency yet: structure comes from the English one.
        return None
    return name_competency(
        competency_id=page.translation_key,
        framework_key=framework.translation_key,
        code=page.code if is_source else Competency.objects.get(id=page.translation_key).code,
        title_en=page.title if is_source else None,
        title_fr=None if is_source else page.title,
    )


@transaction.atomic
def change_edition_status(
    *, edition: FrameworkEdition, status: str, changed_by: Subject | None = None
) -> FrameworkEdition:
    """Adopt, supersede or withdraw an edition. Adopting one supersedes the one adopted before and earlier drafts.

    The status it already has changes nothing. Raises StatusRefused where the life of an edition has no such step.
    """
    edition = FrameworkEdition.objects.select_for_update().get(pk=edition.pk)
    if edition.status == status:
        return edition
    if status not in NEXT_STATUSES[edition.status]:
        raise StatusRefused(
            _("Edition %(number)d is “%(now)s” and cannot become “%(then)s”. Nothing was changed.")
            % {
                "number": edition.number,
                "now": FrameworkEdition.Status(edition.status).label,
                "then": FrameworkEdition.Status(status).label,
            }
        )
    now = clock.now()
    _set_status(edition, status, actor=changed_by, now=now)
    _supersede_others(edition, actor=changed_by, now=now)
    return edition


def _supersede_others(edition: FrameworkEdition, *, actor: Subject | None, now: datetime) -> None:
    """A draft takes the place of earlier drafts; an adopted edition that of every other one."""
    others = Q(status=FrameworkEdition.Status.CONSULTATION, number__lt=edition.number)
    if edition.status == FrameworkEdition.Status.ADOPTED:
        others |= Q(status=FrameworkEdition.Status.ADOPTED)
    elif edition.status != FrameworkEdition.Status.CONSULTATION:
        return
    same = FrameworkEdition.objects.select_for_update().filter(framework_key=edition.framework_key)
    for other in same.filter(others).exclude(pk=edition.pk).order_by("number"):
        _set_status(other, FrameworkEdition.Status.SUPERSEDED, actor=actor, now=now)


def _set_status(edition: FrameworkEdition, status: str, *, actor: Subject | None, now: datetime) -> None:
    before = edition.status
    edition.status, edition.status_changed_at = status, now
    edition.save(update_fields=["status", "status_changed_at"])
    record_audit(
        actor=actor,
        action="standards.edition_status_changed",
        target=edition,
        details={"number": edition.number, "before": before, "after": status},
    )
    framework_status_changed.send(sender=FrameworkEdition, edition=edition, before=before)
