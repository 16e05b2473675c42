"""CASE over HTTP: one thing at a time, open, cacheable."""

import uuid

import pytest
from django.test import Client

from standards.case.package import digest_package, list_nodes, make_french_id
from standards.services import change_edition_status
from tests.factories import standards as make

pytestmark = pytest.mark.django_db

BASE = "http://testserver/ims/case/v1p1"


def test_a_package_is_the_edition_with_addresses(client: Client) -> None:
    edition = make.make_edition()
    response = client.get(f"/ims/case/v1p1/CFPackages/{edition.pk}")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    package = response.json()
    assert digest_package(package) != edition.digest, "Status and addresses are added."
    assert package["CFDocument"]["uri"] == f"{BASE}/CFDocuments/{edition.pk}"
    assert package["CFDocument"]["adoptionStatus"] == "Adopted"
    assert not [node for _name, node in list_nodes(package) if node["uri"].startswith("urn:")]
    assert package["CFAssociations"][0]["destinationNodeURI"]["uri"] == f"{BASE}/CFDocuments/{edition.pk}"
    assert client.get(f"/ims/case/v1p0/CFPackages/{edition.pk}").json() == package


def test_a_package_is_not_sent_twice(client: Client) -> None:
    edition = make.make_edition()
    address = f"/ims/case/v1p1/CFPackages/{edition.pk}"
    etag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"if-none-match": etag}).status_code == 304
    change_edition_status(edition=edition, status="withdrawn")
    response = client.get(address, headers={"if-none-match": etag})
    assert response.json()["CFDocument"]["adoptionStatus"] == "Deprecated"


def test_items_associations_and_documents_have_addresses(client: Client) -> None:
    edition = make.make_edition()
    row = edition.competencies.get(code="B1")
    item = client.get(f"/ims/case/v1p1/CFItems/{row.competency_id}").json()
    assert (item["humanCodingScheme"], item["fullStatement"]) == ("B1", row.statement_en)
    assert item["CFDocumentURI"]["uri"] == f"{BASE}/CFDocuments/{edition.pk}"
    french = client.get(f"/ims/case/v1p1/CFItems/{make_french_id(row.competency_id)}").json()
    assert (french["language"], french["fullStatement"]) == ("fr", row.statement_fr)
    document = client.get(f"/ims/case/v1p1/CFDocuments/{edition.pk}").json()
    assert document["CFPackageURI"]["uri"] == f"{BASE}/CFPackages/{edition.pk}"
    association = edition.document["CFAssociations"][0]["identifier"]
    assert client.get(f"/ims/case/v1p1/CFAssociations/{association}").json()["associationType"] == "isChildOf"


@pytest.mark.parametrize("collection", ["CFPackages", "CFDocuments", "CFItems", "CFAssociations"])
def test_what_is_not_there_is_said_in_cases_own_shape(client: Client, collection: str) -> None:
    response = client.get(f"/ims/case/v1p1/{collection}/{uuid.uuid4()}")
    assert response.status_code == 404
    assert (
        response.json()["imsx_codeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"]
        == "unknownobject"
    )
