"""Private files that no row names go after a week; all others stay."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Final

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from accounts.models import PersonalText
from accounts.services import subject_of
from core import leftovers
from core.leftovers import DailyLook, delete_leftovers
from core.storage import COMING
from tests.factories.accounts import make_user

DAY: Final = 86_400


def keep(name: str, *, days: float, alias: str = "private") -> Path:
    """A file that was written so long ago."""
    storage = storages[alias]
    path = Path(storage.path(storage.save(name, ContentFile(b"words"))))
    return age(path, days=days)


def age(path: Path, *, days: float) -> Path:
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


@pytest.mark.django_db
def test_only_what_nobody_names_goes_and_only_after_a_week() -> None:
    text = PersonalText(subject=subject_of(make_user()), kind=PersonalText.Kind.UPLOAD)
    text.file.save("mine.txt", ContentFile(b"mine"))
    mine = age(Path(text.file.path), days=400)
    folder = uuid.uuid4().hex
    old = keep(f"personal/{folder}/old.txt", days=8)
    young = keep(f"personal/{folder}/young.txt", days=6)
    probe = keep(f"readyz/{folder}", days=8)
    public = keep(f"images/{folder}.txt", days=400, alias="default")
    coming = Path(storages["private"].path(COMING))
    coming.mkdir(exist_ok=True)
    begun, going = coming / uuid.uuid4().hex, coming / uuid.uuid4().hex
    for part, days in ((begun, 2.0), (going, 0.5)):
        part.write_bytes(b"half")
        age(part, days=days)
    try:
        assert delete_leftovers() == 2
        assert not old.exists()
        assert not begun.exists()
        for path in (mine, young, probe, public, going):
            assert path.exists(), path
        assert delete_leftovers() == 0
    finally:
        for path in (mine, young, probe, public, going):
            path.unlink(missing_ok=True)


@pytest.mark.django_db
def test_a_row_that_is_written_while_one_looks_keeps_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are found first, and rows are read then."""
    path = keep(f"personal/{uuid.uuid4().hex}.txt", days=8)
    find = leftovers.find_references

    def write_first(*args: object) -> object:
        root = Path(storages["private"].path(""))
        PersonalText.objects.create(
            subject=subject_of(make_user()),
            kind=PersonalText.Kind.UPLOAD,
            file=path.relative_to(root).as_posix(),
        )
        return find(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(leftovers, "find_references", write_first)
    try:
        assert delete_leftovers() == 0
        assert path.exists()
    finally:
        path.unlink(missing_ok=True)


def test_it_is_looked_for_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    clock = [1000.0]
    monkeypatch.setattr(leftovers.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(leftovers, "delete_leftovers", lambda: looks.append(clock[0]) or 1)
    look = DailyLook()
    for hours in range(50):
        clock[0] = 1000.0 + hours * 3600
        look()
    assert looks == [1000.0 + 24 * 3600, 1000.0 + 48 * 3600]
