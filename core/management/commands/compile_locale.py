"""Compile the French catalogue, without gettext's tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.messages import MergeConflict, compile_catalogue


class Command(BaseCommand):
    help = "Compile the French messages, so that a machine without gettext can run the site."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            target = compile_catalogue(Path(settings.LOCALE_PATHS[0]))
        except MergeConflict as error:
            raise CommandError(f"The French messages contradict each other: {error}.") from error
        self.stdout.write(f"Compiled {target.relative_to(settings.BASE_DIR)}.")
