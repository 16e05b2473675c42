"""What can be known of the locked dependencies without a network.

Every one is pinned and has digests, none is a release with a weakness that is listed in `advisories.yaml`, all have a
licence under which the site may be given on, and whatever the code imports is declared.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path
from typing import Any, Final

from core.yaml_files import parse_yaml

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = "requirements.lock"
DEV_LOCK: Final = "requirements-dev.lock"
ADVISORIES: Final = ROOT / "config" / "advisories.yaml"

# What the code that serves may import must be installed where it is served; tests and tools have more.
SERVING: Final = (
    *("config", "cms", "network", "certificates", "lms"),
    *("modules", "assessments", "standards", "accounts", "core"),
)
TESTING: Final = ("tests", "bench")

# Licences that ask for no more than a notice, or for changes of the library itself.
ALLOWED: Final = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|ISC|ISCL|Apache|PSF|PSFL|PSF-2\.0|Python Software Foundation|MPL|Mozilla Public "
    r"License|LGPL|Lesser General Public|CNRI-Python|HPND|Unlicense|Zlib)",
    re.IGNORECASE,
)
REFUSED: Final = re.compile(r"\b(A?GPL|Affero|(?<!Lesser )General Public License|SSPL|BUSL)\b", re.IGNORECASE)
# A program that is only run while developing, and what says its licence elsewhere than in its metadata.
LICENCES_KNOWN: Final[Mapping[str, str]] = {
    "djlint": "GPL-3.0-or-later: run by developers, not given on",
    "axe-playwright-python": "MIT, says its repository",
}

_PIN: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)")
_DIGEST: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
_NAME: Final = re.compile(r"^[A-Za-z0-9][\w.-]*")


@dataclass(kw_only=True)
class Pin:
    """One locked release. `digests` counts the files of it that are accepted."""

    name: str
    version: str
    digests: int = 0


@dataclass(kw_only=True)
class Lock:
    """A lock as it is read: its pins, and what is in it that is none."""

    pins: list[Pin] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def normalize(name: str) -> str:
    """The name of a package as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> Lock:
    """The pins of a lock."""
    lock = Lock()
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if found := _PIN.match(stripped):
            lock.pins.append(Pin(name=normalize(found[1]), version=found[2]))
        elif _DIGEST.match(stripped) and lock.pins:
            lock.pins[-1].digests += 1
        else:
            lock.faults.append(f"“{stripped[:60]}” is neither a pinned release nor a digest of one.")
        if "://" in stripped:
            lock.faults.append(f"“{stripped[:60]}” names a host.")
    lock.faults += [f"{pin.name} {pin.version} has no digest." for pin in lock.pins if not pin.digests]
    return lock


def version_key(version: str) -> tuple[int, ...]:
    """The numbers of a release, for comparing it with another of the same package."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-zA-Z+]", version, maxsplit=1)[0]))


def find_weak(pins: Iterable[Pin], advisories: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each pin that an advisory is about."""
    listed = list(advisories)
    for pin in pins:
        for one in listed:
            if normalize(one["package"]) == pin.name and version_key(pin.version) < version_key(
                str(one["fixed"])
            ):
                yield f"{pin.name} {pin.version} has {one['id']} ({one['what']}); {one['fixed']} mends it."


def read_advisories() -> list[dict[str, Any]]:
    return list(parse_yaml(ADVISORIES.read_text(encoding="utf-8")))


def find_licence(name: str) -> str | None:
    """What a package that is installed says of its licence; None for one that is not installed here."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    said = about.get_all("License-Expression") or []
    said += [text for text in about.get_all("Classifier") or [] if text.startswith("License ::")]
    said += [text.splitlines()[0] for text in about.get_all("License") or [] if text.strip()]
    return "; ".join(said)


def judge_licence(name: str, licence: str) -> str:
    """What is wrong with a licence, as a sentence; empty where nothing is."""
    if normalize(name) in LICENCES_KNOWN:
        return ""
    if not ALLOWED.search(licence):
        return f"{name}: its licence “{licence}” is none that is known here."
    if REFUSED.search(re.sub(r"\bLGPL[\w.+-]*|Lesser General Public License[^;]*", "", licence)):
        return f"{name}: its licence “{licence}” asks for more than this site can give."
    return ""


def list_imports(folder: Path) -> dict[str, str]:
    """The modules from elsewhere that the code of a folder imports, each with a file that does."""
    ours = {*SERVING, *TESTING}
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in ours:
                    found.setdefault(top, path.relative_to(folder.parent).as_posix())
    return found


def read_declared(*, dev: bool) -> set[str]:
    """The packages that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = list(project["project"]["dependencies"])
    if dev:
        lines += [line for line in project["dependency-groups"]["dev"] if isinstance(line, str)]
    return {normalize(found[0]) for line in lines if (found := _NAME.match(line))}


def find_undeclared(folders: Iterable[str], *, dev: bool) -> Iterator[str]:
    """A sentence for each module that is imported and whose package is not declared."""
    declared = read_declared(dev=dev)
    packages = packages_distributions()
    for folder in folders:
        for module, place in list_imports(ROOT / folder).items():
            names = {normalize(name) for name in packages.get(module, ())}
            if not names & declared:
                yield f"{place} imports {module}, of which pyproject.toml names no package."


def audit() -> list[str]:
    """Everything that is wrong with the dependencies, as sentences."""
    faults: list[str] = []
    advisories = read_advisories()
    pins: dict[str, set[str]] = {}
    for name in (LOCK, DEV_LOCK):
        lock = read_lock((ROOT / name).read_text(encoding="utf-8"))
        faults += [f"{name}: {fault}" for fault in lock.faults]
        faults += [f"{name}: {fault}" for fault in find_weak(lock.pins, advisories)]
        pins[name] = {pin.name for pin in lock.pins}
    faults += [
        f"{LOCK} lacks {name}, which is declared. Run “make lock”."
        for name in sorted(read_declared(dev=False) - pins[LOCK])
    ]
    for name in sorted(pins[DEV_LOCK]):
        licence = find_licence(name)
        if licence is not None and (fault := judge_licence(name, licence)):
            faults.append(fault)
    faults += find_undeclared(SERVING, dev=False)
    faults += find_undeclared(TESTING, dev=True)
    return faults
