"""Prepared writes write what the ORM writes, several of them in one round trip, and lock what they say."""

from __future__ import annotations

import threading
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from accounts.models import PersonalText, Role, Subject, User
from accounts.services import subject_of
from assessments.models import Attempt
from core import clock
from core.prepared import PreparedQuery, given_uuid
from core.prepared_writes import PreparedInsert, PreparedLock, PreparedRows, PreparedUpdate, run_together
from core.questions import Question, ask_together
from lms.models import Enrolment, LearningEvent, StepProgress
from lms.services import begin_attempt
from tests.factories.lms import make_course, make_enrolment, make_offering


def columns_of(row: Any) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def enrolment(learner: User) -> Enrolment:
    return make_enrolment(user=learner, offering=make_offering(edition=make_course().edition))


def make_event(enrolment: Enrolment, **fields: Any) -> LearningEvent:
    return LearningEvent(
        enrolment_id=enrolment.pk,
        subject_id=enrolment.subject_id,
        verb=LearningEvent.Verb.CHECKED,
        step_key=fields.pop("step_key", uuid.uuid4()),
        language="fr",
        result=fields.pop("result", {"choices": ["é", '"'], "right": True}),
        **fields,
    )


EVENT_COLUMNS = [field.attname for field in LearningEvent._meta.concrete_fields if field.attname != "id"]


def row_of(event: LearningEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in EVENT_COLUMNS}


def test_what_is_inserted_is_what_the_orm_reads(enrolment: Enrolment, django_assert_num_queries: Any) -> None:
    event = make_event(enrolment, object_key="village")
    with django_assert_num_queries(1):
        assert PreparedInsert(LearningEvent).insert(event)
    assert columns_of(LearningEvent.objects.get(pk=event.pk)) == columns_of(event)
    text = PersonalText(
        subject_id=enrolment.subject_id, kind=PersonalText.Kind.ANSWER, text="100 % of %s; “oui”"
    )
    assert PreparedInsert(PersonalText).insert(text)
    assert columns_of(PersonalText.objects.get(pk=text.pk)) == columns_of(text)


