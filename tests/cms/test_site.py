"""The public site: its first pages, navigation, language and search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from wagtail.models import GroupCollectionPermission, Page, Site

from cms.identity import forget_frame
from cms.pages import HomePage, PlainPage
from cms.search import SearchEntry, find_entries, refresh_search
from cms.services import set_up_site
from cms.settings import SiteSettings
from tests import database


@pytest.fixture(scope="module")
def set_up(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The site's first pages, made once for this file."""
    with django_db_blocker.unblock():
        set_up_site()
        yield
        database.use_copy(database.build_template())


@pytest.fixture
def site(set_up: None, db: None) -> Site:
    forget_frame()
    return Site.objects.get(is_default_site=True)


def test_setting_up_twice_makes_nothing_twice(site: Site) -> None:
    before = (Page.objects.count(), SiteSettings.for_site(site).links.count())
    set_up_site()
    assert (Page.objects.count(), SiteSettings.for_site(site).links.count()) == before
    assert HomePage.objects.count() == 2


def test_an_editors_change_outlives_the_next_set_up(site: Site) -> None:
    page = PlainPage.objects.get(slug="about", locale__language_code="en")
    page.title = "Who we are"
    page.save_revision().publish()
    set_up_site()
    page.refresh_from_db()
    assert page.title == "Who we are"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/en/", "Safer communities are planned"),
        ("/fr/", "ça se planifie"),
        ("/en/privacy/", "What is kept"),
        ("/fr/privacy/", "Ce qui est conservé"),
        ("/fr/accessibility/", "Limites connues"),
    ],
)
def test_each_page_stands_in_its_language(site: Site, client: Client, path: str, words: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    text = response.content.decode()
    assert words in text
    assert f'<html lang="{path[1:3]}">' in text


def test_the_language_link_leads_to_the_same_page(site: Site, client: Client) -> None:
    assert 'href="/fr/about/"' in client.get("/en/about/").content.decode()
    assert 'href="/en/search/?q=rural"' in client.get("/fr/search/?q=rural").content.decode()


def test_the_choice_of_language_never_leads_to_another_site(site: Site, client: Client) -> None:
    response = client.get("/en/language/fr/?next=https://elsewhere.example/")
    assert response["Location"] == "/fr/"
    assert response.cookies["language"].value == "fr"


def test_name_and_contact_come_from_the_settings(site: Site, client: Client) -> None:
    settings = SiteSettings.for_site(site)
    settings.short_name_en, settings.contact_email = "SafeTowns", "hello@safetowns.example"
    settings.save()
    text = client.get("/en/about/").content.decode()
    assert "SafeTowns" in text
    assert "hello@safetowns.example" in text
    assert "info@safercities.ca" not in text


def test_a_page_costs_the_same_with_many_links(
    site: Site, client: Client, django_assert_max_num_queries: object
) -> None:
    client.get("/en/about/")
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        client.get("/en/about/")


class TestSearch:
    @pytest.fixture(autouse=True)
    def entries(self, site: Site) -> None:
        refresh_search()

    def test_finds_with_and_without_accents(self) -> None:
        assert find_entries(words="vie privee", language="fr")[0].title == "Vie privée et consentement"
        assert find_entries(words="VIE PRIVÉE", language="fr")[0].title == "Vie privée et consentement"

    def test_finds_by_the_beginning_of_a_word(self) -> None:
        assert find_entries(words="access", language="en").filter(title="Accessibility").exists()

    def test_finds_only_in_the_language_of_the_screen(self) -> None:
        assert not find_entries(words="consentement", language="en").exists()

    @pytest.mark.parametrize("words", ["", "   ", "':*&|!", "( ) <->"])
    def test_odd_words_find_nothing_and_break_nothing(self, client: Client, words: str) -> None:
        assert not find_entries(words=words, language="en").exists()
        assert client.get("/en/search/", {"q": words}).status_code == 200

    def test_an_empty_result_leads_on(self, client: Client) -> None:
        text = client.get("/en/search/", {"q": "zzzz"}).content.decode()
        assert "Nothing was found" in text
        assert "/en/trainings/" in text

    def test_words_are_shown_as_text(self, client: Client) -> None:
        assert (
            "<script>alert(1)"
            not in client.get("/en/search/", {"q": "<script>alert(1)</script>"}).content.decode()
        )

    def test_a_page_that_is_taken_back_is_not_found(self) -> None:
        PlainPage.objects.get(slug="privacy", locale__language_code="en").unpublish()
        refresh_search()
        assert not SearchEntry.objects.filter(language="en", url__endswith="/privacy/").exists()


def test_groups_may_do_their_work_and_no_more(site: Site) -> None:
    authors = Group.objects.get(name="Authors")
    names = set(authors.permissions.values_list("codename", flat=True))
    assert {"access_admin", "add_courseedition"} <= names
    assert not names & {"change_user", "add_frameworkedition", "add_statusentry", "change_sitesettings"}
    # Items are a right in a collection, so that one college never opens another's key.
    assert "add_item" not in names
    in_collections = GroupCollectionPermission.objects.filter(group=authors)
    assert in_collections.filter(permission__codename="add_item").exists()
