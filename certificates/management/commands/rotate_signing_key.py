"""Retire a signing key of the issuer and make the next one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from certificates.issuer import rotate_signing_key
from certificates.models import SigningKey


class Command(BaseCommand):
    help = (
        "Retires the key that signs credentials (or, with --kind=pdf, PDF files) and makes a new one. What the old "
        "one signed still verifies, unless --compromised says that somebody else may have it: then run reconcile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=SigningKey.Kind.values, default=SigningKey.Kind.ED25519)
        parser.add_argument(
            "--compromised", action="store_true", help="Nothing that the old key signed is believed any more."
        )

    def handle(self, *args: Any, kind: str, compromised: bool, **options: Any) -> None:
        made = rotate_signing_key(kind=kind, compromised=compromised)
        name = made.public if kind == SigningKey.Kind.ED25519 else str(made.pk)
        self.stdout.write(f"The new key {name} signs from now on.")
        if compromised:
            self.stdout.write("Run “manage.py reconcile” to sign certificates anew.")
