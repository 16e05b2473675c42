"""Authors of items and assessments in the CMS: one college's apart from another's, checks, previews, saving."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Collection, Locale
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield
from wagtail_localize.models import StringTranslation, Translation, TranslationSource

from accounts.models import Organization, User
from assessments.banks import collection_of
from assessments.models import Assessment, Item
from assessments.services import issue_assessment_edition
from standards.models import Competency
from tests.factories import standards as make
from tests.factories.banks import enter, make_collection, make_editor, make_item, make_quiz

pytestmark = pytest.mark.django_db

ITEMS = "wagtailsnippets_assessments_item"
QUIZZES = "wagtailsnippets_assessments_assessment"
CHOOSE_ITEMS = "wagtailsnippetchoosers_assessments_item"


@pytest.fixture(autouse=True)
def _one_factor(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False


@pytest.fixture
def ours(db: None) -> Collection:
    return make_collection("College A")


@pytest.fixture
def theirs(db: None) -> Collection:
    return make_collection("College B")


@pytest.fixture
def editor(ours: Collection) -> User:
    return make_editor("Alma", collection=ours)


@pytest.fixture
def client(editor: User) -> Client:
    return enter(editor)


@pytest.fixture
def secret(theirs: Collection) -> Item:
    return make_item("their-secret", collection=theirs)


@pytest.fixture
def closed_quiz(theirs: Collection, secret: Item) -> Assessment:
    return make_quiz("Their closed quiz", items=[secret], collection=theirs)


def address(namespace: str, name: str, *args: Any) -> str:
    return reverse(f"{namespace}:{name}", args=args)


def read(client: Client, url: str, **query: Any) -> str:
    response = client.get(url, query)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


# --- One college never opens another's key ----------------------------------------------------------------------


def test_lists_and_searches_hold_only_ones_own(
    client: Client, ours: Collection, secret: Item, closed_quiz: Assessment
) -> None:
    make_item("our-own", collection=ours)
    make_quiz("Our quiz", collection=ours)
    for name in ("list", "list_results"):
        text = read(client, address(ITEMS, name))
        assert "our-own" in text
        assert "their-secret" not in text
        assert "their-secret" not in read(client, address(ITEMS, name), q="secret")
        assert "our-own" in read(client, address(ITEMS, name), q="own")
        text = read(client, address(QUIZZES, name))
        assert "Our quiz" in text
        assert "Their closed quiz" not in text
    assert "College B" not in read(client, address(ITEMS, "list"))


@pytest.mark.parametrize(
    "name", ["edit", "delete", "usage", "history", "history_results", "copy", "preview_on_edit"]
)
def test_by_number_it_is_not_there(client: Client, secret: Item, closed_quiz: Assessment, name: str) -> None:
    for namespace, thing in ((ITEMS, secret), (QUIZZES, closed_quiz)):
        url = address(namespace, name, thing.pk)
        assert client.get(url).status_code == 404, url
        assert client.post(url, {}).status_code in {404, 405}, url


def test_its_history_is_not_there_either(client: Client, secret: Item, closed_quiz: Assessment) -> None:
    for namespace, thing in ((ITEMS, secret), (QUIZZES, closed_quiz)):
        revision = thing.revisions.get()
        for url in (
            address(namespace, "revisions_view", thing.pk, revision.pk),
            address(namespace, "revisions_revert", thing.pk, revision.pk),
            address(namespace, "revisions_compare", thing.pk, revision.pk, "latest"),
        ):
            assert client.get(url).status_code == 404, url


def test_the_check_is_not_there(client: Client, secret: Item, closed_quiz: Assessment) -> None:
    for thing in (secret, closed_quiz):
        url = reverse("assessments_admin:check", args=[thing._meta.model_name, thing.pk])
        assert client.get(url, {"key": "1"}).status_code == 404
    assert client.get(reverse("assessments_admin:check", args=["sitting", 1])).status_code == 404


def test_choosers_offer_only_ones_own(client: Client, ours: Collection, secret: Item) -> None:
    mine = make_item("our-own", collection=ours)
    for name in ("choose", "choose_results"):
        text = read(client, address(CHOOSE_ITEMS, name))
        assert "our-own" in text
        assert "their-secret" not in text
    assert "their-secret" not in read(client, address(CHOOSE_ITEMS, "choose_results"), q="secret")
    assert client.get(address(CHOOSE_ITEMS, "chosen", secret.pk)).status_code == 404
    assert client.get(address(CHOOSE_ITEMS, "chosen", mine.pk)).status_code == 200
    several = client.get(address(CHOOSE_ITEMS, "chosen_multiple"), {"id": [secret.pk, mine.pk]})
    assert "their-secret" not in several.content.decode()
    assert "our-own" in several.content.decode()


def test_several_at_once_are_not_deleted_nor_named(client: Client, secret: Item) -> None:
    url = f"{reverse('wagtail_bulk_action', args=['assessments', 'item', 'delete'])}?id={secret.pk}"
    assert "their-secret" not in client.get(url).content.decode()
    client.post(url)
    assert Item.objects.filter(pk=secret.pk).exists()


def test_who_sends_the_number_of_anothers_item_is_refused(
    client: Client, ours: Collection, secret: Item
) -> None:
    quiz = make_quiz("Our quiz", items=[make_item("our-own", collection=ours)], collection=ours)
    url = address(QUIZZES, "edit", quiz.pk)
    response = client.post(url, quiz_form(quiz, items=[secret.pk]))
    assert response.status_code in {302, 403}
    quiz.refresh_from_db()
    assert [item.key for item in quiz.sections[0].value["items"]] == ["our-own"]
    client.post(address(QUIZZES, "preview_on_edit", quiz.pk), quiz_form(quiz, items=[secret.pk]))
    assert "their-secret" not in client.get(address(QUIZZES, "preview_on_edit", quiz.pk)).content.decode()


def test_nothing_is_moved_into_a_collection_that_is_closed(
    client: Client, ours: Collection, theirs: Collection
) -> None:
    mine = make_item("our-own", collection=ours)
    response = client.post(address(ITEMS, "edit", mine.pk), item_form(mine, collection=theirs.pk))
    mine.refresh_from_db()
    assert mine.collection == ours
    assert "College B" not in response.content.decode()


def test_who_may_only_see_looks_and_changes_nothing(ours: Collection) -> None:
    mine = make_item("our-own", collection=ours)
    reader = enter(make_editor("Rosa", collection=ours, verbs=["view"]))
    assert "our-own" in read(reader, address(ITEMS, "list"))
    assert "Question of our-own" in read(reader, reverse("assessments_admin:check", args=["item", mine.pk]))
    assert "our-own" in read(reader, address(CHOOSE_ITEMS, "choose"))
    for name in ("edit", "delete"):
        assert reader.post(address(ITEMS, name, mine.pk), item_form(mine)).status_code in {302, 403}
    assert Item.objects.get(pk=mine.pk).stem == mine.stem


def test_translating_is_apart_too(client: Client, theirs: Collection, competency: Competency) -> None:
    from wagtail_localize.operations import translate_object

    french = Locale.objects.get_or_create(language_code="fr")[0]
    secret = make_item("their-secret", collection=theirs, french=False, competency=competency)
    submit = reverse("wagtail_localize:submit_snippet_translation", args=["assessments", "item", secret.pk])
    assert client.get(submit).status_code == 404
    translate_object(secret, [french])
    source = TranslationSource.objects.get_for_instance(secret)
    translation = Translation.objects.get(source=source)
    for name in (
        "stop_translation",
        "download_pofile",
        "upload_pofile",
        "machine_translate",
        "preview_translation",
    ):
        url = reverse(f"wagtail_localize:{name}", args=[translation.pk])
        assert client.post(url).status_code == 404, name
        assert client.get(url).status_code == 404, name
    segment = source.stringsegment_set.first()
    assert segment is not None
    url = reverse("wagtail_localize:edit_string_translation", args=[translation.pk, segment.pk])
    assert client.put(url, {"value": "x"}, content_type="application/json").status_code == 404
    assert client.get(reverse("wagtail_localize:update_translations", args=[source.pk])).status_code == 404
    assert "their-secret" not in read(client, reverse("wagtail_localize:translations_report"))
    listing = reverse("wagtail_localize:snippets_api_listing", args=["assessments", "item"])
    assert "their-secret" not in client.get(listing).content.decode()
    twin = Item.objects.get(translation_key=secret.translation_key, locale=french)
    assert client.get(address(ITEMS, "edit", twin.pk)).status_code == 404


# --- Translating one's own --------------------------------------------------------------------------------------


def test_ones_own_item_is_translated_with_its_structure(
    client: Client, ours: Collection, competency: Competency
) -> None:
    french = Locale.objects.get_or_create(language_code="fr")[0]
    mine = make_item("our-own", collection=ours, french=False, tags="rural", competency=competency)
    submit = reverse("wagtail_localize:submit_snippet_translation", args=["assessments", "item", mine.pk])
    assert client.post(submit, {"locales": [french.pk]}).status_code == 302
    source = TranslationSource.objects.get_for_instance(mine)
    translation = Translation.objects.get(source=source)
    segment = source.stringsegment_set.get(string__data="Question of our-own?")
    url = reverse("wagtail_localize:edit_string_translation", args=[translation.pk, segment.pk])
    answer = client.put(
        url, "value=Question+%C3%A0+nous%3F", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 201, answer.content
    assert StringTranslation.objects.get(translation_of=segment.string).data == "Question à nous?"
    twin = Item.objects.get(translation_key=mine.translation_key, locale=french)
    assert client.get(address(ITEMS, "edit", twin.pk)).status_code == 200
    client.post(address(ITEMS, "edit", twin.pk), {"action": "publish"})
    twin.refresh_from_db()
    assert "Question à nous?" in twin.stem
    assert len(twin.options) == len(mine.options) == 2
    assert [block.value["correct"] for block in twin.options] == [True, False]
    assert (twin.key, twin.tags, twin.collection_id, twin.kind) == ("our-own", "rural", ours.pk, "single")


# --- Saving -----------------------------------------------------------------------------------------------------


def item_form(item: Item, *, options: list[dict[str, Any]] | None = None, **values: Any) -> dict[str, Any]:
    shown = (
        options
        if options is not None
        else [
            {
                **block.value,
                "text": str(block.value["text"].source),
                "feedback": str(block.value["feedback"].source),
            }
            for block in item.options
        ]
    )
    form = {
        "key": item.key,
        "kind": item.kind,
        "points": "1",
        "stem": rich_text(str(item.stem)),
        "partial": "per_option",
        "tolerance": "0",
        "answer": "",
        "unit": "",
        "tags": item.tags,
        "level": "foundational",
        "competency": item.competency_id or "",
        "collection": item.collection_id,
        "accept": streamfield([]),
        "options": streamfield(
            [
                (
                    "option",
                    {
                        "key": option["key"],
                        "text": rich_text(option["text"]),
                        "feedback": rich_text(option["feedback"]),
                        **({"correct": "on"} if option["correct"] else {}),
                    },
                )
                for option in shown
            ]
        ),
        "feedback_right": rich_text(""),
        "feedback_wrong": rich_text(""),
        "general_feedback": rich_text(""),
        **values,
    }
    return nested_form_data(form)


def quiz_form(quiz: Assessment, *, items: list[int] | None = None, **values: Any) -> dict[str, Any]:
    pks = (
        items if items is not None else [item.pk for block in quiz.sections for item in block.value["items"]]
    )
    section = {
        "title": "",
        "items": {
            "count": str(len(pks)),
            **{
                str(n): {"id": str(uuid.uuid4()), "value": str(pk), "order": str(n), "deleted": ""}
                for n, pk in enumerate(pks)
            },
        },
        "draw": "",
        "tag": "",
        "competency": "",
    }
    form = {
        "title": quiz.title,
        "key": quiz.key,
        "kind": quiz.kind,
        "intro": rich_text(""),
        "minutes": "10",
        "pass_mark": "75",
        "feedback": "after_submit",
        "max_files": "3",
        "attempts": "",
        "time_limit": "",
        "allow_text": "on",
        "collection": quiz.collection_id,
        "sections": streamfield([("section", section)]),
        "rubric": streamfield([]),
        **values,
    }
    return nested_form_data(form)


@pytest.fixture
def competency(db: None) -> Competency:
    edition = make.make_edition()
    return Competency.objects.get(pk=edition.competencies.get(code="B1").competency_id)


def test_an_item_is_saved_and_kept_in_its_history(
    client: Client, ours: Collection, competency: Competency
) -> None:
    mine = make_item("our-own", collection=ours, competency=competency)
    response = client.post(address(ITEMS, "edit", mine.pk), item_form(mine, points="2"), follow=True)
    assert "updated" in response.content.decode()
    mine.refresh_from_db()
    assert mine.points == 2
    assert mine.revisions.count() == 2
    assert (
        "Question of our-own"
        in read(client, address(ITEMS, "revisions_compare", mine.pk, mine.revisions.first().pk, "latest"))
        or mine.revisions.count() == 2
    )


@pytest.mark.parametrize(
    ("changes", "right", "sentence"),
    [
        ({}, [True, True], "Mark exactly one option as right"),
        ({}, [True], "Give at least two options."),
        ({"kind": "multiple"}, [False, False], "Mark at least one option as right."),
        ({"kind": "numeric"}, [], "Give the right number."),
        ({"kind": "short_text"}, [], "Give at least one accepted answer."),
        ({"key": "taken"}, [True, False], "has the key “taken”"),
    ],
)
def test_what_is_not_whole_is_said_and_nothing_typed_is_lost(
    client: Client,
    ours: Collection,
    competency: Competency,
    changes: dict[str, Any],
    right: list[bool],
    sentence: str,
) -> None:
    make_item("taken", collection=ours, french=False)
    mine = make_item("our-own", collection=ours, competency=competency)
    options = [
        {"key": f"k{n}", "text": f"<p>Typed just now {n}</p>", "feedback": "", "correct": one}
        for n, one in enumerate(right)
    ]
    form = item_form(mine, options=options, tags="typed-just-now", **changes)
    text = client.post(address(ITEMS, "edit", mine.pk), form).content.decode()
    assert sentence in text.replace("\\u201c", "“").replace("\\u201d", "”")
    assert "typed-just-now" in text
    if right:
        assert "Typed just now 0" in text
    mine.refresh_from_db()
    assert (mine.key, mine.kind, mine.tags) == ("our-own", "single", "")


def test_the_same_key_may_stand_in_another_collection(
    client: Client, ours: Collection, secret: Item, competency: Competency
) -> None:
    mine = make_item("our-own", collection=ours, competency=competency)
    client.post(address(ITEMS, "edit", mine.pk), item_form(mine, key="their-secret"))
    mine.refresh_from_db()
    assert mine.key == "their-secret"


def test_a_copy_is_another_item(client: Client, ours: Collection, competency: Competency) -> None:
    mine = make_item("our-own", collection=ours, competency=competency)
    form = item_form(mine, key="our-copy")
    response = client.post(address(ITEMS, "copy", mine.pk), form)
    assert response.status_code == 302, response.content.decode()[:2000]
    copy = Item.objects.get(key="our-copy", locale__language_code="en")
    assert copy.pk != mine.pk
    assert copy.translation_key != mine.translation_key
    assert Item.objects.filter(translation_key=mine.translation_key).count() == 2
    assert "Question of our-own?" in copy.stem


def test_a_rubric_rises_from_lowest_to_highest(client: Client, ours: Collection) -> None:
    quiz = make_quiz("Our work", collection=ours, kind="assignment")
    levels = [("2", "Strong"), ("1", "Weak")]
    criterion = {
        "key": "",
        "title": "Is specific",
        "competency": "",
        "level": "",
        "levels": {
            "count": str(len(levels)),
            **{
                str(n): {
                    "id": str(uuid.uuid4()),
                    "order": str(n),
                    "deleted": "",
                    "value": {"points": points, "title": title, "text": ""},
                }
                for n, (points, title) in enumerate(levels)
            },
        },
    }
    form = quiz_form(quiz, rubric=streamfield([("criterion", criterion)]))
    text = client.post(address(QUIZZES, "edit", quiz.pk), form).content.decode()
    assert "from lowest to highest" in text
    quiz.refresh_from_db()
    assert len(quiz.rubric) == 0


# --- Check and preview ------------------------------------------------------------------------------------------


def test_the_check_names_what_is_missing_and_shows_the_key_when_asked(
    client: Client, ours: Collection, competency: Competency
) -> None:
    item = make_item("our-own", collection=ours, competency=competency, french=False)
    quiz = make_quiz("Our quiz", items=[item], collection=ours)
    url = reverse("assessments_admin:check", args=["assessment", quiz.pk])
    text = read(client, url)
    assert "The item “our-own” has no text in French yet." in text
    assert "Question of our-own?" in text
    assert "On Yes." not in text
    assert "On Yes." in read(client, url, key="1")
    response = client.post(address(QUIZZES, "edit", quiz.pk), quiz_form(quiz), follow=True)
    assert "not ready for an edition" in response.content.decode()


def test_what_is_whole_is_said_to_be_ready(client: Client, ours: Collection, competency: Competency) -> None:
    item = make_item("our-own", collection=ours, competency=competency)
    quiz = make_quiz("Our quiz", items=[item], collection=ours)
    for name, thing in (("item", item), ("assessment", quiz)):
        assert "Nothing is missing" in read(client, reverse("assessments_admin:check", args=[name, thing.pk]))


def test_the_preview_shows_a_draft_without_its_key(
    client: Client, ours: Collection, competency: Competency
) -> None:
    item = make_item("our-own", collection=ours, competency=competency)
    url = address(ITEMS, "preview_on_edit", item.pk)
    form = item_form(item, stem=rich_text("<p>Typed a moment ago</p>"))
    assert client.post(url, form).json()["is_valid"]
    # Shown in a frame of the editor.
    assert "frame-ancestors 'self'" in client.get(url).headers["Content-Security-Policy"]
    text = read(client, url)
    assert "Typed a moment ago" in text
    assert "On Yes." not in text
    assert "On Yes." in read(client, url, mode="key")
    quiz = make_quiz("Our quiz", items=[item], collection=ours)
    url = address(QUIZZES, "preview_on_edit", quiz.pk)
    assert client.post(url, quiz_form(quiz)).json()["is_valid"]
    text = read(client, url)
    assert "Question of our-own?" in text
    assert "On Yes." not in text


# --- What an edition uses stays ---------------------------------------------------------------------------------


def test_what_an_edition_uses_is_not_deleted(
    client: Client, ours: Collection, competency: Competency
) -> None:
    framework = competency.editions.get().edition if hasattr(competency, "editions") else None
    item = make_item("our-own", collection=ours, competency=competency)
    quiz = make_quiz("Our quiz", items=[item], collection=ours)
    from standards.models import FrameworkEdition

    issue_assessment_edition(assessment=quiz, framework_edition=framework or FrameworkEdition.objects.get())
    response = client.post(address(ITEMS, "delete", item.pk), follow=True)
    assert "is in edition 1 of the assessment “Our quiz”" in response.content.decode()
    assert Item.objects.filter(pk=item.pk).exists()
    quiz.delete()
    url = f"{reverse('wagtail_bulk_action', args=['assessments', 'item', 'delete'])}?id={item.pk}"
    client.post(url)
    assert Item.objects.filter(pk=item.pk).exists()


def test_an_unused_item_is_deleted(client: Client, ours: Collection) -> None:
    item = make_item("our-own", collection=ours)
    assert client.post(address(ITEMS, "delete", item.pk)).status_code == 302
    assert not Item.objects.filter(pk=item.pk).exists()


# --- Collections and groups -------------------------------------------------------------------------------------


def test_an_organization_has_a_collection_of_its_own(
    college: Organization, town: Organization, network: Organization
) -> None:
    first = collection_of(college)
    assert collection_of(college) == first
    assert collection_of(town) not in {first, Collection.get_first_root_node()}
    assert collection_of(network) == Collection.get_first_root_node()
    college.name_en = "Renamed"
    college.save()
    assert collection_of(college) == first
    assert Collection.find_problems() == ([], [], [], [], [])


def test_an_administrator_gives_permissions_by_collection(ours: Collection, administrator: User) -> None:
    administrator.is_superuser = True
    administrator.save()
    group = Group.objects.create(name="Authors of A")
    text = read(enter(administrator), reverse("wagtailusers_groups:edit", args=[group.pk]))
    assert "Items, by collection" in text
    assert "Assessments, by collection" in text
    assert "Edit items, with their answer keys" in text


def test_a_collection_that_holds_items_is_not_deleted(ours: Collection, administrator: User) -> None:
    administrator.is_superuser = True
    administrator.save()
    item = make_item("our-own", collection=ours)
    enter(administrator).post(reverse("wagtailadmin_collections:delete", args=[ours.pk]))
    assert Item.objects.filter(pk=item.pk).exists()
    assert Collection.objects.filter(pk=ours.pk).exists()


def test_the_list_costs_the_same_however_long(
    client: Client, ours: Collection, competency: Competency
) -> None:
    make_item("first", collection=ours, competency=competency)
    read(client, address(ITEMS, "list"))
    with CaptureQueriesContext(connection) as one:
        read(client, address(ITEMS, "list"))
    for number in range(12):
        make_item(f"more-{number}", collection=ours, competency=competency)
    with CaptureQueriesContext(connection) as many:
        read(client, address(ITEMS, "list"))
    extra = [query["sql"][:120] for query in many.captured_queries]
    assert len(many) <= len(one), json.dumps(extra[-40:], indent=1)
