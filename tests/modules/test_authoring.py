"""The author's screens in the CMS: who may, what they say, and what they refuse."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.db.transaction import atomic, set_rollback
from django.test import Client
from django.urls import reverse
from wagtail.documents import get_document_model
from wagtail.models import GroupPagePermission, Page
from wagtail.users.models import UserProfile

from accounts.jobs import Progress
from accounts.models import User
from accounts.services import subject_of
from accounts.tasks import run_job
from assessments.models import Item
from core.errors import StillUsed
from core.extensions import taught_in
from modules.blocks import LessonBody
from modules.branch import branch_course
from modules.coverage import find_coverage
from modules.deletion import refuse_if_used
from modules.documents import Outline
from modules.jobs import ask_for_edition
from modules.jobs import run as run_edition
from modules.models import CourseEdition
from modules.pages import AssessmentPage, CoursePage, LessonPage, TrainingPage
from modules.services import issue_course_edition, preview_course_edition
from standards.deletion import refuse_if_used as refuse_if_cited
from tests.factories.accounts import make_user
from tests.factories.certificates import run_tasks
from tests.factories.modules import (
    block,
    competency_id,
    french_of,
    make_course,
    make_lesson,
    make_module,
    make_whole_course,
    text,
)
from tests.factories.standards import make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(db: None) -> User:
    """Somebody with the rights that `setup_site` gives to authors."""
    user = make_user(name="Ada Author")
    group = Group.objects.create(name="Course authors")
    for label in (
        "wagtailadmin.access_admin",
        "modules.add_courseedition",
        "modules.view_courseedition",
        "assessments.delete_item",
    ):
        app, codename = label.split(".")
        group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    root = Page.get_first_root_node()
    for codename in ("add_page", "change_page", "publish_page", "bulk_delete_page"):
        permission = Permission.objects.filter(
            content_type__app_label="wagtailcore", codename=codename
        ).first()
        if permission:
            GroupPagePermission.objects.create(group=group, page=root, permission=permission)
    user.groups.add(group)
    return user


@pytest.fixture
def reader(db: None) -> User:
    """Somebody who may open the CMS and nothing of courses."""
    user = make_user(name="Remy Reader")
    group = Group.objects.create(name="Readers")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    user.groups.add(group)
    return user


@pytest.fixture
def enter(client: Client) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client.force_login(user, backend="accounts.backends.PersonBackend")
        return client

    return sign_in


def screen(name: str, course: CoursePage) -> str:
    return reverse(f"modules_admin:{name}", args=[course.pk])


def test_the_screens_are_for_authors_only(enter: Any, editor: User, reader: User) -> None:
    course = make_whole_course(quiz=False)
    names = ("issue", "editions", "coverage", "copy")
    outsider = enter(reader)
    for name in names:
        assert outsider.get(screen(name, course)).status_code == 302, name
        assert outsider.post(screen(name, course)).status_code in {302, 405}, name
    assert outsider.get(reverse("modules_admin:courses")).status_code == 302
    assert not CourseEdition.objects.exists()
    author = enter(editor)
    for name in names:
        assert author.get(screen(name, course)).status_code == 200, name
    assert author.get(reverse("modules_admin:courses")).status_code == 200


def test_an_author_sees_what_changes_and_issues(enter: Any, editor: User) -> None:
    course = make_whole_course()
    author = enter(editor)
    page = author.get(screen("issue", course)).content.decode()
    assert "This is the first edition" in page
    assert "Nobody: no one is enrolled" in page
    form = {"note": "The first one.", "client_id": str(uuid.uuid4())}
    asked = author.post(screen("issue", french_of(course)), form)
    assert author.post(screen("issue", course), form)["Location"] == asked["Location"]
    assert "It waits for its turn" in author.get(asked["Location"]).content.decode()
    run_tasks()
    edition = CourseEdition.objects.get()
    assert (edition.number, edition.note, edition.issued_by.user) == (1, "The first one.", editor)
    said = author.get(asked["Location"]).content.decode()
    assert "Edition 1 of “" in said
    assert edition.digest[:12] in author.get(screen("editions", course)).content.decode()
    # A second press, after the edition was issued, leads to the same page.
    assert author.post(screen("issue", course), form)["Location"] == asked["Location"]
    assert (
        "edition 1 has this text already"
        in author.post(screen("issue", course), {"note": ""}).content.decode()
    )
    assert "There is nothing to issue" in author.get(screen("issue", course)).content.decode()
    lesson = LessonPage.objects.get(slug="lesson-1", locale__language_code="en")
    lesson.title, lesson.required = "Another title", False
    lesson.mappings = []
    lesson.save_revision().publish()
    page = author.get(screen("issue", course)).content.decode()
    assert "What changes since edition 1" in page
    assert "The text changes: English." in page
    assert "It is no longer needed to complete the course." in page
    assert "It no longer serves B1 (Foundational)." in page
    assert reverse("wagtailadmin_pages:edit", args=[lesson.pk]) in page


def test_a_french_speaking_author_reads_the_french_titles(enter: Any, editor: User) -> None:
    course = make_whole_course()
    profile = UserProfile.get_for_user(editor)
    profile.preferred_language = "fr"
    profile.save()
    outline = preview_course_edition(course_page=course).outline
    assert outline is not None
    page = enter(editor).get(screen("issue", course)).content.decode()
    assert f"Édition 1 de « {outline.title['fr']} »" in page.replace("\u00a0", " ")
    for step in outline.iter_steps():
        assert step.title["fr"] in page
        assert step.title["en"] not in page


def test_what_comes_up_after_it_was_asked_is_told(enter: Any, editor: User) -> None:
    course = make_whole_course()
    author = enter(editor)
    asked = author.post(screen("issue", course), {"note": ""})
    LessonPage.objects.filter(slug="lesson-1", locale__language_code="fr").update(live=False)
    run_tasks()
    said = author.get(asked["Location"]).content.decode()
    assert "It came to nothing." in said
    assert "It has no published text in French yet." in said
    assert not CourseEdition.objects.exists()


def test_an_edition_is_issued_once_however_often_its_job_runs(editor: User) -> None:
    course = make_whole_course()
    job = ask_for_edition(course=course, asker=subject_of(editor), note="", job_id=uuid.uuid4())
    # All but the last commit was done when the worker died.
    progress = Progress(job)
    with atomic():
        run_edition(job=job, progress=progress)
        assert CourseEdition.objects.exists()
        set_rollback(True)
    progress.close()
    assert not CourseEdition.objects.exists()
    for _ in range(2):
        run_job.call(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.result["number"], job.result["new"]) == ("done", 1, True)
    assert CourseEdition.objects.count() == 1


def test_what_blocks_an_edition_leads_to_the_page(enter: Any, editor: User) -> None:
    course = make_course()
    lesson = make_lesson(module=make_module(course=course), body=[text("<p>A.[^nobody-1999]</p>")])
    author = enter(editor)
    page = author.get(screen("issue", course)).content.decode()
    assert "“nobody-1999” is cited" in page
    assert reverse("wagtailadmin_pages:edit", args=[lesson.pk]) in page
    assert "Issue edition 1" not in page
    answer = author.post(screen("issue", course), {"note": ""})
    assert answer.status_code == 200
    assert not CourseEdition.objects.exists()


@pytest.mark.parametrize("count", [1, 4])
def test_the_list_of_courses_costs_the_same_for_many(
    enter: Any, editor: User, count: int, django_assert_max_num_queries: Any
) -> None:
    training = make_whole_course(quiz=False, lessons=1).get_parent().specific
    for number in range(1, count):
        make_course(training=training, slug=f"course-{number}")
    issue_course_edition(course_page=CoursePage.objects.get(slug="reading", locale__language_code="en"))
    author = enter(editor)
    author.get(reverse("modules_admin:courses"))
    with django_assert_max_num_queries(22):
        author.get(reverse("modules_admin:courses"))


def test_coverage_names_what_is_served_and_the_holes() -> None:
    course = make_whole_course()
    preview = preview_course_edition(course_page=course)
    assert preview.outline is not None
    assert preview.framework is not None
    (domain,) = find_coverage(outline=preview.outline, framework=preview.framework)
    served, hole = domain.rows
    assert (served.code, hole.code) == ("B1", "B2")
    foundational = served.cells[0]
    assert [serving.title for serving in foundational.servings] == ["Lesson lesson-1", "A quiz"]
    assert foundational.is_evidenced
    assert domain.holes == [hole]


def test_a_preview_is_what_an_edition_says(enter: Any, editor: User) -> None:
    course = make_whole_course(quiz=False)
    lesson = LessonPage.objects.get(slug="lesson-1", locale__language_code="en")
    answer = enter(editor).get(reverse("wagtailadmin_pages:view_draft", args=[lesson.pk]))
    page = answer.content.decode()
    content = issue_course_edition(course_page=course).contents.get(
        step_key=lesson.translation_key, locale="en"
    )
    assert content.segments[0]["html"] in page
    assert "Preview of a draft" in page
    assert "B1" in page


def test_the_examples_of_blocks_are_drawn_as_lessons_are(enter: Any, editor: User) -> None:
    author = enter(editor)
    known = {name: child for name, child in LessonBody().child_blocks.items() if child.is_previewable}
    assert {"callout", "check", "worksheet", "table"} <= set(known)
    address = reverse("wagtailadmin_block_preview")
    body = LessonPage._meta.get_field("body").stream_block
    for name in known:
        answer = author.get(address, {"id": body.child_blocks[name].definition_prefix})
        assert answer.status_code == 200, name
        assert 'class="prose"' in answer.content.decode(), name


def test_a_pages_own_address_leads_to_the_course(client: Client) -> None:
    course = make_whole_course(quiz=False)
    lesson = LessonPage.objects.get(slug="lesson-1", locale__language_code="en")
    assert client.get(lesson.url).status_code == 404
    issue_course_edition(course_page=course)
    answer = client.get(lesson.url)
    assert (answer.status_code, answer["Location"]) == (302, "/en/trainings/reading/")


# --- What is used stays -------------------------------------------------------------------------------------------


def test_a_page_that_an_edition_uses_is_not_deleted(enter: Any, editor: User) -> None:
    course = make_whole_course()
    issue_course_edition(course_page=course)
    lesson = LessonPage.objects.get(slug="lesson-1", locale__language_code="en")
    before = Page.objects.count()
    for page in (lesson, french_of(lesson), lesson.get_parent(), course, course.get_parent()):
        with pytest.raises(StillUsed, match="is in edition 1 of the course reading"):
            page.specific.delete()
    editor.is_superuser = True
    editor.save()
    answer = enter(editor).post(reverse("wagtailadmin_pages:delete", args=[lesson.pk]), follow=True)
    assert "“Lesson lesson-1” is in edition 1 of the course reading." in answer.content.decode()
    assert "Unpublish the page instead" in answer.content.decode()
    assert Page.objects.count() == before


def test_a_page_that_no_edition_uses_is_deleted() -> None:
    course = make_whole_course()
    lesson = LessonPage.objects.get(slug="lesson-2", locale__language_code="en")
    lesson.delete()
    assert not LessonPage.objects.filter(slug="lesson-2", locale__language_code="en").exists()
    assert CoursePage.objects.filter(pk=course.pk).exists()


def test_an_item_and_an_assessment_that_are_used_stay() -> None:
    issue_course_edition(course_page=make_whole_course())
    item = Item.objects.get(key="quiz-1", locale__language_code="fr")
    with (
        pytest.raises(StillUsed, match="The item “quiz-1” is in edition 1 of the assessment “A quiz”"),
        atomic(),
    ):
        item.delete()
    assessment = AssessmentPage.objects.get(locale__language_code="en").assessment
    with pytest.raises(StillUsed, match="“A quiz” is in edition 1 of the course reading"):
        refuse_if_used([assessment])


def test_a_file_that_a_lesson_shows_stays(enter: Any, editor: User) -> None:
    document = get_document_model().objects.create(
        title="Sheet.pdf", file=ContentFile(b"%PDF-1.4", name="sheet.pdf")
    )
    other = get_document_model().objects.create(
        title="Other.pdf", file=ContentFile(b"%PDF-1.4", name="o.pdf")
    )
    body = [block("document", "sheet", title="The sheet", file=document.pk, description="")]
    make_lesson(module=make_module(course=make_course()), body=body)
    editor.is_superuser = True
    editor.save()
    author = enter(editor)
    for address in (
        reverse("wagtaildocs:delete", args=[document.pk]),
        reverse("wagtail_bulk_action", args=["wagtaildocs", "document", "delete"]) + f"?id={document.pk}",
    ):
        answer = author.post(address, follow=True)
        assert "“Sheet.pdf” is used by" in answer.content.decode()
    assert author.post(reverse("wagtaildocs:delete", args=[other.pk])).status_code == 302
    assert list(get_document_model().objects.all()) == [document]
    refuse_if_used([make_user()])


# --- Copying ------------------------------------------------------------------------------------------------------


def test_a_source_that_a_lesson_cites_stays() -> None:
    cited, free = make_source("harbour-2024"), make_source("harbour-2025")
    module = make_module(course=make_course())
    make_lesson(module=module, slug="counts", body=[text("<p>Counts rose[^harbour-2024].</p>")])
    with pytest.raises(StillUsed, match="“harbour-2024” is cited by the lesson “Lesson counts”"):
        refuse_if_cited([cited, free])
    refuse_if_cited([free])


def test_a_copy_has_keys_of_its_own_in_all_languages_together(enter: Any, editor: User) -> None:
    course = make_whole_course()
    issue_course_edition(course_page=course)
    answer = enter(editor).post(
        screen("copy", course), {"title_en": "Reading in the north", "title_fr": "Lire dans le Nord"}
    )
    assert answer.status_code == 302
    copy = CoursePage.objects.get(slug="reading-in-the-north", locale__language_code="en")
    assert (copy.live, french_of(copy).title) == (False, "Lire dans le Nord")
    assert copy.translation_key != course.translation_key
    old = LessonPage.objects.descendant_of(course).order_by("path")
    new = LessonPage.objects.descendant_of(copy).order_by("path")
    french = LessonPage.objects.descendant_of(french_of(copy)).order_by("path")
    assert [page.origin_key for page in new] == [page.translation_key for page in old]
    assert [page.translation_key for page in new] == [page.translation_key for page in french]
    assert not {page.translation_key for page in new} & {page.translation_key for page in old}
    assert [page.title for page in french] == ["Leçon lesson-1", "Leçon lesson-2"]
    for course_page in (copy, french_of(copy)):
        for page in course_page.get_descendants(inclusive=True):
            page.specific.save_revision().publish()
    edition = issue_course_edition(course_page=CoursePage.objects.get(pk=copy.pk))
    steps = list(Outline.from_json(edition.outline).iter_steps())
    assert [step.origin for step in steps[:2]] == [page.translation_key for page in old]
    assert edition.number == 1


def test_a_copy_needs_a_title_in_each_language() -> None:
    from core.errors import InvalidInput

    course = make_course()
    with pytest.raises(InvalidInput, match="a title in each of its languages"):
        branch_course(course_page=course, titles={"en": "New", "fr": " "})
    assert TrainingPage.objects.filter(locale__language_code="en").count() == 1
    assert CoursePage.objects.filter(locale__language_code="en").count() == 1


# --- Answers to the floors below ----------------------------------------------------------------------------------


def test_the_standards_learn_where_a_competency_is_taught(django_assert_max_num_queries: Any) -> None:
    issue_course_edition(course_page=make_whole_course())
    wanted, other = competency_id("B1"), uuid.uuid4()
    with django_assert_max_num_queries(2):
        found = {
            key: places
            for answer in taught_in
            for key, places in answer(competency_ids=[wanted, other], language="fr").items()
        }
    (place,) = found[wanted]
    assert place.title == "Lire les chiffres"
    assert place.url == "/fr/trainings/reading/"
    assert "Leçon lesson-1" in place.detail
    assert "Un questionnaire" in place.detail
    assert other not in found
