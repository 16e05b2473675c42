"""Groups of the CMS follow roles. What a group may do is set by the floor of the site (`setup_site`)."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import Organization, Role, User
from accounts.permissions import STAFF_ROLES
from accounts.services.people import follow_in_cms

GROUPS: Final[dict[str, str]] = {
    Role.What.ADMINISTRATOR: "Administrators",
    Role.What.AUTHOR: "Authors",
    Role.What.COMMITTEE: "Committee",
    Role.What.CERTIFICATES: "Certificates officers",
}


@transaction.atomic
def sync_groups(user: User) -> None:
    """Make the person's groups and their way into the CMS what their roles of today say. About six queries.

    Only roles in the network itself count: these groups open everybody's content. Groups that no role stands for are
    left alone.
    """
    held = set(
        Role.objects.filter(
            user=user, ended_at__isnull=True, organization__kind=Organization.Kind.NETWORK
        ).values_list("what", flat=True)
    )
    wanted = {GROUPS[what] for what in held if what in GROUPS}
    present = set(user.groups.filter(name__in=GROUPS.values()).values_list("name", flat=True))
    for name in sorted(wanted - present):
        user.groups.add(Group.objects.get_or_create(name=name)[0])
    if gone := present - wanted:
        user.groups.remove(*Group.objects.filter(name__in=gone))
    is_staff = user.is_superuser or bool(held & STAFF_ROLES)
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
        if is_staff:
            follow_in_cms(user)
