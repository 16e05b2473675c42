"""Uploads are judged by what they contain, not by what they are called."""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import filetype
from django.conf import settings
from django.core.files.base import File
from django.utils.translation import gettext as _
from PIL import Image

from core.errors import InvalidInput

MEGABYTE: Final = 1024 * 1024
# The first bytes tell the kind; Office files keep their mark further in.
HEAD_BYTES: Final = 8192
LONGEST_STEM: Final = 100
# The largest file that a person may send, unless a place says otherwise.
LARGEST: Final = 10 * MEGABYTE

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
DOCUMENTS: Final = frozenset(
    {
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.text",
        "text/plain",
    }
)
EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "text/plain": "txt",
}


class RefusedUpload(InvalidInput):
    """A file that is not kept, and why."""

    code = "refused_upload"


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """What a file really is; `extension` is ours, never the sender's, and `name` is safe to show and to save under."""

    name: str
    content_type: str
    extension: str
    size: int
    width: int | None = None
    height: int | None = None


def check_upload(
    upload: File[bytes],
    *,
    kinds: Collection[str] = PICTURES | DOCUMENTS,
    max_bytes: int = LARGEST,
    decode: bool = False,
) -> CheckedUpload:
    """What the file is, or RefusedUpload with a sentence for the sender. The file is left rewound.

    `decode`: a picture that will be shown in other sizes is read to its last pixel, once it is known how many it has.
    """
    size = upload.size
    if not size:
        raise RefusedUpload(_("The file is empty. Nothing was kept."))
    if size > max_bytes:
        raise RefusedUpload(
            _("The file is larger than %(limit)s MB. Nothing was kept; send a smaller file.")
            % {"limit": max_bytes // MEGABYTE}
        )
    content_type = find_content_type(upload)
    if content_type is None or content_type not in kinds:
        names = ", ".join(sorted({EXTENSIONS[kind].upper() for kind in kinds if kind in EXTENSIONS}))
        raise RefusedUpload(
            _("The file is not of a kind that can be kept here. Send one of these: %(kinds)s.")
            % {"kinds": names}
        )
    width, height = _measure_picture(upload, decode=decode) if content_type in PICTURES else (None, None)
    extension = EXTENSIONS[content_type]
    return CheckedUpload(
        name=clean_name(upload.name or "", extension=extension),
        content_type=content_type,
        extension=extension,
        size=size,
        width=width,
        height=height,
    )


def clean_name(name: str, *, extension: str) -> str:
    """The sender's name for the file without its folders and controls, ending as its content does."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    stem = "".join(character for character in last if character.isprintable()).rsplit(".", 1)[0].strip(" .")
    return f"{stem[:LONGEST_STEM] or extension}.{extension}"


def find_content_type(upload: File[bytes]) -> str | None:
    """The kind that the content shows: by its marks, else plain text if all of it is UTF-8 text."""
    upload.seek(0)
    head = upload.read(HEAD_BYTES)
    upload.seek(0)
    kind = filetype.guess(head)
    if kind is not None:
        return str(kind.mime)
    try:
        text = upload.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    finally:
        upload.seek(0)
    has_control = any(ord(character) < 32 and character not in "\t\n\r\f" for character in text)
    return None if has_control else "text/plain"


def _measure_picture(upload: File[bytes], *, decode: bool) -> tuple[int, int]:
    """Width and height of a picture that can be decoded and is not a bomb."""
    limit = settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS
    upload.seek(0)
    content = upload.read()
    upload.seek(0)
    try:
        with warnings.catch_warnings():
            # Pillow warns of a bomb before it raises; a warning is enough for us.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                width, height = picture.size
                frames = getattr(picture, "n_frames", 1)
                if width * height * frames > limit:
                    raise _too_many_pixels(limit)
                picture.verify()
            if decode:
                with Image.open(io.BytesIO(content)) as picture:
                    picture.load()
    except RefusedUpload:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(limit) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise RefusedUpload(
            _("The picture cannot be read. Nothing was kept; open it on your device and save it again.")
        ) from error
    return width, height


def _too_many_pixels(limit: int) -> RefusedUpload:
    return RefusedUpload(
        _("The picture has more than %(limit)s million pixels. Nothing was kept; send a smaller one.")
        % {"limit": limit // 1_000_000}
    )
