"""A file is what it contains."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from core.uploads import DOCUMENTS, PICTURES, RefusedUpload, check_upload


def make_picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "navy").save(content, kind)
    return content.getvalue()


def make_bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that says it is so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_picture_is_measured_and_named_by_its_content() -> None:
    upload = SimpleUploadedFile("C:\\photos\\été 1.exe", make_picture("JPEG"), content_type="text/html")
    checked = check_upload(upload)
    assert (checked.content_type, checked.extension) == ("image/jpeg", "jpg")
    assert (checked.width, checked.height) == (40, 30)
    assert checked.name == "été 1.jpg"
    assert upload.tell() == 0


def test_plain_text_is_taken_as_text() -> None:
    checked = check_upload(SimpleUploadedFile("notes.txt", "Façade\n".encode()))
    assert (checked.content_type, checked.name) == ("text/plain", "notes.txt")


def test_a_pdf_is_a_document_but_no_picture() -> None:
    upload = SimpleUploadedFile("report.png", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    assert check_upload(upload, kinds=DOCUMENTS).name == "report.pdf"
    with pytest.raises(RefusedUpload, match="Send one of these: GIF, JPG, PNG, WEBP"):
        check_upload(upload, kinds=PICTURES)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"MZ\x90\x00\x03" + b"\0" * 200),
        ("a.png", b"\x7fELF" + b"\0" * 200),
        ("a.txt", b"\xff\xfe\x00\x01binary\x00"),
        ("a.txt", b"text with a bell \x07"),
        ("a.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
    ],
)
def test_what_is_neither_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(RefusedUpload, match="not of a kind"):
        check_upload(SimpleUploadedFile(name, content), kinds=PICTURES | (DOCUMENTS - {"text/plain"}))


def test_an_empty_a_large_and_a_broken_file_are_refused() -> None:
    with pytest.raises(RefusedUpload, match="empty"):
        check_upload(SimpleUploadedFile("a.png", b""))
    with pytest.raises(RefusedUpload, match="larger than 1 MB"):
        check_upload(SimpleUploadedFile("a.txt", b"a" * 1_048_577), max_bytes=1_048_576)
    with pytest.raises(RefusedUpload, match="cannot be read"):
        check_upload(SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40))


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(RefusedUpload):
        check_upload(SimpleUploadedFile("a.png", make_bomb()))


def test_more_pixels_than_we_take_are_refused_where_the_library_would_not_mind() -> None:
    with pytest.raises(RefusedUpload, match="million pixels"):
        check_upload(SimpleUploadedFile("a.png", make_bomb(side=7_500)))


def test_the_frames_of_a_picture_count_together() -> None:
    content = io.BytesIO()
    first, second = (Image.new("P", (6_000, 6_000), colour) for colour in (1, 2))
    first.save(content, "GIF", save_all=True, append_images=[second])
    with pytest.raises(RefusedUpload, match="million pixels"):
        check_upload(SimpleUploadedFile("a.gif", content.getvalue()))


def test_a_name_cannot_lead_elsewhere() -> None:
    checked = check_upload(SimpleUploadedFile("x", make_picture()))
    assert checked.name == "x.png"
    upload = SimpleUploadedFile("ignored", make_picture())
    upload._name = "../../etc/\u0000passwd\n.png"
    assert check_upload(upload).name == "passwd.png"
