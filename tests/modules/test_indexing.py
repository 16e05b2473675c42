"""What a load saved is indexed by few tasks, each object once; what is gone meanwhile is passed over."""

from __future__ import annotations

import pytest
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from wagtail.models import Page, ReferenceIndex
from wagtail.search.models import IndexEntry

from modules.indexing import PATHS, index_objects, indexing_together
from modules.pages import LessonPage
from tests.factories.modules import make_whole_course

pytestmark = pytest.mark.django_db


def waiting() -> list[str]:
    rows = DBTaskResult.objects.filter(status=TaskResultStatus.READY)
    return list(rows.values_list("task_path", flat=True))


def test_many_savings_make_few_tasks() -> None:
    with indexing_together():
        course = make_whole_course()
        for _turn in range(3):
            course.save_revision().publish()
    assert not PATHS & set(waiting())
    tasks = DBTaskResult.objects.filter(task_path=index_objects.module_path)
    assert tasks.count() == 1
    named = [tuple(one) for one in tasks.get().args_kwargs["args"][0]]
    assert len(named) == len(set(named)) > 10


def test_it_is_found_and_its_references_are_known() -> None:
    with indexing_together():
        make_whole_course()
    named = DBTaskResult.objects.get(task_path=index_objects.module_path).args_kwargs["args"][0]
    ReferenceIndex.objects.all().delete()
    IndexEntry.objects.all().delete()
    assert not Page.objects.search("lesson")
    gone = ["modules", "lessonpage", "999999"]
    assert index_objects.func([*named, gone]) >= 10
    assert {page.specific_class for page in Page.objects.search("lesson")} == {LessonPage}
    assert ReferenceIndex.objects.exists()


def test_what_was_asked_before_stays() -> None:
    make_whole_course()
    before = len(waiting())
    with indexing_together():
        pass
    assert len(waiting()) == before > 0


def test_where_the_load_fails_nothing_is_left() -> None:
    def load() -> None:
        with indexing_together():
            make_whole_course()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load()
    assert waiting() == []
