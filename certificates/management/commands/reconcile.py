"""Find facts without their consequence, and mend them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import ngettext

from certificates.services import issue_missing, print_missing, sign_anew


class Command(BaseCommand):
    help = (
        "Issues certificates that completed courses lack, signs anew what a compromised key had signed, and makes "
        "missing PDFs. Safe to run at any time, and again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        mended = (
            issue_missing(report=self.stdout.write)
            + sign_anew(report=self.stdout.write)
            + print_missing(report=self.stdout.write)
        )
        self.stdout.write(
            ngettext("%(count)d thing was mended.", "%(count)d things were mended.", mended)
            % {"count": mended}
            if mended
            else "Nothing was missing."
        )
