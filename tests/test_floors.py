"""The floors hold: foreign keys and templates go down only, as imports do (see the contract in pyproject.toml)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model

from core.models import LedgerModel

# From the highest to the lowest; what is not here is a library, which lies under all floors.
RANKS = {floor: len(settings.FLOORS) - place for place, floor in enumerate(settings.FLOORS)}
INCLUDED = re.compile(r"{%\s*(?:extends|include)\s+[\"']([^\"']+)[\"']")
# The base template and what it is made of stand above all floors, and serve all.
SHARED = {"parts", "partials"}


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in RANKS]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_foreign_keys_go_down(model: type[Model]) -> None:
    rank = RANKS[model._meta.app_label]
    for field in model._meta.get_fields():
        if field.auto_created or not field.is_relation or not isinstance(field.related_model, type):
            continue
        target = field.related_model._meta.app_label
        assert RANKS.get(target, 0) <= rank, f"{model._meta.label}.{field.name} points up to {target}"


@pytest.mark.parametrize(
    "model",
    [model for model in our_models() if issubclass(model, LedgerModel)],
    ids=lambda model: model._meta.label,
)
def test_a_ledger_is_never_changed_by_deleting_something_else(model: type[Model]) -> None:
    for field in model._meta.concrete_fields:
        if field.is_relation:
            action = field.remote_field.on_delete.__name__
            assert action in {"PROTECT", "RESTRICT", "DO_NOTHING"}, (
                f"{model._meta.label}.{field.name} has {action}"
            )


def test_templates_go_down() -> None:
    faults = []
    root = Path(settings.BASE_DIR, "templates")
    for path in sorted(root.rglob("*.html")):
        floor = path.relative_to(root).parts[0]
        for name in INCLUDED.findall(path.read_text(encoding="utf-8")):
            parts = Path(name).parts
            if (
                len(parts) > 1
                and parts[0] in RANKS
                and RANKS.get(floor, 99 if floor not in SHARED else 0) < RANKS[parts[0]]
            ):
                faults.append(f"{path.relative_to(root)} takes {name} from above")
    assert not faults, "\n".join(faults)


def test_apps_are_called_like_their_folders() -> None:
    for floor in settings.FLOORS:
        assert apps.get_app_config(floor).label == floor
        assert Path(apps.get_app_config(floor).path) == Path(settings.BASE_DIR, floor)
