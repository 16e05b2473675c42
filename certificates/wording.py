"""The words of a certificate in both languages.

A certificate prints English and French side by side, in the wording of its day. These words are therefore part of its
form and stand here, rather than in the translation catalogue, where a later correction would silently change
certificates that were issued long before.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from certificates.facts import Bilingual, Language

_MONTHS: Final = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
}

LEVELS: Final = {
    "foundational": Bilingual("Foundational", "Fondamental"),
    "practising": Bilingual("Practising", "Praticien"),
    "leading": Bilingual("Leading", "Meneur"),
}

EVIDENCE: Final = {
    "lesson": Bilingual("Lesson, completed", "Leçon terminée"),
    "attempt": Bilingual("Assessment", "Évaluation"),
    "assignment": Bilingual("Assignment, marked", "Travail noté"),
    "attendance": Bilingual("Attendance", "Présence"),
    "exchange": Bilingual("Exchange visit", "Visite d’échange"),
    "attestation": Bilingual("Mentor’s attestation", "Attestation de mentorat"),
    "prior_learning": Bilingual("Prior learning, recognized", "Acquis reconnus"),
    "product": Bilingual("Workplace product", "Production en milieu de travail"),
}

WORDS: Final = {
    "certificate": Bilingual("Certificate", "Certificat"),
    "awarded_to": Bilingual("awarded to", "décerné à"),
    "has_met": Bilingual("who has met every requirement of", "qui a satisfait à toutes les exigences de"),
    "competencies": Bilingual(
        "Competencies certified, and their level", "Compétences attestées, et leur niveau"
    ),
    "number": Bilingual("Number", "Numéro"),
    "course": Bilingual("Course", "Cours"),
    "standards": Bilingual("Standards", "Normes"),
    "issued": Bilingual("Issued", "Délivré"),
    "validity": Bilingual("Validity", "Validité"),
    "until": Bilingual("until {date}", "jusqu’au {date}"),
    "no_expiry": Bilingual("No expiry date", "Sans date d’expiration"),
    "edition": Bilingual("Edition", "Édition"),
    "completed_in_en": Bilingual("completed {date}, in English", "terminé le {date}, en anglais"),
    "completed_in_fr": Bilingual("completed {date}, in French", "terminé le {date}, en français"),
    "signed_electronically": Bilingual("Signed electronically", "Signé électroniquement"),
    "countersigned": Bilingual("Countersigned electronically", "Contresigné électroniquement"),
    "delivered_by": Bilingual("Course delivered by", "Cours offert par"),
    "score": Bilingual("{points} of {of}", "{points} sur {of}"),
    "on_date": Bilingual("{date}", "le {date}"),
    "credits": Bilingual("credits recognized: {number}", "crédits reconnus\u00a0: {number}"),
    "check": Bilingual("Check this certificate", "Vérifier ce certificat"),
    "accessible": Bilingual(
        "Read this certificate as an accessible web page",
        "Lire ce certificat dans une page Web accessible",
    ),
    "full_statements": Bilingual(
        "The full statements are on the verification page.",
        "Les énoncés complets sont sur la page de vérification.",
    ),
    "starting_content": Bilingual(
        "Starting content, under review by the issuer",
        "Contenu de départ, en révision par l’émetteur",
    ),
    "mark": Bilingual("Mark of {name}", "Emblème\u00a0: {name}"),
    "qr": Bilingual("QR code that opens {url}", "Code QR qui ouvre {url}"),
    "signature_of": Bilingual("Signature of {name}", "Signature de {name}"),
}


def format_date(day: dt.date, language: Language) -> str:
    """9 October 2026; 9 octobre 2026; 1er octobre 2026."""
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[language][day.month - 1]} {day.year}"


def format_minutes(minutes: int, language: Language) -> str:
    """6 h 20 min; the same in both languages, with spaces that do not break."""
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours}\u00a0h"] if hours else []) + ([f"{rest}\u00a0min"] if rest or not hours else [])
    return "\u00a0".join(parts)


def describe_level(level: str) -> Bilingual:
    """The name of a level; a code this table does not know is shown as it is."""
    return LEVELS.get(level, Bilingual(level, level))


def describe_evidence(kind: str, *, points: str = "", of: str = "") -> Bilingual:
    """“Assessment, 7 of 8”: what was done, with its points where there are some. Points are plain decimals."""
    words = EVIDENCE.get(kind, Bilingual(kind, kind))
    if kind != "attempt" or not points or not of:
        return words
    score = WORDS["score"]
    return Bilingual(
        f"{words.en}, {score.en.format(points=points, of=of)}",
        f"{words.fr}, {score.fr.format(points=points.replace('.', ','), of=of.replace('.', ','))}",
    )


def join_texts(texts: list[Bilingual]) -> Bilingual:
    """Several short texts as one, each once."""
    unique = list(dict.fromkeys(texts))
    return Bilingual("; ".join(text.en for text in unique), "; ".join(text.fr for text in unique))
