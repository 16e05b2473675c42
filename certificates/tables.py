"""Lists as files for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

# What a spreadsheet would take for the beginning of a formula.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def make_harmless(value: Any) -> str:
    """The text of a cell, with an apostrophe before what a spreadsheet would compute."""
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(_DANGEROUS) or text.startswith(_DANGEROUS) else text


def write_csv(*, name: str, head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A CSV file that Excel, too, opens as UTF-8."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow([make_harmless(cell) for cell in head])
    for row in rows:
        writer.writerow([make_harmless(cell) for cell in row])
    return response
