"""Issuing an edition: what it takes, what it refuses, and that it stays as it was."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry, Subject
from standards.case.package import Stamp, build_package, digest_package, remove_stamps
from standards.models import Association, Competency, CompetencyPage, EditionCompetency, FrameworkEdition
from standards.pages import CompetencyRelation
from standards.reading import read_edition, read_pages
from standards.selectors import current_edition, edition_digests
from standards.services import EditionRefused, StatusRefused, change_edition_status, issue_framework_edition
from tests.factories import standards as make

pytestmark = pytest.mark.django_db


def test_an_edition_holds_both_languages() -> None:
    page = make.make_framework(domains=[("A", 1), ("B", 2)])
    edition = issue_framework_edition(framework_page=page)
    assert (edition.number, edition.status, edition.slug) == (1, "consultation", "practitioners")
    assert (edition.title_en, edition.title_fr) == (
        "Standards of Knowledge and Skills",
        "Normes de connaissances et d’habiletés",
    )
    rows = list(EditionCompetency.objects.filter(edition=edition))
    assert [row.code for row in rows] == ["A1", "B1", "B2"]
    row = rows[1]
    assert row.statement_fr == "Lit les chiffres avec prudence et explique ce qu’ils montrent (B1)."
    assert row.levels["leading"]["fr"].startswith("Convient")
    assert row.example["level"] == "practising"
    assert row.sources == [
        {
            "slug": "un-2002",
            "en": "United Nations. *un-2002*. 2002.",
            "fr": "Nations Unies. *un-2002*. 2002.",
            "url": "",
        }
    ]
    assert row.domain.intro_fr == "<p>Ouvre <b>B</b>.</p>"
    assert str(row.competency) == "B1 Interprets figures B1"


def test_the_same_text_is_the_same_edition_and_changed_words_make_the_next() -> None:
    page = make.make_framework()
    first = issue_framework_edition(framework_page=page)
    assert issue_framework_edition(framework_page=page) == first
    french = page.get_translations().first().specific
    assert issue_framework_edition(framework_page=french) == first, (
        "Either language's page names the framework."
    )
    competency = CompetencyPage.objects.get(code="B1", locale__language_code="fr")
    competency.statement = "Autre énoncé, revu par le comité."
    competency.save_revision().publish()
    second = issue_framework_edition(framework_page=page)
    assert (second.number, second.framework_key) == (2, first.framework_key)
    assert second.digest != first.digest
    first.refresh_from_db()
    assert EditionCompetency.objects.get(edition=first, code="B1").statement_fr.startswith("Lit les chiffres")


def test_a_draft_that_is_not_published_is_left_out() -> None:
    page = make.make_framework()
    first = issue_framework_edition(framework_page=page)
    competency = CompetencyPage.objects.get(code="B1", locale__language_code="en")
    competency.statement = "Words of a draft that nobody has published."
    competency.save_revision()
    assert issue_framework_edition(framework_page=page) == first


def test_relations_and_structure_come_from_the_english_page() -> None:
    page = make.make_framework()
    pages = {found.code: found for found in CompetencyPage.objects.filter(locale__language_code="en")}
    make.relate(pages["B1"], "precedes", pages["A1"])
    french = CompetencyPage.objects.get(code="B2", locale__language_code="fr")
    french.code, french.kind = "Z9", "knowledge"
    french.save_revision().publish()
    edition = issue_framework_edition(framework_page=page)
    association = Association.objects.get(edition=edition)
    assert (association.type, association.origin_id, association.destination_id) == (
        "precedes",
        pages["B1"].translation_key,
        pages["A1"].translation_key,
    )
    assert set(EditionCompetency.objects.values_list("code", "kind")) == {
        ("A1", "skill"),
        ("B1", "skill"),
        ("B2", "skill"),
    }


def change(code: str, language: str, /, **values: Any) -> None:
    """What stands published, whatever the editing form would have said of it."""
    CompetencyPage.objects.filter(code=code, locale__language_code=language).update(**values)


@pytest.mark.parametrize(
    ("code", "language", "values", "sentence"),
    [
        ("B2", "fr", {"leading": ""}, "Competency B2 has no leading level in French."),
        ("B2", "en", {"code": "B1"}, "Two competencies have the code B1. Give one of them another code."),
        (
            "B2", "en", {"code": "A7"},
            "The competency A7 stands in domain B. Its code must be that letter and a number.",
        ),
        (
            "B2", "fr", {"statement": "Reads figures with care, and explains what they show (B2)."},
            "Competency B2 has the same statement in French as in English: translate it.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_issued_is_said_in_a_sentence(
    code: str, language: str, values: dict[str, str], sentence: str
) -> None:
    page = make.make_framework()
    change(code, language, **values)
    with pytest.raises(EditionRefused) as caught:
        issue_framework_edition(framework_page=page)
    assert sentence in caught.value.problems
    assert sentence in str(caught.value)
    assert not FrameworkEdition.objects.exists()


def test_a_missing_french_page_is_named() -> None:
    page = make.make_framework()
    domain = page.get_children().last().specific
    make.add_competency(domain, code="B3", french=False)
    with pytest.raises(EditionRefused) as caught:
        issue_framework_edition(framework_page=page)
    assert "Competency B3 has no title in French." in caught.value.problems


def test_an_empty_framework_is_refused() -> None:
    with pytest.raises(EditionRefused, match="no published competency"):
        issue_framework_edition(framework_page=make.make_framework(domains=[]))


def test_a_relation_must_lead_somewhere() -> None:
    page = make.make_framework()
    pages = {found.code: found for found in CompetencyPage.objects.filter(locale__language_code="en")}
    elsewhere = Competency.objects.create(id=uuid.uuid4(), framework_key=uuid.uuid4(), code="X1")
    CompetencyRelation.objects.create(page=pages["B1"], type="precedes", to=elsewhere)
    with pytest.raises(EditionRefused, match="does not stand in this framework"):
        issue_framework_edition(framework_page=page)
    CompetencyRelation.objects.update(type="exact_match")
    assert issue_framework_edition(framework_page=page).associations.get().destination == elsewhere


def test_reading_costs_the_same_for_one_and_for_many(django_assert_num_queries: Any) -> None:
    small = make.make_framework(slug="small", domains=[("A", 1)])
    large = make.make_framework(slug="large", domains=[("A", 3), ("B", 4), ("C", 1)])
    for made in (small, large):
        page = type(made).objects.select_related("locale").get(pk=made.pk)
        with django_assert_num_queries(7):
            read_pages(page)


def test_an_edition_reads_back_as_the_text_it_was_made_from(django_assert_num_queries: Any) -> None:
    page = make.make_framework()
    text = read_pages(page)
    edition = issue_framework_edition(framework_page=page)
    with django_assert_num_queries(3):
        assert read_edition(edition) == text
    assert digest_package(build_package(read_edition(edition), stamp=Stamp())) == edition.digest


def test_the_digest_can_be_recomputed_from_the_document() -> None:
    edition = make.make_edition()
    assert digest_package(edition.document) == edition.digest
    assert remove_stamps(edition.document) == remove_stamps(
        build_package(read_edition(edition), stamp=Stamp())
    )
    edition.document["CFItems"][2]["fullStatement"] += " And more."
    assert digest_package(edition.document) != edition.digest


def test_an_edition_cannot_be_changed_but_for_its_status() -> None:
    edition = make.make_edition()
    with pytest.raises(IntegrityError), transaction.atomic():
        FrameworkEdition.objects.filter(pk=edition.pk).update(title_en="Other")
    with pytest.raises(IntegrityError), transaction.atomic():
        EditionCompetency.objects.filter(edition=edition).update(statement_en="Other")
    with pytest.raises(IntegrityError), transaction.atomic():
        edition.delete()


def test_adopting_an_edition_supersedes_the_one_before() -> None:
    committee = Subject.objects.create()
    page = make.make_framework()
    first = issue_framework_edition(framework_page=page, status="adopted", issued_by=committee)
    change("A1", "en", statement="A statement that the committee has revised.")
    second = issue_framework_edition(framework_page=page, issued_by=committee)
    assert current_edition(page.translation_key) == first, "A draft does not replace what was adopted."
    change_edition_status(edition=second, status="adopted", changed_by=committee)
    first.refresh_from_db()
    assert first.status == "superseded"
    assert current_edition(page.translation_key) == second
    actions = list(AuditEntry.objects.filter(actor=committee).values_list("action", "details__number"))
    assert actions == [
        ("standards.edition_issued", 1),
        ("standards.edition_issued", 2),
        ("standards.edition_status_changed", 2),
        ("standards.edition_status_changed", 1),
    ]
    with pytest.raises(StatusRefused, match="cannot become “Draft for consultation”"):
        change_edition_status(edition=first, status="consultation")


def test_digests_are_listed_in_order(django_assert_num_queries: Any) -> None:
    first = make.make_edition(slug="b-second")
    other = make.make_edition(slug="a-first", domains=[("A", 1)])
    with django_assert_num_queries(1):
        assert edition_digests() == [("a-first", 1, other.digest), ("b-second", 1, first.digest)]


def test_an_edition_is_issued_with_the_rights_of_the_application(as_app_role: None) -> None:
    assert make.make_edition().number == 1