def test_a_conflict_is_an_error_passed_over_or_an_update(enrolment: Enrolment) -> None:
    first = make_event(enrolment)
    assert PreparedInsert(LearningEvent).insert(first)
    again = make_event(enrolment, client_id=first.client_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        PreparedInsert(LearningEvent).insert(again)
    assert not PreparedInsert(LearningEvent, ignore_conflicts=True).insert(again)
    assert again.pk is None


def test_rows_are_written_as_the_orm_writes_them(enrolment: Enrolment) -> None:
    """Keys, moments and JSON of many rows in one statement with one value; the server gives each its number."""
    write = PreparedRows(LearningEvent, EVENT_COLUMNS)
    events = [
        make_event(
            enrolment, object_key="1'2\"3\\ %s é", result={"points": "2.50", "more": [None, {"é": 1.5}]}
        ),
        *(make_event(enrolment) for _number in range(60)),
    ]
    run_together([*write.statements([row_of(event) for event in events]), *write.statements([])])
    found = LearningEvent.objects.filter(enrolment=enrolment, verb="checked").order_by("id")
    assert [row_of(event) for event in found] == [row_of(event) for event in events]


def test_rows_in_conflict_are_an_error_passed_over_or_an_update(enrolment: Enrolment) -> None:
    first, second = make_event(enrolment), make_event(enrolment)
    rows = [row_of(first), row_of(second)]
    run_together(PreparedRows(LearningEvent, EVENT_COLUMNS).statements(rows[:1]))
    with pytest.raises(IntegrityError), transaction.atomic():
        run_together(PreparedRows(LearningEvent, EVENT_COLUMNS).statements(rows))
    assert not LearningEvent.objects.filter(client_id=second.client_id).exists()
    run_together(PreparedRows(LearningEvent, EVENT_COLUMNS, ignore_conflicts=True).statements(rows))
    assert LearningEvent.objects.filter(client_id__in=[first.client_id, second.client_id]).count() == 2
    fields = ("state", "last_at", "points", "parts", "reason", "attempts_used", "completed_at")
    write = PreparedRows(
        StepProgress,
        ("enrolment_id", "step_key", *fields),
        unique=("enrolment", "step_key"),
        update=("state", "points", "parts"),
    )
    key, now = uuid.uuid4(), clock.now()
    for state, points, last_at in (("opened", None, now), ("failed", Decimal("2.50"), None)):
        row = {
            "enrolment_id": enrolment.pk,
            "step_key": key,
            "state": state,
            "last_at": last_at or clock.now(),
            "points": points,
            "parts": {"a": {}},
            "reason": {},
            "attempts_used": 3,
            "completed_at": None,
        }
        run_together(write.statements([row]))
    kept = StepProgress.objects.get(enrolment=enrolment, step_key=key)
    assert (kept.state, kept.points, kept.parts) == ("failed", Decimal("2.50"), {"a": {}})
    assert (kept.last_at, kept.attempts_used, kept.completed_at, kept.opened_at) == (now, 3, None, None)


def test_what_no_column_takes_is_refused(enrolment: Enrolment) -> None:
    write = PreparedRows(LearningEvent, EVENT_COLUMNS)
    with pytest.raises(TypeError, match="set cannot be written"):
        write.statements([{**row_of(make_event(enrolment)), "result": {"choices": {"a"}}}])
    for wrong in ({"language": "long"}, {"step_key": "no key"}, {"verb": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            run_together(write.statements([{**row_of(make_event(enrolment)), **wrong}]))


def test_what_is_run_together_is_one_round_trip_and_fails_as_one(
    enrolment: Enrolment, django_assert_num_queries: Any
) -> None:
    write = PreparedRows(LearningEvent, EVENT_COLUMNS)
    one, two, fresh = make_event(enrolment), make_event(enrolment), make_event(enrolment)
    with django_assert_num_queries(1):
        run_together([*write.statements([row_of(one)]), *write.statements([row_of(two)])])
    assert LearningEvent.objects.filter(client_id__in=[one.client_id, two.client_id]).count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        run_together([*write.statements([row_of(fresh)]), *write.statements([row_of(one)])])
    assert not LearningEvent.objects.filter(client_id=fresh.client_id).exists()


def test_questions_asked_together_see_what_was_written_before_them(
    enrolment: Enrolment, django_assert_num_queries: Any
) -> None:
    step = uuid.uuid4()
    event = make_event(enrolment, step_key=step)
    events = PreparedQuery(lambda: LearningEvent.objects.filter(step_key=given_uuid("step")))
    subjects = PreparedQuery(
        lambda: Enrolment.objects.filter(pk=given_uuid("enrolment")), joined=("subject",)
    )
    roles = PreparedQuery(lambda: Role.objects.filter(pk=given_uuid("role")))
    with django_assert_num_queries(1):
        found, owners, none = ask_together(
            Question.of(events, step=step),
            Question.of(subjects, enrolment=enrolment.pk),
            Question.of(roles, role=uuid.uuid4()),
            after=PreparedRows(LearningEvent, EVENT_COLUMNS).statements([row_of(event)]),
        )
        assert [one.client_id for one in found] == [event.client_id]
        assert owners[0].subject == enrolment.subject
        assert none == []
    (plain,) = ask_together(Question(events, {"step": step}, columns=("result", "client_id")))
    assert plain == [(event.result, event.client_id)]


def test_an_update_writes_its_columns_and_no_other(enrolment: Enrolment) -> None:
    step = make_course_step(enrolment)
    attempt = begin_attempt(enrolment=enrolment, step_key=step, attempt_id=uuid.uuid4(), language="en")
    attempt.points, attempt.score, attempt.passed = Decimal("1.25"), {"waiting": []}, False
    attempt.flagged = ["not written"]
    PreparedUpdate(Attempt, ("points", "score", "passed")).statement(attempt).run()
    kept = Attempt.objects.get(pk=attempt.pk)
    assert (kept.points, kept.score, kept.passed) == (Decimal("1.25"), {"waiting": []}, False)
    assert kept.flagged == []


def make_course_step(enrolment: Enrolment) -> uuid.UUID:
    # The course is in sequence; what is tested here is the row, so the lock of the steps does not matter.
    from lms.services.learning import complete_lesson
    from modules.selectors import outline_of
    from tests.factories.lms import finish_lesson

    outline = outline_of(enrolment.edition)
    keys = {step.slug: step.key for step in outline.iter_steps()}
    finish_lesson(enrolment, keys["reading"])
    complete_lesson(enrolment=enrolment, step_key=keys["plain"], language="en", client_id=uuid.uuid4())
    return keys["quiz"]


_lock = PreparedLock(
    lambda: Enrolment.objects.filter(pk=given_uuid("enrolment")), joined=("subject",), also=(Subject,)
)


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_refused_outside_of_a_transaction_and_keeps_others_out(learner: User) -> None:
    enrolment = make_enrolment(user=learner, offering=make_offering(edition=make_course().edition))
    with pytest.raises(TransactionManagementError):
        _lock.first(enrolment=enrolment.pk)
    with pytest.raises(TransactionManagementError):
        ask_together(Question.of(_lock, enrolment=enrolment.pk))
    taken: list[str] = []

    def try_to_take() -> None:
        try:
            for model, key in ((Enrolment, enrolment.pk), (Subject, subject_of(learner).pk)):
                with transaction.atomic():
                    rows = model.objects.select_for_update(skip_locked=True).filter(pk=key)
                    taken.extend(model.__name__ for _row in rows)
        finally:
            connection.close()

    with transaction.atomic():
        assert _lock.first(enrolment=enrolment.pk) is not None
        other = threading.Thread(target=try_to_take)
        other.start()
        other.join()
    assert taken == []
