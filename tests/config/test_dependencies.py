"""The audit of dependencies finds what is planted, and nothing in what is locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import dependencies
from config.dependencies import Pin, find_weak, judge_licence, list_imports, read_lock

DIGEST = "--hash=sha256:" + "0" * 64


def test_the_locked_set_is_sound() -> None:
    assert dependencies.audit() == []


def test_a_pin_has_digests_and_names_no_host() -> None:
    lock = read_lock(f"# why\na==1.0 ; python_version < '3.12' \\\n    {DIGEST}\n    {DIGEST}\nb==2\n")
    assert [(pin.name, pin.version, pin.digests) for pin in lock.pins] == [("a", "1.0", 2), ("b", "2", 0)]
    assert lock.faults == ["b 2 has no digest."]
    for line in ("a>=1.0", "a @ https://example.org/a.whl", "-e .", "--hash=md5:0"):
        assert read_lock(f"{line}\n").faults, line


@pytest.mark.parametrize(
    ("version", "weak"), [("5.2.7", True), ("5.2.8", False), ("5.2.10", False), ("5.2rc1", True)]
)
def test_a_release_with_a_known_weakness_is_found(version: str, weak: bool) -> None:
    advisories = [{"package": "Django", "fixed": "5.2.8", "id": "CVE-2025-64459", "what": "SQL injection"}]
    found = list(find_weak([Pin(name="django", version=version)], advisories))
    assert bool(found) is weak


def test_every_advisory_says_when_it_was_entered() -> None:
    for one in dependencies.read_advisories():
        assert set(one) == {"package", "fixed", "id", "entered", "what"}


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("LGPL-3.0-or-later; License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GPL-3.0-or-later", False),
        ("License :: OSI Approved :: GNU Affero General Public License v3", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_a_licence_is_one_of_those_that_are_known(licence: str, fine: bool) -> None:
    assert (judge_licence("some-package", licence) == "") is fine


def test_what_is_imported_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "floor"
    folder.mkdir()
    (folder / "a.py").write_text(
        "import json\nimport numpy.linalg\nfrom core import clock\n", encoding="utf-8"
    )
    assert list_imports(folder) == {"numpy": "floor/a.py"}
