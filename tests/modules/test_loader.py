"""Loading training packs: whole or not at all, again without a change, and never over an editor's words unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from assessments.models import Assessment, Item
from core.yaml_files import parse_yaml
from modules.documents import Outline
from modules.loader import load_training_pack
from modules.models import CourseEdition, StepContent
from modules.pages import AssessmentPage, CoursePage, LessonPage, ModulePage, TrainingPage
from standards.packs_loader import PackError
from standards.services import issue_framework_edition
from tests.factories.modules import change_file, french_of, write_training_pack
from tests.factories.standards import make_framework, write_yaml

pytestmark = pytest.mark.django_db


class Log(list[str]):
    """Keeps what the loader reports."""

    def __call__(self, sentence: str) -> None:
        self.append(sentence)

    @property
    def said(self) -> str:
        return "\n".join(self)


@pytest.fixture
def pack(db: None, tmp_path: Path) -> Path:
    issue_framework_edition(framework_page=make_framework(domains=[("B", 1)]))
    return write_training_pack(tmp_path)


def load(pack: Path, **options: Any) -> tuple[list[CourseEdition], Log]:
    log = Log()
    return load_training_pack(pack, report=log, **options), log


def change_pack(pack: Path, change: Any) -> None:
    """Rewrites `pack.yaml`: `change` gets the steps of its module."""
    about = parse_yaml((pack / "pack.yaml").read_text(encoding="utf-8"))
    change(about["courses"][0]["modules"][0]["steps"])
    write_yaml(pack / "pack.yaml", about)


def lesson() -> LessonPage:
    return LessonPage.objects.get(locale__language_code="en")


def test_a_pack_becomes_pages_items_and_a_first_edition(pack: Path) -> None:
    editions, log = load(pack)
    assert [(edition.slug, edition.number) for edition in editions] == [("small-course", 1)]
    assert "Course small-course: edition 1 was issued." in log
    for model in (TrainingPage, CoursePage, ModulePage, LessonPage, AssessmentPage, Assessment):
        assert model.objects.count() == 2, model
    assert Item.objects.count() == 4
    page = lesson()
    assert str(page.translation_key) in (pack / "pack.yaml").read_text(encoding="utf-8")
    assert page.live
    assert page.minutes == 12
    assert french_of(page).title == "Lire un taux"
    assert [mapping.counts for mapping in page.mappings.all()] == ["evidence"]
    assert AssessmentPage.objects.get(locale__language_code="fr").assessment.title == "Petit questionnaire"
    assert CoursePage.objects.get(locale__language_code="en").starting_content
    outline = Outline.from_json(editions[0].outline)
    assert outline.order == "free"
    assert [step.kind for step in outline.iter_steps()] == ["lesson", "quiz"]
    content = StepContent.objects.get(edition=editions[0], step_key=page.translation_key, locale="en")
    html = content.segments[0]["html"]
    assert "<strong>source</strong>" in html
    assert '<section class="callout practice"><h3><svg class="icon"' in html
    assert "</svg> Say it like this</h3>" in html
    assert '<th scope="row">2024</th><td>6</td>' in html
    assert "<svg" in html
    assert "currentColor" in html
    assert next(outline.iter_steps()).reflections == ("council",)


def test_loading_again_changes_nothing(pack: Path) -> None:
    editions, _log = load(pack)
    pages = dict(LessonPage.objects.values_list("pk", "latest_revision_id"))
    again, log = load(pack)
    assert again == editions
    assert "0 made, 0 changed" in log.said
    assert dict(LessonPage.objects.values_list("pk", "latest_revision_id")) == pages
    assert CourseEdition.objects.count() == 1


def test_saving_in_the_editor_without_a_change_is_no_change(pack: Path) -> None:
    load(pack)
    page = lesson()
    block = page.body[0]
    block.value.source = block.value.source.replace("<p>", '<p data-block-key="abc12">')
    page.save_revision().publish()
    _editions, log = load(pack)
    assert "kept" not in log.said.replace("0 kept", "")


def test_a_changed_file_is_taken_and_the_next_edition_left_to_an_author(pack: Path) -> None:
    load(pack)
    change_file(pack / "en" / "reading-a-rate.md", "A number with a", "Another number with a")
    _editions, log = load(pack)
    assert "reading-a-rate (en): the file's words were taken." in log
    assert "its text differs from edition 1" in log.said
    assert CourseEdition.objects.count() == 1
    assert "Another number" in lesson().body[0].value.source
    editions, _log = load(pack, issue=True)
    assert editions[0].number == 2


def test_an_editors_change_is_kept_and_said(pack: Path) -> None:
    load(pack)
    page = lesson()
    page.title = "An editor's title"
    page.save_revision()
    _editions, log = load(pack)
    assert "reading-a-rate (en): an editor's change was kept." in log
    change_file(pack / "en" / "reading-a-rate.md", "title: Reading a rate", "title: Reading it well")
    _editions, log = load(pack)
    assert "reading-a-rate (en): an editor changed it, so the file's new words were not taken." in log
    assert lesson().get_latest_revision_as_object().title == "An editor's title"
    _editions, log = load(pack, replace=True)
    assert lesson().title == "Reading it well"
    titles = [revision.as_object().title for revision in lesson().revisions.order_by("pk")]
    assert "An editor's title" in titles


def test_an_editors_item_is_kept_too(pack: Path) -> None:
    load(pack)
    item = Item.objects.get(key="rate-1", locale__language_code="en")
    item.stem = "<p>An editor's question?</p>"
    item.save()
    _editions, log = load(pack)
    assert "rate-1 (en): an editor's change was kept." in log
    load(pack, replace=True)
    assert Item.objects.get(pk=item.pk).stem == "<p>Question 1?</p>"


def test_a_new_lesson_takes_its_place(pack: Path) -> None:
    load(pack)
    for language in ("en", "fr"):
        content = (pack / language / "reading-a-rate.md").read_text(encoding="utf-8")
        (pack / language / "first-of-all.md").write_text(content, encoding="utf-8")
    key = "7d1d7a5c-3f0c-4f83-9b9a-3a2a1f3f6f10"
    change_pack(pack, lambda steps: steps.insert(0, {"lesson": "first-of-all", "id": key}))
    load(pack, issue=True)
    outline = Outline.from_json(CourseEdition.objects.get(number=2).outline)
    assert [step.slug for step in outline.iter_steps()] == ["first-of-all", "reading-a-rate", "small-quiz"]
    french = ModulePage.objects.get(locale__language_code="fr")
    assert [page.slug for page in french.get_children()] == ["first-of-all", "reading-a-rate", "small-quiz"]


def test_a_lesson_that_left_the_pack_stays_and_is_named(pack: Path) -> None:
    load(pack)
    change_pack(pack, lambda steps: steps.pop(0))
    for language in ("en", "fr"):
        (pack / language / "reading-a-rate.md").unlink()
    _editions, log = load(pack)
    assert "“Module one” has pages that are not in its pack; they stay: Reading a rate." in log


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "en/reading-a-rate.md",
            "::: callout say-it",
            "::: shout say-it",
            r"en/reading-a-rate.md, line 12: “:::",
        ),
        ("en/reading-a-rate.md", "tone: practice", "tone: loud", r"line 12 .callout.*“tone”: “loud” is not"),
        ("en/reading-a-rate.md", "correct: true", "corect: true", r"there is no field corect"),
        ("en/reading-a-rate.md", ", correct: true", "", r"line 29 .check village.*mark one option"),
        ("en/reading-a-rate.md", "## A heading", "# A heading", r"a heading of this level cannot stand here"),
        ("en/reading-a-rate.md", "code: B1", "code: B9", r"practitioners: B9"),
        ("en/reading-a-rate.md", "minutes: 12", "minutes: long", r"en/reading-a-rate.md: “minutes”"),
        (
            "fr/reading-a-rate.md",
            "::: reflection council",
            "::: reflection conseil",
            r"fr/.*the source language has",
        ),
        (
            "fr/reading-a-rate.md",
            "title: Dites-le ainsi",
            "tone: note",
            r"in the source language's file only",
        ),
        (
            "fr/reading-a-rate.md",
            "  - {text: C’est vrai., feedback: Pas tout à fait.}\n",
            "",
            r"has 2 of them",
        ),
        (
            "fr/reading-a-rate.md",
            "title: Lire un taux\n",
            "",
            r"fr/reading-a-rate.md: “title”: a text is missing",
        ),
        ("en/reading-a-rate.md", "counts.svg", "other.svg", r"the folder “files” has no other.svg"),
        ("en/reading-a-rate.md", "[^un-2002]", "[^un-1900]", r"The source “un-1900” is cited"),
        (
            "pack.yaml",
            "framework: practitioners",
            "framework: nobody",
            r"framework nobody, which is not loaded",
        ),
        (
            "pack.yaml",
            "assessment: small-quiz",
            "assessment: big-quiz",
            r"“big-quiz” is not among the pack’s assessments",
        ),
        ("pack.yaml", "order: free", "order: random", r"“random” is not one of: sequence, free"),
        ("items.yaml", "kind: single", "kind: essay", r"items.yaml, rate-1: “kind”: “essay”"),
        ("items.yaml", "fr: Énoncé 1?", "fr: ''", r"items.yaml, rate-1, stem: “fr”: a text is missing"),
        ("assessments.yaml", "- rate-2", "- rate-3", r"the pack’s items have no rate-3"),
        ("pack.yaml", "title:\n  en: Small training", "title: [", r"pack.yaml cannot be read.*line"),
    ],
)
def test_a_broken_pack_says_where_and_loads_nothing(
    pack: Path, file: str, old: str, new: str, sentence: str
) -> None:
    change_file(pack / file, old, new)
    with pytest.raises(Exception, match=f"(?s){sentence}") as refused:
        load(pack)
    assert isinstance(refused.value, PackError) or "No edition was issued" in str(refused.value)
    assert not TrainingPage.objects.exists()
    assert not Item.objects.exists()
    assert not CourseEdition.objects.exists()


def test_the_command_loads_a_folder_and_says_what_it_did(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_content", str(pack))
    out = capsys.readouterr().out
    assert "Loading small-training …" in out
    assert "edition 1 was issued" in out
    call_command("editions", "--digests")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["assessment", "small-quiz", "1"],
        ["course", "small-course", "1"],
        ["framework", "practitioners", "1"],
    ]
    assert all(len(line.split()[3]) == 64 for line in lines)
    assert lines == sorted(lines)


def test_the_command_fails_for_a_pack_that_is_broken_or_unknown(pack: Path) -> None:
    with pytest.raises(CommandError, match="There is no pack nothing"):
        call_command("load_content", "nothing")
    change_file(pack / "items.yaml", "kind: single", "kind: essay")
    with pytest.raises(CommandError, match="Nothing was loaded of: small-training"):
        call_command("load_content", str(pack))


def test_items_and_assessments_may_stand_in_a_file_a_module(pack: Path) -> None:
    for name in ("items", "assessments"):
        (pack / name).mkdir()
        (pack / f"{name}.yaml").rename(pack / name / "module-1.yaml")
    change_file(pack / "assessments" / "module-1.yaml", "- rate-2", "- rate-3")
    with pytest.raises(PackError, match=r"assessments/module-1\.yaml, small-quiz.*no rate-3"):
        load(pack)
    change_file(pack / "assessments" / "module-1.yaml", "- rate-3", "- rate-2")
    load(pack)
    assert set(Item.objects.values_list("key", flat=True)) == {"rate-1", "rate-2"}


def test_a_start_leaves_out_a_pack_whose_files_are_as_they_were(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_content", str(pack), "--changed")
    assert "edition 1 was issued" in capsys.readouterr().out
    call_command("load_content", str(pack), "--changed")
    assert capsys.readouterr().out == "small-training is as it was loaded.\n"
    change_file(pack / "en" / "reading-a-rate.md", "title: Reading a rate", "title: Reading rates")
    call_command("load_content", str(pack), "--changed")
    assert "1 changed" in capsys.readouterr().out


def test_a_pack_that_could_not_be_loaded_is_tried_again(pack: Path) -> None:
    change_file(pack / "items.yaml", "kind: single", "kind: essay")
    for _attempt in range(2):
        with pytest.raises(CommandError):
            call_command("load_content", str(pack), "--changed")
