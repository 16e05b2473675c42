"""Sets of certificates, named in the field's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When


class CertificateQuerySet(models.QuerySet[Any]):
    """Reads of certificates. They are never changed: a row trigger refuses it."""

    def with_status(self, on: date) -> CertificateQuerySet:
        """Each with its `effective_status` on that day, as `rules.effective_status` folds it from the ledger."""
        from certificates.models import StatusEntry

        entries = StatusEntry.objects.filter(certificate=OuterRef("pk"))
        # Revoked and not reinstated since: the last of these two decides.
        last = entries.filter(status__in=["revoked", "reinstated"]).order_by("-id").values("status")[:1]
        return self.annotate(last_decision=Subquery(last)).annotate(
            effective_status=Case(
                When(Exists(entries.filter(status="withdrawn")), then=Value("withdrawn")),
                When(last_decision="revoked", then=Value("revoked")),
                When(Exists(entries.filter(status="superseded")), then=Value("superseded")),
                When(expires_on__lt=on, then=Value("expired")),
                default=Value("valid"),
                output_field=models.CharField(),
            )
        )

    def matching(self, words: str) -> CertificateQuerySet:
        """Those whose number or holder's name has these words; all of them for no words."""
        found = self
        for word in words.split():
            found = found.filter(Q(number__icontains=word) | Q(content__facts__holder_name__icontains=word))
        return found

    def of_institutions(self, organizations: Collection[UUID]) -> CertificateQuerySet:
        """Those of cohorts that these organizations deliver or partner in."""
        return self.filter(
            Q(enrolment__offering__partner__in=organizations)
            | Q(enrolment__offering__organization__in=organizations)
        )

    def named(self, *, ids: Iterable[UUID] = (), numbers: Iterable[str] = ()) -> CertificateQuerySet:
        """Those with one of these keys or numbers."""
        return self.filter(Q(pk__in=list(ids)) | Q(number__in=list(numbers)))
