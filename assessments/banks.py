"""Where each organization keeps its items and assessments: its own collection of the CMS."""

from __future__ import annotations

from django.db import transaction
from wagtail.models import Collection

from accounts.models import Organization
from assessments.models import OrganizationCollection


@transaction.atomic
def collection_of(organization: Organization) -> Collection:
    """The collection of an organization, made when it is first needed. One query, where it is there.

    The network's own things stand at the root, so whoever is given the root sees all; another organization has a
    collection below it, which it sees alone.
    """
    if organization.kind == Organization.Kind.NETWORK:
        root = Collection.get_first_root_node()
        assert root is not None
        return root
    kept = (
        OrganizationCollection.objects.filter(organization=organization).select_related("collection").first()
    )
    if kept is not None:
        return kept.collection
    # A child's place in the tree is counted from its siblings, so two must not be added at once.
    root = Collection.objects.select_for_update().get(depth=1)
    kept = (
        OrganizationCollection.objects.filter(organization=organization).select_related("collection").first()
    )
    if kept is not None:
        return kept.collection
    collection: Collection = root.add_child(name=organization.name_en)
    OrganizationCollection.objects.create(organization=organization, collection=collection)
    return collection
