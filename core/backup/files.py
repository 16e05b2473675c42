"""The storages' side of a backup: files held still while they are read, and files put in place all together."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import models
from django.utils.functional import LazyObject
from django.utils.translation import gettext as _

from core.backup.errors import BackupRefused
from core.backup.manifest import is_safe_path
from core.storage import COMING

# Folders of ours inside a storage: on the same disk as its files, so that a link or a renaming is enough.
HELD: Final = ".backup-"
STAGED: Final = ".restore-"
KEEP: Final = "keep"
# What `/readyz` writes and deletes.
PASSING: Final = "readyz/"
# Static files are made of the code.
NOT_KEPT: Final = frozenset({"staticfiles"})
# Space that stays free whatever happens.
RESERVE: Final = 64 << 20

Found = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Store:
    """A storage by the name that the settings give it, and its folder.

    In a `private` one only files that a row names are kept: a file whose row was erased, or is not written yet, is
    nobody's, and could never be erased.
    """

    alias: str
    storage: FileSystemStorage

    @property
    def root(self) -> Path:
        return Path(self.storage.location)

    @property
    def private(self) -> bool:
        return self.alias == "private"


def list_stores() -> list[Store]:
    """Every storage that people's and editors' files are in."""
    found = []
    for alias in settings.STORAGES:
        if alias in NOT_KEPT:
            continue
        storage = storages[alias]
        if not isinstance(storage, FileSystemStorage):
            raise BackupRefused(
                _(
                    "The files of “%(alias)s” are not in a folder, and this command backs up and restores folders "
                    "only. Nothing was changed."
                )
                % {"alias": alias}
            )
        found.append(Store(alias, storage))
    return found


def find_references(stores: Iterable[Store]) -> Found:
    """The names of files that rows hold, by storage. One query a column of files."""
    by_root = {store.root: store.alias for store in stores}
    found: Found = {alias: set() for alias in by_root.values()}
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if not isinstance(field, models.FileField) or model._meta.proxy or not model._meta.managed:
                continue
            alias = by_root.get(_root_of(field.storage))
            if alias is None:
                raise BackupRefused(
                    _("The files of %(field)s are in a storage that the settings do not name.")
                    % {"field": field}
                )
            names = model._base_manager.exclude(**{field.name: ""}).values_list(field.name, flat=True)
            found[alias].update(name for name in names.iterator() if name)
    return found


def _root_of(storage: Storage) -> Path:
    if isinstance(storage, LazyObject):
        storage = storages["default"]
    return Path(getattr(storage, "location", "/"))


def walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Name and state of every file under a folder, links and our own folders apart."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = sorted(os.scandir(folder / prefix), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if not prefix and entry.name.startswith((HELD, STAGED, COMING)):
                continue
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield name, entry.stat(follow_symlinks=False)


# -- Out --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file as it was when it was found, and where it can be read."""

    path: Path
    size: int
    changed_at: float


@dataclass(frozen=True, slots=True)
class HeldFiles:
    """The files of a storage by name. `linked`: what is deleted meanwhile can still be read."""

    store: Store
    files: Mapping[str, HeldFile]
    linked: bool
    unusable: tuple[str, ...] = ()


