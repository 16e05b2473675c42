"""The Open Badges 3.0 credential of a certificate, and what a verifier finds out about one.

The credential says what the PDF says. Its sentences carry both languages; single names (`name`, `targetName`) are in
the language the course was completed in, because the standard gives them one text each.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from certificates.facts import CertificateFacts, CompetencyFact, Language
from certificates.openbadges import did as did_web
from certificates.openbadges import loader, proof, status_list
from certificates.wording import describe_level, format_date, format_minutes

SCHEMA_URL: Final = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HolderIdentity:
    """How a credential names its holder: openly, or as a salted hash that only who knows the value can compare.

    A hash of a name is pseudonymous, never anonymous: whoever guesses the name can check the guess.
    """

    identity_type: str
    value: str
    salt: str = ""

    @classmethod
    def hidden(cls, *, identity_type: str, value: str, salt: str = "") -> HolderIdentity:
        """The hash of a value ("name", "emailAddress"), with a fresh salt unless one is given."""
        salt = salt or secrets.token_urlsafe(16)
        hashed = hashlib.sha256((value + salt).encode()).hexdigest()
        return cls(identity_type=identity_type, value=f"sha256${hashed}", salt=salt)

    @classmethod
    def open(cls, *, identity_type: str, value: str) -> HolderIdentity:
        """The value itself: with the holder's consent only."""
        return cls(identity_type=identity_type, value=value)

    def to_document(self) -> Document:
        hidden = {"salt": self.salt} if self.salt else {}
        return {
            "type": "IdentityObject",
            "hashed": bool(self.salt),
            "identityHash": self.value,
            "identityType": self.identity_type,
            **hidden,
        }

    def is_of(self, value: str) -> bool:
        """Whether a value somebody gives is the holder's."""
        expected = self.value
        given = f"sha256${hashlib.sha256((value + self.salt).encode()).hexdigest()}" if self.salt else value
        return secrets.compare_digest(expected.encode(), given.encode())


@dataclass(frozen=True, slots=True)
class CredentialAddresses:
    """The permanent addresses a credential is made of; all under the installation's public origin."""

    credential: str
    achievement: str
    did: str
    status_list: str
    status_index: int


def build_credential(
    *,
    facts: CertificateFacts,
    addresses: CredentialAddresses,
    identities: Sequence[HolderIdentity],
    issued_at: dt.datetime,
) -> Document:
    """The credential of those facts, still unsigned: sign it with `proof.add_proof`.

    `identities` must name the holder at least once: Open Badges asks for an identifier where the subject has no `id`.
    """
    if not identities:
        raise ValueError("a credential names its holder, openly or by a hash")
    language, items = facts.completed_in, facts.competencies
    expiry = {"validUntil": proof.format_moment(_end_of_day(facts.expires_on))} if facts.expires_on else {}
    return {
        "@context": [loader.CREDENTIALS_V2, loader.OPEN_BADGES, loader.OPEN_BADGES_EXTENSIONS],
        "id": addresses.credential,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": facts.course_title.in_(language),
        "description": _describe_certificate(facts),
        "issuer": _build_issuer(facts, addresses.did),
        "validFrom": proof.format_moment(issued_at),
        "awardedDate": proof.format_moment(issued_at),
        **expiry,
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [identity.to_document() for identity in identities],
            "licenseNumber": facts.number,
            "activityEndDate": f"{facts.completed_on.isoformat()}T00:00:00Z",
            "narrative": _describe_completion(facts),
            "achievement": _build_achievement(facts, addresses.achievement),
            **_list_under("result", [_build_result(item, facts, addresses.achievement) for item in items]),
        },
        **_list_under(
            "evidence", [_build_evidence(item, language) for item in items if item.evidence.in_(language)]
        ),
        "credentialSchema": [{"id": SCHEMA_URL, "type": "1EdTechJsonSchemaValidator2019"}],
        "credentialStatus": status_list.build_status_entry(
            list_url=addresses.status_list, index=addresses.status_index
        ),
    }


def _list_under(name: str, items: list[Document]) -> Document:
    # An empty list has no meaning in RDF, so that a signature could not cover it.
    return {name: items} if items else {}


def _build_evidence(competency: CompetencyFact, language: Language) -> Document:
    return {
        "type": ["Evidence"],
        "name": f"{competency.code} {competency.title.in_(language)}",
        "narrative": _join(competency.evidence.en, competency.evidence.fr, language),
    }


