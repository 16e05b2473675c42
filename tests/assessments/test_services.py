"""Sittings, attempts, responses and marks on a real PostgreSQL: once is once, whoever comes twice or all at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from accounts.models import PersonalText, Subject, User
from accounts.services import subject_of
from assessments.models import AssessmentEdition, Attempt, Mark, Response, Sitting
from assessments.services import (
    AttemptClosed,
    Judgement,
    NoAttemptLeft,
    Terms,
    last_responses,
    mark_attempt,
    open_sitting,
    save_response,
    save_submission,
    start_attempt,
    submit_attempt,
    submit_overdue,
)
from assessments.signals import attempt_submitted
from core import clock
from core.errors import DomainError, InvalidInput
from tests.factories.accounts import make_user
from tests.factories.assessments import make_assignment, make_quiz, make_short_text, make_single

pytestmark = pytest.mark.django_db


def someone(email: str = "someone@example.org") -> Subject:
    return subject_of(make_user(email=email))


def sit(
    *,
    subject: Subject | None = None,
    edition: AssessmentEdition | None = None,
    terms: Terms | None = None,
    context: uuid.UUID | None = None,
) -> Sitting:
    return open_sitting(
        subject=subject or someone(),
        edition=edition or make_quiz(),
        context=context or uuid.uuid4(),
        terms=terms or Terms(attempts_allowed=2),
    )


def begin(sitting: Sitting, key: uuid.UUID | None = None) -> Attempt:
    return start_attempt(sitting=sitting, attempt_id=key or uuid.uuid4())


def answer(attempt: Attempt, item: str, choice: str, key: uuid.UUID | None = None) -> Response:
    return save_response(
        attempt=attempt, item_key=item, raw={"choice": choice}, client_id=key or uuid.uuid4()
    )


def at_once(count: int, do: Callable[[int], Any]) -> list[Any]:
    """What `do` gave or raised, in `count` threads that begin together, each with a connection of its own."""
    gate, found = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            found[number] = do(number)
        except Exception as error:
            found[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- All at once ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_twenty_hand_in_at_once_and_there_is_one_result() -> None:
    attempt = begin(sit())
    for item in ("q1", "q2"):
        answer(attempt, item, "right")
    heard: list[uuid.UUID] = []

    def hear(attempt: Attempt, **kwargs: Any) -> None:
        heard.append(attempt.pk)

    attempt_submitted.connect(hear)
    try:
        found = at_once(20, lambda number: submit_attempt(attempt=attempt, submit_id=uuid.uuid4()))
    finally:
        attempt_submitted.disconnect(hear)
    assert [one for one in found if isinstance(one, Exception)] == []
    assert {(one.submit_id, one.points, one.submitted_at) for one in found} == {
        (found[0].submit_id, Decimal(2), found[0].submitted_at)
    }
    assert heard == [attempt.pk], "The news is sent once."


@pytest.mark.django_db(transaction=True)
def test_twenty_starts_at_once_make_one_attempt() -> None:
    sitting = sit()
    found = at_once(20, lambda number: begin(sitting))
    assert [one for one in found if isinstance(one, Exception)] == []
    assert len({one.pk for one in found}) == Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_answer_sent_twenty_times_at_once_is_one_row() -> None:
    attempt = begin(sit())
    key = uuid.uuid4()
    found = at_once(20, lambda number: answer(attempt, "q1", "right", key))
    assert [one for one in found if isinstance(one, Exception)] == []
    assert Response.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_opening_a_sitting_twenty_times_at_once_opens_one() -> None:
    subject, edition, context = someone(), make_quiz(), uuid.uuid4()
    found = at_once(20, lambda number: sit(subject=subject, edition=edition, context=context))
    assert [one for one in found if isinstance(one, Exception)] == []
    assert Sitting.objects.count() == 1


# --- Once more --------------------------------------------------------------------------------------------------


def test_what_is_shown_is_drawn_once_and_stays() -> None:
    sitting = sit(
        edition=make_quiz(items=[make_single(f"q{n}") for n in range(9)], draw=3, shuffle={"items": True})
    )
    first = begin(sitting)
    assert len(Attempt.objects.get().form["items"]) == 3
    again = begin(sitting)
    assert (again.pk, again.form) == (first.pk, first.form)


def test_a_repeat_gives_the_first_row() -> None:
    attempt = begin(sit())
    key, last = uuid.uuid4(), uuid.uuid4()
    assert answer(attempt, "q1", "right", key).pk == answer(attempt, "q1", "left", key).pk
    assert last_responses(attempt)["q1"].value == {"choice": "right"}
    first = submit_attempt(attempt=attempt, submit_id=last)
    again = submit_attempt(attempt=attempt, submit_id=last)
    assert (first.points, first.submitted_at) == (again.points, again.submitted_at)
    assert answer(attempt, "q1", "right", key).pk == Response.objects.get().pk, "Even after handing in."


def test_the_last_answer_counts_and_none_is_lost() -> None:
    attempt = begin(sit())
    for choice in ("left", "middle", "right"):
        answer(attempt, "q1", choice)
    assert Response.objects.count() == 3
    assert submit_attempt(attempt=attempt, submit_id=uuid.uuid4()).points == 1


def test_keys_of_something_else_give_a_sentence() -> None:
    mine, other = begin(sit()), begin(sit(subject=someone("other@example.org")))
    key = uuid.uuid4()
    answer(other, "q1", "right", key)
    for item in ("q1", "q2"):
        with pytest.raises(InvalidInput, match="was used for something else"):
            answer(mine, item, "right", key)
    with pytest.raises(InvalidInput, match="was used for something else"):
        answer(other, "q2", "right", key)
    with pytest.raises(InvalidInput, match="was used for something else"):
        begin(sit(subject=someone("third@example.org")), other.pk)
    done = submit_attempt(attempt=other, submit_id=uuid.uuid4())
    with pytest.raises(InvalidInput, match="was used for something else"):
        submit_attempt(attempt=mine, submit_id=done.submit_id)
    mine.refresh_from_db()
    assert mine.submitted_at is None


# --- Terms ------------------------------------------------------------------------------------------------------


def test_attempts_are_counted() -> None:
    sitting = sit(terms=Terms(attempts_allowed=1))
    submit_attempt(attempt=begin(sitting), submit_id=uuid.uuid4())
    with pytest.raises(NoAttemptLeft, match="You have used all your attempts"):
        begin(sitting)


def test_it_opens_and_closes() -> None:
    now = clock.now()
    with pytest.raises(AttemptClosed, match="not open yet"):
        begin(sit(terms=Terms(opens_at=now + timedelta(hours=1))))
    with pytest.raises(AttemptClosed, match="has closed"):
        begin(sit(subject=someone("b@example.org"), terms=Terms(closes_at=now - timedelta(hours=1))))


def test_after_time_is_up_what_was_saved_is_handed_in() -> None:
    attempt = begin(sit(edition=make_quiz(time_limit_minutes=10)))
    answer(attempt, "q1", "right")
    assert attempt.deadline == attempt.started_at + timedelta(minutes=10)
    Attempt.objects.update(deadline=clock.now() - timedelta(minutes=5))
    attempt.refresh_from_db()
    with pytest.raises(AttemptClosed, match="Time is up"):
        answer(attempt, "q2", "right")
    assert submit_overdue(attempt=attempt).points == 1


def test_who_is_given_more_time_has_it_at_once() -> None:
    subject, edition, context = someone(), make_quiz(time_limit_minutes=10), uuid.uuid4()
    attempt = begin(sit(subject=subject, edition=edition, context=context))
    sit(
        subject=subject,
        edition=edition,
        context=context,
        terms=Terms(attempts_allowed=2, time_factor=Decimal(2)),
    )
    attempt.refresh_from_db()
    assert attempt.deadline == attempt.started_at + timedelta(minutes=20)


# --- Answers ----------------------------------------------------------------------------------------------------


def test_after_handing_in_nothing_is_added() -> None:
    attempt = begin(sit())
    submit_attempt(attempt=attempt, submit_id=uuid.uuid4())
    with pytest.raises(AttemptClosed, match="was handed in already"):
        answer(attempt, "q1", "right")


@pytest.mark.parametrize(
    ("item", "raw"),
    [
        ("q1", {"choice": "nowhere"}),
        ("q1", {"number": "3"}),
        ("q1", {"choice": ["right"]}),
        ("q9", {"choice": "right"}),
    ],
)
def test_what_is_no_answer_is_refused_in_words(item: str, raw: dict[str, Any]) -> None:
    attempt = begin(sit())
    with pytest.raises(DomainError) as refusal:
        save_response(attempt=attempt, item_key=item, raw=raw, client_id=uuid.uuid4())
    assert str(refusal.value).endswith(".")
    assert not Response.objects.exists()


def test_typed_words_stand_apart_from_the_ledger() -> None:
    attempt = begin(sit(edition=make_quiz(items=[make_short_text("w")])))
    row = save_response(attempt=attempt, item_key="w", raw={"text": " Scanning "}, client_id=uuid.uuid4())
    assert row.value == {}
    assert PersonalText.objects.get(pk=row.text_id).text == "Scanning"
    assert submit_attempt(attempt=attempt, submit_id=uuid.uuid4()).points == 1


def test_the_ledger_cannot_be_changed() -> None:
    row = answer(begin(sit()), "q1", "right")
    with pytest.raises(Exception, match=r"(?i)ledger|append|cannot"), connection.cursor() as cursor:
        cursor.execute("UPDATE assessments_response SET item_key = 'q2' WHERE id = %s", [row.pk])


# --- Marking ----------------------------------------------------------------------------------------------------


@pytest.fixture
def handed_in() -> Attempt:
    attempt = begin(sit(edition=make_assignment()))
    save_submission(attempt=attempt, text="What we saw in town.", files=[], client_id=uuid.uuid4())
    return submit_attempt(attempt=attempt, submit_id=uuid.uuid4())


@pytest.fixture
def marker(instructor: User) -> Subject:
    return subject_of(instructor)


def judge(attempt: Attempt, marker: Subject, *, key: uuid.UUID | None = None, **values: Any) -> Mark:
    fields = {"decision": "marked", "levels": {"specific": 2, "figures": 1}, "comment": "", **values}
    return mark_attempt(
        attempt=attempt, marker=marker, judgement=Judgement(**fields), client_id=key or uuid.uuid4()
    )


def test_an_empty_assignment_is_not_handed_in() -> None:
    attempt = begin(sit(edition=make_assignment()))
    with pytest.raises(InvalidInput, match="Write your text or add a file"):
        submit_attempt(attempt=attempt, submit_id=uuid.uuid4())


def test_it_waits_for_a_marker_and_is_marked_once(handed_in: Attempt, marker: Subject) -> None:
    assert (handed_in.points, handed_in.passed) == (None, None)
    key = uuid.uuid4()
    assert judge(handed_in, marker, key=key).pk == judge(handed_in, marker, key=key, levels={}).pk
    handed_in.refresh_from_db()
    assert (handed_in.points, handed_in.max_points, handed_in.passed) == (3, 4, True)


def test_a_mark_needs_each_criterion_and_a_return_a_comment(handed_in: Attempt, marker: Subject) -> None:
    with pytest.raises(InvalidInput, match="one level for each criterion"):
        judge(handed_in, marker, levels={"specific": 1})
    with pytest.raises(InvalidInput, match="Say in the comment what to change"):
        judge(handed_in, marker, decision="returned", levels={})
    assert not Mark.objects.exists()


def test_work_that_was_given_back_costs_no_attempt(handed_in: Attempt, marker: Subject) -> None:
    sitting = handed_in.sitting
    Sitting.objects.filter(pk=sitting.pk).update(attempts_allowed=1)
    judge(handed_in, marker, decision="returned", levels={}, comment="Name your source.")
    assert begin(sitting).number == 2


def test_a_pass_is_not_taken_back(handed_in: Attempt, marker: Subject) -> None:
    judge(handed_in, marker)
    with pytest.raises(InvalidInput, match="Its mark can be raised, not taken back"):
        judge(handed_in, marker, levels={"specific": 0, "figures": 0})
    judge(handed_in, marker, levels={"specific": 2, "figures": 2})
    handed_in.refresh_from_db()
    assert handed_in.points == 4
    assert Mark.objects.count() == 2


def test_a_marks_key_of_another_work_gives_a_sentence(handed_in: Attempt, marker: Subject) -> None:
    other = begin(sit(subject=someone("other@example.org"), edition=make_assignment()))
    save_submission(attempt=other, text="Another town.", files=[], client_id=uuid.uuid4())
    submit_attempt(attempt=other, submit_id=uuid.uuid4())
    key = uuid.uuid4()
    judge(other, marker, key=key)
    with pytest.raises(InvalidInput, match="was used for something else"):
        judge(handed_in, marker, key=key)