@contextmanager
def hold_files(stores: Iterable[Store]) -> Iterator[list[HeldFiles]]:
    """Hold the files of all storages still, by a second link to each, which takes no space.

    Where a disk knows no links, the files are read where they are.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_hold(store)) for store in stores]


@contextmanager
def _hold(store: Store) -> Iterator[HeldFiles]:
    tidy_folders(store, HELD)
    folder = store.root / f"{HELD}{uuid.uuid4().hex}"
    with ExitStack() as stack:
        linked = True
        try:
            stack.enter_context(own_folder(folder))
        except OSError:
            linked = False
        files: dict[str, HeldFile] = {}
        unusable = []
        for name, state in walk(store.root):
            if name.startswith(PASSING):
                continue
            if not is_safe_path(name):
                unusable.append(name)
                continue
            path = store.root / name
            if linked:
                # Flat, so that no folder has to be made.
                second = folder / str(len(files))
                try:
                    os.link(path, second, follow_symlinks=False)
                    path = second
                except FileNotFoundError:
                    continue
                except OSError:
                    linked = False
            files[name] = HeldFile(path, state.st_size, state.st_mtime)
        yield HeldFiles(store, files, linked, tuple(unusable))


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """A folder that is ours as long as we live, by a lock, and is gone afterwards, unless a file `KEEP` is in it."""
    folder.mkdir(mode=0o700)
    try:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield folder
    finally:
        if not (folder / KEEP).exists():
            shutil.rmtree(folder, ignore_errors=True)


def is_abandoned(folder: Path) -> bool:
    """Whether the process that made a folder of ours is gone."""
    try:
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def tidy_folders(store: Store, prefix: str) -> None:
    """Remove what a process that was killed left."""
    for folder in find_folders(store, prefix):
        if is_abandoned(folder):
            discard_folder(folder)


def discard_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def find_folders(store: Store, prefix: str) -> list[Path]:
    return sorted(store.root.glob(f"{prefix}*"))


# -- In ---------------------------------------------------------------------------------------------------------------


def count_files(stores: Iterable[Store]) -> int:
    return sum(1 for store in stores for name, _state in walk(store.root) if not name.startswith(PASSING))


def refuse_without_space(stores: Iterable[Store], *, sizes: Mapping[str, int]) -> None:
    """All files must fit beside those that are there. `sizes` are bytes by storage."""
    needed: dict[int, int] = {}
    places: dict[int, Path] = {}
    for store in stores:
        store.root.mkdir(parents=True, exist_ok=True)
        device = store.root.stat().st_dev
        needed[device] = needed.get(device, RESERVE) + sizes.get(store.alias, 0)
        places[device] = store.root
    for device, size in needed.items():
        free = shutil.disk_usage(places[device]).free
        if free < size:
            raise BackupRefused(
                _(
                    "The files need %(needed)d MB on the disk of %(place)s, and %(free)d MB are free. Nothing was "
                    "changed."
                )
                % {"needed": size >> 20, "free": free >> 20, "place": places[device]}
            )


class Staging:
    """Files beside their place, which take it all together: ``.restore-<key>/new`` in each storage's folder.

    What was there before goes to ``.restore-<key>/old``, which is removed at the end. Every step can be taken again
    by another process (`resume`), so a restore that was killed after its database was in place is finished later:
    whether it was, the mark in the database says (`core.backup.database.read_mark`).
    """

    def __init__(self, stores: Iterable[Store], *, key: str) -> None:
        self.stores = list(stores)
        self.key = key
        self._stack = ExitStack()

    def __enter__(self) -> Staging:
        for store in self.stores:
            self._stack.enter_context(own_folder(self._folder(store)))
            (self._folder(store) / "new").mkdir(mode=0o700)
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def _folder(self, store: Store) -> Path:
        return store.root / f"{STAGED}{self.key}"

    def write(self, store: Store, name: str, chunks: Iterable[bytes]) -> None:
        path = self._folder(store) / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
        _take_after(path, store)

    def discard(self, store: Store, names: Iterable[str]) -> int:
        """Drop files that are not to come back; returns how many there were."""
        dropped = 0
        for name in names:
            if is_safe_path(name):
                path = self._folder(store) / "new" / name
                dropped += path.exists()
                path.unlink(missing_ok=True)
        return dropped

    def settle(self) -> None:
        """What was written is on the disk."""
        for store in self.stores:
            for folder, _folders, _files in os.walk(self._folder(store) / "new"):
                _take_after(Path(folder), store)
        os.sync()

    def keep(self) -> None:
        """From now on what is staged outlives us, whatever happens: said just before the database commits."""
        for store in self.stores:
            (self._folder(store) / KEEP).touch()

    def give_up(self) -> None:
        """The database did not commit: what is staged goes with us."""
        for store in self.stores:
            (self._folder(store) / KEEP).unlink(missing_ok=True)

    def put_in_place(self) -> None:
        """Once the database has committed."""
        for store in self.stores:
            _swap(store, self._folder(store))
        self.give_up()


def resume(store: Store, *, key: str) -> bool:
    """Finish what `put_in_place` began in a process that is gone; whether there was anything to do."""
    folder = store.root / f"{STAGED}{key}"
    if not folder.exists():
        return False
    _swap(store, folder)
    shutil.rmtree(folder)
    return True


def _swap(store: Store, folder: Path) -> None:
    """What was there makes room, what is new comes in. The names of the folders say how far it came."""
    new, old, leaving, done = (folder / name for name in ("new", "old", "leaving", "done"))
    if not new.exists():
        return
    if not old.exists():
        leaving.mkdir(exist_ok=True)
        for entry in list(store.root.iterdir()):
            if not entry.name.startswith((HELD, STAGED, COMING)):
                entry.rename(leaving / entry.name)
        # From here on what stands in the storage is what came.
        leaving.rename(old)
    for entry in list(new.iterdir()):
        entry.rename(store.root / entry.name)
    new.rename(done)
    shutil.rmtree(old, ignore_errors=True)


def _take_after(path: Path, store: Store) -> None:
    """Rights and owner as the storage gives them: run by root, files still belong to the site's user."""
    mode = store.storage.directory_permissions_mode if path.is_dir() else store.storage.file_permissions_mode
    path.chmod(mode if mode is not None else 0o755 if path.is_dir() else 0o644)
    if os.geteuid() == 0:
        owner = store.root.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
