"""Makes courses to test with: pages in both languages, small packs, issued editions."""

from __future__ import annotations

import json
import textwrap
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wagtail.models import Locale, Page

from assessments.models import Assessment, Item
from cms.services import grant_group_permissions
from modules.models import CourseEdition
from modules.pages import AssessmentPage, CoursePage, LessonMapping, LessonPage, ModulePage, TrainingPage
from modules.services import issue_course_edition
from standards.models import FrameworkEdition
from standards.services import issue_framework_edition
from tests.factories.standards import make_framework, make_roots, make_source, write_yaml

FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 30" aria-labelledby="t"><title id="t">Nine counts</title>'
    '<path d="M0 0L60 30" stroke="currentColor"/></svg>'
)


def _add(page: Page, parent: Page, french: dict[str, Any]) -> Any:
    """The page in English with its French translation, both live; the English one.

    Without the revisions and logs that publishing would write: a test makes dozens.
    """
    page = Page.objects.get(pk=parent.pk).add_child(instance=page)
    twin = page.copy_for_translation(Locale.objects.get(language_code="fr"))
    for name, value in french.items():
        setattr(twin, name, value)
    twin.live, twin.has_unpublished_changes = True, False
    twin.save()
    page.refresh_from_db()
    return page


def french_of(page: Any) -> Any:
    """The French page of an English one."""
    return type(page).objects.get(translation_key=page.translation_key, locale__language_code="fr")


def block(kind: str, key: str = "", /, **value: Any) -> dict[str, Any]:
    """One block of a lesson's body, as raw data."""
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}:{key}"))
    return {"type": kind, "id": name, "value": {"key": key, **value}}


def text(html: str) -> dict[str, Any]:
    return {"type": "text", "id": str(uuid.uuid5(uuid.NAMESPACE_OID, html)), "value": html}


