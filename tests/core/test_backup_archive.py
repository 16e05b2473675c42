"""The backup's file: whole or refused, and never a way out of the folder it is unpacked into."""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backup.archive import MARK, TRAILER_BYTES, BackupReader, BackupWriter, is_packed, read_chunks
from core.backup.errors import BackupRefused, DamagedBackup
from core.backup.manifest import (
    MANIFEST,
    Manifest,
    ManifestError,
    Sequence,
    StoredFile,
    TableData,
    is_safe_path,
    name_file_member,
)

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ROWS = b"1\tMilan\n2\tNo\\nelle\n"


def describe(**changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "id": uuid.UUID(int=7),
        "made_at": MOMENT,
        "software": "1.0",
        "origin": "https://learn.example.ca",
        "demo": False,
        "server_version": 180004,
        "migrations": (("core", "0001_initial"),),
        "tables": (),
        "sequences": (Sequence(table="people", column="id", next_value=3),),
        "files": (),
        "notes": {"editions": []},
    }
    return Manifest(**{**values, **changes})


def write(target: Path, *, overwrite: bool = False) -> Manifest:
    """A small backup: one table and one file."""
    with BackupWriter(target, moment=MOMENT, overwrite=overwrite) as writer:
        size, sha256 = writer.add("database/people.copy", [ROWS[:4], ROWS[4:]])
        table = TableData(
            member="database/people.copy",
            size=size,
            sha256=sha256,
            table="people",
            columns=(("id", "bigint"), ("name", "text")),
            rows=2,
        )
        size, sha256 = writer.add("files/private/a/é.pdf", [b"PDF"], packed=True)
        file = StoredFile(
            member="files/private/a/é.pdf", size=size, sha256=sha256, storage="private", name="a/é.pdf"
        )
        manifest = describe(tables=(table,), files=(file,))
        writer.finish(manifest)
    return manifest


