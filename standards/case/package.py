"""Writes a framework's text as a CASE 1.1 `CFPackage`.

English is the language of the items; each has a French twin of its own, tied to it by `isTranslationOf`. The three
level descriptors of a competency are its child items. Identifiers are permanent: a competency's and a domain's are
their own; every other one is a version 5 UUID made from the identifier of what it belongs to, so that the same text
has the same identifiers wherever it is issued.

Some values are *stamps*: they belong to the issue and not to the text, and the digest leaves them out
(`remove_stamps`). Anyone who holds the package can so recompute the digest of the edition.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core import canonical
from standards.rules import LEVELS, CompetencyText, DomainText, FrameworkText, Words

TYPES: Final = {
    "domain": Words("Domain", "Domaine"),
    "knowledge": Words("Knowledge", "Connaissance"),
    "skill": Words("Skill", "Habileté"),
    "level": Words("Level descriptor", "Descripteur de niveau"),
}
LEVEL_NAMES: Final = {
    "foundational": Words("Foundational", "Fondamental"),
    "practising": Words("Practising", "Praticien"),
    "leading": Words("Leading", "Meneur"),
}
ASSOCIATION_TYPES: Final = {
    "precedes": "precedes",
    "related_to": "isRelatedTo",
    "replaced_by": "replacedBy",
    "exact_match": "exactMatchOf",
}
LICENCES: Final = {
    "CC-BY-4.0": (
        "Creative Commons Attribution 4.0 International",
        "https://creativecommons.org/licenses/by/4.0/legalcode",
    ),
}
STAMPED_DOCUMENT: Final = frozenset({"identifier", "version", "creator"})
STAMPED_EVERYWHERE: Final = frozenset({"uri", "lastChangeDateTime"})
UNSTAMPED_ID: Final = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What an issue adds to a text."""

    edition_id: uuid.UUID = UNSTAMPED_ID
    number: int = 0
    issued_at: datetime | None = None
    creator: str = ""


def build_package(text: FrameworkText, *, stamp: Stamp) -> dict[str, Any]:
    """The `CFPackage` of the text. `uri` values are `urn:uuid:…` until the package is served."""
    build = _Builder(text, stamp)
    for domain_number, domain in enumerate(text.domains, start=1):
        build.add_domain(domain, domain_number)
    for relation in text.relations:
        build.associate(ASSOCIATION_TYPES[relation.type], relation.origin, relation.destination)
    return {
        "CFDocument": build.describe_document(),
        "CFItems": build.items,
        "CFAssociations": build.associations,
        "CFDefinitions": build.describe_definitions(),
    }


def remove_stamps(package: dict[str, Any]) -> dict[str, Any]:
    """The package as far as it is text. What refers to the edition refers to the nil UUID."""
    own = package["CFDocument"]["identifier"]

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(part) for name, part in value.items() if name not in STAMPED_EVERYWHERE}
        if isinstance(value, list):
            return [strip(part) for part in value]
        return str(UNSTAMPED_ID) if value == own else value

    bare = strip(package)
    bare["CFDocument"] = {
        name: value for name, value in bare["CFDocument"].items() if name not in STAMPED_DOCUMENT
    }
    # An association belongs to its edition, so its identifier is made from the edition's.
    bare["CFAssociations"] = [
        {name: value for name, value in association.items() if name != "identifier"}
        for association in bare["CFAssociations"]
    ]
    return dict(bare)


