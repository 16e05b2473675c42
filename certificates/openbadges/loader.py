"""JSON-LD contexts from this folder, and from nowhere else.

What a signature covers depends on the contexts, so they are part of the program: vendored, unchanged, with their
sources in `contexts/README.md`. A document that names any other context is refused; nothing is ever fetched.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
DID_V1: Final = "https://www.w3.org/ns/did/v1"
MULTIKEY_V1: Final = "https://w3id.org/security/multikey/v1"

_FOLDER = Path(__file__).parent / "contexts"
_FILES: Final = {
    CREDENTIALS_V2: "credentials-v2.jsonld",
    OPEN_BADGES: "ob-v3p0-3.0.3.json",
    OPEN_BADGES_EXTENSIONS: "ob-v3p0-extensions.json",
    DID_V1: "did-v1.jsonld",
    MULTIKEY_V1: "multikey-v1.jsonld",
}


@cache
def _read_context(url: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_FOLDER / _FILES[url]).read_text(encoding="utf-8"))
    return document


def load_document(url: str, _options: dict[str, Any] | None = None) -> dict[str, Any]:
    """PyLD's document loader: the vendored context of that address, or an error."""
    if url not in _FILES:
        # See `certificates.openbadges.proof`: most processes sign nothing.
        from pyld.jsonld import JsonLdError

        raise JsonLdError(
            f"The context {url} is not one of those vendored here, and none is fetched.",
            "jsonld.LoadDocumentError",
            {"url": url},
            code="loading document failed",
        )
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": _read_context(url),
        # What is vendored does not change, so PyLD may keep what it makes of it; reading it anew was most of signing.
        "tag": "static",
    }
