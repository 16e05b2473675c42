"""The rules of the course engine: completion, reasons, folds, standing, terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.rules import (
    LEVELS,
    REASONS,
    CourseState,
    CourseSteps,
    EnrolmentEvent,
    EnrolmentKind,
    Event,
    Evidence,
    Facts,
    Grant,
    LockedBy,
    Outcome,
    StandingState,
    Step,
    StepState,
    StepTerms,
    Strength,
    Terms,
    Verb,
    apply_event,
    blocking_step,
    completion,
    completion_reason,
    effective_enrolment,
    effective_terms,
    explain_incomplete,
    explain_step,
    fold_events,
    fold_step,
    is_stuck,
    is_unlocked,
    next_step,
    standing,
    standing_by_level,
)
from modules.documents import Outline, OutlineModule, OutlineStep, Part

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEPS = [UUID(int=number) for number in range(1, 7)]
LESSON, QUIZ, TASK = STEPS[:3]


def event(
    ordinal: int, verb: str, step: UUID = LESSON, /, *, hours: int | None = None, key: str = "", **result: Any
) -> Event:
    at = AT + timedelta(hours=ordinal if hours is None else hours)
    return Event(
        id=UUID(int=ordinal), verb=Verb(verb), step=step, occurred_at=at, object_key=key, result=result
    )


@st.composite
def ledgers(draw: st.DrawFn, *, distinct_times: bool = True) -> list[Event]:
    """Any events of one enrolment, sensible or not."""
    count = draw(st.integers(0, 14))
    hours = draw(st.lists(st.integers(0, 400), min_size=count, max_size=count, unique=distinct_times))
    events = []
    for number, hour in enumerate(hours):
        verb = draw(st.sampled_from(list(Verb)))
        key = draw(st.sampled_from(["a", "b"]))
        result: dict[str, Any] = {}
        if verb in (Verb.SUBMITTED, Verb.MARKED):
            percent = draw(st.integers(0, 100))
            result = {"number": 1 if key == "a" else 2, "percent": str(percent), "points": str(percent)}
            result["passed"] = draw(st.sampled_from([None, True, False]))
        elif verb in (Verb.REFLECTED, Verb.WROTE):
            result = {"empty": draw(st.booleans())}
        elif verb is Verb.COMPLETED:
            result = {"code": draw(st.sampled_from(["lesson_finished", "assessment_passed"]))}
        step = draw(st.sampled_from(STEPS))
        events.append(event(number + 1, verb, step, hours=hour, key=key, **result))
    return events


@st.composite
def courses(draw: st.DrawFn) -> CourseSteps:
    steps = tuple(
        Step(
            key=key,
            kind=draw(st.sampled_from(["lesson", "quiz", "assignment", "evaluation"])),
            required=draw(st.booleans()),
            checks=tuple(draw(st.sets(st.sampled_from(["a", "b", "c"])))),
            reflections=tuple(draw(st.sets(st.sampled_from(["a", "b", "c"])))),
        )
        for key in STEPS[: draw(st.integers(1, 6))]
    )
    return CourseSteps(steps, draw(st.sampled_from(["sequence", "free"])))


def completed_in(state: CourseState) -> set[UUID]:
    return {key for key in state.steps if state.is_complete(key)}


class TestFold:
    @given(ledgers(), st.data())
    def test_neither_order_nor_repeats_matter(self, events: list[Event], data: st.DataObject) -> None:
        repeats = [one for one in events if data.draw(st.booleans())]
        assert fold_events(data.draw(st.permutations(events + repeats))) == fold_events(events)

    @given(ledgers(distinct_times=False), st.data())
    def test_not_even_where_times_are_equal(self, events: list[Event], data: st.DataObject) -> None:
        assert fold_events(data.draw(st.permutations(events))) == fold_events(events)

    @given(ledgers(), st.integers(0, 14))
    def test_later_events_never_uncomplete(self, events: list[Event], count: int) -> None:
        in_time = sorted(events, key=lambda one: one.occurred_at)
        before, after = fold_events(in_time[:count]), fold_events(in_time)
        assert completed_in(before) <= completed_in(after)
        for key in completed_in(before):
            assert after.steps[key].completed_at == before.steps[key].completed_at
            assert after.steps[key].reason == before.steps[key].reason
            assert after.steps[key].status == "complete"

    @given(ledgers(), st.data())
    def test_late_arrivals_never_uncomplete_either(self, events: list[Event], data: st.DataObject) -> None:
        some = [one for one in events if data.draw(st.booleans())]
        assert completed_in(fold_events(some)) <= completed_in(fold_events(events))

    @given(ledgers())
    def test_event_by_event_is_the_same_as_all_at_once(self, events: list[Event]) -> None:
        steps: dict[UUID, StepState] = {}
        for one in sorted(events, key=lambda one: one.occurred_at):
            steps[one.step] = apply_event(steps.get(one.step, StepState(key=one.step)), one)
        assert CourseState(steps=steps) == fold_events(events)

    @given(ledgers(distinct_times=False), st.data())
    def test_a_step_by_itself_is_the_same_as_among_others(
        self, events: list[Event], data: st.DataObject
    ) -> None:
        whole = fold_events(events)
        for key in STEPS:
            own = [one for one in events if one.step == key]
            assert fold_step(key, data.draw(st.permutations(own + own[:2]))) == whole.steps.get(
                key, StepState(key=key)
            )

    def test_a_lesson_is_remembered(self) -> None:
        state = fold_events(
            [
                event(1, "opened"),
                event(2, "checked", key="c1", choices=["a"], right=False),
                event(3, "checked", key="c1", choices=["b"], right=True),
                event(4, "reflected", key="r1", empty=False, text="t1"),
                event(5, "reflected", key="r2", empty=True),
                event(6, "wrote", key="w1", empty=False),
                event(7, "progressed", key="case-study"),
            ]
        ).steps[LESSON]
        assert state.opened_at == AT + timedelta(hours=1)
        assert state.active_at == state.last_at == AT + timedelta(hours=7)
        assert state.checks == {"c1": {"choices": ["b"], "right": True}}
        assert state.written == {"r1"}
        assert set(state.parts) == {"c1", "r1", "r2", "w1"}
        assert (state.position, state.status) == ("case-study", "opened")

    def test_words_taken_back_are_gone_but_a_completion_is_not(self) -> None:
        state = fold_events(
            [
                event(1, "reflected", key="r1", empty=False),
                event(2, "completed", code="lesson_finished"),
                event(3, "reflected", key="r1", empty=True),
                event(4, "completed", code="another"),
            ]
        ).steps[LESSON]
        assert state.written == frozenset()
        assert state.completed_at == AT + timedelta(hours=2)
        assert state.reason == {"code": "lesson_finished"}

    def test_attempts_and_their_outcomes(self) -> None:
        events = [
            event(1, "attempted", TASK, key="x", number=1),
            event(2, "submitted", TASK, key="x", number=1, passed=None),
            event(3, "returned", TASK, key="x", number=1),
            event(4, "attempted", TASK, key="y", number=2),
            event(5, "submitted", TASK, key="y", number=2, passed=None),
            event(
                6, "marked", TASK, key="y", number=2, points="4", max_points="6", percent="66.66", passed=True
            ),
        ]
        statuses, waiting = [], []
        for count in range(1, 7):
            state = fold_events(events[:count])
            statuses.append(state.steps[TASK].status)
            waiting.append(state.waiting)
        assert statuses == ["opened", "waiting", "returned", "opened", "waiting", "opened"]
        assert waiting == [0, 1, 0, 0, 1, 0]
        state = fold_events(events)
        assert state.steps[TASK].attempts_used == 1
        best = state.steps[TASK].best
        assert best is not None
        assert (best.number, best.percent, best.outcome) == (2, Decimal("66.66"), Outcome.PASSED)
        assert state.active_at == AT + timedelta(hours=5)  # the marker's doing is not the learner's

    def test_a_submission_comes_before_its_mark_at_the_same_instant(self) -> None:
        same = [
            replace(event(2, "submitted", QUIZ, key="x", passed=None), occurred_at=AT),
            replace(event(1, "marked", QUIZ, key="x", passed=True), occurred_at=AT),
        ]
        assert fold_events(same).steps[QUIZ].attempts[0].outcome is Outcome.PASSED

    def test_the_best_attempt_is_the_one_that_passed(self) -> None:
        state = fold_events(
            [
                event(1, "submitted", QUIZ, key="x", number=1, percent="80", passed=True),
                event(2, "submitted", QUIZ, key="y", number=2, percent="40", passed=False),
                event(3, "submitted", QUIZ, key="z", number=3, percent="90", passed=True),
            ]
        ).steps[QUIZ]
        assert state.best is not None
        assert state.best.number == 3


class TestCompletion:
    @given(courses(), st.sets(st.sampled_from(STEPS)))
    def test_is_set_membership(self, course: CourseSteps, records: set[UUID]) -> None:
        found = completion(course.steps, records)
        in_order = [step.key for step in course.steps if step.required]
        required = set(in_order)
        assert list(found.required) == in_order
        assert list(found.done) == [key for key in in_order if key in records]
        assert list(found.missing) == [key for key in in_order if key not in records]
        assert found.complete == (bool(required) and required <= records)

    @given(courses(), st.sets(st.sampled_from(STEPS)), st.sampled_from(STEPS))
    def test_more_records_never_harm(self, course: CourseSteps, records: set[UUID], more: UUID) -> None:
        if completion(course.steps, records).complete:
            assert completion(course.steps, records | {more}).complete

    def test_nothing_required_is_nothing_earned(self) -> None:
        assert not completion([Step(key=LESSON, required=False)], {LESSON}).complete

    @given(courses(), ledgers())
    def test_a_reason_and_a_completion_never_stand_together(
        self, course: CourseSteps, events: list[Event]
    ) -> None:
        state = fold_events(events)
        for step in course.steps:
            known = state.steps.get(step.key)
            reasons = explain_step(step, known, StepTerms())
            if completion_reason(step, known) is not None:
                assert [reason.code for reason in reasons] in ([], ["opened_not_finished"])
            else:
                assert reasons
                assert "opened_not_finished" not in {reason.code for reason in reasons}

    def test_a_wrong_check_counts_as_answered(self) -> None:
        step = Step(key=LESSON, checks=("c1",), reflections=("r1",))
        answered = [event(1, "opened"), event(2, "checked", key="c1", right=False)]
        assert completion_reason(step, fold_events(answered).steps[LESSON]) is None
        written = [*answered, event(3, "reflected", key="r1", empty=False)]
        assert completion_reason(step, fold_events(written).steps[LESSON]) == {
            "code": "lesson_finished",
            "checks": 1,
            "reflections": 1,
        }

    def test_a_quiz_needs_a_pass_and_an_evaluation_an_answer(self) -> None:
        failed = fold_events(
            [event(1, "submitted", QUIZ, key="x", number=1, percent="40", passed=False)]
        ).steps[QUIZ]
        assert completion_reason(Step(key=QUIZ, kind="quiz"), failed) is None
        assert completion_reason(Step(key=QUIZ, kind="evaluation"), failed) == {
            "code": "evaluation_submitted",
            "attempt": "x",
            "number": 1,
        }
        passed = fold_events([event(1, "submitted", QUIZ, key="x", number=1, percent="80.5", passed=True)])
        reason = completion_reason(Step(key=QUIZ, kind="quiz"), passed.steps[QUIZ])
        assert reason == {"code": "assessment_passed", "attempt": "x", "number": 1, "percent": "80.5"}


class TestOrder:
    @given(courses(), st.sets(st.sampled_from(STEPS)))
    def test_unlocking(self, course: CourseSteps, completed: set[UUID]) -> None:
        for number, step in enumerate(course.steps):
            before = [
                other for other in course.steps[:number] if other.required and other.key not in completed
            ]
            blocker = blocking_step(course, completed, step.key)
            if course.order == "free" or step.key in completed or not before:
                assert blocker is None
                assert is_unlocked(course, completed, step.key)
            else:
                assert blocker == before[0]

    @given(courses(), st.sets(st.sampled_from(STEPS)), st.sampled_from(STEPS))
    def test_completing_never_locks(self, course: CourseSteps, completed: set[UUID], more: UUID) -> None:
        for step in course.steps:
            if is_unlocked(course, completed, step.key):
                assert is_unlocked(course, completed | {more}, step.key)

    def test_a_stranger_is_refused(self) -> None:
        for order in ("free", "sequence"):
            course = CourseSteps((Step(key=LESSON),), order)
            for completed in (set(), {LESSON}, {QUIZ}):
                with pytest.raises(KeyError):
                    blocking_step(course, completed, QUIZ)

    @given(courses(), ledgers())
    def test_the_next_step_is_open_and_incomplete(self, course: CourseSteps, events: list[Event]) -> None:
        state = fold_events(events)
        step = next_step(course, state)
        if step is None:
            for other in course.steps:
                done = other.key in completed_in(state)
                locked = not is_unlocked(course, completed_in(state), other.key)
                assert done or locked or state.steps[other.key].is_waiting
        else:
            assert step.key not in completed_in(state)
            assert is_unlocked(course, completed_in(state), step.key)

    def test_resume_where_one_left_off(self) -> None:
        course = CourseSteps(tuple(Step(key=key) for key in STEPS[:4]), "free")
        assert next_step(course, fold_events([])) == course.steps[0]
        begun = [
            event(1, "opened", STEPS[1]),
            event(2, "opened", STEPS[2]),
            event(3, "checked", STEPS[1], key="c"),
        ]
        assert next_step(course, fold_events(begun)) == course.steps[1]
        done = [*begun, event(4, "completed", STEPS[1]), event(5, "completed", STEPS[2])]
        assert next_step(course, fold_events(done)) == course.steps[0]

    def test_what_waits_for_a_marker_is_passed_over(self) -> None:
        course = CourseSteps((Step(key=TASK, kind="assignment"), Step(key=LESSON)), "free")
        waiting = [event(1, "submitted", TASK, key="x", passed=None)]
        assert next_step(course, fold_events(waiting)) == course.steps[1]
        assert next_step(course, fold_events([*waiting, event(2, "completed")])) is None

    def test_steps_come_from_an_outline(self) -> None:
        parts = (
            Part(key="c1", kind="check", required=True),
            Part(key="c2", kind="check"),
            Part(key="r1", kind="reflection", required=True),
            Part(key="w1", kind="worksheet"),
        )
        steps = (
            OutlineStep(key=LESSON, kind="lesson", title={"en": "Lesson"}, minutes=16, parts=parts),
            OutlineStep(key=QUIZ, kind="quiz", title={"en": "Quiz"}, required=False),
        )
        module = OutlineModule(key=STEPS[5], title={"en": "Module"}, steps=steps)
        outline = Outline(title={"en": "Course"}, order="free", modules=(module,))
        assert CourseSteps.from_outline(outline) == CourseSteps(
            (
                Step(key=LESSON, minutes=16, module=STEPS[5], checks=("c1",), reflections=("r1",)),
                Step(key=QUIZ, kind="quiz", required=False, module=STEPS[5]),
            ),
            "free",
        )


class TestReasons:
    @given(courses(), ledgers(), st.booleans())
    def test_empty_exactly_when_complete(
        self, course: CourseSteps, events: list[Event], closed: bool
    ) -> None:
        state = fold_events(events)
        facts = Facts(state=state, now=AT, closes_at=AT - timedelta(hours=1) if closed else None)
        reasons = explain_incomplete(course, facts)
        missing = completion(course.steps, completed_in(state)).missing
        assert bool(reasons) == bool(missing)
        assert {reason.step for reason in reasons if reason.step} == set(missing)
        assert (reasons[:1] and reasons[0].code == "window_closed") == (
            closed and bool(missing)
        ) or not missing
        for reason in reasons:
            assert REASONS[reason.code] is type(reason)
            assert "step" in reason.params()
            if isinstance(reason, LockedBy):
                assert reason.by in missing

    def explain(
        self, *events: Event, kind: str = "quiz", terms: StepTerms | None = None, **step: Any
    ) -> list[tuple[str, dict[str, Any]]]:
        key = QUIZ if kind in ("quiz", "assignment") else LESSON
        outline = CourseSteps((Step(key=key, kind=kind, **step),))
        facts = Facts(state=fold_events(events), now=AT, terms={key: terms} if terms else {})
        return [
            (reason.code, {name: value for name, value in reason.params().items() if name != "step"})
            for reason in explain_incomplete(outline, facts)
        ]

    def test_lessons(self) -> None:
        parts: dict[str, Any] = {"checks": ("c1", "c2"), "reflections": ("r1",)}
        assert self.explain(kind="lesson") == [("not_opened", {})]
        assert self.explain(event(1, "opened"), kind="lesson") == [("opened_not_finished", {})]
        half = [
            event(1, "opened"),
            event(2, "checked", key="c1"),
            event(3, "reflected", key="r1", empty=True),
        ]
        assert self.explain(*half, kind="lesson", **parts) == [
            ("check_unanswered", {"checks": ("c2",)}),
            ("reflection_empty", {"reflections": ("r1",)}),
        ]
        assert self.explain(*half, event(4, "completed"), kind="lesson", **parts) == []

    def test_quizzes(self) -> None:
        terms = StepTerms(pass_mark=Decimal(75), attempts_allowed=2)
        opened = event(1, "opened", QUIZ)
        started = event(2, "attempted", QUIZ, key="x", number=1)
        failed = event(3, "submitted", QUIZ, key="x", number=1, percent="62.5", passed=False)
        again = event(4, "submitted", QUIZ, key="y", number=2, percent="50", passed=False)
        assert self.explain(terms=terms) == [("not_opened", {})]
        assert self.explain(opened, terms=terms) == [("attempt_not_submitted", {"started_at": None})]
        assert self.explain(opened, started, terms=terms) == [
            ("attempt_not_submitted", {"started_at": AT + timedelta(hours=2)})
        ]
        assert self.explain(opened, started, failed, terms=terms) == [
            ("attempt_failed", {"percent": Decimal("62.5"), "pass_mark": Decimal(75), "attempts_left": 1})
        ]
        assert self.explain(opened, started, failed, again, terms=terms) == [
            ("no_attempts_left", {"percent": Decimal("62.5"), "pass_mark": Decimal(75)})
        ]
        unlimited = self.explain(opened, started, failed, again)
        assert unlimited == [
            ("attempt_failed", {"percent": Decimal("62.5"), "pass_mark": None, "attempts_left": None})
        ]

    def test_assignments(self) -> None:
        handed_in = event(1, "submitted", QUIZ, key="x", number=1, passed=None)
        returned = event(2, "returned", QUIZ, key="x", number=1)
        assert self.explain(handed_in, kind="assignment") == [
            ("waiting_for_marking", {"since": AT + timedelta(hours=1)})
        ]
        assert self.explain(handed_in, returned, kind="assignment") == [
            ("returned_for_resubmission", {"since": AT + timedelta(hours=2)})
        ]

    def test_windows(self) -> None:
        outline = CourseSteps((Step(key=LESSON), Step(key=QUIZ, kind="quiz")), "sequence")
        terms = {LESSON: StepTerms(closes_at=AT)}
        reasons = explain_incomplete(outline, Facts(state=CourseState(), now=AT, terms=terms))
        assert [(reason.code, reason.step) for reason in reasons] == [
            ("window_closed", LESSON),
            ("not_opened", LESSON),
            ("locked_by", QUIZ),
        ]
        closed = Facts(state=CourseState(), now=AT, terms=terms, closes_at=AT)
        assert [(reason.code, reason.step) for reason in explain_incomplete(outline, closed)] == [
            ("window_closed", None),
            ("not_opened", LESSON),
            ("locked_by", QUIZ),
        ]


class TestStuck:
    def test_idle_people_are_stuck_and_waiting_ones_are_not(self) -> None:
        state = fold_events([event(1, "opened", hours=0)])
        assert not is_stuck(state, AT + timedelta(days=9, hours=23))
        assert is_stuck(state, AT + timedelta(days=10))
        assert not is_stuck(state, AT + timedelta(days=10), idle_days=11)
        waiting = fold_events([event(1, "submitted", TASK, hours=0, key="x", passed=None)])
        assert not is_stuck(waiting, AT + timedelta(days=90))

    def test_who_never_began_is_counted_from_the_enrolment(self) -> None:
        assert not is_stuck(CourseState(), AT)
        assert is_stuck(CourseState(), AT, enrolled_at=AT - timedelta(days=10))

    def test_a_marker_does_not_wake_anyone(self) -> None:
        marked = fold_events(
            [
                event(1, "submitted", QUIZ, hours=0, key="x", passed=None),
                event(2, "marked", QUIZ, hours=24 * 9, key="x", passed=False),
            ]
        )
        assert is_stuck(marked, AT + timedelta(days=10))


B1 = UUID(int=101)
times = st.integers(-50, 50).map(lambda days: AT + timedelta(days=days))


@st.composite
def bodies_of_evidence(draw: st.DrawFn) -> list[Evidence]:
    entries: list[Evidence] = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        retracts = draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        entries.append(
            Evidence(
                id=number,
                competency=UUID(int=draw(st.integers(101, 103))),
                level=draw(st.sampled_from(LEVELS)),
                kind="retraction" if retracts else "attempt",
                strength=draw(st.sampled_from(Strength)),
                valid_from=draw(times),
                valid_until=draw(st.none() | times),
                covers_lower=draw(st.booleans()),
                retracts=retracts,
            )
        )
    return entries


class TestStanding:
    def one(self, **changes: Any) -> Evidence:
        given: dict[str, Any] = {
            "id": 1,
            "competency": B1,
            "level": "practising",
            "kind": "attempt",
            "valid_from": AT,
        }
        return Evidence(**(given | changes))

    @given(bodies_of_evidence(), st.data())
    def test_order_and_repeats_do_not_matter(self, evidence: list[Evidence], data: st.DataObject) -> None:
        again = data.draw(st.permutations(evidence)) + evidence[:2]
        assert standing(again, at=AT) == standing(evidence, at=AT)

    @given(bodies_of_evidence())
    def test_a_competency_by_itself_is_the_same_as_among_others(self, evidence: list[Evidence]) -> None:
        # What takes an entry back is of its competency, as the ledger keeps it.
        own = {one.id: one.competency for one in evidence if one.retracts is None}
        for one in evidence:
            own.setdefault(one.id, own[one.retracts or one.id])
        evidence = [replace(one, competency=own[one.id]) for one in evidence]
        whole = standing(evidence, at=AT)
        for competency in set(own.values()):
            alone = standing_by_level((one for one in evidence if one.competency == competency), at=AT)
            assert alone == {level: found for (key, level), found in whole.items() if key == competency}

    @given(bodies_of_evidence())
    def test_every_standing_rests_on_its_reasons(self, evidence: list[Evidence]) -> None:
        for found in standing(evidence, at=AT).values():
            codes = {reason.code for reason in found.reasons}
            assert found.reasons
            if codes & {"holds", "covers_lower"}:
                assert found.state is StandingState.HELD
                assert found.since is not None
                assert found.since <= AT
                assert found.valid_until is None or found.valid_until > AT
            elif "contributes" in codes:
                assert found.state is StandingState.UNDER_WAY
            else:
                assert found.state is StandingState.NOT_YET
                assert found.since is None

    @given(bodies_of_evidence())
    def test_more_evidence_never_lowers_a_standing(self, evidence: list[Evidence]) -> None:
        rank = [StandingState.NOT_YET, StandingState.UNDER_WAY, StandingState.HELD]
        before = standing(evidence, at=AT)
        after = standing([*evidence, self.one(id=99)], at=AT)
        for pair, found in before.items():
            assert rank.index(after[pair].state) >= rank.index(found.state)

    def test_a_lesson_that_recommends_gives_under_way_only(self) -> None:
        lesson = self.one(kind="lesson", strength=Strength.CONTRIBUTES)
        found = standing([lesson], at=AT)[B1, "practising"]
        assert (found.state, found.since, found.valid_until) == (StandingState.UNDER_WAY, AT, None)

    def test_a_higher_level_says_nothing_of_a_lower_one_unless_the_evidence_says_so(self) -> None:
        alone = standing([self.one()], at=AT)
        assert set(alone) == {(B1, "practising")}
        covering = standing([self.one(covers_lower=True)], at=AT)
        assert covering[B1, "foundational"].state is StandingState.HELD
        assert covering[B1, "foundational"].reasons[0].code == "covers_lower"
        assert (B1, "leading") not in covering

    def test_expired_and_withdrawn_evidence_does_not_count(self) -> None:
        expired = self.one(valid_until=AT)
        assert standing([expired], at=AT)[B1, "practising"].state is StandingState.NOT_YET
        assert (
            standing([expired], at=AT - timedelta(seconds=1))[B1, "practising"].reasons[0].code
            == "not_valid_yet"
        )
        retraction = self.one(id=2, kind="retraction", retracts=1)
        withdrawn = standing([self.one(), retraction], at=AT)[B1, "practising"]
        assert withdrawn.state is StandingState.NOT_YET
        assert [reason.code for reason in withdrawn.reasons] == ["withdrawn"]
        restored = [self.one(), retraction, self.one(id=3, kind="retraction", retracts=2)]
        assert standing(restored, at=AT)[B1, "practising"].state is StandingState.HELD

    def test_the_longest_validity_counts(self) -> None:
        year = self.one(valid_until=AT + timedelta(days=365))
        five = self.one(id=2, valid_until=AT + timedelta(days=5 * 365))
        assert standing([year, five], at=AT)[B1, "practising"].valid_until == five.valid_until
        assert standing([year, five, self.one(id=3)], at=AT)[B1, "practising"].valid_until is None


class TestTerms:
    def entry(self, number: int, kind: str, **data: Any) -> EnrolmentEvent:
        return EnrolmentEvent(id=number, kind=EnrolmentKind(kind), at=AT + timedelta(days=number), **data)

    def test_the_life_of_an_enrolment(self) -> None:
        later = AT + timedelta(days=90)
        events = [
            self.entry(1, "enrolled", edition=STEPS[0], closes_at=AT + timedelta(days=60)),
            self.entry(2, "extended", closes_at=later),
            self.entry(3, "moved", edition=STEPS[1]),
            self.entry(4, "withdrawn"),
            self.entry(5, "withdrawn"),
            self.entry(6, "reinstated"),
        ]
        assert effective_enrolment([]) is None
        after = [effective_enrolment(events[:count]) for count in range(1, 7)]
        assert [one.state for one in after if one] == ["active"] * 3 + ["withdrawn"] * 2 + ["active"]
        last = after[-1]
        assert last is not None
        assert last.enrolled_at == AT + timedelta(days=1)
        assert (last.edition, last.closes_at, last.since) == (STEPS[1], later, AT + timedelta(days=6))
        withdrawn = after[4]
        assert withdrawn is not None
        assert withdrawn.since == AT + timedelta(days=4)

    @given(st.lists(st.sampled_from(list(EnrolmentKind)), max_size=8), st.data())
    def test_order_and_repeats_do_not_matter(self, kinds: list[EnrolmentKind], data: st.DataObject) -> None:
        events = [self.entry(number, kind, edition=STEPS[number % 6]) for number, kind in enumerate(kinds)]
        again = data.draw(st.permutations(events)) + events[:2]
        assert effective_enrolment(again) == effective_enrolment(events)

    def test_enrolling_again(self) -> None:
        events = [
            self.entry(1, "enrolled", edition=STEPS[0]),
            self.entry(2, "withdrawn"),
            self.entry(3, "enrolled"),
        ]
        again = effective_enrolment(events)
        assert again is not None
        assert (again.state, again.edition, again.enrolled_at) == ("active", STEPS[0], AT + timedelta(days=1))

    grants = st.lists(
        st.builds(
            Grant,
            id=st.integers(0, 9).map(lambda number: UUID(int=number)),
            step=st.none() | st.sampled_from(STEPS[:2]),
            time_factor=st.decimals(1, 3, places=2),
            extra_attempts=st.integers(0, 3),
            closes_at=st.none() | times,
            ends_at=st.none() | times,
        ),
        max_size=5,
        unique_by=lambda grant: grant.id,
    )

    @given(
        st.builds(
            Terms,
            attempts_allowed=st.none() | st.integers(1, 5),
            closes_at=st.none() | times,
            time_factor=st.decimals(1, 2, places=1),
        ),
        grants,
        st.data(),
    )
    def test_accommodations_only_ever_help(
        self, base: Terms, grants: list[Grant], data: st.DataObject
    ) -> None:
        found = effective_terms(base, grants, step=LESSON, at=AT)
        assert found.time_factor >= base.time_factor
        assert (found.attempts_allowed is None) == (base.attempts_allowed is None)
        assert (found.attempts_allowed or 0) >= (base.attempts_allowed or 0)
        assert (found.closes_at is None) == (base.closes_at is None)
        if base.closes_at and found.closes_at:
            assert found.closes_at >= base.closes_at
        again = data.draw(st.permutations(grants)) + grants[:1]
        assert effective_terms(base, again, step=LESSON, at=AT) == found
        elsewhere = [grant for grant in grants if grant.step == QUIZ]
        assert effective_terms(base, elsewhere, step=LESSON, at=AT) == base

    def test_factors_do_not_multiply_and_attempts_add_up(self) -> None:
        base = Terms(attempts_allowed=3, closes_at=AT)
        given = [
            Grant(id=UUID(int=1), time_factor=Decimal("1.5"), extra_attempts=1),
            Grant(
                id=UUID(int=2),
                time_factor=Decimal("1.25"),
                extra_attempts=1,
                closes_at=AT + timedelta(days=7),
            ),
            Grant(id=UUID(int=3), time_factor=Decimal(2), ends_at=AT),
        ]
        assert effective_terms(base, given, step=LESSON, at=AT) == Terms(
            attempts_allowed=5, closes_at=AT + timedelta(days=7), time_factor=Decimal("1.5")
        )
