"""The form of a picture in the CMS: a file that is no picture is refused in words, before Wagtail stumbles over it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from wagtail.images.forms import BaseImageForm

from core.uploads import PICTURES, RefusedUpload, check_upload


class PictureForm(BaseImageForm):
    """Wagtail's, whose file is looked at by its content first, to its last pixel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("file")
        if field is not None:
            field.to_python = partial(_read, field.to_python)


def _read(read: Callable[[Any], Any], data: Any) -> Any:
    # Without a file, and for an empty one, Django's field has its own words.
    if data and getattr(data, "size", 0):
        try:
            check_upload(data, kinds=PICTURES, max_bytes=settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE, decode=True)
        except RefusedUpload as error:
            raise ValidationError(str(error), code=error.code) from error
    return read(data)
