"""Makes frameworks to test with: pages in both languages, small packs, editions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from wagtail.models import Locale, Page, Site

from core.yaml_files import parse_yaml
from standards.models import Competency, CompetencyPage, DomainPage, FrameworkEdition, FrameworkPage, Source
from standards.pages import CompetencyRelation, CompetencySource
from standards.services import issue_framework_edition


def make_roots() -> dict[str, Page]:
    """The first page of the site in English and in French."""
    site = Site.objects.get(is_default_site=True)
    french, _made = Locale.objects.get_or_create(language_code="fr")
    root = site.root_page
    twin = Page.objects.filter(translation_key=root.translation_key, locale=french).first()
    if twin is None:
        twin = root.copy_for_translation(french)
        twin.save_revision().publish()
    return {"en": root, "fr": twin}


def make_source(slug: str = "un-2002", **values: Any) -> Source:
    defaults = {
        "citation_en": f"United Nations. *{slug}*. 2002.",
        "citation_fr": f"Nations Unies. *{slug}*. 2002.",
    }
    return Source.objects.get_or_create(slug=slug, defaults={**defaults, **values})[0]


def _add(page: Any, parent: Page, *, language: str = "en") -> Any:
    """A live page, without the revisions and logs that publishing would write: a test makes dozens."""
    page.locale = Locale.objects.get(language_code=language)
    return Page.objects.get(pk=parent.pk).add_child(instance=page)


def _french(page: Page) -> Page:
    return Page.objects.get(translation_key=page.translation_key, locale__language_code="fr")


def make_framework(
    *, slug: str = "practitioners", domains: Sequence[tuple[str, int]] = (("A", 1), ("B", 2)), **values: Any
) -> FrameworkPage:
    """A framework with domains of so many competencies each, live in both languages; the English page."""
    roots = make_roots()
    page = _add(
        FrameworkPage(
            title="Standards of Knowledge and Skills",
            slug=slug,
            summary="What people need to know.",
            **values,
        ),
        roots["en"],
    )
    _add(
        FrameworkPage(
            title="Normes de connaissances et d’habiletés",
            slug=slug,
            summary="Ce qu’il faut savoir.",
            translation_key=page.translation_key,
            **values,
        ),
        roots["fr"],
        language="fr",
    )
    for code, count in domains:
        add_domain(page, code=code, competencies=count)
    return FrameworkPage.objects.get(pk=page.pk)


def add_domain(framework: FrameworkPage, *, code: str, competencies: int) -> DomainPage:
    page = _add(
        DomainPage(
            title=f"Domain {code}", slug=code.lower(), code=code, intro=f"<p>Opens <b>{code}</b>.</p>"
        ),
        framework,
    )
    _add(
        DomainPage(
            title=f"Domaine {code}",
            slug=code.lower(),
            code=code,
            intro=f"<p>Ouvre <b>{code}</b>.</p>",
            translation_key=page.translation_key,
        ),
        _french(framework),
        language="fr",
    )
    for number in range(1, competencies + 1):
        add_competency(page, code=f"{code}{number}")
    return page


def add_competency(
    domain: DomainPage, *, code: str, french: bool = True, sources: Sequence[Source] = (), **values: Any
) -> CompetencyPage:
    """A live competency; without `french`, its French page is missing."""
    shared = {"slug": code.lower(), "code": code, "kind": "skill", "example_level": "practising"}
    words = {
        "title": f"Interprets figures {code}",
        "statement": f"Reads figures with care, and explains what they show ({code}).",
        "foundational": f"Tells a count from a rate ({code}).",
        "practising": f"Compares several years and sources ({code}).",
        "leading": f"Agrees with partners on how numbers are reported ({code}).",
        "example": f"In Tamarack Bend, an invented town, council asks why ({code}).",
    }
    page = CompetencyPage(**{**shared, **words, **values})
    page.source_links = [CompetencySource(source=source) for source in sources or [make_source()]]
    page = _add(page, domain)
    if french:
        translated = {
            "title": f"Interprète les chiffres {code}",
            "statement": f"Lit les chiffres avec prudence et explique ce qu’ils montrent ({code}).",
            "foundational": f"Distingue un nombre d’un taux ({code}).",
            "practising": f"Compare plusieurs années et sources ({code}).",
            "leading": f"Convient avec les partenaires de la façon de rapporter ({code}).",
            "example": f"À Tamarack Bend, une ville inventée, le conseil demande pourquoi ({code}).",
        }
        _add(
            CompetencyPage(**shared, **translated, translation_key=page.translation_key),
            _french(domain),
            language="fr",
        )
    return page


def relate(origin: CompetencyPage, type_: str, destination: CompetencyPage) -> None:
    """A relation from one competency to another."""
    Competency.objects.get_or_create(
        id=destination.translation_key, defaults={"framework_key": uuid.uuid4(), "code": destination.code}
    )
    CompetencyRelation.objects.create(page=origin, type=type_, to_id=destination.translation_key)


def make_edition(*, status: str = FrameworkEdition.Status.ADOPTED, **values: Any) -> FrameworkEdition:
    """An issued edition of a new framework."""
    return issue_framework_edition(framework_page=make_framework(**values), status=status)


# --- Packs ------------------------------------------------------------------------------------------------------


def write_pack(folder: Path, *, slug: str = "small") -> Path:
    """A pack with domain B and two competencies, to be changed by a test."""
    key = uuid.uuid5(uuid.NAMESPACE_URL, slug)
    pack = folder / slug
    write_yaml(
        pack / "pack.yaml",
        {
            "kind": "framework",
            "slug": slug,
            "id": str(_uuid4(key)),
            "source_language": "en",
            "languages": ["en", "fr"],
            "licence": "CC-BY-4.0",
            "edition": {"number": 1, "status": "consultation"},
            "title": {"en": "Small standards", "fr": "Petites normes"},
            "summary": {"en": "A summary.", "fr": "Un résumé."},
            "note": {"en": "Starting content", "fr": "Contenu de départ"},
            "associations": [{"from": "B1", "type": "precedes", "to": "B2"}],
        },
    )
    write_yaml(
        pack / "sources.yaml",
        [
            {
                "slug": "un-2002",
                "en": "United Nations. *Guidelines*. 2002.",
                "fr": "Nations Unies. *Principes*. 2002.",
                "url": "",
            }
        ],
    )
    write_domain(pack, "en", _domain("en", slug), "An *opening* paragraph.")
    write_domain(pack, "fr", _domain("fr", slug), "Un paragraphe *d’ouverture*.")
    return pack


def _uuid4(value: uuid.UUID) -> uuid.UUID:
    return uuid.UUID(bytes=value.bytes, version=4)


def _domain(language: str, slug: str) -> dict[str, Any]:
    english = language == "en"

    def competency(code: str) -> dict[str, Any]:
        words: dict[str, Any] = {
            "code": code,
            "title": f"Reads figures {code}" if english else f"Lit les chiffres {code}",
            "statement": f"Reads figures with care\n({code}).\n"
            if english
            else f"Lit les chiffres avec soin\u00a0: {code}.",
            "levels": {
                level: f"{level} in English {code}" if english else f"{level} en français {code}"
                for level in ("foundational", "practising", "leading")
            },
            "example": "In an invented town." if english else "Dans une ville inventée.",
        }
        if english:
            words |= {
                "id": str(_uuid4(uuid.uuid5(uuid.NAMESPACE_URL, f"{slug}/{code}"))),
                "kind": "skill",
                "sources": ["un-2002"],
                "example_level": "practising",
            }
        return words

    head: dict[str, Any] = {
        "code": "B",
        "title": "Assess local needs" if english else "Évaluer les besoins locaux",
        "competencies": [competency("B1"), competency("B2")],
    }
    if english:
        head["id"] = str(_uuid4(uuid.uuid5(uuid.NAMESPACE_URL, f"{slug}/B")))
    return head


# libyaml's writer takes a tenth of the time.
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_yaml(content: Any) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False))


def write_yaml(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_yaml(content), encoding="utf-8")


def write_domain(pack: Path, language: str, head: dict[str, Any], body: str) -> None:
    path = pack / language / "b-assess.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = dump_yaml(head)
    path.write_text(f"---\n{text}---\n{body}\n", encoding="utf-8")


def change_pack(pack: Path, language: str, change: Any) -> None:
    """Rewrite a domain file of the pack: `change` gets its head."""
    path = pack / language / "b-assess.md"
    _start, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    values = parse_yaml(head)
    change(values)
    write_domain(pack, language, values, body.strip())
