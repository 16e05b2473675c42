"""Files held still while a backup reads them, and files that take their place all together, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

from core.backup import files
from core.backup.errors import BackupRefused
from core.backup.files import HELD, STAGED, Staging, Store, hold_files, resume, walk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    root = tmp_path / "media"
    root.mkdir()
    return Store("default", FileSystemStorage(location=str(root), file_permissions_mode=0o640))


def fill(store: Store, **contents: str) -> None:
    for name, text in contents.items():
        path = store.root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(store: Store) -> dict[str, str]:
    return {name: (store.root / name).read_text() for name, _state in walk(store.root)}


def ours(store: Store) -> list[str]:
    return [path.name for path in store.root.iterdir() if path.name.startswith((HELD, STAGED))]


class TestHolding:
    def test_what_is_deleted_or_replaced_meanwhile_can_still_be_read(self, store: Store) -> None:
        fill(store, a="first", b__c="second")
        with hold_files([store]) as (held,):
            assert held.linked
            (store.root / "a").unlink()
            (store.root / "b/c").unlink()
            fill(store, b__c="third", d="late")
            assert {name: file.path.read_text() for name, file in held.files.items()} == {
                "a": "first",
                "b/c": "second",
            }
            assert set(read(store)) == {"b/c", "d"}
        assert not ours(store)

    def test_links_passing_files_and_folders_of_ours_are_not_held(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("x")
        fill(store, a="first", readyz__probe="x")
        (store.root / "link").symlink_to(tmp_path / "secret")
        (store.root / "folder").symlink_to(tmp_path)
        with hold_files([store]) as (held,), hold_files([store]) as (again,):
            assert set(held.files) == {"a"}
            assert set(again.files) == {"a"}

    def test_a_name_that_no_backup_holds_is_said(self, store: Store) -> None:
        (store.root / "a\\b").write_text("x")
        with hold_files([store]) as (held,):
            assert held.unusable == ("a\\b",)

    def test_a_disk_without_links_is_read_in_place(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: Any, **kwargs: Any) -> None:
            raise PermissionError("no links here")

        fill(store, a="first")
        monkeypatch.setattr(os, "link", refuse)
        with hold_files([store]) as (held,):
            assert not held.linked
            assert held.files["a"].path == store.root / "a"

    def test_what_a_killed_backup_left_is_removed(self, store: Store) -> None:
        """The other process is really killed, and a living one is left alone."""
        fill(store, a="first")
        program = (
            "import sys, time; from pathlib import Path; from core.backup.files import own_folder\n"
            "with own_folder(Path(sys.argv[1])):\n    print('ready', flush=True); time.sleep(60)"
        )
        folder = store.root / f"{HELD}other"
        with subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
            with hold_files([store]):
                assert folder.exists()
            other.kill()
        assert folder.exists()
        with hold_files([store]):
            assert not folder.exists()

    def test_a_storage_that_is_not_there_yet_holds_nothing(self, tmp_path: Path) -> None:
        store = Store("default", FileSystemStorage(location=str(tmp_path / "none")))
        with hold_files([store]) as (held,):
            assert not held.files


class TestStaging:
    def stage(self, store: Store, key: str = "k") -> Staging:
        return Staging([store], key=key)

    def test_new_files_take_the_place_of_the_old(self, store: Store) -> None:
        fill(store, a="old", b__c="old", z="old")
        with self.stage(store) as staging:
            staging.write(store, "a", [b"n", b"ew"])
            staging.write(store, "b/d", [b"new"])
            staging.settle()
            assert read(store) == {"a": "old", "b/c": "old", "z": "old"}
            staging.keep()
            staging.put_in_place()
        assert read(store) == {"a": "new", "b/d": "new"}
        assert (store.root / "a").stat().st_mode & 0o777 == 0o640
        assert not ours(store)

    def test_given_up_nothing_is_left(self, store: Store) -> None:
        fill(store, a="old")
        with self.stage(store) as staging:
            staging.write(store, "a", [b"new"])
            staging.keep()
            staging.give_up()
        assert read(store) == {"a": "old"}
        assert not ours(store)

    def test_discarded_files_do_not_come(self, store: Store) -> None:
        with self.stage(store) as staging:
            staging.write(store, "a", [b"new"])
            staging.write(store, "b", [b"new"])
            assert staging.discard(store, {"a", "c", "../../secret"}) == 1
            staging.put_in_place()
        assert read(store) == {"b": "new"}

    def test_a_file_where_a_folder_should_be_is_refused_by_the_disk(self, store: Store) -> None:
        with self.stage(store) as staging:
            staging.write(store, "a", [b"new"])
            with pytest.raises(OSError, match="a"):
                staging.write(store, "a/b", [b"new"])

    @pytest.mark.parametrize("steps", range(9))
    def test_broken_off_anywhere_it_is_finished_later(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, steps: int
    ) -> None:
        """The process ends at the n-th renaming; another one goes on from there."""
        fill(store, a="old", b__c="old", z="old")
        taken = 0
        rename = Path.rename

        def end_there(self: Path, target: Path) -> Path:
            nonlocal taken
            if taken == steps:
                raise OSError("killed")
            taken += 1
            return rename(self, target)

        with self.stage(store) as staging:
            staging.write(store, "a", [b"new"])
            staging.write(store, "b/d", [b"new"])
            staging.write(store, "e", [b"new"])
            staging.keep()
            with monkeypatch.context() as patch:
                patch.setattr(Path, "rename", end_there)
                try:
                    staging.put_in_place()
                except OSError:
                    broken_off = True
                else:
                    broken_off = False
        assert broken_off == (steps < 8)
        assert resume(store, key="k") == broken_off
        assert read(store) == {"a": "new", "b/d": "new", "e": "new"}
        assert not ours(store)
        assert not resume(store, key="k")

    def test_broken_off_while_the_old_files_go_it_does_not_begin_again(self, store: Store) -> None:
        fill(store, a="old")
        with self.stage(store) as staging:
            staging.write(store, "a", [b"new"])
            staging.keep()
            folder = store.root / f"{STAGED}k"
            files._swap(store, folder)
        # Still kept, as after a kill between the last renaming and the tidying.
        assert folder.exists()
        assert resume(store, key="k")
        assert read(store) == {"a": "new"}

    def test_files_that_do_not_fit_are_refused_before_anything_is_written(self, store: Store) -> None:
        with pytest.raises(BackupRefused, match="MB are free"):
            files.refuse_without_space([store], sizes={"default": 1 << 60})
        files.refuse_without_space([store], sizes={"default": 1})


def test_walking_goes_on_where_files_vanish(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, a="1", b__c="2", d="3")
    names = []
    for name, _state in walk(store.root):
        names.append(name)
        (store.root / "d").unlink(missing_ok=True)
        (store.root / "b/c").unlink(missing_ok=True)
        if (store.root / "b").exists():
            (store.root / "b").rmdir()
    assert names == ["a"]


def test_the_time_of_a_file_is_known(store: Store) -> None:
    fill(store, a="1")
    with hold_files([store]) as (held,):
        assert abs(held.files["a"].changed_at - time.time()) < 60
