"""The committee's side: issuing in the CMS, what cannot be deleted, translation, choosing a competency."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from wagtail.models import GroupPagePermission, Locale, Page
from wagtail_localize.models import StringTranslation, Translation, TranslationSource
from wagtail_localize.operations import translate_object

from accounts.models import AuditEntry, User
from core.errors import StillUsed
from core.extensions import Impact, impact_reports, used_by
from standards.models import Competency, CompetencyPage, FrameworkEdition, Source
from standards.services import issue_framework_edition
from standards.wagtail_hooks import source_snippets
from tests.factories import standards as make
from tests.factories.certificates import run_tasks

pytestmark = pytest.mark.django_db

RIGHTS = ("add_frameworkedition", "change_frameworkedition", "view_frameworkedition")


@pytest.fixture(autouse=True)
def _one_factor(settings: object) -> None:
    settings.STAFF_SECOND_FACTOR = False  # type: ignore[attr-defined]


def log_in(*codenames: str) -> Client:
    """A person who may enter the CMS and edit every page, with these rights besides."""
    user = User.objects.create_user(
        "committee@example.org", "safer-communities", name="A member", is_staff=True
    )
    group = Group.objects.create(name="Committee of the test")
    wanted = ["access_admin", *codenames]
    group.permissions.add(*Permission.objects.filter(codename__in=wanted))
    root = Page.get_first_root_node()
    for codename in ("add_page", "change_page", "publish_page", "bulk_delete_page"):
        GroupPagePermission.objects.create(
            group=group, page=root, permission=Permission.objects.get(codename=codename)
        )
    user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def committee() -> Client:
    return log_in(*RIGHTS)


@pytest.fixture
def touched() -> Iterator[None]:
    """A course that rests on every framework."""

    def answer(*, kind: str, key: uuid.UUID) -> Sequence[Impact]:
        return [Impact("One course rests on these standards.", 1)] if kind == "framework" else []

    impact_reports._answers.append(answer)
    yield
    impact_reports._answers.remove(answer)


def test_the_screen_says_what_changes_and_whom_it_touches(committee: Client, touched: None) -> None:
    page = make.make_framework()
    issue_framework_edition(framework_page=page)
    CompetencyPage.objects.filter(code="B1", locale__language_code="en").update(
        statement="Says it otherwise."
    )
    left = CompetencyPage.objects.get(code="B2", locale__language_code="fr")
    left.title = "Titre que personne n’a publié"
    left.save_revision()
    text = committee.get(reverse("standards_admin:issue", args=[page.pk])).content.decode()
    assert "What changes since edition 1" in text
    assert "<ins>Says it otherwise.</ins>" in text
    assert "One course rests on these standards." in text
    assert "Titre que personne n’a publié" in text, "A draft that is left out is named."
    assert FrameworkEdition.objects.count() == 1, "Looking issues nothing."


def test_issuing_in_the_cms(committee: Client) -> None:
    page = make.make_framework()
    address = reverse("standards_admin:issue", args=[page.pk])
    form = {"status": "consultation", "client_id": str(uuid.uuid4())}
    asked = committee.post(address, form)
    run_tasks()
    said = committee.get(asked["Location"]).content.decode()
    assert "Edition 1 of “Standards of Knowledge and Skills” was issued." in said
    assert committee.post(address, form)["Location"] == asked["Location"]
    again = committee.post(address, {"status": "consultation"}, follow=True)
    assert "Nothing was issued: edition 1 has this text already." in again.content.decode()
    edition = FrameworkEdition.objects.get()
    assert AuditEntry.objects.get(action="standards.edition_issued").actor == edition.issued_by
    assert "There is nothing to issue." in committee.get(address).content.decode()


def test_what_is_missing_is_named_and_nothing_is_issued(committee: Client) -> None:
    page = make.make_framework()
    CompetencyPage.objects.filter(code="B1", locale__language_code="fr").update(live=False)
    address = reverse("standards_admin:issue", args=[page.pk])
    assert "Competency B1 has no statement in French." in committee.get(address).content.decode()
    text = committee.post(address, {"status": "adopted"}).content.decode()
    assert "No edition was issued." in text
    assert not FrameworkEdition.objects.exists()


def test_who_may_not_issue_gets_403_and_no_button() -> None:
    page = make.make_framework()
    author = log_in()
    assert author.get(reverse("standards_admin:issue", args=[page.pk])).status_code in {302, 403}
    assert author.post(
        reverse("standards_admin:issue", args=[page.pk]), {"status": "adopted"}
    ).status_code in {302, 403}
    assert author.get(reverse("standards_admin:editions")).status_code in {302, 403}
    assert not FrameworkEdition.objects.exists()
    assert "Issue edition" not in author.get(reverse("wagtailadmin_explore", args=[page.pk])).content.decode()


def test_the_button_stands_on_the_framework(committee: Client) -> None:
    page = make.make_framework()
    address = reverse("standards_admin:issue", args=[page.pk])
    assert address in committee.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).content.decode()
    domain = page.get_children().first()
    assert domain is not None
    assert address not in committee.get(reverse("wagtailadmin_pages:edit", args=[domain.pk])).content.decode()


def test_the_life_of_an_edition_in_the_cms(committee: Client) -> None:
    edition = make.make_edition(status="consultation")
    listing = committee.get(reverse("standards_admin:editions")).content.decode()
    for verb in ("Adopt", "Supersede", "Withdraw"):
        assert verb in listing
    address = reverse("standards_admin:status", args=[edition.pk])
    assert "becomes “Adopted”" in committee.get(address, {"to": "adopted"}).content.decode()
    committee.post(address, {"to": "adopted"})
    edition.refresh_from_db()
    assert edition.status == "adopted"
    response = committee.post(address, {"to": "consultation"}, follow=True)
    assert "cannot become “Draft for consultation”" in response.content.decode()


def test_a_page_whose_words_are_issued_is_not_deleted(committee: Client) -> None:
    make.make_edition()
    page = CompetencyPage.objects.get(code="B1", locale__language_code="fr")
    for address in (
        reverse("wagtailadmin_pages:delete", args=[page.pk]),
        reverse("wagtailadmin_pages:delete", args=[page.get_parent().pk]),
        f"{reverse('wagtail_bulk_action', args=['wagtailcore', 'page', 'delete'])}?id={page.pk}",
    ):
        before = Page.objects.count()
        response = committee.post(address, follow=True)
        assert "stands in edition 1" in response.content.decode(), address
        assert Page.objects.count() == before
    assert not Page.find_problems()[0]


def test_deleting_by_program_is_refused_too_with_what_floors_above_say() -> None:
    page = make.make_framework()
    competency = CompetencyPage.objects.get(code="B1", locale__language_code="en")

    def answer(*, kind: str, key: uuid.UUID) -> Sequence[str]:
        return ["The lesson “Rates” is mapped to it."] if key == competency.translation_key else []

    used_by._answers.append(answer)
    try:
        with pytest.raises(StillUsed, match="The lesson “Rates” is mapped to it"):
            page.delete()
    finally:
        used_by._answers.remove(answer)
    competency.delete()
    assert not CompetencyPage.objects.filter(code="B1", locale__language_code="en").exists()


def test_a_source_that_is_cited_is_not_deleted() -> None:
    committee = log_in("view_source", "change_source", "delete_source")
    make.make_framework(domains=[("B", 1)])
    cited, free = make.make_source(), make.make_source("nobody-cites-2001")
    delete = source_snippets.get_url_name("delete")
    said = committee.post(reverse(delete, args=[cited.pk]), follow=True).content.decode()
    assert "Nothing was deleted." in said
    assert "“un-2002” is cited by the competency “B1 Interprets figures B1”." in said
    every = (
        f"{reverse('wagtail_bulk_action', args=['standards', 'source', 'delete'])}?id={cited.pk}&id={free.pk}"
    )
    assert "is cited by" in committee.post(every, follow=True).content.decode()
    assert Source.objects.filter(pk__in=[cited.pk, free.pk]).count() == 2
    committee.post(reverse(delete, args=[free.pk]))
    assert list(Source.objects.all()) == [cited]


def test_a_published_competency_can_be_chosen(committee: Client) -> None:
    make.make_framework(domains=[("B", 2)])
    for page in CompetencyPage.objects.order_by("locale__language_code"):
        page.save_revision().publish()
    text = committee.get(
        reverse("competency_chooser:choose_results"), {"q": "interprete B2"}
    ).content.decode()
    assert "B2 Interprets figures B2" in text, "Found by its French title, without accents."
    assert "B1 Interprets" not in text
    draft = CompetencyPage.objects.get(code="B1", locale__language_code="en")
    assert str(Competency.objects.get(id=draft.translation_key)) == "B1 Interprets figures B1"


def test_a_new_competency_is_translated_with_wagtail_localize(
    django_capture_on_commit_callbacks: Any,
) -> None:
    page = make.make_framework(domains=[("B", 1)])
    domain = page.get_children().first()
    assert domain is not None
    source = make.add_competency(domain.specific, code="B2", french=False)
    french = Locale.objects.get(language_code="fr")
    translate_object(source, [french])
    translation = Translation.objects.get(source=TranslationSource.objects.get_for_instance(source))
    for segment in translation.source.stringsegment_set.select_related("string", "context"):
        StringTranslation.objects.create(
            translation_of=segment.string,
            locale=french,
            context=segment.context,
            data=f"Traduction de {segment.context.path}",
        )
    with django_capture_on_commit_callbacks(execute=True):
        translation.save_target(publish=True)
    twin = CompetencyPage.objects.get(translation_key=source.translation_key, locale=french)
    assert (twin.live, twin.code, twin.kind) == (True, "B2", "skill")
    assert twin.statement == "Traduction de statement"
    assert [link.source.slug for link in twin.source_links.all()] == ["un-2002"]
    edition = issue_framework_edition(framework_page=page)
    assert edition.competencies.get(code="B2").levels["leading"]["fr"] == "Traduction de leading"


@pytest.mark.parametrize("kind", ["framework", "domain", "competency"])
def test_a_draft_can_be_previewed(committee: Client, kind: str) -> None:
    page = make.make_framework()
    pages: dict[str, Page] = {
        "framework": page,
        "domain": page.get_children().last(),
        "competency": CompetencyPage.objects.get(code="B1", locale__language_code="en"),
    }
    words = {
        "framework": "Domain B",
        "domain": "Interprets figures B2",
        "competency": "Tells a count from a rate (B1).",
    }
    response = committee.get(reverse("wagtailadmin_pages:view_draft", args=[pages[kind].pk]))
    assert response.status_code == 200
    assert "Preview of a draft" in response.content.decode()
    assert words[kind] in response.content.decode()
