"""What a load has written is indexed at once: for searching in the CMS, and for what refers to what.

Wagtail enqueues two tasks for each saving, so a training of four hundred pages would leave the worker three thousand,
most of them for a page that it has just done, or for a row that was replaced since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.apps import apps
from django.db import models, transaction
from django.utils import timezone
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from modelcluster.fields import ParentalKey
from modelsearch.backends import get_search_backends
from modelsearch.index import get_indexed_instance
from modelsearch.tasks import insert_or_update_object_task
from wagtail.models import ReferenceIndex
from wagtail.tasks import update_reference_index_task

# A task has to be done well within its lease.
OBJECTS_A_TASK: Final = 200
PATHS: Final = {insert_or_update_object_task.module_path, update_reference_index_task.module_path}


@contextmanager
def indexing_together() -> Iterator[None]:
    """Do what is inside in one transaction, and enqueue the indexing of all that it saved as few tasks."""
    with transaction.atomic():
        started = timezone.now()
        yield
        gather_indexing(since=started)


@transaction.atomic
def gather_indexing(*, since: Any) -> None:
    """Put few tasks in the place of those that were enqueued for each saving since then and that nobody has begun."""
    rows = DBTaskResult.objects.filter(
        task_path__in=PATHS, status=TaskResultStatus.READY, enqueued_at__gte=since
    ).select_for_update(skip_locked=True)
    found = {row.pk: tuple(map(str, row.args_kwargs["args"])) for row in rows}
    DBTaskResult.objects.filter(pk__in=found).delete()
    wanted = sorted(set(found.values()))
    for start in range(0, len(wanted), OBJECTS_A_TASK):
        index_objects.enqueue([list(one) for one in wanted[start : start + OBJECTS_A_TASK]])


@task()
def index_objects(named: list[list[str]]) -> int:
    """Index these objects, each named by app, model and key; what is gone meanwhile is passed over. How many."""
    objects = list(_find(named))
    _index_for_search(objects)
    _index_references(objects)
    return len(objects)


def _find(named: Sequence[Sequence[str]]) -> Iterator[models.Model]:
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for app, model, key in named:
        keys[app, model].append(key)
    for (app, model), wanted in keys.items():
        yield from apps.get_model(app, model)._default_manager.filter(pk__in=wanted)


def _index_for_search(objects: Iterable[models.Model]) -> None:
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for one in objects:
        if hasattr(one, "get_indexed_instance") and (indexed := get_indexed_instance(one)) is not None:
            by_model[type(indexed)].append(indexed)
    for backend in get_search_backends(with_auto_update=True):
        for model, rows in by_model.items():
            backend.add_bulk(model, rows)


def _index_references(objects: Iterable[models.Model]) -> None:
    parents = {}
    for one in objects:
        parent = _parent_of(one)
        if parent is not None and ReferenceIndex.is_indexed(type(parent)):
            parents[type(parent), parent.pk] = parent
    for parent in parents.values():
        with transaction.atomic():
            ReferenceIndex.create_or_update_for_object(parent)


def _parent_of(one: models.Model | None) -> models.Model | None:
    """A row that is edited as part of another one is indexed with that."""
    while one is not None:
        keys = [field for field in one._meta.get_fields() if isinstance(field, ParentalKey)]
        if not keys:
            return one
        one = getattr(one, keys[0].name)
    return None
