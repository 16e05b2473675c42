"""Files on a disk: each is there whole or not at all, also where the disk is full or the process dies."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import Any, Final

from django.core.files.base import File
from django.core.files.move import file_move_safe
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_join

# A folder of ours inside a storage: on the same disk as its files.
COMING: Final = ".coming-in"
# The disk is full or may hold no more of ours, its file system takes no file so large, may not be written or fails.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


def lacks_room(error: BaseException | None) -> bool:
    """Whether an error says that a disk takes no more."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


class WholeFileStorage(FileSystemStorage):
    """Django's, but a file gets its name when all of it is on the disk.

    Django writes under the name itself, and what a full disk or a killed process leaves there looks like a file.
    """

    def _save(self, name: str, content: File[bytes]) -> str:
        coming = Path(safe_join(self.location, COMING))
        coming.mkdir(mode=self.directory_permissions_mode or 0o777, parents=True, exist_ok=True)
        part = coming / uuid.uuid4().hex
        try:
            _write(part, content, mode=self.file_permissions_mode)
            return self._name(part, name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()

    def _name(self, part: Path, name: str) -> str:
        """Give the file its name, or one like it where that is taken meanwhile."""
        while True:
            path = Path(self.path(name))
            path.parent.mkdir(mode=self.directory_permissions_mode or 0o777, parents=True, exist_ok=True)
            try:
                try:
                    os.link(part, path)
                except FileExistsError:
                    raise
                except OSError:
                    # A file system without links.
                    file_move_safe(str(part), str(path), allow_overwrite=False)
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                return path.relative_to(self.location).as_posix()


def _write(path: Path, content: File[bytes], *, mode: int | None) -> None:
    with path.open("xb") as file:
        for chunk in content.chunks():
            data: Any = chunk
            file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        # What a row will name is to outlive the machine's power.
        os.fsync(file.fileno())
    if mode is not None:
        path.chmod(mode)
