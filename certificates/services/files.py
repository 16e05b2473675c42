"""The PDFs of a certificate: drawn, signed, read back and verified, then kept; with a picture of the page."""

from __future__ import annotations

import io
import logging
import threading
import uuid
from functools import partial
from typing import Any, Final

import pypdfium2
from django.core.files.base import ContentFile
from django.db import transaction

from accounts.models import private_storage
from certificates.facts import LANGUAGES, CertificateFacts, Language
from certificates.issuer import get_pdf_identity
from certificates.keys import PdfIdentity
from certificates.models import CertificateContent, certificate_file_path
from certificates.pdf import render_certificate_pdf
from certificates.pdf_signing import sign_pdf
from certificates.wording import WORDS

log = logging.getLogger(__name__)

PICTURE_WIDTH: Final = 1408
# PDFium is not made for several threads.
_drawing = threading.Lock()


def print_certificate(*, certificate_id: uuid.UUID) -> bool:
    """Make what is missing of a certificate's PDFs; whether anything was made. A repeat makes nothing twice.

    Their pictures, which only the holder's screen shows, follow in a task of their own.

    Raises PdfError where the facts cannot be drawn, PdfSigningError where a signature does not verify.
    """
    made = False
    for language in LANGUAGES:
        made = _print_in(certificate_id, language) or made
    return made


def draw_pictures(*, certificate_id: uuid.UUID) -> bool:
    """Draw what is missing of the pictures of a certificate's PDFs; whether anything was drawn."""
    drawn = False
    for language in LANGUAGES:
        drawn = _draw_in(certificate_id, language) or drawn
    return drawn


@transaction.atomic
def _print_in(certificate_id: uuid.UUID, language: Language) -> bool:
    content = CertificateContent.objects.select_for_update().get(pk=certificate_id)
    if content.facts is None or content.pdf_in(language):
        return False
    from certificates.tasks import draw_pictures_task

    facts = CertificateFacts.from_document(content.facts)
    row, identity = get_pdf_identity()
    pdf = make_signed_pdf(facts=facts, language=language, identity=identity)
    _keep(content, f"pdf_{language}", f"{facts.number}-{language}.pdf", pdf)
    content.pdf_key = row
    content.save(update_fields=[f"pdf_{language}", "pdf_key"])
    if all(content.pdf_in(each) for each in LANGUAGES):
        draw_pictures_task.enqueue(str(certificate_id))
    return True


@transaction.atomic
def _draw_in(certificate_id: uuid.UUID, language: Language) -> bool:
    content = CertificateContent.objects.select_for_update().filter(pk=certificate_id).first()
    if content is None or content.facts is None:
        return False
    file = content.pdf_in(language)
    if not file or content.picture_in(language):
        return False
    with file.open("rb") as opened:
        picture = draw_picture(opened.read())
    _keep(content, f"picture_{language}", f"{content.facts['number']}-{language}.webp", picture)
    content.save(update_fields=[f"picture_{language}"])
    return True


def make_signed_pdf(*, facts: CertificateFacts, language: Language, identity: PdfIdentity) -> bytes:
    """The certificate in that language, signed and verified."""
    return sign_pdf(
        render_certificate_pdf(facts=facts, language=language),
        identity=identity,
        reason=f"{WORDS['certificate'].in_(language)} {facts.number}",
        signer_name=facts.issuer.name.in_(language),
        contact=facts.issuer.email,
    )


def draw_picture(pdf: bytes) -> bytes:
    """The first page as WebP, for the holder's screen."""
    with _drawing:
        document = pypdfium2.PdfDocument(pdf)
        try:
            page = document[0]
            picture = page.render(scale=PICTURE_WIDTH / page.get_width(), may_draw_forms=False).to_pil()
        finally:
            document.close()
    output = io.BytesIO()
    picture.convert("RGB").save(output, "WEBP", quality=82, method=2)
    return output.getvalue()


def _keep(content: CertificateContent, field: str, name: str, data: bytes) -> None:
    """Save a file under its one name; what a worker that died left there goes first."""
    path = certificate_file_path(content, name)
    storage = private_storage()
    if storage.exists(path):
        storage.delete(path)
    getattr(content, field).save(name, ContentFile(data), save=False)


def discard_files(content: CertificateContent) -> None:
    """Forget the files of a content, and delete them once the transaction is through; the caller saves it."""
    for field in ("pdf_en", "pdf_fr", "picture_en", "picture_fr"):
        file: Any = getattr(content, field)
        if file:
            transaction.on_commit(partial(file.storage.delete, file.name))
            setattr(content, field, "")
