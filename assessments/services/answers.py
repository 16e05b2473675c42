"""Answers: each saving is an entry of its own, and the last one counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import PersonalText, Subject
from accounts.services import make_text, save_text, text_digest, write_text
from assessments.models import Attempt, Response
from assessments.rules import KIND_REGISTRY, Form, Problem, parse_response
from assessments.services.editions import document_of
from assessments.services.running import (
    SUBMISSION,
    ask_lock,
    found_attempt,
    key_used_elsewhere,
    lock_attempt,
    require_running,
)
from core import clock
from core.errors import DomainError, InvalidInput
from core.prepared import PreparedQuery, given_text, given_uuid, is_among
from core.prepared_writes import PreparedInsert
from core.questions import Question, ask_together

_write_responses: Final = PreparedInsert(Response, ignore_conflicts=True)
_read_by_key: Final = PreparedQuery(lambda: Response.objects.filter(client_id=given_uuid("client")))
_read_last: Final = PreparedQuery(
    lambda: Response.objects.filter(attempt_id=given_uuid("attempt"), item_key=given_text("item")).order_by(
        "-id"
    )[:1]
)
_read_last_of_each: Final = PreparedQuery(
    lambda: (
        Response.objects.filter(attempt_id=given_uuid("attempt"))
        .order_by("item_key", "-id")
        .distinct("item_key")
    )
)
_read_words: Final = PreparedQuery(lambda: PersonalText.objects.filter(is_among("id", "keys")))


@transaction.atomic
def save_response(
    *,
    attempt: Attempt,
    item_key: str,
    raw: Mapping[str, Any],
    client_id: uuid.UUID,
    language: str | None = None,
    occurred_at: datetime | None = None,
) -> Response:
    """Save one answer. Lock the attempt → check → add to the ledger. A repeat gives the first row.

    `raw` has the shape of `assessments.rules`: `{"choice": key}`, `{"choices": [keys]}`, `{"number": text}`,
    `{"text": words}`; empty: the answer was taken back. Two queries, three for typed words.
    """
    return add_response(
        attempt=lock_attempt(attempt.pk),
        item_key=item_key,
        raw=raw,
        client_id=client_id,
        language=language,
        occurred_at=occurred_at,
    )


def add_response(
    *,
    attempt: Attempt,
    item_key: str,
    raw: Mapping[str, Any],
    client_id: uuid.UUID,
    language: str | None = None,
    occurred_at: datetime | None = None,
) -> Response:
    """`save_response` for who has locked the attempt already. One query, two for typed words."""
    now = clock.now()
    try:
        row, kept = _make_response(attempt, item_key, raw, language=language, now=now)
    except DomainError:
        # What was taken is not refused when it comes again, though it comes too late now.
        if found := _find_repeat(attempt, item_key, client_id):
            return found
        raise
    row.client_id = client_id
    row.occurred_at = min(occurred_at, now) if occurred_at else now
    # The constraint tells whether it is a repeat.
    if not _write_responses.insert(row):
        found = _find_repeat(attempt, item_key, client_id)
        assert found is not None
        return found
    if kept is not None:
        write_text(kept)
    return row


def _find_repeat(attempt: Attempt, item_key: str, client_id: uuid.UUID) -> Response | None:
    """What was saved with this key. Refuses a key used for another answer. One query."""
    found = _read_by_key.first(client=client_id)
    if found is not None and (found.attempt_id != attempt.pk or found.item_key != item_key):
        raise key_used_elsewhere()
    return found


def _make_response(
    attempt: Attempt, item_key: str, raw: Mapping[str, Any], *, language: str | None, now: datetime
) -> tuple[Response, PersonalText | None]:
    """The entry for an answer, and the words that belong to it, neither of them written yet."""
    require_running(attempt, now)
    item = document_of(attempt.sitting.edition).items_by_key().get(item_key)
    if item is None or item_key not in Form.from_stored(attempt.form).keys:
        raise InvalidInput(_("This question is not part of this attempt."))
    response = parse_response(item, raw, language=language)
    if isinstance(response, Problem):
        raise InvalidInput(
            describe_response_problem(response), errors={item_key: [describe_response_problem(response)]}
        )
    value, kept = response.to_json(), None
    if isinstance(response.value, str) and KIND_REGISTRY[item.kind].typed:
        # Words of a person stand apart, erasable; the ledger holds their key and salted digest.
        kept = make_text(subject=_require_person(attempt), kind=PersonalText.Kind.ANSWER, text=response.value)
        value = {}
    row = Response(
        attempt_id=attempt.pk,
        item_key=item_key,
        value=value,
        text_id=kept.id if kept else None,
        text_digest=text_digest(kept) if kept else "",
    )
    return row, kept


def _require_person(attempt: Attempt) -> Subject:
    subject = attempt.sitting.subject
    if subject is None:
        raise InvalidInput(_("Sign in to answer in your own words."))
    return subject


@transaction.atomic
def save_submission(
    *, attempt: Attempt, text: str, files: list[PersonalText], client_id: uuid.UUID
) -> Response:
    """Save the draft of an assignment: its words and the keys of its files. A repeat gives the first row."""
    now = clock.now()
    attempt = lock_attempt(attempt.pk)
    if found := Response.objects.filter(client_id=client_id).first():
        if found.attempt_id != attempt.pk:
            raise key_used_elsewhere()
        return found
    require_running(attempt, now)
    asked = document_of(attempt.sitting.edition).submission
    if asked is None:
        raise InvalidInput(_("Nothing is to be written or sent here."))
    if files and len(files) > asked.max_files:
        raise InvalidInput(_("Send at most %(limit)d files. Your text is kept.") % {"limit": asked.max_files})
    kept = save_text(subject=_require_person(attempt), kind=PersonalText.Kind.SUBMISSION, text=text)
    return Response.objects.create(
        client_id=client_id,
        attempt=attempt,
        item_key=SUBMISSION,
        value={"files": [str(file.id) for file in files]},
        text_id=kept.id,
        text_digest=text_digest(kept),
        occurred_at=now,
    )


def lock_with_last(attempt_id: uuid.UUID, item_key: str) -> tuple[Attempt, Response | None]:
    """An attempt, locked, and the response to an item that counts until now. One query."""
    found, last = ask_together(
        ask_lock(attempt_id), Question.of(_read_last, attempt=attempt_id, item=item_key)
    )
    return found_attempt(found, attempt_id), last[0] if last else None


class SavedAnswer(NamedTuple):
    """The response that counts for an item, without what only the ledger needs."""

    id: int
    item_key: str
    value: Any
    text_id: uuid.UUID | None
    recorded_at: datetime


def ask_last_responses(attempt_id: uuid.UUID) -> Question[Response]:
    """The response that counts for each item, the last one recorded: what a `SavedAnswer` is made of."""
    return Question(_read_last_of_each, {"attempt": attempt_id}, columns=SavedAnswer._fields)


def by_item(rows: Iterable[Sequence[Any]]) -> dict[str, SavedAnswer]:
    """The answers to `ask_last_responses`, by item."""
    return {answer.item_key: answer for answer in map(SavedAnswer._make, rows)}


def last_responses(attempt: Attempt) -> dict[str, SavedAnswer]:
    """The response that counts for each item: the last one recorded. One query."""
    return by_item(ask_together(ask_last_responses(attempt.pk))[0])


def raw_answers(attempt: Attempt, rows: Mapping[str, Response | SavedAnswer]) -> dict[str, dict[str, Any]]:
    """The raw answers by item, typed words read back from where they stand. At most one query."""
    keys = [row.text_id for row in rows.values() if row.text_id]
    texts = {text.id: text.text for text in _read_words.objects(keys=keys)} if keys else {}
    return {
        key: ({"text": texts.get(row.text_id, "")} if row.text_id else row.value) for key, row in rows.items()
    }


def describe_response_problem(problem: Problem) -> str:
    """The sentence for an answer that cannot be taken."""
    sentences = {
        "not_a_number": _("Write a number, such as 12.5. Your other answers are kept."),
        "ambiguous_number": _(
            "This number can be read in two ways. Write it without separators of thousands."
        ),
        "too_long": _("This answer is too long: at most %(limit)s characters."),
        "unknown_option": _("One of the chosen options is not part of this question. Load the page again."),
    }
    sentence = sentences.get(
        problem.code, _("This answer could not be read. Load the page again and answer again.")
    )
    return sentence % problem.params if problem.params else sentence
