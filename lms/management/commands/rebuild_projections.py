"""``manage.py rebuild_projections``: progress and standing from the ledgers again, or a proof that they are right."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lms.projections import Difference, rebuild

# More of the same teach nothing; the count says how many there are.
MOST_LISTED = 50


class Command(BaseCommand):
    help = (
        "Rebuilds progress, enrolments and standing from the ledgers. With --check it only compares, and ends with "
        "status 1 where a row is not what the ledgers give."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only compare; status 1 where something differs"
        )

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        differences = rebuild(check=check)
        if not differences:
            self.stdout.write(self.style.SUCCESS("Every projection is what its ledger gives."))
            return
        for difference in differences[:MOST_LISTED]:
            self.stdout.write(describe(difference))
        if len(differences) > MOST_LISTED:
            self.stdout.write(f"… and {len(differences) - MOST_LISTED} more.")
        tables = ", ".join(
            f"{count} in {table}"
            for table, count in sorted(Counter(one.table for one in differences).items())
        )
        if check:
            self.stdout.write(
                self.style.ERROR(
                    f"{len(differences)} rows differ from the ledgers: {tables}. Nothing was changed."
                )
            )
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS(f"{len(differences)} rows were mended: {tables}."))


def describe(difference: Difference) -> str:
    """One line on a row that is not what the ledger gives, with the columns that differ."""
    name = f"{difference.table} {difference.key}"
    if difference.found is None:
        return f"{name}: missing"
    if difference.expected is None:
        return f"{name}: should not be there"
    columns = [
        f"{column} is {difference.found.get(column)!r}, should be {value!r}"
        for column, value in difference.expected.items()
        if difference.found.get(column) != value
    ]
    return f"{name}: {'; '.join(columns)}"
