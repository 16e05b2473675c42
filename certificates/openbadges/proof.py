"""Data Integrity proofs by `eddsa-rdfc-2022` (W3C *Data Integrity EdDSA Cryptosuites v1.0*).

The document is canonicalised as RDF (RDFC-1.0, PyLD's `URDNA2015`), so its layout does not matter and its meaning does.
A term that no context defines has no meaning in RDF: JSON-LD drops it without a word, and it would stand in the file
unsigned, free for anybody to change. Signing and verifying therefore refuse a document with any.

PyLD is imported where it is used: it takes a fifth of a second, and most processes neither sign nor verify.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Final

from certificates import keys
from certificates.openbadges import loader
from core.kept import Kept

CRYPTOSUITE: Final = "eddsa-rdfc-2022"
# With an empty text PyLD makes relative addresses absolute under an invented base; with None they stay relative.
_NO_BASE: Final = None
# PyLD keeps the contexts that it has read in a store which two threads must not change at once.
_one_at_a_time: Final = Lock()
Document = dict[str, Any]
DocumentLoader = Callable[[str, dict[str, Any]], dict[str, Any]]
_hashes: Final[Kept[tuple[bytes, DocumentLoader], bytes]] = Kept(256)


class ProofError(ValueError):
    """A document that cannot be signed, or a proof that does not stand; the message says why."""


@dataclass(frozen=True, slots=True)
class ProofFinding:
    """What was found about one proof. `reason` is empty if it stands."""

    verification_method: str
    created: str
    reason: str = ""

    @property
    def stands(self) -> bool:
        return not self.reason


def format_moment(moment: dt.datetime) -> str:
    """A moment as XML Schema writes it, UTC, whole seconds: 2026-10-09T12:00:00Z."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find_unsigned_parts(
    document: Document, *, document_loader: DocumentLoader = loader.load_document
) -> list[str]:
    """What JSON-LD would drop or could not tell apart: undefined terms, types and relative addresses, nulls.

    Empty for a document that can be signed as it stands.
    """
    return _expand(document, document_loader)[1]


def _expand(document: Document, document_loader: DocumentLoader) -> tuple[list[Any], list[str]]:
    """The document with all its terms written out, and its parts that a signature would not cover."""
    found = [f"{path}: null" for path in _find_nulls(document, "$")]
    dropped: list[str] = []
    with _one_at_a_time:
        processor = _make_processor()(on_property_dropped=lambda term: dropped.append(str(term)))
        expanded = processor.expand(document, {"documentLoader": document_loader, "base": _NO_BASE})
    found += [f"undefined term {term}" for term in dict.fromkeys(dropped)]
    found += _find_relative(expanded)
    return expanded, found


