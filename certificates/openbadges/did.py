"""The issuer as `did:web`: its identifier, made from the site's origin, and the document of its keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from certificates import keys
from certificates.openbadges import loader
from certificates.openbadges.proof import format_moment


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key of the issuer's, in use or retired.

    A retired key signs nothing new and keeps its place, so that what it signed still verifies. A key that may have
    been stolen is `revoked_at`: it leaves the assertion methods, and nothing it signed verifies any more.
    """

    multikey: str
    revoked_at: dt.datetime | None = None


def make_did(origin: str) -> str:
    """`did:web` of an origin: https://learn.example:8443 gives did:web:learn.example%3A8443."""
    parts = urlsplit(origin)
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("an origin is a scheme, a host and perhaps a port")
    host = parts.hostname.encode("idna").decode("ascii")
    return f"did:web:{quote(host, safe='')}" + (f"%3A{parts.port}" if parts.port else "")


def make_verification_method(did: str, multikey: str) -> str:
    """The address of a key inside the issuer's document."""
    return f"{did}#{multikey}"


def build_did_document(*, did: str, issuer_keys: Sequence[IssuerKey]) -> dict[str, Any]:
    """What `/.well-known/did.json` serves."""
    return {
        "@context": [loader.DID_V1, loader.MULTIKEY_V1],
        "id": did,
        "verificationMethod": [
            {
                "id": make_verification_method(did, key.multikey),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.multikey,
                **({"revoked": format_moment(key.revoked_at)} if key.revoked_at else {}),
            }
            for key in issuer_keys
        ],
        "assertionMethod": [
            make_verification_method(did, key.multikey) for key in issuer_keys if key.revoked_at is None
        ],
    }


def make_key_finder(did_document: dict[str, Any]) -> Callable[[str], bytes | None]:
    """For `verify_proofs`: the keys that this document lets its subject assert with."""
    did = did_document.get("id")
    allowed = {entry for entry in did_document.get("assertionMethod", []) if isinstance(entry, str)}
    found: dict[str, bytes] = {}
    for method in did_document.get("verificationMethod", []):
        if (
            method.get("type") == "Multikey"
            and method.get("controller") == did
            and method.get("id") in allowed
        ):
            found[method["id"]] = keys.decode_multikey(method["publicKeyMultibase"])
    return found.get
