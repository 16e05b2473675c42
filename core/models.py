"""Abstract bases. `core` itself has no business tables."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock


class Language(models.TextChoices):
    """The two languages that every text people read exists in."""

    ENGLISH = "en", _("English")
    FRENCH = "fr", _("French")


class UUIDModel(models.Model):
    """A row whose address may be shown to people: its key tells nothing and can be made by a client."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


class LedgerError(TypeError):
    """Raised by code that tries to change a fact that was recorded."""


class LedgerQuerySet(models.QuerySet):
    """Reads and inserts; the row trigger in the database refuses the rest as well."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise LedgerError(f"{self.model.__name__} is a ledger: record a new entry instead of changing one.")

    def delete(self) -> NoReturn:
        raise LedgerError(f"{self.model.__name__} is a ledger: its entries are not deleted.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LedgerError(f"{self.model.__name__} is a ledger: record a new entry instead of changing one.")


class LedgerModel(models.Model):
    """One fact about a person, recorded once.

    `client_id` is made by whoever reports the fact and is the idempotency key: a second report with the
    same key is answered with the first row. `recorded_at` is the server's clock.
    """

    id = models.BigAutoField(primary_key=True)
    client_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recorded_at = models.DateTimeField(default=clock.now, editable=False)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["id"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerError(
                f"{type(self).__name__} is a ledger: record a new entry instead of changing one."
            )
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LedgerError(f"{type(self).__name__} is a ledger: its entries are not deleted.")