def _find_nulls(value: object, path: str) -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _find_nulls(item, f"{path}.{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _find_nulls(item, f"{path}[{place}]")


def _find_relative(value: object) -> list[str]:
    """Types and identifiers of an expanded document that are no absolute addresses: RDF leaves them out."""
    found: list[str] = []
    if isinstance(value, list):
        for item in value:
            found += _find_relative(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "@type":
                kinds = item if isinstance(item, list) else [item]
                found += [f"undefined type {kind}" for kind in kinds if ":" not in str(kind)]
            elif key == "@id":
                found += [f"relative address {item!r}"] if ":" not in str(item) else []
            elif key != "@value":
                found += _find_relative(item)
    return found


# What PyLD made of a context where another one holds, with the context itself, so that its `id` stays its own.
_processed: Final[Kept[Hashable, tuple[Any, Any]]] = Kept(512)


@cache
def _make_processor() -> Any:
    """PyLD's processor, which keeps what it made of the vendored contexts.

    It keeps some of that itself, but not of contexts that hold for a type: their five hundred terms are read anew for
    each document. What a document brings along is read each time.
    """
    from pyld import jsonld

    class Processor(jsonld.JsonLdProcessor):
        def _process_context(
            self, active_ctx: Any, local_ctx: Any, options: Any, *more: Any, **named: Any
        ) -> Any:
            process = super()._process_context
            outer = active_ctx.get("_uuid")
            is_vendored = options["documentLoader"] is loader.load_document
            if not is_vendored or outer is None or more or "cycles" in named:
                return process(active_ctx, local_ctx, options, *more, **named)
            is_named = isinstance(local_ctx, list) and all(isinstance(one, str) for one in local_ctx)
            key = outer, tuple(local_ctx) if is_named else id(local_ctx), *sorted(named.items())
            found = _processed.find(key)
            if found is None or not (is_named or found[0] is local_ctx):
                found = _processed.keep(key, (local_ctx, process(active_ctx, local_ctx, options, **named)))
            return found[1]

    return Processor


@cache
def _make_reader() -> Any:
    """PyLD's processor for documents that are written out already: it would do so again, which is half of the work."""
    from pyld import jsonld

    class Reader(jsonld.JsonLdProcessor):
        def expand(self, input_: Any, options: Any) -> Any:
            return input_

    return Reader()


def canonize(document: Document, *, document_loader: DocumentLoader = loader.load_document) -> str:
    """The canonical N-Quads of a document; raises ProofError if any part of it would not be in them."""
    from pyld import jsonld

    try:
        expanded, unsigned = _expand(document, document_loader)
        if unsigned:
            raise ProofError("a signature would not cover: " + "; ".join(unsigned))
        options = {
            "algorithm": "URDNA2015",
            "format": "application/n-quads",
            "documentLoader": document_loader,
            "base": _NO_BASE,
        }
        with _one_at_a_time:
            quads: str = _make_reader().normalize(expanded, options)
    except jsonld.JsonLdError as error:
        raise ProofError(f"not a JSON-LD document that can be read here: {error}") from error
    return quads


def hash_for_signing(
    document: Document, proof_options: Document, *, document_loader: DocumentLoader = loader.load_document
) -> bytes:
    """The 64 bytes that are signed: hash of the proof's options, then hash of the document."""
    return _hash(proof_options, document_loader) + _hash(document, document_loader)


def _hash(document: Document, document_loader: DocumentLoader) -> bytes:
    # What was signed is verified at once: the same document, in whatever order, is not read as RDF again. Hashes only.
    text = json.dumps(document, sort_keys=True).encode()
    return _hashes.read(
        (hashlib.sha256(text).digest(), document_loader),
        lambda: hashlib.sha256(canonize(document, document_loader=document_loader).encode()).digest(),
    )


def add_proof(
    document: Document,
    *,
    key: keys.CredentialKey,
    verification_method: str,
    created: dt.datetime,
    document_loader: DocumentLoader = loader.load_document,
) -> Document:
    """The document with one more proof in its `proof` array; the document given is left as it is.

    Raises ProofError if a part of it would stay unsigned.
    """
    proofs = _list_proofs(document)
    bare = {name: value for name, value in document.items() if name != "proof"}
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": format_moment(created),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }
    data = hash_for_signing(bare, {"@context": bare["@context"], **options}, document_loader=document_loader)
    return {**bare, "proof": [*proofs, {**options, "proofValue": "z" + keys.encode_base58(key.sign(data))}]}


def verify_proofs(
    document: Document,
    *,
    find_key: Callable[[str], bytes | None],
    document_loader: DocumentLoader = loader.load_document,
) -> list[ProofFinding]:
    """One finding a proof, in their order; an empty list for a document without a proof.

    `find_key` gives the public key (32 bytes) of a verification method that the issuer may sign with, or None. The
    document stands if the list is not empty and every finding stands.
    """
    bare = {name: value for name, value in document.items() if name != "proof"}
    return [_check_proof(bare, proof, find_key, document_loader) for proof in _list_proofs(document)]


def _list_proofs(document: Document) -> list[Any]:
    proof = document.get("proof", [])
    return proof if isinstance(proof, list) else [proof]


def _check_proof(
    bare: Document,
    proof: Any,
    find_key: Callable[[str], bytes | None],
    document_loader: DocumentLoader,
) -> ProofFinding:
    if not isinstance(proof, dict):
        return ProofFinding("", "", "the proof is no object")
    method, created = str(proof.get("verificationMethod", "")), str(proof.get("created", ""))
    try:
        _verify_proof(bare, proof, find_key, document_loader)
    except (ProofError, keys.KeyMaterialError) as error:
        return ProofFinding(method, created, str(error))
    return ProofFinding(method, created)


def _verify_proof(
    bare: Document, proof: Document, find_key: Callable[[str], bytes | None], document_loader: DocumentLoader
) -> None:
    if proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != CRYPTOSUITE:
        raise ProofError(f"a proof other than {CRYPTOSUITE}")
    if proof.get("proofPurpose") != "assertionMethod":
        raise ProofError("the proof was not made to assert")
    public_key = find_key(str(proof.get("verificationMethod", "")))
    if public_key is None:
        raise ProofError("the key of the proof is not one of the issuer's")
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > 128:
        raise ProofError("the proof has no value")
    options = {name: item for name, item in proof.items() if name != "proofValue"}
    context = bare.get("@context")
    if "@context" in options:
        # The suite's own rule: a proof may name contexts only if the document begins with the same ones.
        named = options["@context"] if isinstance(options["@context"], list) else [options["@context"]]
        own = context if isinstance(context, list) else [context]
        if own[: len(named)] != named:
            raise ProofError("the contexts of the proof are not those of the document")
        bare = {**bare, "@context": options["@context"]}
    else:
        options = {"@context": context, **options}
    data = hash_for_signing(bare, options, document_loader=document_loader)
    if not keys.verify_signature(public_key=public_key, signature=keys.decode_base58(value[1:]), data=data):
        raise ProofError("the signature is not that of this text")
