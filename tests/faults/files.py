"""Files that are broken, that lie or that are made to harm, and what is left of them."""

from __future__ import annotations

import contextlib
import io
import resource
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

MEGABYTE: Final = 1024 * 1024
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True)
class Sent:
    """A file as a browser sends it."""

    name: str
    content: bytes
    content_type: str

    def upload(self) -> SimpleUploadedFile:
        made = SimpleUploadedFile("x", self.content, content_type=self.content_type)
        # Django itself keeps only the last part; a browser may send anything.
        made._name = self.name  # type: ignore[attr-defined]
        return made


def picture(kind: str = "PNG", side: int = 40) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (side, side), "navy").save(content, kind)
    return content.getvalue()


def claim(side: int) -> bytes:
    """A PNG of a few bytes that says it is so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def claim_gif(side: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\x00\x00" + b"\x00" * 6 + b";"


def zip_bomb(first: str, *, megabytes: int = 200) -> bytes:
    """An Office or OpenDocument file of some kilobytes that would unpack to so much."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            first, "<Types/>" if first.startswith("[") else "application/vnd.oasis.opendocument.text"
        )
        with archive.open("word/document.xml", "w") as member:
            for _ in range(megabytes):
                member.write(bytes(MEGABYTE))
    return packed.getvalue()


LAUGHS: Final = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + ']><svg xmlns="http://www.w3.org/2000/svg"><text>&m;</text></svg>'
).encode()
SCRIPT: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

# What is refused wherever a picture is asked for.
NO_PICTURES: Final = {
    "empty": Sent("empty.png", b"", "image/png"),
    "cut off": Sent("cut.png", picture()[:40], "image/png"),
    "cut off, JPEG": Sent("cut.jpg", picture("JPEG")[:120], "image/jpeg"),
    "cut off, GIF": Sent("cut.gif", picture("GIF")[:12], "image/gif"),
    "cut off, WEBP": Sent("cut.webp", picture("WEBP")[:24], "image/webp"),
    "50,000 × 50,000": Sent("bomb.png", claim(50_000), "image/png"),
    "50,000 × 50,000, GIF": Sent("bomb.gif", claim_gif(50_000), "image/gif"),
    "8,000 × 8,000": Sent("large.png", claim(8_000), "image/png"),
    "a program": Sent("a.png", b"MZ\x90\x00\x03" + b"\0" * 300, "image/png"),
    "a page": Sent("a.png", b"<html><script>alert(1)</script></html>", "image/png"),
    "a drawing that laughs": Sent("a.svg", LAUGHS, "image/svg+xml"),
    "a drawing that laughs, by another name": Sent("a.png", LAUGHS, "image/png"),
    "a drawing with a script": Sent("a.svg", SCRIPT, "image/svg+xml"),
}

# What is no file that a learner may hand in, besides.
NO_WORK: Final = {
    **NO_PICTURES,
    "a program called a document": Sent("a.pdf", b"\x7fELF" + b"\0" * 300, "application/pdf"),
    "too large": Sent("a.txt", b"a" * (10 * MEGABYTE + 1), "text/plain"),
    "an archive": Sent("a.zip", b"PK\x03\x04" + b"\0" * 60, "application/zip"),
    "text that is none": Sent("a.txt", b"\xff\xfe\x00\x01", "text/plain"),
}
# A page is text, which harms nobody: it is never shown as a page.
del NO_WORK["a page"], NO_WORK["a drawing that laughs"], NO_WORK["a drawing with a script"]
del NO_WORK["a drawing that laughs, by another name"]

NAMES: Final = {
    "../../../etc/passwd": "passwd.txt",
    "..\\..\\windows\\system.ini": "system.txt",
    "/absolute/plan.txt": "plan.txt",
    "a\x00b\r\nc\x1b.txt": "abc.txt",
    "\u202egnp.exe.txt": "gnp.exe.txt",
    "x" * 300 + ".txt": "x" * 100 + ".txt",
    ".htaccess": "txt.txt",
    "": "txt.txt",
    "CON": "CON.txt",
    "plan.php": "plan.txt",
}


def files_now() -> set[Path]:
    """Every file where files are kept, and where they wait while they come in."""
    kept = [Path(settings.STORAGES[alias]["OPTIONS"]["location"]) for alias in ("default", "private")]
    found = {path for folder in kept for path in folder.rglob("*") if path.is_file()}
    return found | {path for path in Path(tempfile.gettempdir()).glob("*.upload*") if path.is_file()}


@contextlib.contextmanager
def full_disk(*, after: int) -> Iterator[None]:
    """The system refuses, for anybody, to make a file of this process larger than so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