def _end_of_day(day: dt.date) -> dt.datetime:
    # Noon UTC of the day after: by then the day has ended in every time zone of the country.
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(12), tzinfo=dt.UTC)


def _join(en: str, fr: str, language: Language) -> str:
    first, second = (fr, en) if language == "fr" else (en, fr)
    return first if first == second or not second else f"{first}\n\n{second}"


def _build_issuer(facts: CertificateFacts, did: str) -> Document:
    issuer = facts.issuer
    details = {
        "url": issuer.url,
        "email": issuer.email,
        "official": issuer.signatory.name,
        "description": issuer.name.other(facts.completed_in),
    }
    return {
        "id": did,
        "type": ["Profile"],
        "name": issuer.name.in_(facts.completed_in),
        **{name: value for name, value in details.items() if value},
    }


def _build_achievement(facts: CertificateFacts, address: str) -> Document:
    language = facts.completed_in
    return {
        "id": address,
        "type": ["Achievement"],
        "achievementType": "CertificateOfCompletion",
        "name": facts.course_title.in_(language),
        "description": _join(facts.course_title.en, facts.course_title.fr, language),
        "inLanguage": language,
        "version": str(facts.course_edition),
        "criteria": {"narrative": _describe_criteria(facts)},
        **_list_under("alignment", [_build_alignment(item, facts) for item in facts.competencies]),
        **_list_under(
            "resultDescription", [_build_level_scale(facts, address)] if facts.competencies else []
        ),
    }


def _name_framework(facts: CertificateFacts) -> str:
    edition = "édition" if facts.completed_in == "fr" else "edition"
    return f"{facts.framework_title.in_(facts.completed_in)}, {edition} {facts.framework_edition}"


def _build_alignment(competency: CompetencyFact, facts: CertificateFacts) -> Document:
    return {
        "type": ["Alignment"],
        "targetType": "CFItem",
        "targetCode": competency.code,
        "targetName": competency.title.in_(facts.completed_in),
        "targetDescription": competency.title.other(facts.completed_in),
        "targetFramework": _name_framework(facts),
        "targetUrl": competency.uri,
    }


def _level_address(address: str, level: str) -> str:
    return f"{address}#level-{quote(level, safe='')}"


def _build_level_scale(facts: CertificateFacts, address: str) -> Document:
    """The levels that occur, so that a result can point at the one it reached."""
    levels = list(dict.fromkeys(competency.level for competency in facts.competencies))
    words = {level: describe_level(level) for level in levels}
    return {
        "id": f"{address}#level",
        "type": ["ResultDescription"],
        "name": "Niveau / Level" if facts.completed_in == "fr" else "Level / Niveau",
        "resultType": "RubricCriterionLevel",
        "rubricCriterionLevel": [
            {
                "id": _level_address(address, level),
                "type": ["RubricCriterionLevel"],
                "name": words[level].in_(facts.completed_in),
                "description": words[level].other(facts.completed_in),
                "level": level,
            }
            for level in levels
        ],
    }


def _build_result(competency: CompetencyFact, facts: CertificateFacts, address: str) -> Document:
    return {
        "type": ["Result"],
        "resultDescription": f"{address}#level",
        "achievedLevel": _level_address(address, competency.level),
        "alignment": [
            {
                "type": ["Alignment"],
                "targetType": "CFItem",
                "targetCode": competency.code,
                "targetName": competency.title.in_(facts.completed_in),
                "targetUrl": competency.uri,
            }
        ],
    }


def _describe_certificate(facts: CertificateFacts) -> str:
    # Labels and colons rather than sentences: names of courses and organizations then need no article.
    en = (
        f"Certificate {facts.number}, issued on {format_date(facts.issued_on, 'en')}. "
        f"Course: {facts.course_title.en}, edition {facts.course_edition}. Issuer: {facts.issuer.name.en}. "
        f"To check it: {facts.verification_url}"
    )
    fr = (
        f"Certificat {facts.number}, délivré le {format_date(facts.issued_on, 'fr')}. "
        f"Cours\u00a0: {facts.course_title.fr}, édition {facts.course_edition}. "
        f"Émetteur\u00a0: {facts.issuer.name.fr}. Pour le vérifier\u00a0: {facts.verification_url}"
    )
    return _join(en, fr, facts.completed_in)


