"""Cells of files for spreadsheets."""

from __future__ import annotations

from typing import Any, Final

# A spreadsheet runs what begins like this as a formula; some of them after leading spaces or in full width.
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def make_harmless(value: Any) -> str:
    """The text of a cell that no spreadsheet takes for a formula: one that looks like one gets an apostrophe.

    >>> make_harmless('=HYPERLINK("https://example.org")')
    '\\'=HYPERLINK("https://example.org")'
    """
    text = str(value)
    looks_like_one = text.lstrip(" \u00a0").startswith(DANGEROUS) or text.lstrip().startswith(DANGEROUS)
    return f"'{text}" if looks_like_one else text
