"""Facts for tests of PDF files and credentials: an invented learner, in short and in long."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace
from pathlib import Path

from certificates.facts import (
    Appearance,
    Bilingual,
    CertificateFacts,
    CompetencyFact,
    IssuerFacts,
    PartnerFacts,
    Signatory,
)

MARK = Path(__file__).parents[2] / "static" / "certificates" / "mark-on-band.svg"

COMPETENCIES = [
    (
        "A2",
        "Explains how setting and distance shape safety",
        "Explique l’effet du milieu et de la distance",
        "foundational",
    ),
    ("A3", "Tells prevention from response", "Distingue la prévention de l’intervention", "foundational"),
    ("B1", "Brings together several sources", "Réunit l’information de plusieurs sources", "foundational"),
    (
        "B2",
        "Interprets figures for a small population",
        "Interprète les chiffres d’un petit milieu",
        "practising",
    ),
    ("B3", "Hears first those who are heard least", "Écoute d’abord les moins entendus", "foundational"),
    ("B5", "Writes a problem description", "Rédige un énoncé de problème", "practising"),
    ("C2", "Sets goals with the community", "Fixe des buts avec la collectivité", "foundational"),
    ("D1", "Knows four approaches to prevention", "Connaît quatre approches de prévention", "foundational"),
    ("D3", "Adapts a program to a place", "Adapte un programme à un milieu", "foundational"),
    ("E1", "Brings the right partners together", "Réunit les bons partenaires", "foundational"),
    (
        "E4",
        "Shares information lawfully among partners",
        "Échange l’information selon la loi",
        "foundational",
    ),
    ("E5", "Works with neighbouring municipalities", "Travaille entre municipalités voisines", "practising"),
    ("G3", "Reports results without alarming", "Rend compte des résultats sans alarmer", "foundational"),
    ("H2", "Respects the principles of OCAP®", "Respecte les principes de PCAP®", "leading"),
]


def make_mark() -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(MARK.read_bytes()).decode("ascii")


def make_competencies(count: int = 14, *, long: bool = False) -> tuple[CompetencyFact, ...]:
    competencies = []
    for place in range(count):
        code, en, fr, level = COMPETENCIES[place % len(COMPETENCIES)]
        if place >= len(COMPETENCIES):
            code = f"{code[0]}{int(code[1]) + 5}"
        if long:
            en += ", with people of every age and in both official languages, in places large and small"
            fr += ", avec des gens de tout âge et dans les deux langues officielles, dans des milieux de toute taille"
        competencies.append(
            CompetencyFact(
                code=code,
                uri=f"https://learn.example/ims/case/v1p1/CFItems/00000000-0000-5000-8000-{place:012d}",
                title=Bilingual(en, fr),
                level=level,
                evidence=Bilingual("Assessment, 7 of 8", "Évaluation, 7 sur 8"),
            )
        )
    return tuple(competencies)


def make_facts(**changes: object) -> CertificateFacts:
    facts = CertificateFacts(
        number="2026-0418-7K",
        holder_name="Élise Cormier-Roy",
        course_title=Bilingual(
            "Rural Crime Prevention Training", "Formation en prévention de la criminalité en milieu rural"
        ),
        course_edition=2,
        framework_title=Bilingual(
            "Standards of Knowledge and Skills", "Normes de connaissances et de compétences"
        ),
        framework_edition=1,
        framework_digest="9c41e07d" * 8,
        competencies=make_competencies(),
        issued_on=dt.date(2026, 10, 9),
        completed_on=dt.date(2026, 10, 1),
        expires_on=None,
        minutes=380,
        completed_in="fr",
        issuer=IssuerFacts(
            name=Bilingual(
                "Canadian Municipal Network on Crime Prevention",
                "Réseau municipal canadien en prévention de la criminalité",
            ),
            url="https://network.example",
            email="certificates@network.example",
            signatory=Signatory(
                name="Odile Fournier-Baptiste", title=Bilingual("Executive Director", "Directrice générale")
            ),
            appearance=Appearance(mark=make_mark()),
        ),
        partner=None,
        verification_url="https://learn.example/certificates/0198a3f0-6c1e-7b2a-9d11-3f2b8c5e7a10/",
        starting_content=True,
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def make_partner() -> PartnerFacts:
    return PartnerFacts(
        name=Bilingual("Collège des Deux-Rives", "Collège des Deux-Rives"),
        officer="Théo Vaillancourt-Ng",
        date=dt.date(2026, 10, 9),
        credits="1.5",
    )
