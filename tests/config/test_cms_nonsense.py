"""Nonsense sent to every address of the CMS, by an administrator: never a failure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
import wagtail

from tests.config.routes import Route, World, fill_in
from tests.config.test_every_route import ADDRESSES, CMS_OPEN, ask

# It fails on purpose, so that an operator sees how failures are reported.
ON_PURPOSE: Final = "/admin/failwhale/"
KEYS: Final = ("x", "9" * 40, "-1", "é" * 300, "not:a:key", "0x1f", "6f1c0f4e-6b3a-4d52-9c5e-2f4f4b1f7a1")
VALUES: Final = ("x", "9" * 40, "-1", "'\"<>%s{}", "é" * 300, "[]", "2026-13-45")


def list_cms() -> list[Route]:
    return [
        route
        for route in ADDRESSES.values()
        if route.pattern.startswith("admin/") and route.name not in CMS_OPEN
    ]


def list_names() -> list[str]:
    """The names that Wagtail's views look for in a query."""
    found = set()
    for path in Path(wagtail.__file__).parent.rglob("*.py"):
        if {"tests", "test", "migrations"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            key: Any = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                if node.func.attr in {"get", "getlist"} and _is_query(node.func.value):
                    key = node.args[0]
            elif isinstance(node, ast.Subscript) and _is_query(node.value):
                key = node.slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                found.add(key.value)
    return sorted(found)


def _is_query(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"GET", "POST"}


class Everything(dict[str, Any]):
    """The same value for every part of an address."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return self.value

    def get(self, name: str, default: Any = None) -> Any:
        return self.value


def list_requests(*, thorough: bool) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, address and data. Unless thorough, one wrong key and one wrong value an address, another for each; of the
    choosers some more.
    """
    names = list_names()
    assert {"q", "p", "ordering", "collection_id"} <= set(names)
    for number, route in enumerate(list_cms()):
        most = len(KEYS) if thorough else 2 if "choose" in route.pattern else 1
        keys = [KEYS[(number + place) % len(KEYS)] for place in range(most)]
        values = [VALUES[(number + place) % len(VALUES)] for place in range(most)]
        if "<" in route.pattern:
            for key in keys:
                yield "get", fill_in(route.pattern, Everything(quote(key))), {}
                if thorough:
                    yield "post", fill_in(route.pattern, Everything(quote(key))), {}
        # Where something is sent, one value tells most: what is missing beside it.
        for value in values if thorough else values[:1]:
            yield "post", fill_in(route.pattern, {}), dict.fromkeys(names, value)
        for value in values if most > 1 else ():
            yield "get", fill_in(route.pattern, {}), dict.fromkeys(names, value)


def find_failures(world: World, *, thorough: bool) -> list[str]:
    failed = []
    for method, path, data in list_requests(thorough=thorough):
        if path == ON_PURPOSE:
            continue
        status = ask(world, "adm", method, path, data=data).status_code
        if status >= 500:
            failed.append(f"{method.upper()} {path[:90]} {next(iter(data.values()), '')[:20]}: {status}")
    return failed


def test_nonsense_is_no_failure(world: World) -> None:
    failed = find_failures(world, thorough=False)
    assert not failed, "\n".join(failed)


@pytest.mark.long
def test_all_nonsense_is_no_failure(world: World) -> None:
    failed = find_failures(world, thorough=True)
    assert not failed, "\n".join(failed)
