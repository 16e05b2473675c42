"""Who and what was erased, as it is carried over a restore, and the journal that keeps it outside the database.

A backup brings back whom and what was erased since it was made. So the list of erasures must outlive the database:
each erasure is added to the journal (`ERASURE_JOURNAL`), one JSON object a line, and `restore` replays it.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import Erasure, PersonalText

log = logging.getLogger(__name__)


class NotAnErasure(ValueError):
    """A line that is no record of an erasure; `line` is its number."""

    def __init__(self, line: int) -> None:
        super().__init__(f"Line {line} is no record of an erasure.")
        self.line = line


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """An erasure as it is carried over to an older database: whose, and who asked for it."""

    subject_key: uuid.UUID
    requested_by: uuid.UUID | None = None

    def to_document(self) -> dict[str, Any]:
        return {
            "subject_key": str(self.subject_key),
            "requested_by": str(self.requested_by) if self.requested_by else None,
        }


@dataclass(frozen=True, slots=True)
class ErasedThings:
    """People who were erased, and single texts that were erased alone, each once."""

    people: tuple[ErasureRequest, ...] = ()
    texts: tuple[uuid.UUID, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.people or self.texts)

    def __or__(self, other: ErasedThings) -> ErasedThings:
        people = {request.subject_key: request for request in (*other.people, *self.people)}
        return ErasedThings(tuple(people.values()), tuple(dict.fromkeys((*self.texts, *other.texts))))

    def __sub__(self, other: ErasedThings) -> ErasedThings:
        known = {request.subject_key for request in other.people}
        texts = set(other.texts)
        return ErasedThings(
            tuple(request for request in self.people if request.subject_key not in known),
            tuple(key for key in self.texts if key not in texts),
        )

    def to_documents(self) -> list[dict[str, Any]]:
        """One JSON object each."""
        return [
            *(request.to_document() for request in self.people),
            *({"text_id": str(key)} for key in self.texts),
        ]


def read_erased(documents: Iterable[Any]) -> ErasedThings:
    """What `to_documents` wrote; raises NotAnErasure with the document's number."""
    return _read(enumerate(documents, start=1))


def parse_erased(text: str) -> ErasedThings:
    """The erasures of a file, one JSON object a line; raises NotAnErasure with the line's number."""
    return _read((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _read(rows: Iterable[tuple[int, Any]]) -> ErasedThings:
    people: list[ErasureRequest] = []
    texts: list[uuid.UUID] = []
    for number, row in rows:
        try:
            document = json.loads(row) if isinstance(row, str) else row
            if "text_id" in document:
                texts.append(uuid.UUID(document["text_id"]))
                continue
            by = document["requested_by"]
            people.append(ErasureRequest(uuid.UUID(document["subject_key"]), uuid.UUID(by) if by else None))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotAnErasure(number) from error
    return ErasedThings() | ErasedThings(tuple(people), tuple(texts))


def list_erasures() -> list[ErasureRequest]:
    """Every erasure of a person on record, to be carried over a restore. One query."""
    return [
        ErasureRequest(subject_key=row.subject_key, requested_by=row.requested_by)
        for row in Erasure.objects.order_by("id")
    ]


def list_erased() -> ErasedThings:
    """Everything erased on record: people, and texts that were erased alone. Two queries."""
    alone = PersonalText.objects.filter(erased_at__isnull=False, subject__erased_at__isnull=True)
    return ErasedThings(
        tuple(list_erasures()), tuple(alone.order_by("erased_at", "pk").values_list("pk", flat=True))
    )


# -- The journal ------------------------------------------------------------------------------------------------------


def note_erasure(erased: ErasedThings) -> None:
    """Add to the journal once the transaction is through."""
    transaction.on_commit(partial(append_to_journal, erased))


def append_to_journal(erased: ErasedThings) -> None:
    """Add what the journal does not hold yet. One that cannot be written is logged: the erasure itself is done."""
    path = Path(settings.ERASURE_JOURNAL)
    try:
        missing = erased - _read_what_is_whole()
        if not missing:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(document) + "\n" for document in missing.to_documents())
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a+b") as journal:
            journal.seek(0, os.SEEK_END)
            if journal.tell():
                journal.seek(-1, os.SEEK_END)
                # A line that a power cut left unfinished must not swallow the next.
                lines = lines if journal.read(1) == b"\n" else f"\n{lines}"
            journal.write(lines.encode("ascii"))
            journal.flush()
            os.fsync(journal.fileno())
    except OSError:
        log.exception(
            "The erasure stands, but the journal %s could not be written. Mend it and run “manage.py backup”, "
            "which adds what is missing.",
            path,
        )


def _read_what_is_whole() -> ErasedThings:
    try:
        return read_journal()
    except (NotAnErasure, UnicodeDecodeError):
        return ErasedThings()


def read_journal() -> ErasedThings:
    """What the journal holds, nothing where there is none yet. Raises OSError and NotAnErasure."""
    path = Path(settings.ERASURE_JOURNAL)
    return parse_erased(path.read_text(encoding="utf-8")) if path.exists() else ErasedThings()
