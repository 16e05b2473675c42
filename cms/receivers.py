"""News from below that the site hears: something was published, so search is made again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django_tasks_db.models import DBTaskResult
from wagtail.signals import page_published, page_unpublished

from cms.services import grant_group_permissions
from cms.tasks import refresh_search_entries
from modules.signals import course_edition_issued
from standards.signals import framework_edition_issued, framework_status_changed


@transaction.atomic
def refresh_search_soon(**kwargs: Any) -> None:
    """Enqueue, in the transaction of the news; not where a task waits already that nobody has begun.

    That one is locked: no worker takes it up before the news is there to be read.
    """
    waiting = DBTaskResult.objects.ready().filter(task_path=refresh_search_entries.module_path)
    if waiting.select_for_update(skip_locked=True).first() is None:
        refresh_search_entries.enqueue()


def hear_page(*, instance: Any, **kwargs: Any) -> None:
    """Only pages of this floor are found as pages; the others by their editions.

    A new training or framework is a place in the page tree that a group is to edit.
    """
    if instance._meta.app_label == "cms":
        refresh_search_soon()
    elif instance._meta.model_name in {"trainingpage", "frameworkpage"}:
        grant_group_permissions()


def connect() -> None:
    for signal in (course_edition_issued, framework_edition_issued, framework_status_changed):
        signal.connect(refresh_search_soon, dispatch_uid=f"cms.search.{id(signal)}")
    for signal in (page_published, page_unpublished):
        signal.connect(hear_page, dispatch_uid=f"cms.search.page.{id(signal)}")
