"""Gathers what a certificate will say from the records: read once, at issue, and frozen."""

from __future__ import annotations

import base64
import calendar
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Q

from accounts.models import Organization
from accounts.services import read_texts
from certificates.facts import (
    Appearance,
    Bilingual,
    CertificateFacts,
    CompetencyFact,
    IssuerFacts,
    Language,
    Signatory,
)
from certificates.places import competency_uri, verification_url
from certificates.wording import describe_evidence, join_texts
from core import clock
from core.canonical import format_decimal
from core.extensions import site_identity
from lms.models import CourseProgress, Enrolment, Evidence, LearningEvent
from lms.projections import read_evidence
from lms.rules import LEVELS, StandingState, standing
from standards.models import EditionCompetency

MARK: Final = Path(__file__).resolve().parent.parent / "static" / "certificates" / "mark-on-band.svg"


def find_holder_name(enrolment: Enrolment) -> str:
    """The name confirmed for the certificate, else the account's; empty for somebody who was erased. One query."""
    kept = read_texts([enrolment.certificate_name_id]).get(enrolment.certificate_name_id or uuid.UUID(int=0))
    if kept is not None and kept.text.strip():
        return " ".join(kept.text.split())
    user = enrolment.subject.user
    return " ".join(user.name.split()) if user else ""


def gather_facts(
    *, enrolment: Enrolment, certificate_id: uuid.UUID, number: str, holder_name: str, issued_at: datetime
) -> CertificateFacts:
    """The facts of a completed enrolment as the records have them now. Six queries.

    The enrolment comes with its edition and framework edition, offering, partner and organization.
    """
    edition, offering = enrolment.edition, enrolment.offering
    framework = edition.framework_edition
    zone = ZoneInfo(offering.time_zone)
    completed_at = CourseProgress.objects.values_list("completed_at", flat=True).get(enrolment=enrolment)
    assert completed_at is not None
    issued_on = issued_at.astimezone(zone).date()
    return CertificateFacts(
        number=number,
        holder_name=holder_name,
        course_title=Bilingual(edition.title_in("en"), edition.title_in("fr")),
        course_edition=edition.number,
        framework_title=Bilingual(framework.title_in("en"), framework.title_in("fr")),
        framework_edition=framework.number,
        framework_digest=framework.digest,
        competencies=gather_competencies(enrolment),
        issued_on=issued_on,
        completed_on=completed_at.astimezone(zone).date(),
        expires_on=add_months(issued_on, edition.valid_months) if edition.valid_months else None,
        minutes=edition.minutes,
        completed_in=find_language(enrolment),
        issuer=describe_issuer_facts(),
        partner=None,
        verification_url=verification_url(certificate_id),
        starting_content=edition.starting_content,
        delivered_by=_name_institution(offering.partner),
    )


def _name_institution(organization: Organization | None) -> Bilingual | None:
    if organization is None:
        return None
    return Bilingual(organization.name_in("en"), organization.name_in("fr"))


def add_months(day: date, months: int) -> date:
    """The same day that many months later; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def gather_competencies(enrolment: Enrolment) -> tuple[CompetencyFact, ...]:
    """What this enrolment's evidence holds: each competency once, at the highest level, with that evidence in words.

    Two queries.
    """
    # A retraction is of the same person, whose entries have an index; without one the whole ledger would be read.
    entries = Evidence.objects.filter(
        Q(enrolment=enrolment) | Q(retracts__enrolment=enrolment), subject=enrolment.subject_id
    ).order_by("id")
    rows = {row.pk: row for row in entries}
    # Each competency once, not with every piece of evidence; and what a certificate says of it.
    named = EditionCompetency.objects.only("competency", "code", "position", "title_en", "title_fr").in_bulk(
        {row.edition_competency_id for row in rows.values()}
    )
    for row in rows.values():
        row.edition_competency = named[row.edition_competency_id]
    held = standing((read_evidence(row) for row in rows.values()), at=clock.now())
    best: dict[uuid.UUID, tuple[int, list[Evidence]]] = {}
    for (competency, level), found in held.items():
        rank = LEVELS.index(level)
        if found.state is not StandingState.HELD or (competency in best and best[competency][0] > rank):
            continue
        best[competency] = rank, [rows[reason.evidence] for reason in found.reasons if reason.code == "holds"]
    chosen = sorted(best.items(), key=lambda item: item[1][1][0].edition_competency.position)
    return tuple(_describe_competency(key, LEVELS[rank], evidence) for key, (rank, evidence) in chosen)


def _describe_competency(key: uuid.UUID, level: str, evidence: list[Evidence]) -> CompetencyFact:
    named = evidence[0].edition_competency
    return CompetencyFact(
        code=named.code,
        uri=competency_uri(key),
        title=Bilingual(named.title_in("en"), named.title_in("fr")),
        level=level,
        evidence=join_texts([_say_evidence(row) for row in _keep_best(evidence)]),
    )


def _keep_best(evidence: Iterable[Evidence]) -> list[Evidence]:
    """One piece of evidence of each kind and step: of several attempts at one step, that with the best share."""
    groups: dict[tuple[str, Any], list[Evidence]] = defaultdict(list)
    for row in evidence:
        groups[row.kind, row.step_key or row.source].append(row)
    return [max(rows, key=_share) for rows in groups.values()]


def _share(row: Evidence) -> Decimal:
    points, of = _read_points(row)
    return points / of if of else Decimal(0)


def _read_points(row: Evidence) -> tuple[Decimal, Decimal]:
    return Decimal(row.result.get("points") or 0), Decimal(row.result.get("max_points") or 0)


def _say_evidence(row: Evidence) -> Bilingual:
    points, of = _read_points(row)
    return describe_evidence(row.kind, points=format_decimal(points), of=format_decimal(of) if of else "")


def find_language(enrolment: Enrolment) -> Language:
    """The language in which most of the course was done; of two alike, the last one. One query.

    What a marker does to work is not the learner's language.
    """
    done = (
        LearningEvent.objects.filter(enrolment=enrolment)
        .exclude(verb__in=[LearningEvent.Verb.MARKED, LearningEvent.Verb.RETURNED])
        .values("language")
        .annotate(count=Count("id"), last=Max("id"))
        .order_by("-count", "-last")
        .values_list("language", flat=True)
    )
    language = next(iter(done), None) or (
        enrolment.subject.user and enrolment.subject.user.preferred_language
    )
    return "fr" if language == "fr" else "en"


def describe_issuer_facts() -> IssuerFacts:
    """The issuer as it is called today, with the mark it has today. No query once the settings are kept."""
    identity = site_identity()
    name = Bilingual(
        identity.name.get("en") or settings.WAGTAIL_SITE_NAME,
        identity.name.get("fr") or identity.name.get("en") or settings.WAGTAIL_SITE_NAME,
    )
    title = identity.signatory_title
    # Where nobody is named yet, the issuer itself answers for it.
    signatory = Signatory(
        name=identity.signatory_name,
        title=Bilingual(title.get("en", ""), title.get("fr") or title.get("en", "")),
    )
    return IssuerFacts(
        name=name,
        url=identity.website or settings.PUBLIC_ORIGIN,
        email=identity.contact_email,
        signatory=signatory,
        appearance=Appearance(mark=_read_mark()),
    )


@cache
def _read_mark() -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(MARK.read_bytes()).decode("ascii")
