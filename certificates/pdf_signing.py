"""PAdES signatures (B-B) on PDF files, by pyHanko.

xhtml2pdf can sign too, and fails open: with a wrong passphrase it writes an unsigned file and says nothing. Here a file
leaves only after the signature in it was read back and verified.

pyHanko is imported where it is used: it takes half a second, and most processes neither sign nor verify a file.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, TypeVar

from asn1crypto import keys as asn1_keys
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509

from certificates.keys import PdfIdentity

FIELD_NAME: Final = "Signature"

T = TypeVar("T")


class PdfSigningError(Exception):
    """The file could not be signed, or the signature in it did not verify. Nothing was returned that looks signed."""


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """What was found about the signature of a PDF file."""

    intact: bool
    trusted: bool
    covers_whole_file: bool
    unmodified: bool
    signer: str

    @property
    def stands(self) -> bool:
        return self.intact and self.trusted and self.covers_whole_file and self.unmodified


def sign_pdf(pdf: bytes, *, identity: PdfIdentity, reason: str, signer_name: str, contact: str = "") -> bytes:
    """The file with a certifying signature that allows no change, verified before it is returned.

    The time of signing is the clock's, as pyHanko reads it. Raises PdfSigningError.
    """
    try:
        signed = _outside_of_loops(partial(_sign, pdf, identity, reason, signer_name, contact))
    except Exception as error:
        # Whatever goes wrong in reading, hashing or writing must end in one sentence, and never in an unsigned file.
        raise PdfSigningError(f"The PDF could not be signed: {error}") from error
    found = verify_pdf(signed, trusted=[identity.certificate_pem])
    if found is None or not found.stands:
        raise PdfSigningError(f"The signature that was written does not verify: {found}")
    return signed


def _sign(pdf: bytes, identity: PdfIdentity, reason: str, signer_name: str, contact: str) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    certificate = _read_certificate(identity.certificate_pem)
    registry = SimpleCertificateStore()
    registry.register(certificate)
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD_NAME,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=reason,
        name=signer_name,
        contact_info=contact or None,
    )
    signer = signers.SimpleSigner(
        signing_cert=certificate,
        signing_key=asn1_keys.PrivateKeyInfo.load(identity.private_key),
        cert_registry=registry,
    )
    output = io.BytesIO()
    signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)),
        metadata,
        signer,
        bytes_reserved=_reserve(certificate),
        output=output,
    )
    return output.getvalue()


def _outside_of_loops(call: Callable[[], T]) -> T:
    """Call what runs an event loop of its own, as pyHanko does; a thread that runs one already would refuse it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        return elsewhere.submit(call).result()


def _reserve(certificate: asn1_x509.Certificate) -> int:
    """How much room the signature takes in the file, in hexadecimal digits: the certificate, and what is signed.

    Asked without it, pyHanko signs once more only to find out. Too little is an error, never a broken file. All of it
    is read sign by sign when the file is verified.
    """
    signature = int(certificate.public_key.byte_size)
    return int(2 * (len(certificate.dump()) + len(certificate.issuer.dump()) + signature + 1536))


def verify_pdf(pdf: bytes, *, trusted: list[str]) -> PdfSignature | None:
    """What a file's first signature is worth, trusting those certificates (PEM) only; None if there is none.

    Nothing is fetched. Raises PdfSigningError if the file cannot be read as a PDF.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        signatures = reader.embedded_signatures
        if not signatures:
            return None
        context = ValidationContext(
            trust_roots=[_read_certificate(pem) for pem in trusted],
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        status = _outside_of_loops(partial(validate_pdf_signature, signatures[0], context))
        signer = status.signing_cert.subject.native.get("common_name", "")
    except Exception as error:
        # pyHanko raises many kinds for files that were damaged or made to confuse.
        raise PdfSigningError(f"The PDF or its signature cannot be read: {error}") from error
    return PdfSignature(
        intact=bool(status.intact and status.valid),
        trusted=bool(status.trusted) and _was_valid(status.signing_cert, status.signer_reported_dt),
        covers_whole_file=status.coverage == SignatureCoverageLevel.ENTIRE_FILE,
        unmodified=status.modification_level in {None, ModificationLevel.NONE},
        signer=str(signer),
    )


def _was_valid(certificate: asn1_x509.Certificate, moment: dt.datetime | None) -> bool:
    # A certificate that is its own trust anchor is not checked for its dates by RFC 5280's rules, nor by pyHanko.
    return moment is not None and certificate.not_valid_before <= moment <= certificate.not_valid_after


# A certificate reads its parts when they are asked for, and keeps them: a cohort's are signed by one.
@lru_cache(maxsize=16)
def _read_certificate(pem: str) -> asn1_x509.Certificate:
    _type, _headers, der = asn1_pem.unarmor(pem.encode("ascii"))
    return asn1_x509.Certificate.load(der)