def _describe_completion(facts: CertificateFacts) -> str:
    language_en, language_fr = (
        ("French", "français") if facts.completed_in == "fr" else ("English", "anglais")
    )
    en = f"Completed in {language_en} on {format_date(facts.completed_on, 'en')}."
    fr = f"Terminé en {language_fr} le {format_date(facts.completed_on, 'fr')}."
    if facts.delivered_by is not None:
        en += f" Delivered by {facts.delivered_by.en}."
        fr += f" Prestation\u00a0: {facts.delivered_by.fr}."
    if facts.partner is not None:
        en += f" Countersigned by {facts.partner.name.en} on {format_date(facts.partner.date, 'en')}."
        fr += f" Contresignature\u00a0: {facts.partner.name.fr}, le {format_date(facts.partner.date, 'fr')}."
        if facts.partner.credits:
            en += f" Credits recognized: {facts.partner.credits}."
            fr += f" Crédits reconnus\u00a0: {facts.partner.credits.replace('.', ',')}."
    return _join(en, fr, facts.completed_in)


def _describe_criteria(facts: CertificateFacts) -> str:
    en = (
        f"Every requirement of {facts.course_title.en}, edition {facts.course_edition}, was met "
        f"(about {format_minutes(facts.minutes, 'en')} of study). The competencies are those of "
        f"{facts.framework_title.en}, edition {facts.framework_edition}, whose text has the SHA-256 digest "
        f"{facts.framework_digest}."
    )
    fr = (
        f"Toutes les exigences de «\u00a0{facts.course_title.fr}\u00a0», édition {facts.course_edition}, ont été "
        f"satisfaites (environ {format_minutes(facts.minutes, 'fr')} d’étude). Les compétences sont celles de "
        f"«\u00a0{facts.framework_title.fr}\u00a0», édition {facts.framework_edition}, dont le texte a l’empreinte "
        f"SHA-256 {facts.framework_digest}."
    )
    if facts.starting_content:
        en += " The course text was starting content under review."
        fr += " Le texte du cours était un contenu de départ en cours de révision."
    return _join(en, fr, facts.completed_in)


# -- Verifying --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked of a credential, each by itself; `stands` only if all of it is well.

    `revoked` is None where no status list was given: then nothing is known, and the credential does not stand.
    """

    signed: bool
    reasons: tuple[str, ...]
    begun: bool
    expired: bool
    revoked: bool | None

    @property
    def stands(self) -> bool:
        return self.signed and self.begun and not self.expired and self.revoked is False


def verify_credential(
    document: Document,
    *,
    did_document: Document,
    status_list_credential: Document | None,
    now: dt.datetime,
    document_loader: proof.DocumentLoader = loader.load_document,
) -> Verification:
    """Checks signature, issuer, dates and status against the issuer's published keys and list."""
    find_key = did_web.make_key_finder(did_document)
    signed, reasons = _check_signature(document, did_document, find_key, document_loader)
    entry = document.get("credentialStatus")
    revoked: bool | None = None
    if isinstance(entry, dict) and status_list_credential is not None:
        list_signed, list_reasons = _check_signature(
            status_list_credential, did_document, find_key, document_loader
        )
        if list_signed:
            try:
                revoked = status_list.is_set(entry, status_list_credential)
            except status_list.StatusListError as error:
                reasons.append(str(error))
        reasons += [f"status list: {reason}" for reason in list_reasons]
    begins, ends = _read_moment(document.get("validFrom")), _read_moment(document.get("validUntil"))
    return Verification(
        signed=signed,
        reasons=tuple(reasons),
        begun=begins is not None and begins <= now,
        expired="validUntil" in document and (ends is None or ends <= now),
        revoked=revoked,
    )


def _check_signature(
    document: Document,
    did_document: Document,
    find_key: Callable[[str], bytes | None],
    document_loader: proof.DocumentLoader,
) -> tuple[bool, list[str]]:
    issuer = document.get("issuer")
    issuer_id = issuer.get("id") if isinstance(issuer, dict) else issuer
    if issuer_id != did_document.get("id"):
        return False, ["the issuer is not the one whose keys these are"]
    findings = proof.verify_proofs(document, find_key=find_key, document_loader=document_loader)
    if not findings:
        return False, ["the document is not signed"]
    reasons = [finding.reason for finding in findings if not finding.stands]
    return not reasons, reasons


def _read_moment(value: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
