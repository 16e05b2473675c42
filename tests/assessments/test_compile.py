"""From items and assessments as authors have them to the document of an edition."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Collection

from assessments.compile import compile_assessment, find_problems
from assessments.documents import AssessmentDocument
from assessments.models import Assessment, AssessmentEdition, Item
from assessments.services import issue_assessment_edition
from core.errors import InvalidInput
from standards.models import Competency, FrameworkEdition
from tests.factories import standards as make
from tests.factories.banks import blocks, make_collection, make_item, make_options, make_quiz

pytestmark = pytest.mark.django_db


@pytest.fixture
def framework() -> FrameworkEdition:
    return make.make_edition()


@pytest.fixture
def competency(framework: FrameworkEdition) -> Competency:
    return Competency.objects.get(pk=framework.competencies.get(code="B1").competency_id)


@pytest.fixture
def bank() -> Collection:
    return make_collection("A bank")


def section(**values: object) -> str:
    return blocks(
        "section", [{"title": "", "items": [], "draw": None, "tag": "", "competency": "", **values}]
    )


def test_both_languages_stand_in_one_document(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    item = make_item("first", collection=bank, competency=competency)
    document = compile_assessment(
        assessment=make_quiz("A quiz", items=[item], collection=bank), framework_edition=framework
    )
    compiled = document.sections[0].items[0]
    assert compiled.id == str(item.translation_key)
    assert compiled.stem_html == {"en": "<p>Question of first?</p>", "fr": "<p>Question sur first?</p>"}
    assert [option.text_html["fr"] for option in compiled.options] == ["Oui", "Non"]
    assert compiled.competency is not None
    assert compiled.competency.code == "B1"
    assert AssessmentDocument.from_json(document.to_json()) == document


def test_what_is_right_comes_from_the_source_language_alone(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    item = make_item("first", collection=bank, competency=competency)
    Item.objects.filter(translation_key=item.translation_key, locale__language_code="fr").update(
        options=make_options("Oui", "Non", right=1), points=5, kind="multiple"
    )
    compiled = (
        compile_assessment(
            assessment=make_quiz("A quiz", items=[item], collection=bank), framework_edition=framework
        )
        .sections[0]
        .items[0]
    )
    assert (compiled.kind, compiled.points) == ("single", 1)
    assert [option.correct for option in compiled.options] == [True, False]


def test_a_translation_that_differs_is_refused_and_named(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    item = make_item("first", collection=bank, competency=competency)
    Item.objects.filter(translation_key=item.translation_key, locale__language_code="fr").update(
        options=make_options("Oui", "Non", "Peut-être")
    )
    quiz = make_quiz("A quiz", items=[item], collection=bank)
    with pytest.raises(InvalidInput) as refusal:
        issue_assessment_edition(assessment=quiz, framework_edition=framework)
    sentences = [text for texts in refusal.value.errors.values() for text in texts]
    assert any("“first” the languages differ in the number of options" in text for text in sentences)
    assert not AssessmentEdition.objects.exists()


def test_a_missing_translation_and_an_unknown_competency_are_named(
    bank: Collection, framework: FrameworkEdition
) -> None:
    stranger = Competency.objects.create(framework_key=framework.pk, code="Z9", title_en="Elsewhere")
    item = make_item("first", collection=bank, competency=stranger, french=False)
    sentences = find_problems(
        assessment=make_quiz("A quiz", items=[item], collection=bank), framework_edition=framework
    )
    assert "The item “first” has no text in French yet. Translate it first." in sentences
    assert any("“first” is mapped to a competency that this edition" in text for text in sentences)


def test_a_bank_is_drawn_from_its_own_collection_only(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    for number in range(3):
        make_item(f"ours-{number}", collection=bank, competency=competency, tags="rural bank")
    make_item("theirs", collection=make_collection("Another"), competency=competency, tags="rural bank")
    for values in ({"tag": "rural", "draw": 2}, {"competency": "B1", "draw": 2}):
        quiz = make_quiz(f"By {next(iter(values))}", collection=bank, sections=section(**values))
        (drawn,) = compile_assessment(assessment=quiz, framework_edition=framework).sections
        assert {item.key for item in drawn.items} == {"ours-0", "ours-1", "ours-2"}
        assert drawn.draw == 2
    quiz = make_quiz("Too many", collection=bank, sections=section(tag="rural", draw=4))
    assert find_problems(assessment=quiz, framework_edition=framework) == [
        "Section 1 draws more questions than there are: at most 3."
    ]


def test_what_an_author_types_is_cleaned(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    item = make_item("first", collection=bank, competency=competency)
    Item.objects.filter(pk=item.pk).update(stem='<p onclick="x()">Bold<script>alert(1)</script></p>')
    quiz = make_quiz("A quiz", items=[item], collection=bank)
    text = json.dumps(compile_assessment(assessment=quiz, framework_edition=framework).to_json())
    assert "onclick" not in text
    assert "<script" not in text


def test_the_same_text_is_one_edition_and_a_change_the_next(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    item = make_item("first", collection=bank, competency=competency)
    quiz = make_quiz("A quiz", items=[item], collection=bank)
    first = issue_assessment_edition(assessment=quiz, framework_edition=framework)
    assert issue_assessment_edition(assessment=quiz, framework_edition=framework).pk == first.pk
    Item.objects.filter(pk=item.pk).update(stem="<p>Another question?</p>")
    second = issue_assessment_edition(
        assessment=Assessment.objects.get(pk=quiz.pk), framework_edition=framework
    )
    assert (first.number, second.number) == (1, 2)
    first.refresh_from_db()
    assert "Another question" not in json.dumps(first.document)


def test_compiling_costs_the_same_however_many_items(
    bank: Collection, competency: Competency, framework: FrameworkEdition
) -> None:
    one = make_quiz("One", items=[make_item("i0", collection=bank, competency=competency)], collection=bank)
    many = make_quiz(
        "Many",
        items=[make_item(f"m{n}", collection=bank, competency=competency) for n in range(12)],
        collection=bank,
    )
    counts = []
    for quiz in (one, many):
        fresh = Assessment.objects.get(pk=quiz.pk)
        with CaptureQueriesContext(connection) as queries:
            compile_assessment(assessment=fresh, framework_edition=framework)
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
