"""Every certificate checked at once, as after a restore: facts, credential, PDFs, and the keys that made them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from certificates.checks import digest_facts, find_faults, says_the_same
from certificates.facts import LANGUAGES, CertificateFacts, FactsError
from certificates.issuer import list_credential_keys
from certificates.keys import KeyMaterialError
from certificates.models import CertificateContent, SigningKey
from certificates.openbadges.did import IssuerKey, build_did_document, make_did
from certificates.pdf_signing import PdfSigningError, verify_pdf
from certificates.vault import find_keyring

BATCH = 200


@dataclass(kw_only=True)
class Audit:
    """What was found: counts, and a sentence for each certificate that does not check out.

    `erased`: nothing is left to check but the number. `to_sign`: signed by a key that was revoked, so that
    `reconcile` signs them anew. `to_print`: without their PDFs yet.
    """

    checked: int = 0
    pdfs: int = 0
    erased: int = 0
    to_sign: int = 0
    to_print: int = 0
    faults: list[str] = field(default_factory=list)


def audit_certificates(*, origin: str, tick: Callable[[int], None] = lambda _done: None) -> Audit:
    """Check every certificate as issued under `origin`. One query a 200 certificates, and the PDFs are read.

    `tick` is told how many are done.
    """
    found = Audit()
    issuer = build_did_document(
        did=make_did(origin),
        issuer_keys=[IssuerKey(row.public, row.revoked_at) for row in list_credential_keys()],
    )
    did_document = json.dumps(issuer, sort_keys=True)
    contents = CertificateContent.objects.select_related("certificate", "credential_key", "pdf_key").order_by(
        "pk"
    )
    for done, content in enumerate(contents.iterator(chunk_size=BATCH), start=1):
        if content.facts is None:
            found.erased += 1
        else:
            found.checked += 1
            number = content.certificate.number
            for fault in (*_check_words(content, did_document, found), *_check_files(content, found)):
                found.faults.append(
                    _("Certificate %(number)s: %(fault)s.") % {"number": number, "fault": fault}
                )
        tick(done)
    return found


def _check_words(content: CertificateContent, did_document: str, found: Audit) -> Iterator[str]:
    """The facts are those of the digest, and the credential says them under the issuer's signature."""
    assert content.facts is not None
    certificate = content.certificate
    try:
        facts = CertificateFacts.from_document(content.facts)
    except FactsError:
        yield _("its facts cannot be read")
        return
    if (
        digest_facts(content.facts, salt=content.salt) != certificate.digest
        or facts.number != certificate.number
    ):
        yield _("its facts are not those of its digest")
    if content.credential is None:
        yield _("its credential is missing")
        return
    if not says_the_same(content.credential, facts):
        yield _("its credential does not say its facts")
    if content.credential_key and content.credential_key.revoked_at:
        found.to_sign += 1
    elif faults := find_faults(json.dumps(content.credential, sort_keys=True), did_document):
        yield _("the signature of its credential does not stand (%(reason)s)") % {"reason": "; ".join(faults)}


def _check_files(content: CertificateContent, found: Audit) -> Iterator[str]:
    """Each PDF is there, whole, and signed by the key that the row names."""
    revoked = bool(content.pdf_key and content.pdf_key.revoked_at)
    for language in LANGUAGES:
        file = content.pdf_in(language)
        if not file:
            found.to_print += 1
            continue
        try:
            with file.storage.open(str(file.name), "rb") as stream:
                signature = verify_pdf(
                    stream.read(), trusted=[content.pdf_key.public] if content.pdf_key else []
                )
        except FileNotFoundError:
            yield _("its PDF %(name)s is missing") % {"name": file.name}
        except PdfSigningError:
            yield _("its PDF %(name)s cannot be read") % {"name": file.name}
        else:
            if signature is None or not signature.stands:
                yield _("the signature of its PDF %(name)s does not stand") % {"name": file.name}
            found.pdfs += 1
    if revoked and not (content.credential_key and content.credential_key.revoked_at):
        found.to_sign += 1


@dataclass(frozen=True, kw_only=True)
class KeyReport:
    """Whether the issuer's keys can be used here: `standing` keys sign, of which `closed` cannot be opened."""

    standing: int
    closed: int
    has_keyring: bool


def report_on_keys() -> KeyReport:
    """Try to open the keys that sign now. One query; no key is made."""
    rows = list(SigningKey.objects.filter(retired_at__isnull=True))
    try:
        keyring = find_keyring()
    except ImproperlyConfigured:
        keyring = None
    closed = 0
    for row in rows:
        try:
            if keyring is None:
                raise KeyMaterialError("no keyring")
            keyring.open(bytes(row.sealed_private), bound_to=row.public)
        except KeyMaterialError:
            closed += 1
    return KeyReport(standing=len(rows), closed=closed, has_keyring=keyring is not None)
