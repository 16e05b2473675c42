"""Make the site where there is none: languages, first pages, navigation, permissions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cms.services import set_up_site


class Command(BaseCommand):
    help = "Makes the site's languages, first pages, navigation and groups where they are missing. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        set_up_site(report=self.stdout.write)
