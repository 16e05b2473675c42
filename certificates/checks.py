"""What is found about a certificate when it is checked: from its rows and keys as they are then. No queries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from certificates.facts import CertificateFacts, FactsError
from certificates.issuer import describe_issuer, find_signer
from certificates.models import Certificate, CertificateContent, SigningKey, StatusEntry
from certificates.openbadges.credential import HolderIdentity
from certificates.openbadges.did import make_key_finder
from certificates.openbadges.proof import verify_proofs
from certificates.rules import EffectiveStatus, Entered, Entry, Status, effective_status
from core.canonical import canonical_json


def issuer_day(moment: datetime) -> date:
    """The issuer's calendar day, by which certificates expire."""
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def fold_status(certificate: Certificate, entries: Iterable[StatusEntry], *, at: datetime) -> EffectiveStatus:
    """What the ledger comes to at that moment."""
    return effective_status(
        (
            Entry(id=row.pk, status=Entered(row.status), at=row.recorded_at, reason=row.reason)
            for row in entries
        ),
        expires_on=certificate.expires_on,
        on=issuer_day(at),
    )


def digest_facts(document: dict[str, Any], *, salt: str) -> str:
    """SHA-256 of the salt and the canonical facts: once the salt is erased it tells nothing of them."""
    return hashlib.sha256(f"{salt}\n{canonical_json(document)}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ContentCheck:
    """What was found of the content alone, by itself and by the keys; it changes only with them.

    `signed`: the credential's signature is the issuer's. `unchanged`: the facts are those of the digest recorded at
    issue, and those that the credential says. Both are None where the facts were erased and nothing can be checked.
    """

    signed: bool | None = None
    unchanged: bool | None = None
    signer: SigningKey | None = None
    facts: CertificateFacts | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Check(ContentCheck):
    """What was found at a moment: of the content, and what the ledger came to then."""

    at: datetime
    status: EffectiveStatus

    @property
    def sound(self) -> bool:
        """Whether what is shown is what was issued."""
        return self.signed is not False and self.unchanged is not False

    @property
    def stands(self) -> bool:
        return bool(self.signed and self.unchanged) and self.status.status is Status.VALID


def check_content(
    certificate: Certificate, content: CertificateContent, *, keys: Sequence[SigningKey]
) -> ContentCheck:
    """Verify the signature and the digest of one certificate."""
    if content.facts is None or content.credential is None:
        return ContentCheck()
    reasons = find_faults(
        json.dumps(content.credential, sort_keys=True), json.dumps(describe_issuer(keys), sort_keys=True)
    )
    facts = _read_facts(content.facts)
    unchanged = (
        facts is not None
        and digest_facts(content.facts, salt=content.salt) == certificate.digest
        and facts.number == certificate.number
        and says_the_same(content.credential, facts)
    )
    return ContentCheck(
        signed=not reasons,
        unchanged=unchanged,
        signer=find_signer(content.credential, keys),
        facts=facts,
        reasons=reasons,
    )


def check_certificate(
    certificate: Certificate,
    content: CertificateContent,
    *,
    entries: Sequence[StatusEntry],
    keys: Sequence[SigningKey],
    at: datetime,
) -> Check:
    """Verify the signature, the digest and the ledger of one certificate."""
    return add_status(certificate, check_content(certificate, content, keys=keys), entries=entries, at=at)


def add_status(
    certificate: Certificate, found: ContentCheck, *, entries: Sequence[StatusEntry], at: datetime
) -> Check:
    """The whole check: what was found of the content, and what the ledger comes to at that moment."""
    return Check(**vars(found), at=at, status=fold_status(certificate, entries, at=at))


@lru_cache(maxsize=1024)
def find_faults(credential: str, did_document: str) -> tuple[str, ...]:
    """Why the signature of a credential does not stand; empty where it stands. Both are JSON.

    The same two texts always give the same answer, so a process verifies them once: canonicalising takes about as
    long as everything else on the page.
    """
    findings = verify_proofs(json.loads(credential), find_key=make_key_finder(json.loads(did_document)))
    if not findings:
        return ("the document is not signed",)
    return tuple(finding.reason for finding in findings if not finding.stands)


def _read_facts(document: dict[str, Any]) -> CertificateFacts | None:
    try:
        return CertificateFacts.from_document(document)
    except FactsError:
        return None


def says_the_same(credential: dict[str, Any], facts: CertificateFacts) -> bool:
    """Whether a credential says these facts: number, holder, course, edition, competencies with their levels, end.

    Its sentences are not compared: a later release may word them otherwise.
    """
    try:
        subject = credential["credentialSubject"]
        achievement = subject["achievement"]
        said = {(item["targetCode"], item["targetUrl"]) for item in achievement.get("alignment", [])}
        levels = {
            (result["alignment"][0]["targetUrl"], result["achievedLevel"].rsplit("#level-", 1)[1])
            for result in subject.get("result", [])
        }
        names_holder = any(
            HolderIdentity(
                identity_type=identity["identityType"],
                value=identity["identityHash"],
                salt=identity.get("salt", ""),
            ).is_of(facts.holder_name)
            for identity in subject["identifier"]
        )
        return (
            names_holder
            and subject["licenseNumber"] == facts.number
            and achievement["name"] == facts.course_title.in_(facts.completed_in)
            and achievement["version"] == str(facts.course_edition)
            and said == {(item.code, item.uri) for item in facts.competencies}
            and levels == {(item.uri, item.level) for item in facts.competencies}
            and ("validUntil" in credential) == (facts.expires_on is not None)
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        return False
