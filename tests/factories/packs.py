"""A training pack and its framework in which the check of packs finds nothing, to be spoiled by a test."""

from __future__ import annotations

import uuid
from itertools import cycle
from pathlib import Path
from typing import Any

from core.yaml_files import parse_yaml
from tests.factories.modules import write_lesson, write_training_pack
from tests.factories.standards import dump_yaml, write_pack, write_yaml

_PLACES = {
    "en": ["mill", "harbour", "school", "rink", "library", "bridge", "market", "station"],
    "fr": ["moulin", "port", "collège", "aréna", "musée", "pont", "marché", "quai"],
}
_PEOPLE = {
    "en": ["farmers", "nurses", "drivers", "teachers", "pupils", "neighbours", "visitors"],
    "fr": ["fermiers", "infirmières", "chauffeurs", "enseignants", "élèves", "voisins", "visiteurs"],
}
# A number stands in every run of eight words, so that two lessons share none.
_SENTENCES = {
    "en": "Last spring {number} {people} told the council on night {number} what they saw near the {place}, "
    "lane {number}.",
    "fr": "Au printemps, {number} {people} ont dit au conseil, la nuit {number}, ce qui arrivait près du {place}, "
    "rang {number}.",
}


def make_key(name: str) -> str:
    return str(uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_URL, name).bytes, version=4))


def make_prose(language: str, *, first: int = 1, sentences: int = 28) -> str:
    """Paragraphs of seven sentences each; another `first` gives other sentences."""
    places, people = cycle(_PLACES[language]), cycle(_PEOPLE[language])
    said = [
        _SENTENCES[language].format(number=first + count, people=next(people), place=next(places))
        for count in range(sentences)
    ]
    return "\n\n".join(" ".join(said[start : start + 7]) for start in range(0, sentences, 7))


def make_lesson(language: str, *, name: str = "counts", first: int = 1) -> str:
    """A lesson of about 450 words with a figure, a check and a worksheet."""
    english = language == "en"
    words = {
        "title": f"Reading {name}" if english else f"Lire {name}",
        "lead": "A count needs a place." if english else "Un nombre a besoin d’un lieu.",
        "cited": "A number has a source.[^un-2002]" if english else "Un chiffre a une source.[^un-2002]",
        "caption": "Nine counts" if english else "Neuf nombres",
        "equivalent": "From six to nine in a year." if english else "De six à neuf en un an.",
        "prompt": "What do you answer the council?" if english else "Que répondez-vous au conseil?",
        "first": "That nine is many." if english else "Que neuf est beaucoup.",
        "second": "That nine is usual here." if english else "Que neuf est habituel ici.",
        "wrong": "Look at the ten years again." if english else "Regardez encore les dix années.",
        "right": "Yes, ten years show the range." if english else "Oui, dix années montrent l’étendue.",
        "sheet": "My number" if english else "Mon chiffre",
        "label": "Counts of ten years" if english else "Les nombres de dix ans",
        "help": "Ask the detachment." if english else "Demandez au poste.",
    }
    structure = (
        "minutes: 12\ncompetencies:\n  - {code: B1, level: foundational, counts: evidence}\n"
        if english
        else ""
    )
    options = [
        {"text": words["first"], "feedback": words["wrong"]},
        {"text": words["second"], "feedback": words["right"]},
    ]
    fields = [{"label": words["label"], "help": words["help"]}]
    if english:
        options = [{"key": key, **option} for key, option in zip("ab", options, strict=True)]
        options[1]["correct"] = True  # type: ignore[assignment]
        fields = [{"key": "counts", **fields[0]}]
    check: dict[str, Any] = {"prompt": words["prompt"], "options": options}
    if english:
        check |= {"kind": "single", "required": True}
    return (
        f"---\ntitle: {words['title']}\nlead: {words['lead']}\n{structure}---\n"
        f"{words['cited']}\n\n{make_prose(language, first=first)}\n\n"
        f"::: figure counts\nfile: {name}.{language}.svg\ncaption: {words['caption']}\n"
        f"equivalent: {words['equivalent']}\n:::\n\n"
        f"::: check village\n{dump_yaml(check)}:::\n\n"
        f"::: worksheet plan\n{dump_yaml({'title': words['sheet'], 'fields': fields})}:::\n"
    )


