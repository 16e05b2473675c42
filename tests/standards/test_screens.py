"""Browsing the standards, in both languages, at a constant cost."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from core.extensions import TaughtPlace, taught_in
from standards import selectors
from standards.models import CompetencyPage, FrameworkEdition
from standards.pages import DomainPage
from standards.services import change_edition_status, issue_framework_edition
from tests.factories import standards as make

pytestmark = pytest.mark.django_db


def issue_two() -> tuple[FrameworkEdition, FrameworkEdition]:
    """Edition 1, adopted, and edition 2 in which B1 says something else and A1 is gone."""
    page = make.make_framework()
    first = issue_framework_edition(framework_page=page, status="adopted")
    CompetencyPage.objects.filter(code="B1", locale__language_code="en").update(
        statement="Reads figures and says so."
    )
    CompetencyPage.objects.filter(code="A1").update(live=False)
    return first, issue_framework_edition(framework_page=page)


def test_the_list_is_empty_before_the_first_edition(client: Client) -> None:
    make.make_framework()
    response = client.get("/en/standards/")
    assert "No standards are published yet" in response.content.decode()


@pytest.mark.parametrize(
    ("language", "title", "domain"),
    [
        ("en", "Standards of Knowledge and Skills", "Domain B"),
        ("fr", "Normes de connaissances et d’habiletés", "Domaine B"),
    ],
)
def test_every_screen_in_both_languages(client: Client, language: str, title: str, domain: str) -> None:
    edition = make.make_edition()
    with translation.override(language):
        competency = edition.competencies.get(code="B1")
        addresses = {
            reverse("standards:index"): [title, domain],
            reverse("standards:edition", args=[edition.slug, 1]): [title, domain, edition.digest],
            reverse("standards:domain", args=[edition.slug, 1, "B"]): [
                domain,
                competency.statement_in(language),
            ],
            reverse("standards:competency", args=[competency.competency_id]): [
                competency.title_in(language),
                competency.levels["leading"][language],
                f"/standards/c/{competency.competency_id}/",
            ],
        }
    for address, words in addresses.items():
        response = client.get(address)
        assert response.status_code == 200, address
        for word in words:
            assert word in response.content.decode(), (address, word)


def test_a_frameworks_address_leads_to_the_edition_in_force(client: Client) -> None:
    first, _second = issue_two()
    assert client.get(f"/en/standards/{first.slug}/").headers["Location"] == f"/en/standards/{first.slug}/1/"


def test_the_permanent_address_finds_its_language(client: Client) -> None:
    edition = make.make_edition()
    key = edition.competencies.get(code="B1").competency_id
    response = client.get(f"/standards/c/{key}/", headers={"accept-language": "fr-CA"})
    assert response.headers["Location"] == f"/fr/standards/c/{key}/"


@pytest.mark.parametrize(
    "address",
    [
        "/en/standards/nothing/",
        "/en/standards/practitioners/9/",
        "/en/standards/practitioners/1/Z/",
        "/en/standards/practitioners/1/changes/9/",
        "/en/standards/c/5a0d7f8e-3c64-4b52-9d3b-0c2f1e6a7b88/",
    ],
)
def test_what_is_not_there_is_404(client: Client, address: str) -> None:
    make.make_edition()
    assert client.get(address).status_code == 404


def test_a_superseded_edition_says_so_and_leads_on(client: Client) -> None:
    first, second = issue_two()
    change_edition_status(edition=second, status="adopted")
    text = client.get(f"/en/standards/{first.slug}/1/B/").content.decode()
    assert "Edition 1 was superseded" in text
    assert f'href="/en/standards/{first.slug}/2/"' in text


def test_a_competency_shows_the_text_in_force_and_names_each_edition(client: Client) -> None:
    first, second = issue_two()
    key = first.competencies.get(code="B1").competency_id
    text = client.get(f"/en/standards/c/{key}/").content.decode()
    assert "Reads figures with care" in text, "Edition 1 is adopted, edition 2 a draft."
    assert "Edition 2, as B1" in text
    change_edition_status(edition=second, status="adopted")
    assert "Reads figures and says so." in client.get(f"/en/standards/c/{key}/").content.decode()
    gone = first.competencies.get(code="A1").competency_id
    assert "does not stand in any edition in force" in client.get(f"/en/standards/c/{gone}/").content.decode()


def test_what_changed_is_shown_word_by_word(client: Client) -> None:
    first, second = issue_two()
    response = client.get(reverse("standards:changes", args=[first.slug, 1, 2]))
    assert response.context["comparison"].newer == second
    text = response.content.decode()
    assert "<del>with care, </del>" in text
    assert "<ins>says so.</ins>" in text
    assert "No longer there" in text
    assert client.get(f"/fr/standards/{first.slug}/2/changes/1/").context["comparison"].changed == 0


@pytest.fixture
def teaching() -> Iterator[list[int]]:
    """A floor above that says where competencies are taught; counts how often it was asked."""
    asked: list[int] = []

    def answer(
        *, competency_ids: Sequence[uuid.UUID], language: str
    ) -> Mapping[uuid.UUID, Sequence[TaughtPlace]]:
        asked.append(len(competency_ids))
        return {
            key: [TaughtPlace("Rural Crime Prevention", "/en/trainings/rural/", "lesson 2.1")]
            for key in competency_ids
        }

    before = list(taught_in._answers)
    taught_in._answers[:] = [answer]
    yield asked
    taught_in._answers[:] = before


def test_where_it_is_taught_is_asked_once(client: Client, teaching: list[int]) -> None:
    edition = make.make_edition(domains=[("B", 4)])
    text = client.get(f"/en/standards/{edition.slug}/1/B/").content.decode()
    assert text.count('<a href="/en/trainings/rural/">Rural Crime Prevention</a>, lesson 2.1') == 4
    assert teaching == [4]


@pytest.mark.parametrize("count", [1, 6])
def test_every_list_costs_the_same(django_assert_num_queries: Any, count: int) -> None:
    page = make.make_framework(
        domains=[("A", count), *[(chr(ord("B") + number), 1) for number in range(count)]]
    )
    issue_framework_edition(framework_page=page)
    for number in range(count - 1):
        CompetencyPage.objects.filter(code="A1", locale__language_code="en").update(
            statement=f"Statement {number}."
        )
        issue_framework_edition(framework_page=page)
    pages = list(CompetencyPage.objects.filter(locale__language_code="en"))
    for origin in pages[1:]:
        make.relate(origin, "precedes", pages[0])
    edition = issue_framework_edition(framework_page=page, status="adopted")
    key = edition.competencies.get(code="A1").competency_id
    before, taught_in._answers[:] = list(taught_in._answers), []
    try:
        with django_assert_num_queries(2):
            selectors.list_frameworks()
        with django_assert_num_queries(2):
            selectors.read_edition_screen(slug=edition.slug, number=edition.number)
        with django_assert_num_queries(5):
            screen = selectors.read_domain_screen(
                slug=edition.slug, number=edition.number, code="A", language="fr"
            )
        with django_assert_num_queries(3):
            selectors.read_competency_screen(key, language="en")
    finally:
        taught_in._answers[:] = before
    assert screen is not None
    assert len(screen.competencies) == count


def test_relations_are_read_from_either_end() -> None:
    page = make.make_framework(domains=[("B", 2)])
    first, second = CompetencyPage.objects.filter(locale__language_code="en").order_by("code")
    make.relate(first, "precedes", second)
    edition = issue_framework_edition(framework_page=page)
    screen = selectors.read_domain_screen(slug=edition.slug, number=1, code="B", language="en")
    assert screen is not None
    assert [
        (view.code, [(said.words, said.code) for said in view.relations]) for view in screen.competencies
    ] == [
        ("B1", [("Comes before", "B2")]),
        ("B2", [("Comes after", "B1")]),
    ]


def test_the_pages_of_the_committee_lead_readers_to_the_edition(client: Client) -> None:
    edition = make.make_edition()
    competency = CompetencyPage.objects.get(code="B1", locale__language_code="fr")
    domain = DomainPage.objects.get(code="B", locale__language_code="en")
    for page, goal in (
        (competency, f"/fr/standards/c/{competency.translation_key}/"),
        (domain, f"/en/standards/{edition.slug}/1/B/"),
        (domain.get_parent(), f"/en/standards/{edition.slug}/1/"),
    ):
        response = client.get(page.specific.get_url())
        assert response.status_code == 302
        assert response.headers["Location"] == goal


def test_the_words_of_a_page_are_escaped(client: Client) -> None:
    page = make.make_framework(domains=[("B", 1)])
    CompetencyPage.objects.filter(locale__language_code="en").update(
        statement="Uses <script>alert(1)</script> & more."
    )
    edition = issue_framework_edition(framework_page=page)
    text = client.get(f"/en/standards/{edition.slug}/1/B/").content.decode()
    assert "<script>alert(1)" not in text
    assert "Uses &lt;script&gt;alert(1)&lt;/script&gt; &amp; more." in text
