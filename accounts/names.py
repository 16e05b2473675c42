"""Names as people write them, and the little that is refused."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST_NAME: Final = 200
# A name goes into e-mails; an address in it would make them advertise.
ADDRESS: Final = re.compile(r"://|www\.|@", re.IGNORECASE)


def clean_name(name: str) -> str:
    """The name with single spaces; ValidationError where it holds markup, an address or no letter."""
    tidy = " ".join(
        "".join(
            " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character for character in name
        ).split()
    )
    if not any(character.isalpha() for character in tidy):
        raise ValidationError(_("Write your name with at least one letter."))
    if len(tidy) > LONGEST_NAME:
        raise ValidationError(_("Write a name of at most %(limit)d characters.") % {"limit": LONGEST_NAME})
    if ADDRESS.search(tidy) or set(tidy) & set("<>{}[]\\"):
        raise ValidationError(_("Write your name only, without an address of the web or of e-mail."))
    return tidy
