"""The backup's file: a zip that any tool opens, whose last bytes are the SHA-256 of all bytes before them.

So a damaged byte anywhere is found before anything is unpacked. Each member is named by its own digest in the
manifest. Everything is streamed: what is in memory at a time is a chunk, and the list of members.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from django.utils.translation import gettext as _

from core.backup.errors import BackupRefused, DamagedBackup
from core.backup.manifest import MANIFEST, Manifest, ManifestError, Member

CHUNK: Final = 1 << 20
MARK: Final = b"sha256:"
TRAILER_BYTES: Final = len(MARK) + 64
# What deflate can make of a byte is at most 1,032: a file that says more was not made here.
MOST_EXPANSION: Final = 1100
LARGEST_MANIFEST: Final = 1 << 30
# Deflating these again costs time and saves nothing.
PACKED: Final = frozenset(
    {
        *("avif", "gif", "heic", "jpeg", "jpg", "png", "webp"),
        *("m4a", "mp3", "mp4", "ogg", "webm"),
        *("docx", "odp", "ods", "odt", "pdf", "pptx", "xlsx"),
        *("7z", "br", "gz", "woff2", "xz", "zip"),
    }
)

Tick = Callable[[int], None]


def read_chunks(file: IO[bytes], *, length: int | None = None) -> Iterator[bytes]:
    """The rest of a file (or so many bytes of it), a chunk at a time."""
    left = length
    while left is None or left > 0:
        chunk = file.read(CHUNK if left is None else min(CHUNK, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def is_packed(name: str) -> bool:
    return name.rsplit(".", 1)[-1].lower() in PACKED


class BackupWriter:
    """Writes a backup under a temporary name beside its own, and gives it its name once it is whole.

    As a context manager: leaving it before `finish` removes what was written.
    """

    def __init__(self, target: Path, *, moment: datetime, overwrite: bool = False) -> None:
        self.target = target
        self.overwrite = overwrite
        self._moment = moment
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
        self.whole_digest = ""
        self.size = 0

    def __enter__(self) -> BackupWriter:
        self._refuse_existing()
        try:
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise BackupRefused(
                _("The backup cannot be written in the folder %(folder)s: %(error)s.")
                % {"folder": self.target.parent, "error": error.strerror}
            ) from error
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._zip.fp is not None:
            # Not finished. Closing would write a directory for it, and a full disk would fail again.
            self._zip.fp = None
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool = False) -> tuple[int, str]:
        """Add a member; returns its size and its SHA-256."""
        info = zipfile.ZipInfo(name, date_time=self._moment.timetuple()[:6])
        info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o100600 << 16
        digest = hashlib.sha256()
        size = 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        return size, digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the digest of the whole, and give the file its name."""
        self.add(MANIFEST, [manifest.to_json()])
        # Ends the file; its digest takes the place of the zeros.
        self._zip.comment = MARK + b"0" * 64
        self._zip.close()
        self._file.flush()
        end = self._file.seek(0, os.SEEK_END) - TRAILER_BYTES
        self._file.seek(0)
        digest = hashlib.sha256()
        for chunk in read_chunks(self._file, length=end):
            digest.update(chunk)
        trailer = MARK + digest.hexdigest().encode()
        self._file.seek(end)
        self._file.write(trailer)
        self._file.flush()
        os.fsync(self._file.fileno())
        digest.update(trailer)
        self.whole_digest, self.size = digest.hexdigest(), end + TRAILER_BYTES
        self._place()

    def _place(self) -> None:
        if self.overwrite:
            self._part.replace(self.target)
        else:
            try:
                # Unlike a renaming, a link never takes the place of another file.
                os.link(self._part, self.target)
            except FileExistsError:
                self._refuse_existing()
            except OSError:
                # A file system without links.
                self._refuse_existing()
                self._part.rename(self.target)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _refuse_existing(self) -> None:
        if self.target.is_dir() or (self.target.exists() and not self.overwrite):
            raise BackupRefused(
                _("%(file)s is there already, and a backup is not overwritten. Give another name.")
                % {"file": self.target}
            )


