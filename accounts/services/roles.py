"""Roles: granted and ended, each time on record."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization, Role, Subject, User
from accounts.permissions import STAFF_ROLES, keep_held_roles
from accounts.services.audit import record_audit
from accounts.services.people import subject_of
from accounts.signals import role_changed
from core import clock
from core.errors import DomainError, InvalidInput

NETWORK_ONLY: Final = gettext_lazy(
    "This role runs the network’s own work, so it is granted in the network only. Nothing was changed."
)


class LastAdministrator(DomainError):
    """The site would be left without anyone who can grant a role."""

    code = "last_administrator"


@transaction.atomic
def grant_role(
    *, user: User, organization: Organization, what: str, granted_by: Subject | None = None
) -> Role:
    """Give a person a role in an organization; a role they hold already is returned.

    Roles that run the network's own work (`STAFF_ROLES`) open everybody's records and keys, so they are granted in
    the network only.
    """
    if what in STAFF_ROLES and organization.kind != Organization.Kind.NETWORK:
        raise InvalidInput(NETWORK_ONLY, errors={"organization": [NETWORK_ONLY]})
    role, made = Role.objects.get_or_create(
        user=user, organization=organization, what=what, ended_at=None, defaults={"granted_by": granted_by}
    )
    if made:
        record_audit(
            actor=granted_by,
            action="role.granted",
            subject=subject_of(user),
            target=role,
            details={"what": what},
        )
        _announce(user)
    return role


@transaction.atomic
def end_role(*, role: Role, ended_by: Subject | None = None) -> Role:
    """End a role today; that it was held stays on record. The last administrator's is not ended."""
    refuse_last_administrator(leaving=role.user, role=role)
    changed = Role.objects.filter(pk=role.pk, ended_at__isnull=True).update(ended_at=clock.now())
    role.refresh_from_db()
    if changed:
        record_audit(
            actor=ended_by,
            action="role.ended",
            subject=subject_of(role.user),
            target=role,
            details={"what": role.what},
        )
        _announce(role.user)
    return role


def refuse_last_administrator(*, leaving: User, role: Role | None = None) -> None:
    """LastAdministrator where nobody else could grant roles after this role, or this person, is gone.

    Locks the standing administrators' rows, so that two of them cannot leave at once.
    """
    if role is not None and (role.what != Role.What.ADMINISTRATOR or role.ended_at is not None):
        return
    standing = list(
        Role.objects.select_for_update()
        .filter(what=Role.What.ADMINISTRATOR, ended_at__isnull=True, user__is_active=True)
        .order_by("id")
    )
    going = {row.pk for row in standing if (row.pk == role.pk if role else row.user_id == leaving.pk)}
    if not going or len(standing) > len(going):
        return
    if User.objects.filter(is_superuser=True, is_active=True).exclude(pk=leaving.pk).exists():
        return
    raise LastAdministrator(
        _(
            "This is the site's last administrator. Make someone else an administrator first; nothing was changed."
        )
    )


def _announce(user: User) -> None:
    # What this object remembers of its roles is no longer so.
    keep_held_roles(user, None)
    role_changed.send(sender=Role, user=user)
