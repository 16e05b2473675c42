"""Files of an edition: copied once under the digest of their bytes, so that they outlast the original."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from core.canonical import digest_bytes

FOLDER: Final = "editions"
# What an edition may hold, by ending: never what a browser would run.
CONTENT_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "vtt": "text/vtt",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "txt": "text/plain",
    "docx": mimetypes.types_map.get(".docx")
    or "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
# Shown in the page; everything else is downloaded.
INLINE: Final = frozenset(
    {"png", "jpg", "jpeg", "gif", "webp", "mp4", "webm", "mp3", "m4a", "ogg", "vtt", "pdf"}
)


def asset_url(file: str) -> str:
    """The lasting address of a stored file, the same wherever the files are kept (see `modules.views.show_asset`)."""
    return f"/media/{file}"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file of an edition: what it was called, where it is kept, what it is."""

    name: str
    file: str
    content_type: str
    size: int
    content: bytes = field(repr=False, compare=False, default=b"")

    @property
    def url(self) -> str:
        return asset_url(self.file)

    @property
    def extension(self) -> str:
        return PurePosixPath(self.file).suffix.removeprefix(".")

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "file": self.file, "content_type": self.content_type, "size": self.size}


def make_asset(*, name: str, content: bytes) -> Asset:
    """The asset of these bytes. Raises ValueError for a kind of file that an edition does not hold."""
    name = PurePosixPath(name).name
    extension = PurePosixPath(name).suffix.removeprefix(".").lower()
    if extension not in CONTENT_TYPES:
        raise ValueError(name)
    return Asset(
        name=name,
        file=f"{FOLDER}/{digest_bytes(content)}.{extension}",
        content_type=CONTENT_TYPES[extension],
        size=len(content),
        content=content,
    )


def store_asset(asset: Asset) -> None:
    """Keeps the bytes, once: what stands there under the same digest is the same."""
    if not default_storage.exists(asset.file):
        default_storage.save(asset.file, ContentFile(asset.content))
