"""Reads the files of a framework pack (`docs/packs.md`), and says in a sentence what is wrong with them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from core.errors import DomainError
from core.sanitize import clean_kept
from core.yaml_files import YAMLError, parse_yaml
from standards.models import CompetencyKind, Level
from standards.pages import FrameworkPage
from standards.reading import SOURCE_LANGUAGE

LANGUAGES: Final = ("en", "fr")


class PackError(DomainError):
    """A pack cannot be loaded as it is; nothing of it was kept."""

    code = "pack_refused"
    status = 400


@dataclass(frozen=True, slots=True)
class DomainFile:
    """One domain of a pack in one language."""

    name: str
    head: dict[str, Any]
    body: str


@dataclass(frozen=True, slots=True)
class FrameworkPack:
    """A framework pack as its files say it."""

    path: Path
    about: dict[str, Any]
    domains: dict[str, dict[str, DomainFile]]  # file name → language → file

    @property
    def slug(self) -> str:
        return str(self.about["slug"])

    @property
    def key(self) -> uuid.UUID:
        return uuid.UUID(str(self.about["id"]))


def read_yaml(path: Path) -> Any:
    """A YAML file of a pack, or PackError that names the line."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackError(_("The pack has no file %(path)s.") % {"path": _shorten(path)}) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise PackError(
            _("%(path)s cannot be read: %(error)s") % {"path": _shorten(path), "error": error}
        ) from error


def read_front_matter(path: Path) -> tuple[dict[str, Any], str]:
    """The YAML between the first two `---` lines of a Markdown file, and the text after them."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PackError(_("The pack has no file %(path)s.") % {"path": _shorten(path)}) from None
    except UnicodeDecodeError as error:
        raise PackError(
            _("%(path)s cannot be read: %(error)s") % {"path": _shorten(path), "error": error}
        ) from error
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        raise PackError(_("%(path)s must begin with a line of three hyphens.") % {"path": _shorten(path)})
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None:
        raise PackError(
            _("The head of %(path)s is not closed by a line of three hyphens.") % {"path": _shorten(path)}
        )
    try:
        head = parse_yaml("".join(lines[1:end]))
    except YAMLError as error:
        raise PackError(
            _("%(path)s cannot be read: %(error)s") % {"path": _shorten(path), "error": error}
        ) from error
    if not isinstance(head, dict):
        raise PackError(
            _("The head of %(path)s must be a list of names and values.") % {"path": _shorten(path)}
        )
    return head, "".join(lines[end + 1 :]).strip()


def _shorten(path: Path) -> str:
    return "/".join(path.parts[-3:])


def read_framework_pack(path: Path, *, faults: list[PackError] | None = None) -> FrameworkPack:
    """The files of a pack, checked for what only the files can tell; PackError otherwise.

    With a list of `faults`, the mistakes of its domains are put there instead; a domain whose files cannot be read is
    left out, and one with other mistakes is returned as it is.
    """
    about = read_yaml(path / "pack.yaml")
    if not isinstance(about, dict) or about.get("kind") != "framework":
        raise PackError(_("%(path)s is no framework pack.") % {"path": _shorten(path)})
    if about.get("source_language") != SOURCE_LANGUAGE or set(about.get("languages", ())) != set(LANGUAGES):
        raise PackError(
            _("The framework pack %(slug)s must be in English and French.") % {"slug": about.get("slug")}
        )
    names = sorted(file.name for file in (path / SOURCE_LANGUAGE).glob("*.md"))
    found = [] if faults is None else faults
    domains: dict[str, dict[str, DomainFile]] = {}
    for name in names:
        try:
            domains[name] = {
                language: DomainFile(name, *read_front_matter(path / language / name))
                for language in LANGUAGES
            }
        except PackError as error:
            found.append(error)
            continue
        found += [PackError(sentence) for sentence in _find_faults(domains[name])]
    stray = sorted(file.name for file in (path / "fr").glob("*.md") if file.name not in names)
    if stray:
        found.append(
            PackError(_("These files have no English one: %(names)s.") % {"names": ", ".join(stray)})
        )
    if found and faults is None:
        raise found[0]
    return FrameworkPack(path=path, about=about, domains=domains)


def _find_faults(files: dict[str, DomainFile]) -> Iterator[str]:
    """A sentence for each mistake of a domain's two files."""
    source, twin = files["en"], files["fr"]
    codes = [competency.get("code") for competency in source.head.get("competencies") or ()]
    other = [competency.get("code") for competency in twin.head.get("competencies") or ()]
    if codes != other or source.head.get("code") != twin.head.get("code"):
        yield _("fr/%(name)s must have the same codes in the same order as en/%(name)s.") % {
            "name": source.name
        }
    for language, file in files.items():
        for competency in file.head.get("competencies") or ():
            levels = competency.get("levels") or {}
            words = {
                "title": competency.get("title"),
                "statement": competency.get("statement"),
                **{level: levels.get(level) for level in Level.values},
            }
            missing = [name for name, text in words.items() if not clean_text(text)]
            if missing:
                yield _("%(language)s/%(name)s: %(code)s lacks %(what)s.") % {
                    "language": language,
                    "name": file.name,
                    "code": competency.get("code"),
                    "what": ", ".join(missing),
                }
    for competency in source.head.get("competencies") or ():
        if competency.get("kind") not in CompetencyKind.values:
            yield _("%(name)s: the kind of %(code)s must be knowledge or skill.") % {
                "name": source.name,
                "code": competency.get("code"),
            }
        if competency.get("example_level") and competency["example_level"] not in Level.values:
            yield _("%(name)s: the level of the example of %(code)s is unknown.") % {
                "name": source.name,
                "code": competency.get("code"),
            }


def framework_values(pack: FrameworkPack) -> dict[str, dict[str, Any]]:
    """What the framework page says, by language."""
    about = pack.about
    return {
        language: {
            "title": clean_text(about["title"][language]),
            "summary": clean_text(about["summary"][language]),
            "licence": about.get("licence", FrameworkPage.Licence.RESERVED),
            "starting_content": bool(about.get("note")),
        }
        for language in LANGUAGES
    }


def domain_values(files: dict[str, DomainFile]) -> dict[str, dict[str, Any]]:
    """What a domain page says, by language."""
    return {
        language: {
            "title": clean_text(file.head["title"]),
            "code": str(files["en"].head["code"]),
            "intro": render_markdown(file.body),
        }
        for language, file in files.items()
    }


def competency_values(files: dict[str, DomainFile], position: int) -> dict[str, dict[str, Any]]:
    """What a competency page says, by language: words of each file, structure of the English one."""
    structure = files["en"].head["competencies"][position]
    values = {}
    for language, file in files.items():
        words = file.head["competencies"][position]
        values[language] = {
            "title": clean_text(words.get("title")),
            "code": str(structure["code"]),
            "kind": structure["kind"],
            "statement": clean_text(words.get("statement")),
            **{level: clean_text((words.get("levels") or {}).get(level)) for level in Level.values},
            "example": clean_text(words.get("example")),
            "example_level": structure.get("example_level") or "",
        }
    return values


def clean_text(value: Any) -> str:
    """Words of a file on one line."""
    # Folded YAML ends in a line break. No-break spaces stay: French needs them.
    return re.sub(r"[ \t\r\n]+", " ", str(value or "")).strip(" ")


def render_markdown(text: str) -> str:
    """CommonMark without raw HTML, as cleaned HTML that a rich text field keeps."""
    return clean_kept(MarkdownIt("commonmark", {"html": False}).render(text)).strip()