def digest_package(package: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the package without its stamps."""
    return canonical.digest(remove_stamps(package))


def make_association_id(
    edition_id: uuid.UUID, type_: str, origin: uuid.UUID, destination: uuid.UUID
) -> uuid.UUID:
    """The identifier of an association in an edition; `type_` is CASE's."""
    return uuid.uuid5(edition_id, f"{type_}:{origin}:{destination}")


def make_level_id(competency_id: uuid.UUID, level: str) -> uuid.UUID:
    """The identifier of the item that describes a competency at a level."""
    return uuid.uuid5(competency_id, f"level:{level}")


def make_french_id(item_id: uuid.UUID) -> uuid.UUID:
    """The identifier of an item's French twin."""
    return uuid.uuid5(item_id, "fr")


class _Builder:
    """Gathers the items and associations of one package, in reading order."""

    def __init__(self, text: FrameworkText, stamp: Stamp) -> None:
        self.text = text
        self.stamp = stamp
        self.moment = canonical.plain(stamp.issued_at.replace(microsecond=0)) if stamp.issued_at else ""
        self.items: list[dict[str, Any]] = []
        self.associations: list[dict[str, Any]] = []
        self.titles: dict[uuid.UUID, str] = {stamp.edition_id: text.title.en}
        # Relations may point forwards, so every title is known before the first association.
        for domain in text.domains:
            self.titles[domain.id] = domain.title.en
            for competency in domain.competencies:
                self.titles[competency.id] = f"{competency.code} {competency.title.en}"

    def add_domain(self, domain: DomainText, number: int) -> None:
        self.add_item(
            domain.id,
            parent=self.stamp.edition_id,
            number=number,
            type_="domain",
            code=domain.code,
            statement=domain.title,
            extensions=Words(domain.intro.en, domain.intro.fr) if domain.intro.en else None,
        )
        for competency_number, competency in enumerate(domain.competencies, start=1):
            self.add_competency(competency, parent=domain.id, number=competency_number)

    def add_competency(self, competency: CompetencyText, *, parent: uuid.UUID, number: int) -> None:
        self.add_item(
            competency.id,
            parent=parent,
            number=number,
            type_=competency.kind,
            code=competency.code,
            statement=competency.statement,
            title=competency.title,
            more={language: _extend(competency, language) for language in ("en", "fr")},
        )
        for level_number, level in enumerate(LEVELS, start=1):
            self.titles[make_level_id(competency.id, level)] = f"{competency.code} {LEVEL_NAMES[level].en}"
            self.add_item(
                make_level_id(competency.id, level),
                parent=competency.id,
                number=level_number,
                type_="level",
                statement=competency.levels[level],
                title=LEVEL_NAMES[level],
                level=level,
            )

    def add_item(
        self,
        item_id: uuid.UUID,
        *,
        parent: uuid.UUID,
        number: int,
        type_: str,
        statement: Words,
        code: str = "",
        title: Words | None = None,
        level: str = "",
        extensions: Words | None = None,
        more: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        french_id = make_french_id(item_id)
        self.titles[french_id] = (title or statement).fr
        for identifier, language in ((item_id, "en"), (french_id, "fr")):
            item: dict[str, Any] = {
                **self.name(identifier),
                "fullStatement": statement.in_language(language),
                "CFItemType": TYPES[type_].en,
                "CFItemTypeURI": {
                    "title": TYPES[type_].en,
                    "identifier": str(self.type_id(type_)),
                    "uri": f"urn:uuid:{self.type_id(type_)}",
                },
                "language": language,
                "lastChangeDateTime": self.moment,
            }
            if code:
                item["humanCodingScheme"] = code
            if title:
                item["abbreviatedStatement"] = title.in_language(language)
            if level:
                item["educationLevel"] = [level]
            if extensions:
                item["extensions"] = {"introduction": extensions.in_language(language)}
            if more and more[language]:
                item["extensions"] = more[language]
            self.items.append(item)
        self.associate("isChildOf", item_id, parent, number=number)
        self.associate("isTranslationOf", french_id, item_id)

    def associate(
        self, type_: str, origin: uuid.UUID, destination: uuid.UUID, *, number: int | None = None
    ) -> None:
        association: dict[str, Any] = {
            **self.name(make_association_id(self.stamp.edition_id, type_, origin, destination)),
            "associationType": type_,
            "originNodeURI": self.link(origin),
            "destinationNodeURI": self.link(destination),
            "lastChangeDateTime": self.moment,
        }
        if number is not None:
            association["sequenceNumber"] = number
        self.associations.append(association)

    def describe_document(self) -> dict[str, Any]:
        text = self.text
        document = {
            **self.name(self.stamp.edition_id),
            "caseVersion": "1.1",
            "creator": self.stamp.creator,
            "title": text.title.en,
            "description": text.summary.en,
            "language": "en",
            "version": str(self.stamp.number),
            "lastChangeDateTime": self.moment,
            "extensions": {
                "framework": str(text.key),
                "startingContent": text.starting_content,
                "fr": {"title": text.title.fr, "description": text.summary.fr},
            },
        }
        if text.licence in LICENCES:
            identifier = uuid.uuid5(text.key, f"licence:{text.licence}")
            document["licenseURI"] = {
                "title": LICENCES[text.licence][0],
                "identifier": str(identifier),
                "uri": f"urn:uuid:{identifier}",
            }
        return document

    def describe_definitions(self) -> dict[str, Any]:
        types = [
            {
                **self.name(self.type_id(type_)),
                "title": words.en,
                "description": f"{words.en} / {words.fr}",
                "hierarchyCode": str(position),
                "lastChangeDateTime": self.moment,
            }
            for position, (type_, words) in enumerate(TYPES.items(), start=1)
        ]
        definitions: dict[str, Any] = {"CFItemTypes": types}
        if self.text.licence in LICENCES:
            title, address = LICENCES[self.text.licence]
            definitions["CFLicenses"] = [
                {
                    **self.name(uuid.uuid5(self.text.key, f"licence:{self.text.licence}")),
                    "title": title,
                    "licenseText": address,
                    "lastChangeDateTime": self.moment,
                }
            ]
        return definitions

    def type_id(self, type_: str) -> uuid.UUID:
        return uuid.uuid5(self.text.key, f"type:{type_}")

    def name(self, identifier: uuid.UUID) -> dict[str, str]:
        return {"identifier": str(identifier), "uri": f"urn:uuid:{identifier}"}

    def link(self, identifier: uuid.UUID) -> dict[str, str]:
        return {
            "title": self.titles.get(identifier, str(identifier)),
            **self.name(identifier),
            "targetType": "CASE",
        }


def _extend(competency: CompetencyText, language: str) -> dict[str, Any]:
    """What CASE has no field for: the example from practice and the works cited."""
    extra: dict[str, Any] = {}
    if competency.example.en:
        extra["example"] = {
            "level": competency.example_level,
            "text": competency.example.in_language(language),
        }
    if competency.sources:
        extra["sources"] = [
            {
                "slug": source.slug,
                "citation": source.citation.in_language(language),
                **({"url": source.url} if source.url else {}),
            }
            for source in competency.sources
        ]
    return extra


def list_nodes(package: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a package that has an address of its own, with the name of its collection."""
    yield "CFDocuments", package["CFDocument"]
    for item in package["CFItems"]:
        yield "CFItems", item
    for association in package["CFAssociations"]:
        yield "CFAssociations", association
    for name, definitions in package["CFDefinitions"].items():
        for definition in definitions:
            yield name, definition