def items(values: Sequence[Any]) -> list[dict[str, Any]]:
    """The entries of a list block."""
    return [
        {"type": "item", "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"item {number}")), "value": value}
        for number, value in enumerate(values)
    ]


def check(key: str = "village", *, required: bool = True, french: bool = False) -> dict[str, Any]:
    """An inline check with two options, of which the second is right."""
    words = (
        [("Oui.", "Pas tout à fait."), ("Trois personnes.", "C’est juste.")]
        if french
        else [("It has.", "Not quite."), ("Three people.", "That is right.")]
    )
    options = [
        {"key": name, "text": said, "correct": name == "b", "feedback": feedback}
        for name, (said, feedback) in zip("ab", words, strict=True)
    ]
    return block(
        "check",
        key,
        prompt="Que répondre?" if french else "What do you answer?",
        kind="single",
        required=required,
        options=items(options),
    )


def reflection(key: str = "council", *, required: bool = False, french: bool = False) -> dict[str, Any]:
    return block(
        "reflection",
        key,
        prompt="Quel chiffre?" if french else "Which figure?",
        help="",
        required=required,
    )


def worksheet(key: str = "plan", *, french: bool = False) -> dict[str, Any]:
    return block(
        "worksheet",
        key,
        title="Mon chiffre" if french else "My number",
        intro="",
        fields=items(
            [
                {"key": "counts", "label": "Les nombres" if french else "Counts", "help": "", "rows": 3},
                {"key": "say", "label": "À dire" if french else "To say", "help": "Short.", "rows": 2},
            ]
        ),
    )


def make_body(*, french: bool = False) -> list[dict[str, Any]]:
    """A short lesson: a text with a source, a check, a reflection and a worksheet."""
    paragraph = "<p>Un chiffre.[^un-2002]</p>" if french else "<p>A number.[^un-2002]</p>"
    return [
        text(paragraph),
        check(french=french),
        reflection(french=french),
        worksheet(french=french),
    ]


def make_training(
    *, slug: str = "rural", framework_key: uuid.UUID | None = None, **values: Any
) -> TrainingPage:
    """A training in both languages, mapped to a framework with competencies B1 and B2 that has an edition."""
    if framework_key is None:
        framework = make_framework(domains=[("B", 2)])
        issue_framework_edition(framework_page=framework)
        framework_key = framework.translation_key
    page = TrainingPage(
        title="Rural training", slug=slug, summary="For small places.", framework_key=framework_key, **values
    )
    made: TrainingPage = _add(
        page, make_roots()["en"], {"title": "Formation rurale", "summary": "Pour les petits milieux."}
    )
    # As when it is published: authors have their rights below it.
    grant_group_permissions()
    return made


def make_course(*, training: TrainingPage | None = None, slug: str = "reading", **values: Any) -> CoursePage:
    """A course in both languages, without any module."""
    outcomes = json.dumps([{"type": "outcome", "id": str(uuid.uuid4()), "value": "Read a rate."}])
    french = json.dumps([{"type": "outcome", "id": str(uuid.uuid4()), "value": "Lire un taux."}])
    page = CoursePage(
        title="Reading numbers",
        slug=slug,
        lead="Read with care.",
        outcomes=outcomes,
        **{"order": CoursePage.Order.SEQUENCE, "valid_months": 60, **values},
    )
    return _add(
        page,
        training or make_training(),
        {"title": "Lire les chiffres", "lead": "Lire avec soin.", "outcomes": french},
    )


def make_module(*, course: CoursePage, slug: str = "module-1", **values: Any) -> ModulePage:
    page = ModulePage(title=f"Module {slug}", slug=slug, summary="About one thing.", **values)
    return _add(page, course, {"title": f"Le module {slug}", "summary": "Sur une chose."})


def make_lesson(
    *,
    module: ModulePage,
    slug: str = "lesson-1",
    body: Sequence[dict[str, Any]] | None = None,
    french_body: Sequence[dict[str, Any]] | None = None,
    mappings: Sequence[tuple[uuid.UUID, str, str]] = (),
    **values: Any,
) -> LessonPage:
    """A lesson in both languages; with `make_body` unless told otherwise."""
    make_source()
    page = LessonPage(
        title=f"Lesson {slug}",
        slug=slug,
        lead="Why it matters.",
        body=json.dumps(list(body if body is not None else make_body())),
        **{"minutes": 10, **values},
    )
    page.mappings = [
        LessonMapping(competency_id=competency, level=level, counts=counts, sort_order=number)
        for number, (competency, level, counts) in enumerate(mappings)
    ]
    words = {
        "title": f"Leçon {slug}",
        "lead": "Pourquoi c’est important.",
        "body": json.dumps(list(french_body if french_body is not None else body or make_body(french=True))),
    }
    return _add(page, module, words)


def make_quiz(*, key: str = "quiz", competency_id: uuid.UUID | None = None, questions: int = 2) -> Assessment:
    """A quiz in both languages with single-choice items whose option `b` is right; the English snippet."""
    locales = {locale.language_code: locale for locale in Locale.objects.all()}
    chosen: dict[str, list[int]] = {"en": [], "fr": []}
    for number in range(1, questions + 1):
        name = uuid.uuid4()
        for language in ("en", "fr"):
            said = "Question" if language == "en" else "Énoncé"
            options = [
                {"key": "a", "text": f"<p>{said} {number} a</p>", "correct": False, "feedback": "<p>…</p>"},
                {"key": "b", "text": f"<p>{said} {number} b</p>", "correct": True, "feedback": "<p>!</p>"},
            ]
            item = Item.objects.create(
                translation_key=name,
                locale=locales[language],
                key=f"{key}-{number}",
                kind="single",
                stem=f"<p>{said} {number}?</p>",
                options=json.dumps(
                    [{"type": "option", "id": str(uuid.uuid4()), "value": option} for option in options]
                ),
                competency_id=competency_id,
            )
            chosen[language].append(item.pk)
    name = uuid.uuid4()
    made = {}
    for language in ("en", "fr"):
        section = {"title": "", "items": items(chosen[language]), "draw": None, "tag": "", "competency": ""}
        made[language] = Assessment.objects.create(
            translation_key=name,
            locale=locales[language],
            key=key,
            kind="quiz",
            title="A quiz" if language == "en" else "Un questionnaire",
            intro="<p>Begin.</p>" if language == "en" else "<p>Commencez.</p>",
            minutes=5,
            sections=json.dumps([{"type": "section", "id": str(uuid.uuid4()), "value": section}]),
        )
    return made["en"]


def make_assignment(
    *, key: str = "assignment", competency: str = "B1", level: str = "practising"
) -> Assessment:
    """An assignment in both languages with one criterion of three levels; the English snippet."""
    name = uuid.uuid4()
    made = {}
    for locale in Locale.objects.all():
        english = locale.language_code == "en"
        levels = [
            {
                "points": str(points),
                "title": f"{points}",
                "text": "What it looks like." if english else "À quoi cela ressemble.",
            }
            for points in (0, 1, 2)
        ]
        criterion = {
            "key": "picture",
            "title": "The picture" if english else "Le portrait",
            "competency": competency,
            "level": level,
            "levels": items(levels),
        }
        made[locale.language_code] = Assessment.objects.create(
            translation_key=name,
            locale=locale,
            key=key,
            kind="assignment",
            title="An assignment" if english else "Un travail à remettre",
            intro="<p>Write.</p>" if english else "<p>Rédigez.</p>",
            minutes=60,
            pass_mark=60,
            allow_files=True,
            rubric=json.dumps([{"type": "criterion", "id": str(uuid.uuid4()), "value": criterion}]),
        )
    return made["en"]


def make_assessment_step(
    *, module: ModulePage, assessment: Assessment | None = None, slug: str = "quiz", **values: Any
) -> AssessmentPage:
    """A step that holds an assessment, in both languages; a quiz of two items on B1 unless one is given."""
    if assessment is None:
        assessment = make_quiz(key=slug, competency_id=competency_id("B1"))
    french = Assessment.objects.get(translation_key=assessment.translation_key, locale__language_code="fr")
    page = AssessmentPage(title=assessment.title, slug=slug, assessment=assessment, **values)
    return _add(page, module, {"title": french.title, "assessment": french})


def competency_id(code: str) -> uuid.UUID:
    """The permanent key of a competency of the framework that has an edition."""
    edition = FrameworkEdition.objects.order_by("-issued_at").first()
    assert edition is not None
    return edition.competencies.get(code=code).competency_id


def make_whole_course(
    *, slug: str = "reading", lessons: int = 2, quiz: bool = True, **values: Any
) -> CoursePage:
    """A course ready to be issued: one module with lessons (the first is evidence for B1) and a quiz on B1."""
    course = make_course(slug=slug, **values)
    module = make_module(course=course)
    for number in range(1, lessons + 1):
        mappings = [(competency_id("B1"), "foundational", "evidence")] if number == 1 else []
        make_lesson(module=module, slug=f"lesson-{number}", mappings=mappings)
    if quiz:
        make_assessment_step(module=module)
    return course


def make_course_edition(**values: Any) -> CourseEdition:
    """An issued edition of a new course; see `make_whole_course`."""
    return issue_course_edition(course_page=make_whole_course(**values))


# --- Packs ------------------------------------------------------------------------------------------------------

_KEYS = {
    name: str(uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_URL, name).bytes, version=4))
    for name in ("training", "course", "module", "lesson", "step", "quiz", "item-1", "item-2")
}

