"""The site that backups are made of, and the installation that they go into."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Subject, User
from core.backup.schema import load_migrations
from tests import database as databases
from tests.cms.backups.site import (
    Kept,
    fill_site,
    run,
    wipe_files,
)


@pytest.fixture
def journal(settings: Any, tmp_path: Path) -> Path:
    settings.ERASURE_JOURNAL = tmp_path / "far" / "erasures.jsonl"
    return tmp_path / "far" / "erasures.jsonl"


@pytest.fixture
def kept_files(seeded_template: str) -> Iterator[None]:
    """Afterwards the files are those of the seeded site again, as the tests of other modules expect."""
    yield
    wipe_files()
    databases.copy_seeded_files(seeded_template)


@pytest.fixture
def site(seeded_template: str, transactional_db: None, journal: Path, kept_files: None) -> Subject:
    """A lived-in site; its learner."""
    return fill_site(seeded_template)


@pytest.fixture
def empty_site(django_db_setup: None) -> Callable[[], None]:
    """Makes the installation an empty one: what migrations make, and no files."""

    def make() -> None:
        wipe_files()
        databases.use_copy(databases.build_template())

    return make


@pytest.fixture(scope="session")
def kept() -> Kept:
    return Kept()


@pytest.fixture
def backup(
    seeded_template: str,
    transactional_db: None,
    journal: Path,
    kept_files: None,
    kept: Kept,
    empty_site: Callable[[], None],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A backup of a lived-in site, before an installation that is empty."""
    if kept.source is None:
        kept.learner = fill_site(seeded_template).pk
        kept.people = User.objects.count()
        kept.source = tmp_path_factory.mktemp("kept") / "kept.backup"
        run("backup", kept.source)
        empty_site()
    wipe_files()
    return Path(shutil.copy(kept.source, tmp_path / "a.backup"))


@pytest.fixture
def live_backup(site: Subject, tmp_path: Path) -> Path:
    """A backup of the site, which goes on living."""
    run("backup", tmp_path / "a.backup")
    return tmp_path / "a.backup"


@pytest.fixture(autouse=True)
def _own_migrations() -> Iterator[None]:
    """A later software's migrations, which a test has put in place of ours, are forgotten after it."""
    yield
    load_migrations.cache_clear()
