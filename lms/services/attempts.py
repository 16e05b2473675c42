"""What a learner does in an assessed step: begin, answer, draft, hand in. The floor of assessments keeps the facts."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.services import discard_files, find_new_uploads, read_texts, save_files
from assessments import services as assessments
from assessments.models import Attempt, Response
from core import clock
from core.canonical import digest
from core.errors import InvalidInput
from lms.models import Enrolment
from lms.services.learning import require_open
from lms.services.sittings import lock_context, lock_to_hand_in, open_step_sitting


def form_key(form_id: uuid.UUID, content: Any, last: object) -> uuid.UUID:
    """The idempotency key of what one rendered form sends.

    A form may come twice (a double press, a lost answer) and then is one fact; but it may also come again changed,
    from a page that the browser kept, and that is another fact. So the key is made from the form's own, from what
    it says, and from what stood before.
    """
    return uuid.uuid5(form_id, digest({"content": content, "last": str(last or "")}))


@transaction.atomic
def begin_attempt(
    *, enrolment: Enrolment, step_key: uuid.UUID, attempt_id: uuid.UUID, language: str
) -> Attempt:
    """Start an attempt in a step, or go on with the open one. Work that came back begins where it was left."""
    sitting = open_step_sitting(enrolment=enrolment, step_key=step_key)
    attempt = assessments.start_attempt(sitting=sitting, attempt_id=attempt_id, language=language)
    if assessments.document_of(sitting.edition).submission is not None:
        _carry_over(attempt)
    return attempt


def _carry_over(attempt: Attempt) -> None:
    if Response.objects.filter(attempt=attempt).exists():
        return
    last = (
        Response.objects.filter(attempt__sitting=attempt.sitting_id, item_key=assessments.SUBMISSION)
        .exclude(attempt=attempt)
        .order_by("-attempt__number", "-id")
        .first()
    )
    if last is None:
        return
    words = read_texts([last.text_id, *last.value.get("files", ())])
    text = words.get(last.text_id) if last.text_id else None
    files = [words[key] for name in last.value.get("files", ()) if (key := uuid.UUID(name)) in words]
    if text is None and not files:
        return
    assessments.save_submission(
        attempt=attempt,
        text=text.text if text else "",
        files=files,
        client_id=uuid.uuid5(attempt.pk, "carried over"),
    )


@transaction.atomic
def answer_question(
    *,
    enrolment: Enrolment,
    attempt: Attempt,
    item_key: str,
    raw: Mapping[str, Any],
    form_id: uuid.UUID,
    language: str,
    is_autosave: bool = False,
) -> Response | None:
    """Save the answer that a form or autosave sends. What is saved already is not saved again.

    Autosave makes a new id for each change and sends it again until it was taken; a rendered form has one for all.
    None: nothing was answered, neither now nor before.
    """
    require_open(enrolment, clock.now())
    attempt, last = assessments.lock_with_last(attempt.pk, item_key)
    before = assessments.raw_answers(attempt, {item_key: last})[item_key] if last else {}
    if _normal(raw) == _normal(before):
        return last
    return assessments.add_response(
        attempt=attempt,
        item_key=item_key,
        raw=raw,
        client_id=form_id if is_autosave else form_key(form_id, dict(raw), last.pk if last else None),
        language=language,
    )


def _normal(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An answer for comparison: what is empty is not there, and ticks have no order."""
    return {
        name: sorted(value) if isinstance(value, list) else str(value).strip()
        for name, value in raw.items()
        if value not in (None, "", [])
    }


@transaction.atomic
def submit_work(*, enrolment: Enrolment, attempt: Attempt, form_id: uuid.UUID, language: str) -> Attempt:
    """Hand an attempt in, once: by its learner, while the course is open for them. A repeat gives the first result.

    The enrolment is locked before the attempt, as by everybody who needs both, so that nobody waits for each other.
    """
    enrolment, ledger = lock_to_hand_in(enrolment, attempt)
    require_open(enrolment, clock.now())
    submit_id = uuid.uuid5(attempt.pk, str(form_id))
    return assessments.hand_in(attempt=attempt, submit_id=submit_id, language=language, held=ledger)


def hand_in_if_over(*, attempt: Attempt) -> Attempt:
    """Hand in what was saved where an attempt's time is over. No query where it is not."""
    if not assessments.is_over(attempt, clock.now()):
        return attempt
    with transaction.atomic():
        lock_context(attempt)
        return assessments.submit_overdue(attempt=attempt)


@transaction.atomic
def save_draft(
    *,
    enrolment: Enrolment,
    attempt: Attempt,
    form_id: uuid.UUID,
    text: str | None = None,
    add: Sequence[UploadedFile] = (),
    remove: Collection[uuid.UUID] = (),
) -> Response | None:
    """Save the draft of an assignment: its words (None: as they are), files added, files taken out.

    Whoever sends the same again changes nothing. The draft is one: two devices add to it in turn.
    """
    require_open(enrolment, clock.now())
    attempt, last = assessments.lock_with_last(attempt.pk, assessments.SUBMISSION)
    words = read_texts([last.text_id, *last.value.get("files", ())]) if last else {}
    before = words[last.text_id].text if last and last.text_id in words else ""
    files = [
        words[uuid.UUID(name)]
        for name in (last.value.get("files", ()) if last else ())
        if uuid.UUID(name) in words
    ]
    kept = [file for file in files if file.pk not in remove]
    asked = assessments.document_of(attempt.sitting.edition).submission
    most = asked.max_files if asked and asked.files else 0
    new = find_new_uploads(subject=enrolment.subject, uploads=add, form_id=form_id)
    if new and len(kept) + len(new) > most:
        said = _("Send at most %(limit)d files. Your text is kept.") % {"limit": most}
        raise InvalidInput(said, errors={"file": [said]})
    text = before if text is None else text.replace("\r\n", "\n")
    if text == before and len(kept) == len(files) and not new:
        return last
    added = save_files(subject=enrolment.subject, uploads=new)
    try:
        return assessments.save_submission(
            attempt=attempt,
            text=text,
            files=[*kept, *added],
            client_id=form_key(
                form_id,
                {"text": text, "files": [str(file.pk) for file in [*kept, *added]]},
                last.pk if last else None,
            ),
        )
    except BaseException:
        discard_files(added)
        raise