LESSON_EN = """\
---
title: Reading a rate
lead: A rate is a count and a place.
minutes: 12
competencies:
  - {code: B1, level: practising, counts: evidence}
---
A number with a **source**.[^un-2002]

## A heading

::: callout say-it
tone: practice
title: Say it like this
---
“Nine, where two to twelve is usual.”
:::

::: figure counts
file: counts.svg
caption: Nine counts
equivalent: |
  | Year | Count |
  | --- | --- |
  | 2024 | 6 |
  | 2025 | 9 |
:::

::: check village
prompt: What do you answer?
kind: single
required: true
options:
  - {key: a, text: It has., feedback: Not quite.}
  - {key: b, text: Three people., feedback: That is right., correct: true}
:::

::: reflection council
prompt: Which figure?
required: true
:::

::: worksheet plan
title: My number
fields:
  - {key: counts, label: Counts, rows: 3}
:::
"""

LESSON_FR = """\
---
title: Lire un taux
lead: Un taux, c’est un nombre et un lieu.
---
Un chiffre et sa **source**.[^un-2002]

## Un titre

::: callout say-it
title: Dites-le ainsi
---
« Neuf, alors que deux à douze est habituel. »
:::

::: figure counts
file: counts.svg
caption: Neuf nombres
equivalent: De 6 en 2024 à 9 en 2025.
:::

::: check village
prompt: Que répondez-vous?
options:
  - {text: C’est vrai., feedback: Pas tout à fait.}
  - {text: Trois personnes., feedback: C’est juste.}
:::

::: reflection council
prompt: Quel chiffre?
:::

::: worksheet plan
title: Mon chiffre
fields:
  - {label: Les nombres}
:::
"""


