"""An edition's package as it is served: with addresses, and with what became of the edition since."""

from __future__ import annotations

import uuid
from typing import Any, Final

from standards.case.package import list_nodes
from standards.models import FrameworkEdition

BASE: Final = "/ims/case/v1p1"
ADOPTION: Final = {
    FrameworkEdition.Status.CONSULTATION: "Draft",
    FrameworkEdition.Status.ADOPTED: "Adopted",
    FrameworkEdition.Status.SUPERSEDED: "Deprecated",
    FrameworkEdition.Status.WITHDRAWN: "Deprecated",
}


def make_item_uri(origin: str, identifier: uuid.UUID) -> str:
    """The CASE address of a competency, a domain or a level descriptor."""
    return f"{origin}{BASE}/CFItems/{identifier}"


def publish_package(edition: FrameworkEdition, *, origin: str) -> dict[str, Any]:
    """The `CFPackage` of an edition with addresses at `origin`; the stored document stays as it is."""
    document = edition.document
    addresses = {
        node["uri"]: f"{origin}{BASE}/{name}/{node['identifier']}" for name, node in list_nodes(document)
    }

    def address(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: address(part) for name, part in value.items()}
        if isinstance(value, list):
            return [address(part) for part in value]
        return (
            addresses.get(value, value) if isinstance(value, str) and value.startswith("urn:uuid:") else value
        )

    package: dict[str, Any] = address(document)
    package["CFDocument"] |= {
        "adoptionStatus": ADOPTION[FrameworkEdition.Status(edition.status)],
        "statusStartDate": edition.status_changed_at.date().isoformat(),
        "officialSourceURL": f"{origin}/en/standards/{edition.slug}/{edition.number}/",
    }
    return package


def publish_document(edition: FrameworkEdition, *, origin: str) -> dict[str, Any]:
    """The `CFDocument` of an edition, with a link to its package."""
    document = publish_package(edition, origin=origin)["CFDocument"]
    return {
        **document,
        "CFPackageURI": {
            "title": document["title"],
            "identifier": document["identifier"],
            "uri": f"{origin}{BASE}/CFPackages/{edition.id}",
        },
    }


def publish_node(
    edition: FrameworkEdition, *, collection: str, identifier: uuid.UUID, origin: str
) -> dict[str, Any]:
    """One item or association of an edition, with a link to its `CFDocument`."""
    package = publish_package(edition, origin=origin)
    node = next(node for node in package[collection] if node["identifier"] == str(identifier))
    document = package["CFDocument"]
    return {
        **node,
        "CFDocumentURI": {
            "title": document["title"],
            "identifier": document["identifier"],
            "uri": document["uri"],
        },
    }
