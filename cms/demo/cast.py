"""Who plays in the demo. Every person, municipality and college here is invented."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, Role

# Everybody knows it, by the public contract; a production start refuses the demo.
PASSWORD: Final = "safer-communities"  # noqa: S105
NAMESPACE: Final = uuid.UUID("5f6f3a0e-2f0b-4c8e-9a5b-6f1d5b0e7c21")
COHORT: Final = "fall-2026-cohort"
SELF_PACED: Final = "rural-self-paced"
PAST_COHORT: Final = "pilot-2021"


def key_of(*parts: str) -> uuid.UUID:
    """The same key at every load, so that loading again doubles nothing."""
    return uuid.uuid5(NAMESPACE, "/".join(parts))


@dataclass(frozen=True, slots=True)
class Place:
    """An invented organization."""

    slug: str
    kind: str
    name_en: str
    name_fr: str
    province: str


@dataclass(frozen=True, slots=True)
class Player:
    """Someone to try the site as."""

    role: str
    email: str
    name: str
    place: str
    what: str
    language: str
    does: Promise | str


Kind = Organization.Kind
What = Role.What

PLACES: Final = (
    Place(
        "network",
        Kind.NETWORK,
        "Canadian Municipal Network on Crime Prevention",
        "Réseau municipal canadien en prévention de la criminalité",
        "ON",
    ),
    Place(
        "prairie-lakes-college",
        Kind.INSTITUTION,
        "Prairie Lakes College (invented)",
        "Collège Prairie Lakes (inventé)",
        "SK",
    ),
    Place(
        "tamarack-bend",
        Kind.MUNICIPALITY,
        "Town of Tamarack Bend (invented)",
        "Ville de Tamarack Bend (inventée)",
        "SK",
    ),
    Place(
        "cedar-narrows",
        Kind.MUNICIPALITY,
        "Municipality of Cedar Narrows (invented)",
        "Municipalité de Cedar Narrows (inventée)",
        "ON",
    ),
    Place(
        "harrow-coulee",
        Kind.MUNICIPALITY,
        "County of Harrow Coulee (invented)",
        "Comté de Harrow Coulee (inventé)",
        "AB",
    ),
    Place(
        "riviere-aux-pins",
        Kind.MUNICIPALITY,
        "Rivière-aux-Pins (invented)",
        "Rivière-aux-Pins (inventée)",
        "QC",
    ),
)

PLAYERS: Final = (
    Player(
        "learner",
        "learner@demo.example",
        "Jordan Whitfield",
        "tamarack-bend",
        What.MEMBER,
        "en",
        _("Coordinates community safety in a town of 1,850 people. Half-way through the rural training."),
    ),
    Player(
        "instructor",
        "instructor@demo.example",
        "Anneke Osei",
        "prairie-lakes-college",
        What.INSTRUCTOR,
        "en",
        _("Teaches the fall cohort. Sees who is where and who is stuck, and marks assignments."),
    ),
    Player(
        "author",
        "author@demo.example",
        "Marguerite Lavoie",
        "network",
        What.AUTHOR,
        "fr",
        _("Writes the training in the CMS and issues its editions."),
    ),
    Player(
        "committee",
        "committee@demo.example",
        "Samuel Okafor",
        "network",
        What.COMMITTEE,
        "en",
        _("Edits the standards of knowledge and skills and issues their editions."),
    ),
    Player(
        "registrar",
        "registrar@college.demo.example",
        "Théo Vaillancourt-Ng",
        "prairie-lakes-college",
        What.REGISTRAR,
        "fr",
        _("Checks certificates for the college, one by one or by the hundred."),
    ),
    Player(
        "coordinator",
        "coordinator@town.demo.example",
        "Rosalind Achneepineskum",
        "cedar-narrows",
        What.COORDINATOR,
        "en",
        _("Looks after a municipality’s team. Has not begun a course yet."),
    ),
    Player(
        "admin",
        "admin@demo.example",
        "Odile Fournier-Baptiste",
        "network",
        What.ADMINISTRATOR,
        "en",
        _("Runs the site: people and roles, certificates, the whole CMS."),
    ),
)

# Names of the cohort, with the place they work for, the language they learn in, and how far they got: a step's place in
# the course (“2.5”: in the midst of it), or what became of their work or certificate.
COHORT_NAMES: Final = (
    ("Ansel Dupree-Lake", "harrow-coulee", "en", "complete"),
    ("Élise Cormier-Roy", "riviere-aux-pins", "fr", "renamed"),
    ("Wren Castellane", "tamarack-bend", "en", "revoked"),
    ("Beatrix Mooney", "cedar-narrows", "en", "waiting"),
    ("Gabriel Tessier-Moss", "cedar-narrows", "en", "waiting"),
    ("Farah Lindqvist", "harrow-coulee", "en", "final"),
    ("Nolwenn Paquet", "riviere-aux-pins", "fr", "final"),
    ("Daniel Okimaw-Reyes", "tamarack-bend", "en", "returned"),
    ("Pritha Sandhu-Vale", "cedar-narrows", "en", "2.5"),
    ("Tomas Ferreira-Hale", "harrow-coulee", "en", "1.5 failed"),
    ("Ingrid Bellamy", "cedar-narrows", "en", "5.3"),
    ("Octave Beaulieu", "riviere-aux-pins", "fr", "4.2"),
    ("Marisol Quade", "tamarack-bend", "en", "2.1"),
    ("Henrik Stonechild-Ray", "harrow-coulee", "en", "3.4"),
    ("Amaury Gendron", "riviere-aux-pins", "fr", "2.3"),
    ("Leontyne Park", "cedar-narrows", "en", "3.1"),
    ("Casper Wiebe-Nolan", "harrow-coulee", "en", "2.2"),
    ("Solange Mercier-Diallo", "riviere-aux-pins", "fr", "1.4"),
    ("Rufus Adebayo-Lind", "tamarack-bend", "en", "1.3"),
    ("Maëlle Thériault", "riviere-aux-pins", "fr", "1.2"),
    ("Iris Vandermeer", "cedar-narrows", "en", "2.4 stuck"),
    ("Joaquin Trask", "harrow-coulee", "en", "1.1 stuck"),
    ("Delphine Roussel", "riviere-aux-pins", "fr", "1.1"),
    ("Kofi Brandt-Yellowhorn", "tamarack-bend", "en", "enrolled"),
)


# Who has only the final assessment left, by language: the tour takes it as them, and the certificate comes.
FINISHERS: Final = {"en": "Farah Lindqvist", "fr": "Nolwenn Paquet"}


def cohort_address(name: str) -> str:
    """The e-mail address of somebody of the cohort."""
    letters = set("abcdefghijklmnopqrstuvwxyz.-")
    return "".join(one for one in name.lower().replace(" ", ".") if one in letters) + "@cohort.demo.example"


def demo_enrolments() -> dict[str, uuid.UUID]:
    """The enrolments whose certificates the demo shows, by the state they are in."""
    by_state = {how_far: name for name, _place, _language, how_far in COHORT_NAMES}
    return {
        "valid": key_of(COHORT, by_state["complete"]),
        "superseded": key_of(COHORT, by_state["renamed"]),
        "revoked": key_of(COHORT, by_state["revoked"]),
        "expired": key_of(PAST_COHORT, "Hollis Grantham"),
    }