class BackupReader:
    """Reads a backup that `verify` has found whole. The file stays open, so it is the same one all the time."""

    def __init__(self, source: Path) -> None:
        self.source = source
        try:
            self._file = source.open("rb")
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise BackupRefused(
                _("The backup %(file)s cannot be read: %(error)s.")
                % {"file": source, "error": error.strerror}
            ) from error
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> BackupReader:
        return self

    def __exit__(self, *details: object) -> None:
        if self._zip is not None:
            self._zip.close()
        self._file.close()

    def verify(self, *, tick: Tick = lambda _done: None) -> Manifest:
        """Check the digest of the whole and of every member; raises DamagedBackup. Reads everything twice.

        `tick` is told how many bytes of the file, and then of its members, are done.
        """
        self._verify_whole(tick)
        try:
            self._zip = zipfile.ZipFile(self._file)
            manifest = self._read_manifest()
            self._compare_members(manifest)
            done = 0
            for member in manifest.members.values():
                for chunk in self.read(member):
                    done += len(chunk)
                    tick(done)
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            ValueError,
            EOFError,
        ) as error:
            raise self._damaged(str(error)) from error
        return manifest

    def read(self, member: Member) -> Iterator[bytes]:
        """The bytes of a member; raises DamagedBackup at its end where they are not those of its digest."""
        assert self._zip is not None, "Verified first."
        digest = hashlib.sha256()
        size = 0
        with self._zip.open(member.member) as file:
            for chunk in read_chunks(file):
                size += len(chunk)
                if size > member.size:
                    raise self._damaged(member.member)
                digest.update(chunk)
                yield chunk
        if size != member.size or digest.hexdigest() != member.sha256:
            raise self._damaged(member.member)

    def _verify_whole(self, tick: Tick) -> None:
        end = self.size - TRAILER_BYTES
        self._file.seek(max(0, end))
        trailer = self._file.read()
        if end <= 0 or not trailer.startswith(MARK):
            raise DamagedBackup(
                _(
                    "%(file)s is no backup of this software, or its end is missing: it was cut off while it was "
                    "copied. Nothing was changed."
                )
                % {"file": self.source}
            )
        self._file.seek(0)
        digest = hashlib.sha256()
        done = 0
        for chunk in read_chunks(self._file, length=end):
            digest.update(chunk)
            done += len(chunk)
            tick(done)
        if MARK + digest.hexdigest().encode() != trailer:
            raise self._damaged(_("the digest of the whole file is another"))

    def _read_manifest(self) -> Manifest:
        assert self._zip is not None
        try:
            info = self._zip.getinfo(MANIFEST)
            if info.file_size > LARGEST_MANIFEST:
                raise self._damaged(MANIFEST)
            return Manifest.from_json(self._zip.read(info))
        except (KeyError, ManifestError) as error:
            raise self._damaged(str(error)) from error

    def _compare_members(self, manifest: Manifest) -> None:
        """What is in the file is what the manifest lists, under plain names and within sizes that can be."""
        assert self._zip is not None
        listed = manifest.members
        found = self._zip.infolist()
        total = sum(info.file_size for info in found)
        if len(found) != len(listed) + 1 or {info.filename for info in found} != {*listed, MANIFEST}:
            raise self._damaged(_("it does not hold what its list says"))
        for info in found:
            kind = info.external_attr >> 28
            if info.is_dir() or kind not in {0, 0o10} or (info.flag_bits & 0x1):
                raise self._damaged(info.filename)
            if info.filename != MANIFEST and info.file_size != listed[info.filename].size:
                raise self._damaged(info.filename)
        if total > MOST_EXPANSION * self.size:
            raise self._damaged(_("it would unpack to more than any file of its size can hold"))

    def _damaged(self, detail: str) -> DamagedBackup:
        return DamagedBackup(
            _("%(file)s is damaged (%(detail)s). Nothing was changed. Take another backup.")
            % {"file": self.source, "detail": detail}
        )