def make_drawing(language: str, *, name: str = "counts") -> str:
    said = (
        ("Nine counts", "Counts from six to nine") if language == "en" else ("Neuf nombres", "De six à neuf")
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 656 100" lang="{language}" role="img" '
        f'aria-labelledby="{name}-t-{language} {name}-d-{language}" font-size="18">'
        f'<title id="{name}-t-{language}">{said[0]}</title><desc id="{name}-d-{language}">{said[1]}</desc>'
        '<path d="M0 0L60 30" fill="none" stroke="currentColor"/></svg>'
    )


def make_item(number: int, *, kind: str = "single", tag: str = "final") -> dict[str, Any]:
    """An item of a kind with feedback everywhere."""
    item: dict[str, Any] = {
        "key": f"{tag}-{number}",
        "id": make_key(f"{tag}-{number}"),
        "kind": kind,
        "competency": {"code": "B1", "level": "foundational"},
        "tags": [tag],
        "stem": {"en": f"{tag}, question {number}?", "fr": f"{tag}, énoncé {number}?"},
    }
    again = {"en": "Look at it once more.", "fr": "Regardez cela encore une fois."}
    right = {"en": "Yes, that is the count.", "fr": "Oui, c’est bien le nombre."}
    if kind in {"single", "multiple"}:
        item["options"] = [
            {"key": "a", "text": {"en": "Six.", "fr": "Six."}, "feedback": again},
            {"key": "b", "correct": True, "text": {"en": "Nine.", "fr": "Neuf."}, "feedback": right},
        ]
    elif kind == "true_false":
        item |= {"answer": True, "feedback": {True: right, False: again}}
    else:
        item["feedback"] = {"right": right, "wrong": again}
        item |= (
            {"answer": 12.5, "tolerance": 0.5}
            if kind == "numeric"
            else {"accept": {"en": ["scan"], "fr": ["repérage"]}}
        )
    return item


def write_clean_packs(folder: Path) -> tuple[Path, Path]:
    """A framework with B1 and a training of two lessons, a quiz and a final assessment; `(framework, training)`."""
    framework = write_pack(folder / "standards", slug="practitioners")
    pack = write_training_pack(folder / "modules")
    (pack / "assessments.yaml").unlink()
    (pack / "items.yaml").unlink()
    for file in (
        pack / "files" / "counts.svg",
        pack / "en" / "reading-a-rate.md",
        pack / "fr" / "reading-a-rate.md",
    ):
        file.unlink()
    for number, name in enumerate(("counts", "rates")):
        for language in ("en", "fr"):
            write_lesson(pack, language, make_lesson(language, name=name, first=1 + 100 * number), name)
            path = pack / "files" / f"{name}.{language}.svg"
            path.write_text(make_drawing(language, name=name), encoding="utf-8")
    kinds = ("single", "multiple", "true_false", "numeric", "short_text")
    quiz = [make_item(number, kind=kinds[number % 5], tag="quiz") for number in range(8)]
    final = [make_item(number, kind=kinds[number % 5]) for number in range(60)]
    write_yaml(pack / "items" / "quiz.yaml", quiz)
    write_yaml(pack / "items" / "final.yaml", final)
    write_yaml(
        pack / "assessments" / "all.yaml",
        [
            _assessment("small-quiz", {"items": [item["key"] for item in quiz]}),
            _assessment("final", {"draw": 20, "from": {"tag": "final"}}),
        ],
    )
    about = read(pack / "pack.yaml")
    module = about["courses"][0]["modules"][0]
    module["steps"] = [
        {"lesson": "counts", "id": make_key("counts")},
        {"lesson": "rates", "id": make_key("rates")},
        {"assessment": "small-quiz", "id": make_key("step")},
    ]
    closing = {
        **module,
        "slug": "closing",
        "id": make_key("closing"),
        "steps": [{"assessment": "final", "id": make_key("final")}],
    }
    about["courses"][0]["modules"].append(closing)
    write_yaml(pack / "pack.yaml", about)
    for path in (framework, pack):
        (path / "REVIEW.md").write_text("Nobody has read this yet.\n", encoding="utf-8")
    # In the same words as the framework has it.
    write_yaml(pack / "sources.yaml", read(framework / "sources.yaml"))
    return framework, pack


def read(path: Path) -> Any:
    return parse_yaml(path.read_text(encoding="utf-8"))


def _assessment(key: str, section: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": key,
        "id": make_key(f"assessment {key}"),
        "kind": "quiz",
        "title": {"en": f"Small {key}", "fr": f"Le petit {key}"},
        "intro": {"en": "Take your *time*.", "fr": "Prenez votre *temps*."},
        "pass_mark": 50,
        "sections": [{"title": {"en": "", "fr": ""}, **section}],
    }