def seal(content: bytes) -> bytes:
    """A zip with the digest at its end that ours has, whatever is in it: as somebody who means ill would write it."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = MARK + b"0" * 64
    whole = buffer.getvalue()[:-TRAILER_BYTES]
    return whole + MARK + hashlib.sha256(whole).hexdigest().encode()


def forge(manifest: Manifest | dict[str, Any], members: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
    text = manifest.to_json() if isinstance(manifest, Manifest) else json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(MANIFEST, text)
    return seal(buffer.getvalue())


def verify(path: Path) -> Manifest:
    with BackupReader(path) as reader:
        return reader.verify()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write(tmp_path / "a.backup")
    return tmp_path / "a.backup"


class TestWriting:
    def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        target = tmp_path / "a.backup"
        manifest = write(target)
        with BackupReader(target) as reader:
            assert reader.verify() == manifest
            assert b"".join(reader.read(manifest.tables[0])) == ROWS
            assert b"".join(reader.read(manifest.files[0])) == b"PDF"
        assert zipfile.ZipFile(target).namelist()[-1] == MANIFEST

    def test_only_its_owner_reads_it(self, made: Path) -> None:
        assert made.stat().st_mode & 0o777 == 0o600
        assert list(made.parent.iterdir()) == [made]

    def test_the_digest_is_the_one_that_any_tool_computes(self, tmp_path: Path) -> None:
        target = tmp_path / "a.backup"
        with BackupWriter(target, moment=MOMENT) as writer:
            writer.finish(describe())
        assert writer.whole_digest == hashlib.sha256(target.read_bytes()).hexdigest()
        assert writer.size == target.stat().st_size

    def test_an_existing_file_is_left_alone(self, made: Path) -> None:
        before = made.read_bytes()
        with pytest.raises(BackupRefused, match="is there already"):
            write(made)
        assert made.read_bytes() == before
        write(made, overwrite=True)

    def test_one_that_came_meanwhile_is_left_alone(self, tmp_path: Path) -> None:
        target = tmp_path / "a.backup"
        with BackupWriter(target, moment=MOMENT) as writer:
            target.write_text("mine")
            with pytest.raises(BackupRefused, match="is there already"):
                writer.finish(describe())
        assert [path.name for path in tmp_path.iterdir()] == ["a.backup"]
        assert target.read_text() == "mine"

    def test_breaking_off_leaves_nothing(self, tmp_path: Path) -> None:
        def break_off() -> Iterator[bytes]:
            yield b"some"
            raise RuntimeError("the disk is full")

        with pytest.raises(RuntimeError), BackupWriter(tmp_path / "a.backup", moment=MOMENT) as writer:
            writer.add("database/people.copy", break_off())
        assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(BackupRefused, match="cannot be written"):
            write(tmp_path / "far" / "a.backup")


class TestDamage:
    def test_any_byte(self, made: Path) -> None:
        whole = made.read_bytes()
        for place in range(len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 0x20
            made.write_bytes(changed)
            with pytest.raises(DamagedBackup):
                verify(made)

    def test_any_length(self, made: Path) -> None:
        whole = made.read_bytes()
        for length in range(len(whole)):
            made.write_bytes(whole[:length])
            with pytest.raises(DamagedBackup):
                verify(made)

    def test_something_behind_the_end(self, made: Path) -> None:
        made.write_bytes(made.read_bytes() + b"\n")
        with pytest.raises(DamagedBackup):
            verify(made)

    @pytest.mark.parametrize("content", [b"", b"no zip", seal(b"PK\x05\x06" + b"\0" * 18)])
    def test_what_is_no_backup(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(DamagedBackup):
            verify(tmp_path / "a")

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(BackupRefused, match="cannot be read"):
            verify(tmp_path / "a")


def stored(name: str, content: bytes = b"x", **changes: Any) -> StoredFile:
    values: dict[str, Any] = {
        "member": name_file_member(storage="default", name=name),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "storage": "default",
        "name": name,
    }
    return StoredFile(**{**values, **changes})


class TestForgery:
    """The digest at the end is right, and what is inside means ill."""

    def refuse(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(DamagedBackup):
            verify(tmp_path / "a")

    def test_what_is_well_formed_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(forge(describe(files=(stored("b"),)), {"files/default/b": b"x"}))
        verify(tmp_path / "a")

    @pytest.mark.parametrize(
        "name",
        ["../b", "/etc/b", "a/../../b", "a//b", "a/./b", "a\\..\\b", "b/", "", "a\nb", ".restore-1/new/b"],
    )
    def test_a_way_out(self, tmp_path: Path, name: str) -> None:
        self.refuse(tmp_path, forge(describe(files=(stored(name),)), {f"files/default/{name}": b"x"}))

    def test_a_storage_that_leads_out(self, tmp_path: Path) -> None:
        file = stored("b", storage="../static", member="files/../static/b")
        self.refuse(tmp_path, forge(describe(files=(file,)), {file.member: b"x"}))

    def test_a_link(self, tmp_path: Path) -> None:
        link = zipfile.ZipInfo("files/default/b")
        link.external_attr = 0o120777 << 16
        self.refuse(tmp_path, forge(describe(files=(stored("b", b"/etc"),)), {link: b"/etc"}))

    def test_a_member_that_is_not_listed(self, tmp_path: Path) -> None:
        self.refuse(tmp_path, forge(describe(), {"files/default/b": b"x"}))

    def test_a_member_that_is_missing(self, tmp_path: Path) -> None:
        self.refuse(tmp_path, forge(describe(files=(stored("b"),)), {}))

    def test_a_member_that_is_there_twice(self, tmp_path: Path) -> None:
        files = (stored("b"), stored("b"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            content = forge(
                describe(files=files), {"files/default/b": b"x", zipfile.ZipInfo("files/default/b"): b"x"}
            )
        self.refuse(tmp_path, content)

    @pytest.mark.parametrize("changes", [{"sha256": "0" * 64}, {"size": 2}, {"size": 0}])
    def test_a_member_that_is_another(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        self.refuse(tmp_path, forge(describe(files=(stored("b", **changes),)), {"files/default/b": b"x"}))

    def test_a_member_that_is_more_than_it_says(self, tmp_path: Path) -> None:
        bomb = b"\0" * 5_000_000
        small = stored("b", bomb, size=1)
        self.refuse(tmp_path, forge(describe(files=(small,)), {"files/default/b": bomb}))

    def test_members_that_overlap(self, tmp_path: Path) -> None:
        """Many names for one packed member: more than a file of its size can hold."""
        bomb = b"\0" * 20_000_000
        buffer = io.BytesIO()
        names = [f"b{number}" for number in range(60)]
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("files/default/b0", bomb)
            first = archive.getinfo("files/default/b0")
            for name in names[1:]:
                other = zipfile.ZipInfo(f"files/default/{name}")
                for value in ("CRC", "compress_size", "file_size", "header_offset", "compress_type"):
                    setattr(other, value, getattr(first, value))
                other.external_attr = first.external_attr
                archive.filelist.append(other)
                archive.NameToInfo[other.filename] = other
            files = tuple(stored(name, bomb) for name in names)
            archive.writestr(MANIFEST, describe(files=files).to_json())
        self.refuse(tmp_path, seal(buffer.getvalue()))

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"format": "another"},
            {"format": "safer-communities-backup/1"},
            {**json.loads(describe().to_json()), "files": [{"name": 1}]},
            {**json.loads(describe().to_json()), "tables": [7]},
            {**json.loads(describe().to_json()), "migrations": "core"},
            {**json.loads(describe().to_json()), "made_at": "today"},
        ],
    )
    def test_a_list_that_is_none(self, tmp_path: Path, document: dict[str, Any]) -> None:
        self.refuse(tmp_path, forge(document, {}))


@given(st.text())
def test_a_safe_path_stays_under_its_folder(path: str) -> None:
    if is_safe_path(path):
        root = Path("/srv/files")
        joined = Path(os.path.normpath(root / path))
        assert joined.is_relative_to(root)
        assert joined != root


def test_a_path_that_no_disk_takes_is_not_safe() -> None:
    assert not is_safe_path("a" * 256)
    assert not is_safe_path("/".join(["ab"] * 2000))
    assert not is_safe_path("\udcff")
    assert is_safe_path("images/été.width-320.webp")


def test_the_manifest_reads_what_it_wrote() -> None:
    manifest = describe(files=(stored("b"),), missing=("private/c",), left_out=("django_session",))
    assert Manifest.from_json(manifest.to_json()) == manifest
    with pytest.raises(ManifestError, match="twice"):
        Manifest.from_json(replace(manifest, files=(stored("b"), stored("b"))).to_json())


def test_what_is_packed_already_is_not_packed_again(made: Path) -> None:
    assert is_packed("a/b.PDF")
    assert not is_packed("a/b.svg")
    packing = {info.filename: info.compress_type for info in zipfile.ZipFile(made).infolist()}
    assert packing["files/private/a/é.pdf"] == zipfile.ZIP_STORED
    assert packing["database/people.copy"] == zipfile.ZIP_DEFLATED


def test_so_many_bytes_are_read() -> None:
    assert b"".join(read_chunks(io.BytesIO(b"abcdef"), length=4)) == b"abcd"
    assert b"".join(read_chunks(io.BytesIO(b"abcdef"))) == b"abcdef"
