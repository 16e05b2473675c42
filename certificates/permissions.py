"""Who may see what of a certificate, and who may change what becomes of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from accounts.models import Role
from accounts.permissions import has_role, organizations_where
from accounts.second_factor import is_unprotected
from certificates.models import Certificate
from certificates.querysets import CertificateQuerySet


@dataclass(frozen=True, slots=True)
class Access:
    """Why somebody may see the holder's name, the certified facts and the files; `reason` is empty where they may not.

    ``public`` (the holder's consent), ``holder``, ``shared`` (a share link), ``officer``, ``registrar``.
    """

    reason: str = ""

    @property
    def full(self) -> bool:
        return bool(self.reason)

    @property
    def by_role(self) -> bool:
        """Whether it is an office that opens the record, which is logged."""
        return self.reason in {"officer", "registrar"}


def is_officer(user: Any) -> bool:
    """Whether the person revokes, corrects and reinstates: certificates officers and administrators.

    Not before they have set up their second factor.
    """
    holds = bool(getattr(user, "is_superuser", False)) or has_role(
        user, Role.What.CERTIFICATES, Role.What.ADMINISTRATOR
    )
    return holds and not is_unprotected(user)


def is_registrar(user: Any) -> bool:
    """Whether the person checks certificates for an institution."""
    return has_role(user, Role.What.REGISTRAR)


def institutions_of(user: Any) -> set[uuid.UUID]:
    """The institutions for which the person is a registrar."""
    return organizations_where(user, Role.What.REGISTRAR)


def is_of_own_cohort(user: Any, certificate: Certificate) -> bool:
    """Whether the person's institution delivered or partnered in the course. The offering comes with the row."""
    if certificate.enrolment is None:
        return False
    offering = certificate.enrolment.offering
    return bool({offering.partner_id, offering.organization_id} & institutions_of(user))


def find_access(*, user: Any, certificate: Certificate, consented: bool, shared: bool = False) -> Access:
    """Why this person may see the certified facts. At most one query, for the person's roles.

    `shared`: an open share link of this certificate was shown. The subject and the offering come with the row.
    """
    if getattr(user, "is_authenticated", False) and certificate.subject.user_id == user.pk:
        return Access("holder")
    if consented:
        return Access("public")
    if shared:
        return Access("shared")
    if is_officer(user):
        return Access("officer")
    if is_of_own_cohort(user, certificate):
        return Access("registrar")
    return Access()


def certificates_of_institutions(user: Any, certificates: CertificateQuerySet) -> CertificateQuerySet:
    """Those that a registrar's institutions delivered or partnered in."""
    return certificates.of_institutions(institutions_of(user))


def may_attest(user: Any, certificate: Certificate) -> set[uuid.UUID]:
    """The person's institutions that may countersign this certificate: the partner of its offering."""
    if certificate.enrolment is None:
        return set()
    partner = certificate.enrolment.offering.partner_id
    return {partner} & institutions_of(user) if partner else set()
