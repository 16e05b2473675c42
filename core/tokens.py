"""A form's token, masked and read as Django does it, at a tenth of the calls: every page of a signed-in person carries
one, and every form brings one back (docs/adr/0101).
"""

from __future__ import annotations

import secrets
from itertools import product
from typing import Final

from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, get_token

_PLACES: Final = {sign: place for place, sign in enumerate(CSRF_ALLOWED_CHARS)}
_COUNT: Final = len(CSRF_ALLOWED_CHARS)
# The sign of a secret, by a sign of its mask and the one that stands for it.
_SECRETS: Final = {
    (mask, cipher): CSRF_ALLOWED_CHARS[_PLACES[cipher] - _PLACES[mask]]
    for mask, cipher in product(CSRF_ALLOWED_CHARS, repeat=2)
}
# Bytes from here on would make the first signs likelier than the others.
_FAIR: Final = 256 - 256 % _COUNT


def make_token(request: HttpRequest) -> str:
    """The token of the forms of a page, new each time so that packing gives nothing away (docs/adr/0080)."""
    secret = request.META.get("CSRF_COOKIE")
    if secret is None or len(secret) != CSRF_SECRET_LENGTH:
        return get_token(request)
    # As `get_token` does: the answer renews the cookie.
    request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True
    return mask_secret(secret)


def mask_secret(secret: str) -> str:
    """A random mask, and the secret shifted by it sign by sign."""
    mask: list[int] = []
    while len(mask) < len(secret):
        mask += [byte % _COUNT for byte in secrets.token_bytes(2 * len(secret)) if byte < _FAIR]
    del mask[len(secret) :]
    cipher = [(_PLACES[sign] + shift) % _COUNT for sign, shift in zip(secret, mask, strict=True)]
    return "".join([CSRF_ALLOWED_CHARS[place] for place in (*mask, *cipher)])


def unmask_token(token: str) -> str:
    """The secret of a masked token that has the length and the signs of one, as Django has made sure."""
    mask, cipher = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
    return "".join([_SECRETS[pair] for pair in zip(mask, cipher, strict=True)])
