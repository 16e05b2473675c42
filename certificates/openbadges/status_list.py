"""Bitstring Status List v1.0 (W3C): one signed list says of every credential whether it is revoked or suspended.

A list is at least 131,072 bits long, whatever is in it, so that asking for it does not tell which credential is being
checked. Bit 0 is the leftmost bit of the first byte.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import gzip
import secrets
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from certificates.openbadges import loader
from certificates.openbadges.proof import format_moment

MINIMUM_BITS: Final = 131_072
_LARGEST_BYTES = 8 * 1024 * 1024

Purpose = Literal["revocation", "suspension"]


class StatusListError(ValueError):
    """A list that cannot be read, or a place outside it."""


def encode_bits(set_bits: Iterable[int], *, length: int = MINIMUM_BITS) -> str:
    """The list as the standard writes it: gzip, URL-safe Base64 without padding, multibase prefix `u`.

    The same bits give the same text.
    """
    if length < MINIMUM_BITS or length % 8:
        raise StatusListError(f"a status list has at least {MINIMUM_BITS} bits, in whole bytes")
    bits = bytearray(length // 8)
    for index in set_bits:
        if not 0 <= index < length:
            raise StatusListError(f"{index} is outside the status list")
        bits[index // 8] |= 0x80 >> index % 8
    packed = gzip.compress(bytes(bits), mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def decode_bits(encoded: str) -> bytes:
    """The bytes of a list; raises StatusListError if it is not one, is too short or unpacks to too much."""
    if not encoded.startswith("u"):
        raise StatusListError("not a status list in Base64")
    try:
        packed = base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
        unpacker = zlib.decompressobj(wbits=31)
        bits = unpacker.decompress(packed, _LARGEST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise StatusListError("not a status list") from error
    if not unpacker.eof or len(bits) * 8 < MINIMUM_BITS:
        raise StatusListError("the status list is cut off, too short or too long")
    return bits


def read_bit(encoded: str, index: int) -> bool:
    """Whether the bit at that place is set."""
    bits = decode_bits(encoded)
    if not 0 <= index < len(bits) * 8:
        raise StatusListError(f"{index} is outside the status list")
    return bool(bits[index // 8] & 0x80 >> index % 8)


def draw_index(
    *,
    is_taken: Callable[[int], bool],
    length: int = MINIMUM_BITS,
    randbelow: Callable[[int], int] = secrets.randbelow,
) -> int:
    """A free place, at random, so that neighbours in the list are not neighbours in life."""
    for _ in range(64):
        index = randbelow(length)
        if not is_taken(index):
            return index
    raise StatusListError("the status list is nearly full; begin another")


def build_status_entry(*, list_url: str, index: int, purpose: Purpose = "revocation") -> dict[str, Any]:
    """The `credentialStatus` of a credential: a single object, as Open Badges 3.0 asks."""
    return {
        "id": f"{list_url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }


def build_status_list_credential(
    *,
    url: str,
    issuer: str,
    purpose: Purpose,
    set_bits: Iterable[int],
    valid_from: dt.datetime,
    length: int = MINIMUM_BITS,
) -> dict[str, Any]:
    """The credential that holds the list, still unsigned: sign it with `proof.add_proof`."""
    return {
        "@context": [loader.CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": format_moment(valid_from),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode_bits(set_bits, length=length),
        },
    }


def is_set(entry: dict[str, Any], status_list_credential: dict[str, Any]) -> bool:
    """What the list says of a credential's status entry; the list's own proof is the caller's to verify.

    Raises StatusListError if the two do not belong together.
    """
    subject = status_list_credential.get("credentialSubject", {})
    if entry.get("statusListCredential") != status_list_credential.get("id"):
        raise StatusListError("the status list is not the one the credential names")
    if entry.get("statusPurpose") != subject.get("statusPurpose"):
        raise StatusListError("the status list has another purpose")
    try:
        index = int(entry["statusListIndex"])
    except (KeyError, TypeError, ValueError) as error:
        raise StatusListError("the credential names no place in the status list") from error
    return read_bit(str(subject.get("encodedList", "")), index)
