"""Words that people typed and files that they sent: kept apart from every ledger, erasable alone."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from django.core.files.base import File
from django.core.files.storage import Storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import LegalHold, PersonalText, Subject
from accounts.services.erasure_list import ErasedThings, note_erasure
from core import clock
from core.errors import DomainError, InvalidInput, NoRoom, say_no_room
from core.prepared import PreparedQuery, is_among
from core.prepared_writes import PreparedInsert
from core.questions import Question
from core.storage import lacks_room
from core.uploads import CheckedUpload, check_upload

log = logging.getLogger(__name__)

LONGEST_TEXT: Final = 50_000

# What a person may take back at any time. An answer or a handed-in work is what a mark rests on; it goes with the
# whole account.
ERASABLE_ALONE: Final = frozenset({PersonalText.Kind.REFLECTION, PersonalText.Kind.WORKSHEET})


class HeldByLaw(DomainError):
    """A legal hold stands: nothing of this person is erased for now."""

    code = "legal_hold"


_write_texts: Final = PreparedInsert(PersonalText)


def save_text(
    *, subject: Subject, kind: str, text: str, author: Subject | None = None, text_id: uuid.UUID | None = None
) -> PersonalText:
    """Keep words of or about a person apart from every ledger. Refuses more than 50,000 characters. One query."""
    return write_text(make_text(subject=subject, kind=kind, text=text, author=author, text_id=text_id))


def make_text(
    *, subject: Subject, kind: str, text: str, author: Subject | None = None, text_id: uuid.UUID | None = None
) -> PersonalText:
    """The same, not written yet: for who has to name its key and digest first."""
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            _("This text is longer than %(limit)d characters. Shorten it, or send it as a file.")
            % {"limit": LONGEST_TEXT}
        )
    # PostgreSQL keeps no NUL in a text.
    return PersonalText(
        id=text_id or uuid.uuid4(), subject=subject, author=author, kind=kind, text=text.replace("\x00", "")
    )


def write_text(text: PersonalText) -> PersonalText:
    """Write a text that was made. One query."""
    _write_texts.insert(text)
    return text


def save_file(
    *,
    subject: Subject,
    upload: UploadedFile,
    kind: str = PersonalText.Kind.UPLOAD,
    author: Subject | None = None,
    text_id: uuid.UUID | None = None,
) -> PersonalText:
    """Keep a file that a person sent, once its content has been checked. NoRoom where the disk takes no more."""
    checked = check_upload(upload)
    try:
        return _keep_file(upload, checked, text_id=text_id, subject=subject, kind=kind, author=author)
    except OSError as error:
        if not lacks_room(error):
            raise
        log.exception("A file was not kept: the disk takes no more.")
        raise NoRoom(say_no_room()) from error


def _keep_file(
    upload: UploadedFile, checked: CheckedUpload, *, text_id: uuid.UUID | None, **fields: Any
) -> PersonalText:
    text = PersonalText(
        id=text_id or uuid.uuid4(),
        **fields,
        file_name=checked.name,
        content_type=checked.content_type,
        size=checked.size,
    )
    # Before the row: a model that fails to keep its file while it is saved breaks the transaction around it.
    text.file.save(f"upload.{checked.extension}", File(upload), save=False)
    try:
        text.save(force_insert=True)
    except BaseException:
        discard_files([text])
        raise
    return text


def find_new_uploads(
    *, subject: Subject, uploads: Sequence[UploadedFile], form_id: uuid.UUID
) -> dict[uuid.UUID, UploadedFile]:
    """What a form brought that it did not bring before, each once, by the key that it will have. One query."""
    keyed = {uuid.uuid5(form_id, f"{subject.pk}:{_digest(upload)}"): upload for upload in uploads}
    known = set(PersonalText.objects.filter(pk__in=keyed).values_list("pk", flat=True)) if keyed else set()
    return {key: upload for key, upload in keyed.items() if key not in known}


def save_files(*, subject: Subject, uploads: Mapping[uuid.UUID, UploadedFile]) -> list[PersonalText]:
    """Keep files that a person sent together, under these keys: all of them or none.

    Whoever calls it and then fails calls `discard_files`: a transaction takes back rows, not files.
    """
    for upload in uploads.values():
        check_upload(upload)
    kept: list[PersonalText] = []
    try:
        for key, upload in uploads.items():
            kept.append(save_file(subject=subject, upload=upload, text_id=key))
    except BaseException:
        discard_files(kept)
        raise
    return kept


def _digest(upload: UploadedFile) -> str:
    upload.seek(0)
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def discard_files(texts: Iterable[PersonalText]) -> None:
    """Delete the files of rows that are not going to be."""
    for text in texts:
        if text.file:
            delete_file(text.file.storage, text.file.name)


def text_digest(text: PersonalText) -> str:
    """SHA-256 of the words with the row's salt: proves a text to who has it, tells nothing to who has not."""
    return hashlib.sha256(f"{text.salt}\n{text.text}".encode()).hexdigest()


_read_texts: Final = PreparedQuery(
    lambda: PersonalText.objects.filter(is_among("id", "keys"), erased_at__isnull=True)
)


def ask_texts(keys: Iterable[uuid.UUID]) -> Question[PersonalText]:
    """The texts with those keys that are not erased, to be asked together with something else."""
    return Question.of(_read_texts, keys=list(keys))


def read_texts(ids: Iterable[uuid.UUID | str | None]) -> dict[uuid.UUID, PersonalText]:
    """The texts with those keys that are not erased, by key. One query, none for no keys."""
    wanted = {uuid.UUID(str(key)) for key in ids if key}
    if not wanted:
        return {}
    return {text.id: text for text in _read_texts.objects(keys=list(wanted))}


@transaction.atomic
def erase_text(*, text: PersonalText) -> PersonalText:
    """Empty one text for good. That it was written stays on record; what it said does not. Again: nothing happens."""
    refuse_under_hold(subject_id=text.subject_id)
    empty_texts(PersonalText.objects.filter(pk=text.pk))
    note_erasure(ErasedThings(texts=(text.pk,)))
    text.refresh_from_db()
    return text


def refuse_under_hold(*, subject_id: uuid.UUID) -> None:
    """HeldByLaw while a legal hold on the person's records stands."""
    if LegalHold.objects.filter(subject_id=subject_id, lifted_at__isnull=True).exists():
        raise HeldByLaw(
            _(
                "The law asks us to keep these records for now, so nothing was erased. "
                "Write to us to learn why and until when."
            )
        )


def empty_texts(texts: Iterable[PersonalText]) -> int:
    """Empty these rows, and delete their files once the transaction is through; returns how many were emptied.

    The salt goes as well: without it the digest in a ledger proves nothing to anybody who would guess.
    """
    emptied = 0
    now = clock.now()
    for text in texts:
        if text.erased_at is not None:
            continue
        if text.file:
            transaction.on_commit(partial(delete_file, text.file.storage, text.file.name))
        PersonalText.objects.filter(pk=text.pk).update(
            text="", file="", file_name="", content_type="", size=0, salt="", erased_at=now
        )
        emptied += 1
    return emptied


def delete_file(storage: Storage, name: str | None) -> None:
    if name:
        storage.delete(name)
