"""What a certificate certifies: the facts frozen at issue.

`CertificateFacts` is written once, stored as the document `to_document` gives, and named by its digest. The PDF, the
verification page and the Open Badges credential are all made from it and from nothing else, so that they can be made
again years later and say the same. It holds no floats (their text is not canonical) and nothing about the status of
the certificate, which changes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.canonical import digest

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, Language] = ("en", "fr")
SCHEMA = "certificate-facts/1"


class FactsError(ValueError):
    """A document that is no certificate facts, or facts that contradict themselves."""


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in both languages. Where the source has one language only, both hold the same text."""

    en: str
    fr: str

    def in_(self, language: Language) -> str:
        return self.fr if language == "fr" else self.en

    def other(self, language: Language) -> str:
        return self.en if language == "fr" else self.fr


@dataclass(frozen=True, slots=True)
class CompetencyFact:
    """A competency the holder has shown, at a level, on stated evidence.

    `uri` is the permanent CASE address, `level` the code of the framework ("foundational", "practising", "leading").
    """

    code: str
    uri: str
    title: Bilingual
    level: str
    evidence: Bilingual = field(default_factory=lambda: Bilingual("", ""))


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs for the issuer. `signature` is a picture as a data URI, or empty."""

    name: str
    title: Bilingual
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the issuer's certificates looked when this one was issued.

    Colours are `#RRGGBB`: the band, text and secondary text on it, headings and codes. `mark` is the issuer's mark
    (SVG or PNG, drawn for the band) as a data URI, or empty. The defaults are the platform's own palette.
    """

    frame: str = "#10362D"
    on_frame: str = "#F7F1E4"
    on_frame_secondary: str = "#C4D3C8"
    accent: str = "#1F5A4A"
    link: str = "#0F5A92"
    mark: str = ""


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """Who issued the certificate, as it was called then."""

    name: Bilingual
    url: str
    email: str
    signatory: Signatory
    appearance: Appearance = field(default_factory=Appearance)


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """A partner institution that countersigned before issue. `credits` is a plain decimal ("1.5") or empty."""

    name: Bilingual
    officer: str
    date: dt.date
    credits: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Everything a certificate says. Dates are calendar days where the course was delivered; `expires_on` is the last
    day it stands. `delivered_by` is the institution that gave the course, where it is another than the issuer: it
    taught and did not countersign, which only `partner` says.
    """

    number: str
    holder_name: str
    course_title: Bilingual
    course_edition: int
    framework_title: Bilingual
    framework_edition: int
    framework_digest: str
    competencies: tuple[CompetencyFact, ...]
    issued_on: dt.date
    completed_on: dt.date
    expires_on: dt.date | None
    minutes: int
    completed_in: Language
    issuer: IssuerFacts
    partner: PartnerFacts | None
    verification_url: str
    starting_content: bool
    delivered_by: Bilingual | None = None

    def __post_init__(self) -> None:
        if self.completed_in not in LANGUAGES:
            raise FactsError("completed_in is neither en nor fr")
        if not self.holder_name.strip():
            raise FactsError("a certificate names its holder")
        if self.minutes < 0:
            raise FactsError("minutes cannot be negative")
        # Not before its issue: a name may be corrected after the end.
        if self.expires_on is not None and self.expires_on < self.completed_on:
            raise FactsError("a certificate cannot expire before it was earned")

    def to_document(self) -> dict[str, Any]:
        """The facts as plain JSON values, with the schema they follow."""
        return {"schema": SCHEMA, **_plain(self)}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> CertificateFacts:
        """The facts that `to_document` wrote; raises FactsError for anything else, unknown members included."""
        if document.get("schema") != SCHEMA:
            raise FactsError(f"unknown schema of certificate facts: {document.get('schema')!r}")
        try:
            facts = _read_facts(document)
        except (KeyError, TypeError, ValueError) as error:
            raise FactsError(f"not certificate facts: {error}") from error
        if facts.to_document() != document:
            raise FactsError("the document holds members that certificate facts do not have")
        return facts

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON of the document."""
        return digest(self.to_document())

    def with_holder_name(self, name: str) -> CertificateFacts:
        """The same facts under a corrected name: the start of a superseding certificate."""
        return replace(self, holder_name=name)


def _plain(value: object) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if value is None or isinstance(value, str | bool | int):
        return value
    raise FactsError(f"certificate facts cannot hold {type(value).__name__}")


def _read_facts(document: dict[str, Any]) -> CertificateFacts:
    issuer, partner = document["issuer"], document["partner"]
    signatory = issuer["signatory"]
    return CertificateFacts(
        number=document["number"],
        holder_name=document["holder_name"],
        course_title=Bilingual(**document["course_title"]),
        course_edition=document["course_edition"],
        framework_title=Bilingual(**document["framework_title"]),
        framework_edition=document["framework_edition"],
        framework_digest=document["framework_digest"],
        competencies=tuple(
            CompetencyFact(
                code=competency["code"],
                uri=competency["uri"],
                title=Bilingual(**competency["title"]),
                level=competency["level"],
                evidence=Bilingual(**competency["evidence"]),
            )
            for competency in document["competencies"]
        ),
        issued_on=dt.date.fromisoformat(document["issued_on"]),
        completed_on=dt.date.fromisoformat(document["completed_on"]),
        expires_on=dt.date.fromisoformat(document["expires_on"]) if document["expires_on"] else None,
        minutes=document["minutes"],
        completed_in=document["completed_in"],
        issuer=IssuerFacts(
            name=Bilingual(**issuer["name"]),
            url=issuer["url"],
            email=issuer["email"],
            signatory=Signatory(
                name=signatory["name"],
                title=Bilingual(**signatory["title"]),
                signature=signatory["signature"],
            ),
            appearance=Appearance(**issuer["appearance"]),
        ),
        partner=None
        if partner is None
        else PartnerFacts(
            name=Bilingual(**partner["name"]),
            officer=partner["officer"],
            date=dt.date.fromisoformat(partner["date"]),
            credits=partner["credits"],
            signature=partner["signature"],
        ),
        verification_url=document["verification_url"],
        starting_content=document["starting_content"],
        delivered_by=Bilingual(**document["delivered_by"]) if document["delivered_by"] else None,
    )