def write_training_pack(
    folder: Path, *, slug: str = "small-training", framework: str = "practitioners"
) -> Path:
    """A pack of one lesson and a quiz of two items, to be changed by a test. `framework` has B1."""
    pack = folder / slug
    write_yaml(
        pack / "pack.yaml",
        {
            "kind": "training",
            "slug": slug,
            "id": _KEYS["training"],
            "source_language": "en",
            "languages": ["en", "fr"],
            "licence": "CC-BY-4.0",
            "framework": framework,
            "title": {"en": "Small training", "fr": "Petite formation"},
            "summary": {"en": "A summary.", "fr": "Un résumé."},
            "note": {"en": "Starting content", "fr": "Contenu de départ"},
            "courses": [
                {
                    "slug": "small-course",
                    "id": _KEYS["course"],
                    "title": {"en": "Small course", "fr": "Petit cours"},
                    "lead": {"en": "One sentence.", "fr": "Une phrase."},
                    "description": {"en": "With **care**.", "fr": "Avec **soin**."},
                    "outcomes": {"en": ["Read a rate."], "fr": ["Lire un taux."]},
                    "audience": {"en": "Anyone.", "fr": "Tout le monde."},
                    "order": "free",
                    "valid_months": 60,
                    "modules": [
                        {
                            "slug": "module-one",
                            "id": _KEYS["module"],
                            "title": {"en": "Module one", "fr": "Module un"},
                            "summary": {"en": "About rates.", "fr": "Sur les taux."},
                            "steps": [
                                {"lesson": "reading-a-rate", "id": _KEYS["lesson"]},
                                {"assessment": "small-quiz", "id": _KEYS["step"]},
                            ],
                        }
                    ],
                }
            ],
        },
    )
    write_yaml(
        pack / "sources.yaml",
        [
            {
                "slug": "un-2002",
                "en": "United Nations. *un-2002*. 2002.",
                "fr": "Nations Unies. *un-2002*. 2002.",
            }
        ],
    )
    write_yaml(pack / "items.yaml", [_item(1), _item(2)])
    write_yaml(
        pack / "assessments.yaml",
        [
            {
                "key": "small-quiz",
                "id": _KEYS["quiz"],
                "kind": "quiz",
                "title": {"en": "Small quiz", "fr": "Petit questionnaire"},
                "intro": {"en": "Take your *time*.", "fr": "Prenez votre *temps*."},
                "minutes": 5,
                "time_limit": None,
                "pass_mark": 50,
                "attempts": 3,
                "feedback": "after_submit",
                "shuffle": {"items": False, "options": True},
                "sections": [{"title": {"en": "", "fr": ""}, "items": ["rate-1", "rate-2"]}],
            }
        ],
    )
    for language, lesson in (("en", LESSON_EN), ("fr", LESSON_FR)):
        write_lesson(pack, language, lesson)
    (pack / "files").mkdir()
    (pack / "files" / "counts.svg").write_text(FIGURE, encoding="utf-8")
    return pack


def write_lesson(pack: Path, language: str, content: str, name: str = "reading-a-rate") -> None:
    path = pack / language / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(content), encoding="utf-8")


def change_file(path: Path, old: str, new: str) -> None:
    """Replaces a text in a file of a pack; the text must be there."""
    content = path.read_text(encoding="utf-8")
    assert old in content, f"{path.name} has no “{old}”"
    path.write_text(content.replace(old, new), encoding="utf-8")


def _item(number: int) -> dict[str, Any]:
    return {
        "key": f"rate-{number}",
        "id": _KEYS[f"item-{number}"],
        "kind": "single",
        "competency": {"code": "B1", "level": "foundational"},
        "tags": ["module-1"],
        "points": 1,
        "stem": {"en": f"Question {number}?", "fr": f"Énoncé {number}?"},
        "options": [
            {
                "key": "a",
                "text": {"en": "No.", "fr": "Non."},
                "feedback": {"en": "Look again.", "fr": "Relisez."},
            },
            {
                "key": "b",
                "correct": True,
                "text": {"en": "Yes.", "fr": "Oui."},
                "feedback": {"en": "Right.", "fr": "Juste."},
            },
        ],
    }
