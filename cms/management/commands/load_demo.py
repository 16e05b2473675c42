"""Load the demonstration's people, offerings and certificates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Makes the demonstration's cast, cohort and certificates; only where DEMO=1. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "The demo's accounts have a password that everybody knows. Set DEMO=1 on your own machine."
            )
        from cms.demo.load import load_demo

        load_demo(report=self.stdout.write)
