"""The text of a framework in both languages, whole: what may be issued, and how two texts differ. Pure."""

from __future__ import annotations

import difflib
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

LEVELS: Final = ("foundational", "practising", "leading")
# Where one edition may point at a competency that no longer stands in it, or stands in another framework.
OUTWARD_RELATIONS: Final = frozenset({"replaced_by", "exact_match"})
# A French text this long that equals the English one was not translated.
TRANSLATED_FROM: Final = 25


@dataclass(frozen=True, slots=True)
class Words:
    """The same words in English and in French."""

    en: str = ""
    fr: str = ""

    def in_language(self, language: str) -> str:
        return (self.fr if language == "fr" else self.en) or self.en

    def to_json(self) -> dict[str, str]:
        return {"en": self.en, "fr": self.fr}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """A published work as an edition cites it; the citation is Markdown with titles in italics."""

    slug: str
    citation: Words
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetencyText:
    """A competency: statement, three levels, an example and what it rests on."""

    id: uuid.UUID
    code: str
    kind: str
    title: Words
    statement: Words
    levels: dict[str, Words]
    example: Words = Words()
    example_level: str = ""
    sources: tuple[SourceText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainText:
    """A domain and its competencies in order; the intro is cleaned HTML."""

    id: uuid.UUID
    code: str
    title: Words
    intro: Words = Words()
    competencies: tuple[CompetencyText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationText:
    """How one competency relates to another: `precedes`, `related_to`, `replaced_by` or `exact_match`."""

    type: str
    origin: uuid.UUID
    destination: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkText:
    """A framework as it would be issued."""

    key: uuid.UUID
    slug: str
    title: Words
    summary: Words = Words()
    licence: str = ""
    starting_content: bool = False
    domains: tuple[DomainText, ...] = ()
    relations: tuple[RelationText, ...] = ()

    def competencies(self) -> Iterator[CompetencyText]:
        for domain in self.domains:
            yield from domain.competencies


def find_problems(text: FrameworkText, *, known: frozenset[uuid.UUID] = frozenset()) -> list[str]:
    """Sentences that say why the text cannot be issued, none where it can.

    `known` are competencies outside this text that a relation may point at.
    """
    problems = [*_check_words(_("The framework"), text.title, _("title"))]
    problems += _check_words(_("The framework"), text.summary, _("summary"), needed=False)
    if not any(text.competencies()):
        problems.append(
            _("The framework has no published competency yet. Publish one in English and in French.")
        )
    problems += _check_codes(text)
    for domain in text.domains:
        who = _("Domain %(code)s") % {"code": domain.code}
        problems += _check_words(who, domain.title, _("title"))
        problems += _check_words(who, domain.intro, _("opening paragraph"), needed=False)
    for competency in text.competencies():
        problems += _check_competency(competency)
    problems += _check_relations(text, known)
    return problems


def _check_words(who: str, words: Words, what: str, *, needed: bool = True) -> list[str]:
    facts = {"who": who, "what": what}
    if not words.en.strip():
        return [_("%(who)s has no %(what)s in English.") % facts] if needed or words.fr.strip() else []
    if not words.fr.strip():
        return [_("%(who)s has no %(what)s in French.") % facts]
    if words.en == words.fr and len(words.en) >= TRANSLATED_FROM:
        return [_("%(who)s has the same %(what)s in French as in English: translate it.") % facts]
    return []


def _check_codes(text: FrameworkText) -> list[str]:
    domains = Counter(domain.code for domain in text.domains)
    competencies = Counter(competency.code for competency in text.competencies())
    problems = [
        _("Two domains have the code %(code)s. Give one of them another code.") % {"code": code}
        for code, count in domains.items()
        if count > 1
    ]
    problems += [
        _("Two competencies have the code %(code)s. Give one of them another code.") % {"code": code}
        for code, count in competencies.items()
        if count > 1
    ]
    for domain in text.domains:
        problems += [
            _(
                "The competency %(code)s stands in domain %(domain)s. Its code must be that letter and a number."
            )
            % {"code": competency.code, "domain": domain.code}
            for competency in domain.competencies
            if not re.fullmatch(re.escape(domain.code) + r"[1-9][0-9]{0,2}", competency.code)
        ]
    return problems


def _check_competency(competency: CompetencyText) -> list[str]:
    who = _("Competency %(code)s") % {"code": competency.code}
    names = {
        "foundational": _("foundational level"),
        "practising": _("practising level"),
        "leading": _("leading level"),
    }
    problems = _check_words(who, competency.title, _("title"))
    problems += _check_words(who, competency.statement, _("statement"))
    for level in LEVELS:
        problems += _check_words(who, competency.levels.get(level, Words()), names[level])
    problems += _check_words(who, competency.example, _("example from practice"), needed=False)
    for source in competency.sources:
        if not source.citation.fr.strip():
            problems.append(
                _("The source “%(slug)s” of competency %(code)s has no citation in French.")
                % {"slug": source.slug, "code": competency.code}
            )
    return problems


def _check_relations(text: FrameworkText, known: frozenset[uuid.UUID]) -> list[str]:
    codes = {competency.id: competency.code for competency in text.competencies()}
    problems = []
    for relation in text.relations:
        code = codes.get(relation.origin, "?")
        if relation.destination == relation.origin:
            problems.append(_("Competency %(code)s is related to itself.") % {"code": code})
        elif relation.destination not in codes and not (
            relation.type in OUTWARD_RELATIONS and relation.destination in known
        ):
            problems.append(
                _("Competency %(code)s is related to one that does not stand in this framework.")
                % {"code": code}
            )
    seen = Counter((relation.type, relation.origin, relation.destination) for relation in text.relations)
    problems += [
        _("Competency %(code)s says the same relation twice.") % {"code": codes.get(origin, "?")}
        for (_type, origin, _destination), count in seen.items()
        if count > 1
    ]
    return problems


# --- How two texts differ ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: `same`, `added` or `removed`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field whose words differ; `label` names it for a reader."""

    name: str
    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one competency, domain or the framework itself: `added`, `removed` or `changed`."""

    kind: str
    code: str
    title: str
    key: uuid.UUID
    fields: tuple[FieldChange, ...] = ()


def compare_words(old: str, new: str) -> tuple[Piece, ...]:
    """The words of two texts, run by run. Whitespace stays with the word before it."""
    before, after = _split(old), _split(new)
    # Without autojunk: it takes frequent words for noise in texts past 200 words.
    matcher = difflib.SequenceMatcher(
        a=[word.rstrip() for word in before], b=[word.rstrip() for word in after], autojunk=False
    )
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(after[j1:j2])))
            continue
        if i2 > i1:
            pieces.append(Piece("removed", "".join(before[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("added", "".join(after[j1:j2])))
    return tuple(pieces)


def _split(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


def compare_texts(old: FrameworkText, new: FrameworkText, *, language: str) -> list[Change]:
    """What differs in one language, in the order of the new text; what was removed comes last."""
    changes = []
    head = _compare_fields(_framework_fields(old, language), _framework_fields(new, language))
    if head:
        changes.append(Change("changed", "", new.title.in_language(language), new.key, head))
    changes += _compare_all(
        {domain.id: _domain_fields(domain, language) for domain in old.domains},
        {domain.id: _domain_fields(domain, language) for domain in new.domains},
    )
    changes += _compare_all(_competency_map(old, language), _competency_map(new, language))
    return changes


def touches_other_words(old: FrameworkText, new: FrameworkText) -> bool:
    """Whether anything differs that `compare_texts` shows in no language, such as the licence."""
    return (old.licence, old.starting_content) != (new.licence, new.starting_content)


Fields = Sequence[tuple[str, str, str]]


def _compare_all(old: dict[uuid.UUID, Fields], new: dict[uuid.UUID, Fields]) -> list[Change]:
    changes = []
    for key, fields in new.items():
        code, title = fields[0][2], fields[1][2]
        if key not in old:
            changes.append(Change("added", code, title, key))
        elif differing := _compare_fields(old[key], fields):
            changes.append(Change("changed", code, title, key, differing))
    changes += [
        Change("removed", fields[0][2], fields[1][2], key) for key, fields in old.items() if key not in new
    ]
    return changes


def _compare_fields(old: Fields, new: Fields) -> tuple[FieldChange, ...]:
    before = {name: value for name, _label, value in old}
    return tuple(
        FieldChange(name, label, compare_words(before.get(name, ""), value))
        for name, label, value in new
        if before.get(name, "") != value
    )


def _framework_fields(text: FrameworkText, language: str) -> Fields:
    return [
        ("title", _("Title"), text.title.in_language(language)),
        ("summary", _("Summary"), text.summary.in_language(language)),
    ]


def _domain_fields(domain: DomainText, language: str) -> Fields:
    return [
        ("code", _("Code"), domain.code),
        ("title", _("Title"), domain.title.in_language(language)),
        ("intro", _("Opening paragraph"), bare_words(domain.intro.in_language(language))),
    ]


def _competency_map(text: FrameworkText, language: str) -> dict[uuid.UUID, Fields]:
    codes = {competency.id: competency.code for competency in text.competencies()}
    relations: dict[uuid.UUID, list[str]] = {}
    for relation in text.relations:
        said = f"{relation_name(relation.type)} {codes.get(relation.destination, relation.destination)}"
        relations.setdefault(relation.origin, []).append(said)
    return {
        competency.id: [
            *_competency_fields(competency, language),
            ("relations", _("Related competencies"), " · ".join(sorted(relations.get(competency.id, [])))),
        ]
        for competency in text.competencies()
    }


def _competency_fields(competency: CompetencyText, language: str) -> Fields:
    labels = {"foundational": _("Foundational"), "practising": _("Practising"), "leading": _("Leading")}
    kinds = {"knowledge": _("Knowledge"), "skill": _("Skill")}
    return [
        ("code", _("Code"), competency.code),
        ("title", _("Title"), competency.title.in_language(language)),
        ("kind", pgettext("of a competency", "Kind"), kinds.get(competency.kind, competency.kind)),
        ("statement", _("Statement"), competency.statement.in_language(language)),
        *(
            (level, labels[level], competency.levels.get(level, Words()).in_language(language))
            for level in LEVELS
        ),
        ("example", _("Example"), competency.example.in_language(language)),
        ("example_level", _("Level of the example"), labels.get(competency.example_level, "")),
        (
            "sources",
            _("What it rests on"),
            " · ".join(
                source.citation.in_language(language).replace("*", "") for source in competency.sources
            ),
        ),
    ]


def relation_name(type_: str) -> str:
    """How a relation is said between two codes."""
    names = {
        "precedes": _("Comes before"),
        "related_to": _("Goes with"),
        "replaced_by": _("Replaced by"),
        "exact_match": _("Same as"),
    }
    return names[type_]


def bare_words(html: str) -> str:
    """The words of short cleaned HTML, for comparing."""
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).strip()


# --- The life of an edition -------------------------------------------------------------------------------------

# Which status may follow which.
NEXT_STATUSES: Final[dict[str, tuple[str, ...]]] = {
    "consultation": ("adopted", "superseded", "withdrawn"),
    "adopted": ("superseded", "withdrawn"),
    "superseded": ("withdrawn",),
    "withdrawn": (),
}
