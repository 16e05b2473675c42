"""What the documents say of the tests is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENT = ROOT / "docs" / "security.md"


def list_names(path: Path) -> set[str]:
    """The tests and classes of a file, those in classes as `Class.test`."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)
            }
    return names


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w.]+))?`", DOCUMENT.read_text(encoding="utf-8"))
    assert len(named) > 20
    missing = []
    for place, name in named:
        path = ROOT / place
        if not path.is_file() or (name and name not in list_names(path)):
            missing.append(f"{place}::{name}")
    assert not missing, missing


def test_no_promise_is_without_a_test() -> None:
    """Every row of the table of promises ends with a test that exists."""
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and " | " in line]
    promises = [row for row in rows[1:] if not set(row) <= set("|- ")]
    assert len(promises) > 12
    for row in promises:
        assert "`tests/" in row.rsplit(" | ", 1)[-1], row
