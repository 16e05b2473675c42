"""The rules of assessments: scoring, forms, feedback, time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.documents import (
    AssessmentDocument,
    CompetencyRef,
    DocumentError,
    Item,
    Option,
    Section,
    write_decimal,
)
from assessments.rules import (
    KIND_REGISTRY,
    AttemptScore,
    Form,
    ItemKind,
    NotANumber,
    Problem,
    Response,
    attempt_deadline,
    attempts_left,
    best_score,
    check_document,
    draw_form,
    fold_text,
    matches_text,
    parse_response,
    public_item,
    read_number,
    register,
    review_item,
    score_attempt,
    score_item,
    score_rubric,
    visible_feedback,
)
from tests.assessments import strategies as ours

few = settings(max_examples=40)
"""For whole documents, which are slow to draw."""
POLICIES = ("after_submit", "after_pass", "after_last", "never")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def choice_item(right: str, *, kind: str = "multiple", points: str = "1", partial: str | None = None) -> Item:
    options = tuple(Option(key=key, text_html={"en": key, "fr": key}, correct=key in right) for key in "abcd")
    return Item(
        key="q",
        kind=kind,
        points=Decimal(points),
        stem_html={"en": "Which?", "fr": "Lesquels?"},
        options=options,
        partial=partial,
    )


def answer_all(data: st.DataObject, document: AssessmentDocument, form: Form) -> dict[str, Response]:
    items = document.items_by_key()
    return {key: data.draw(ours.responses(items[key])) for key in form.keys}


class TestDocuments:
    @few
    @given(ours.documents() | ours.rubrics())
    def test_round_trip(self, document: AssessmentDocument) -> None:
        written = document.to_json()
        stored = json.loads(json.dumps(written))
        assert AssessmentDocument.from_json(stored) == document
        assert AssessmentDocument.from_json(stored).to_json() == stored

    def test_reads_what_an_author_means(self) -> None:
        document = AssessmentDocument.from_json(
            {"kind": "quiz", "title": {"en": "Quiz"}, "pass_mark": 75, "sections": [{"items": []}]}
        )
        assert document.pass_mark == Decimal(75)
        assert document.to_json()["pass_mark"] == "75"

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"kind": "poll"}, "kind"),
            ({"pass_mark": 75.5}, "pass_mark"),
            ({"pass_mark": "101"}, "pass_mark"),
            ({"pass_mark": "NaN"}, "pass_mark"),
            ({"pass_mark": "1e999999"}, "pass_mark"),
            ({"attempts": 0}, "attempts"),
            ({"attempts": True}, "attempts"),
            ({"passmark": "75"}, ""),
            ({"shuffle": {"items": 1}}, "shuffle.items"),
            ({"title": "Quiz"}, "title"),
            ({"sections": [{"items": [{"key": "a"}]}]}, "sections[0].items[0].kind"),
            (
                {"sections": [{"items": [{"key": "a", "kind": "single", "points": "-1"}]}]},
                "sections[0].items[0].points",
            ),
        ],
    )
    def test_refuses_and_names_the_place(self, change: dict[str, Any], place: str) -> None:
        with pytest.raises(DocumentError) as refused:
            AssessmentDocument.from_json({"kind": "quiz", "title": {"en": "Quiz"}} | change)
        assert refused.value.place == place

    @given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
    def test_decimals_are_written_exactly(self, number: Decimal) -> None:
        assert Decimal(write_decimal(number)) == number
        assert "E" not in write_decimal(number)

    @few
    @given(ours.documents() | ours.rubrics())
    def test_what_we_generate_may_be_issued(self, document: AssessmentDocument) -> None:
        codes = {problem.code for problem in check_document(document)}
        assert codes <= {"no_points"}

    def test_check_names_what_is_wrong(self) -> None:
        shared, differing = choice_item("ab"), choice_item("abc")
        document = AssessmentDocument(
            kind="quiz",
            title={"en": "Quiz"},
            sections=(
                Section(items=(shared, replace(choice_item("ab", kind="single"), key="s"))),
                Section(items=(differing, replace(shared, key="x", points=Decimal("0.001"))), draw=2),
                Section(items=(replace(shared, key="y", kind="hologram"),)),
                Section(items=(replace(shared, key="z", extra={"optons": []}),)),
            ),
        )
        codes = {problem.code for problem in check_document(document)}
        assert codes == {
            "one_right_option_needed",
            "item_differs",
            "points_too_fine",
            "draw_too_large",
            "unknown_kind",
            "unknown_field",
        }

    def test_draws_that_may_starve_each_other_are_refused(self) -> None:
        bank = tuple(replace(choice_item("a"), key=str(number)) for number in range(5))
        fits = AssessmentDocument(
            kind="quiz", title={}, sections=(Section(items=bank, draw=2), Section(items=bank, draw=3))
        )
        starves = replace(fits, sections=(Section(items=bank, draw=3), Section(items=bank, draw=3)))
        assert check_document(fits) == []
        assert check_document(starves) == [Problem("draw_too_large", {"section": 1, "most": 2})]
        assert len(set(draw_form(document=fits, seed=1).keys)) == 5


class TestForms:
    @few
    @given(ours.documents(), st.integers())
    def test_same_seed_same_form(self, document: AssessmentDocument, seed: int) -> None:
        form = draw_form(document=document, seed=seed)
        assert draw_form(document=document, seed=seed) == form
        assert draw_form(document=AssessmentDocument.from_json(document.to_json()), seed=seed) == form
        assert Form.from_json(json.loads(json.dumps(form.to_json()))) == form

    @few
    @given(ours.documents(), st.integers())
    def test_shows_every_section_in_order_and_as_many_as_asked(
        self, document: AssessmentDocument, seed: int
    ) -> None:
        form = draw_form(document=document, seed=seed)
        assert [item.section for item in form.items] == sorted(item.section for item in form.items)
        assert len(set(form.keys)) == len(form.keys)
        for number, section in enumerate(document.sections):
            shown = [item for item in form.items if item.section == number]
            known = {item.key: item for item in section.items}
            assert len(shown) == (section.draw or len(section.items))
            for item in shown:
                assert sorted(item.options) == sorted(
                    KIND_REGISTRY[known[item.key].kind].option_keys(known[item.key])
                )
            if not document.shuffle_items:
                order = list(known)
                assert [order.index(item.key) for item in shown] == sorted(
                    order.index(item.key) for item in shown
                )

    @few
    @given(ours.documents(), st.integers())
    def test_the_key_has_no_influence_on_what_is_shown(self, document: AssessmentDocument, seed: int) -> None:
        blank = replace(
            document,
            sections=tuple(
                replace(section, items=tuple(without_key(item) for item in section.items))
                for section in document.sections
            ),
        )
        assert draw_form(document=blank, seed=seed) == draw_form(document=document, seed=seed)

    @given(st.lists(st.sampled_from(["c1", "c2", "c3"]), min_size=1, max_size=12), st.data(), st.integers())
    def test_a_draw_spreads_over_competencies(self, codes: list[str], data: st.DataObject, seed: int) -> None:
        bank = tuple(
            replace(
                choice_item("a"),
                key=str(number),
                competency=CompetencyRef(id=code, code=code, level="practising"),
            )
            for number, code in enumerate(codes)
        )
        draw = data.draw(st.integers(1, len(bank)))
        document = AssessmentDocument(kind="quiz", title={}, sections=(Section(items=bank, draw=draw),))
        shown = [codes[int(key)] for key in draw_form(document=document, seed=seed).keys]
        counts = {code: (shown.count(code), codes.count(code)) for code in set(codes)}
        most = max(drawn for drawn, _ in counts.values())
        for drawn, there in counts.values():
            assert drawn >= min(most - 1, there)

    @given(st.integers(), st.permutations(range(8)))
    def test_the_order_of_a_bank_does_not_change_the_draw(self, seed: int, order: list[int]) -> None:
        bank = [replace(choice_item("a"), key=str(number)) for number in range(8)]
        plain = AssessmentDocument(kind="quiz", title={}, sections=(Section(items=tuple(bank), draw=3),))
        mixed = replace(plain, sections=(Section(items=tuple(bank[number] for number in order), draw=3),))
        assert set(draw_form(document=plain, seed=seed).keys) == set(
            draw_form(document=mixed, seed=seed).keys
        )

    def test_seeds_differ(self) -> None:
        document = AssessmentDocument(
            kind="quiz", title={}, shuffle_options=True, sections=(Section(items=(choice_item("a"),)),)
        )
        orders = {draw_form(document=document, seed=seed).items[0].options for seed in range(200)}
        assert len(orders) == 24  # every order of four options comes up


def without_key(item: Item) -> Item:
    """The same item with another key: what a learner may see must be the same."""
    return replace(
        item,
        options=tuple(
            replace(option, correct=not option.correct, feedback_html={}) for option in item.options
        ),
        answer=None,
        tolerance=None,
        accept={},
        feedback_html={},
        general_feedback_html={},
        id="another",
    )


class TestPublicItem:
    @given(ours.items(), st.sampled_from(["en", "fr"]))
    def test_no_key_leaks(self, item: Item, language: str) -> None:
        shown = public_item(item, language, [option.key for option in item.options])
        assert ours.SECRET not in json.dumps(shown)
        assert set(shown) <= {"key", "kind", "points", "stem_html", "options", "partial", "unit"}
        for option in shown.get("options", []):
            assert set(option) == {"key", "text_html"}

    @given(ours.items(), st.sampled_from(["en", "fr"]))
    def test_items_that_differ_only_in_their_key_look_the_same(self, item: Item, language: str) -> None:
        assert public_item(item, language) == public_item(without_key(item), language)

    @few
    @given(ours.documents(), st.integers())
    def test_a_form_tells_nothing_of_the_key(self, document: AssessmentDocument, seed: int) -> None:
        assert ours.SECRET not in json.dumps(draw_form(document=document, seed=seed).to_json())

    def test_options_stand_in_the_order_shown(self) -> None:
        shown = public_item(choice_item("a"), "fr", ["c", "a", "d", "b"])
        assert [option["key"] for option in shown["options"]] == ["c", "a", "d", "b"]
        assert shown["stem_html"] == "Lesquels?"


class TestResponses:
    @given(ours.items(), st.data())
    def test_canonical_form_parses_to_itself(self, item: Item, data: st.DataObject) -> None:
        response = data.draw(ours.responses(item))
        stored = json.loads(json.dumps(response.to_json()))
        assert parse_response(item, stored) == response
        assert parse_response(item, stored, language="fr") == response

    @given(
        ours.items(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["choice", "choices", "number", "text", "x"]), inner, max_size=2
                )
            ),
        ),
    )
    def test_anything_is_a_response_or_a_problem(self, item: Item, raw: object) -> None:
        parsed = parse_response(item, raw)
        assert isinstance(parsed, Response | Problem)
        if isinstance(parsed, Response):
            assert 0 <= score_item(item, parsed).points <= item.points
            assert parse_response(item, parsed.to_json()) == parsed

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            ([], "wrong_type"),
            ({"choices": ["a"], "correct": True}, "unknown_key"),
            ({"choice": "a"}, "unknown_key"),
            ({"choices": "a"}, "wrong_type"),
            ({"choices": [1]}, "wrong_type"),
            ({"choices": ["z"]}, "unknown_option"),
            ({"choices": ["a", "a"]}, "repeated_option"),
        ],
    )
    def test_multiple_refuses(self, raw: object, code: str) -> None:
        problem = parse_response(choice_item("ab"), raw)
        assert isinstance(problem, Problem)
        assert problem.code == code

    @pytest.mark.parametrize("raw", [{}, {"choices": None}, {"choices": []}])
    def test_not_answered_is_a_response(self, raw: object) -> None:
        assert parse_response(choice_item("ab"), raw) == Response("multiple")

    def test_a_long_text_is_refused(self) -> None:
        item = Item(key="t", kind="short_text", points=Decimal(1), stem_html={}, accept={"en": ("a",)})
        assert parse_response(item, {"text": "a" * 501}) == Problem("too_long", {"limit": 500})
        assert parse_response(item, {"text": " \x00 "}) == Response("short_text")


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("162.2", "162.2"),
            ("162,2", "162.2"),
            (" 162,2 ", "162.2"),
            ("1234,5", "1234.5"),
            ("1 234,5", "1234.5"),
            ("1\u00a0234,5", "1234.5"),
            ("1\u202f234.5", "1234.5"),
            ("1 234 567", "1234567"),
            ("1,234.5", "1234.5"),
            ("1,234,567", "1234567"),
            ("-3", "-3"),
            ("\u22123,5", "-3.5"),
            ("+ 4", "4"),
            (".5", "0.5"),
            (",5", "0.5"),
            ("0,125", "0.125"),
            ("5.", "5"),
            ("162,2 pour 1 000 habitants", "162.2"),
            ("162.2 Per 1,000 residents", "162.2"),
            ("0.1", "0.1"),
        ],
    )
    def test_reads(self, text: str, number: str) -> None:
        units = ["per 1,000 residents", "pour 1\u00a0000 habitants"]
        for language in (None, "en", "fr"):
            assert read_number(text, language=language, units=units) == Decimal(number)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "abc",
            "1 2",
            "12 34",
            "1.234.567",
            "1,2,3",
            "1e5",
            "0x10",
            "NaN",
            "Infinity",
            "1_000",
            "١٢",
            "5 %",
            "--1",
            "1" * 41,
        ],
    )
    def test_refuses(self, text: str) -> None:
        for language in (None, "en", "fr"):
            with pytest.raises(NotANumber):
                read_number(text, language=language)

    def test_a_lone_comma_before_three_digits_is_read_by_language(self) -> None:
        assert read_number("1,234", language="en") == 1234
        assert read_number("1,234", language="fr") == Decimal("1.234")
        with pytest.raises(NotANumber) as refused:
            read_number("1,234")
        assert refused.value.code == "ambiguous_number"

    @given(ours.numbers)
    def test_reads_every_number_as_english_and_as_french_write_it(self, number: Decimal) -> None:
        english = f"{number:,f}"
        french = english.replace(",", "\u202f").replace(".", ",")
        assert read_number(english, language="en") == number
        assert read_number(french, language="fr") == number
        assert read_number(french, language="en") == number

    def test_tolerance_is_exact_at_its_bounds(self) -> None:
        item = Item(
            key="n",
            kind="numeric",
            points=Decimal(1),
            stem_html={},
            answer=Decimal("0.3"),
            tolerance=Decimal("0.1"),
        )
        verdicts = {}
        for typed in ("0.2", "0,4", "0.19999999999999999999999", "0.4000000000000000001"):
            response = parse_response(item, {"number": typed})
            assert isinstance(response, Response)
            verdicts[typed] = score_item(item, response).right
        assert list(verdicts.values()) == [True, True, False, False]


class TestShortText:
    @given(st.text(max_size=30))
    def test_folding_twice_changes_nothing(self, text: str) -> None:
        assert fold_text(fold_text(text)) == fold_text(text)

    @pytest.mark.parametrize("typed", ["Repérage", "  REPERAGE ", "repe\u0301rage", "repérage\u00a0"])
    def test_case_accents_and_outer_spaces_do_not_count(self, typed: str) -> None:
        assert matches_text(typed, ["repérage", "scanning"])

    def test_words_do_count(self) -> None:
        assert matches_text("cœur   de l’action", ["Coeur de l'action"])
        assert not matches_text("reperages", ["repérage"])
        assert not matches_text("", [""])

    def test_an_answer_counts_in_either_language(self) -> None:
        item = Item(
            key="t",
            kind="short_text",
            points=Decimal(1),
            stem_html={},
            accept={"en": ("scanning",), "fr": ("repérage",)},
        )
        assert score_item(item, Response("short_text", "Scanning")).right
        assert score_item(item, Response("short_text", "reperage")).right


class TestScoring:
    @given(ours.items(), st.data())
    def test_within_bounds_exact_and_repeatable(self, item: Item, data: st.DataObject) -> None:
        response = data.draw(ours.responses(item))
        score = score_item(item, response)
        assert 0 <= score.points <= score.max_points == item.points
        assert score == score_item(item, response)
        exponent = score.points.as_tuple().exponent
        assert isinstance(exponent, int)
        assert exponent >= -2
        assert score.right is (score.points == score.max_points)

    @given(ours.items())
    def test_the_right_response_earns_all_and_none_earns_nothing(self, item: Item) -> None:
        assert score_item(item, ours.right_response(item)).points == item.points
        assert score_item(item, None).points == 0
        assert score_item(item, None).right is False

    @given(ours.items(kind="multiple"), st.data())
    def test_a_right_tick_never_costs_and_a_wrong_one_never_pays(
        self, item: Item, data: st.DataObject
    ) -> None:
        keys = [option.key for option in item.options]
        ticks = data.draw(st.sets(st.sampled_from(keys)))
        tick = data.draw(st.sampled_from(item.options))
        before = score_item(item, Response("multiple", tuple(sorted(ticks - {tick.key}))))
        after = score_item(item, Response("multiple", tuple(sorted(ticks | {tick.key}))))
        if tick.correct:
            # All or nothing is monotone among right ticks too, as long as no wrong one stands beside them.
            assert after.points >= before.points
        else:
            assert after.points <= before.points

    @pytest.mark.parametrize(
        ("ticks", "per_option", "all_or_nothing"),
        [
            ("ab", "1", "1"),
            ("a", "0.5", "0"),
            ("abc", "0.5", "0"),
            ("ac", "0", "0"),
            ("abcd", "0", "0"),
            ("cd", "0", "0"),
        ],
    )
    def test_partial_credit(self, ticks: str, per_option: str, all_or_nothing: str) -> None:
        response = Response("multiple", tuple(ticks))
        assert score_item(choice_item("ab"), response).points == Decimal(per_option)
        strict = choice_item("ab", partial="all_or_nothing")
        assert score_item(strict, response).points == Decimal(all_or_nothing)

    def test_thirds_are_rounded_down_and_the_whole_is_whole(self) -> None:
        item = choice_item("abc", points="1")
        assert score_item(item, Response("multiple", ("a", "b"))).points == Decimal("0.66")
        assert score_item(item, Response("multiple", ("a", "b", "c"))).points == Decimal(1)

    def test_a_response_of_another_kind_is_refused(self) -> None:
        with pytest.raises(ValueError, match="cannot answer"):
            score_item(choice_item("a"), Response("numeric", Decimal(1)))

    @few
    @given(ours.documents(), st.integers(), st.data())
    def test_an_attempt_adds_up(self, document: AssessmentDocument, seed: int, data: st.DataObject) -> None:
        form = draw_form(document=document, seed=seed)
        answers = answer_all(data, document, form)
        score = score_attempt(document, form, answers)
        assert 0 <= score.points <= score.max_points
        assert score.points == sum(part.points for part in score.by_item.values())
        assert set(score.by_item) == set(form.keys)
        assert AttemptScore.from_json(json.loads(json.dumps(score.to_json()))) == score
        shuffled = dict(data.draw(st.permutations(list(answers.items()))))
        assert score_attempt(document, form, shuffled) == score
        turned = Form(tuple(data.draw(st.permutations(form.items))))
        assert score_attempt(document, turned, answers) == score
        assert score.percent is not None
        assert 0 <= score.percent <= 100
        if document.pass_mark is None:
            assert score.passed is None
        else:
            assert score.passed is (score.percent >= document.pass_mark)

    @few
    @given(ours.documents(), st.integers())
    def test_all_right_is_full_marks(self, document: AssessmentDocument, seed: int) -> None:
        form, items = draw_form(document=document, seed=seed), document.items_by_key()
        score = score_attempt(document, form, {key: ours.right_response(items[key]) for key in form.keys})
        assert score.points == score.max_points
        assert score.percent == 100
        assert score.passed is (None if document.pass_mark is None else True)
        for part in score.by_competency.values():
            assert part.points == part.max_points

    @few
    @given(ours.documents(), st.integers(), st.data())
    def test_a_corrected_answer_never_lowers_the_score(
        self, document: AssessmentDocument, seed: int, data: st.DataObject
    ) -> None:
        form, items = draw_form(document=document, seed=seed), document.items_by_key()
        answers = answer_all(data, document, form)
        key = data.draw(st.sampled_from(form.keys))
        before = score_attempt(document, form, answers)
        after = score_attempt(document, form, answers | {key: ours.right_response(items[key])})
        assert after.points >= before.points
        assert not (before.passed and not after.passed)

    def test_reaching_the_pass_mark_is_a_pass(self) -> None:
        items = tuple(replace(choice_item("a", kind="single"), key=str(number)) for number in range(4))
        document = AssessmentDocument(
            kind="quiz", title={}, pass_mark=Decimal(75), sections=(Section(items=items),)
        )
        form = draw_form(document=document, seed=1)
        score = score_attempt(document, form, {key: Response("single", "a") for key in ("0", "1", "2")})
        assert (score.percent, score.passed) == (Decimal(75), True)

    def test_a_near_miss_is_not_shown_as_the_pass_mark(self) -> None:
        items = tuple(replace(choice_item("a", kind="single"), key=str(number)) for number in range(3))
        document = AssessmentDocument(
            kind="quiz", title={}, pass_mark=Decimal("66.67"), sections=(Section(items=items),)
        )
        form = draw_form(document=document, seed=1)
        score = score_attempt(document, form, {key: Response("single", "a") for key in ("0", "1")})
        assert (score.percent, score.passed) == (Decimal("66.66"), False)

    def test_responses_to_other_items_are_refused(self) -> None:
        document = AssessmentDocument(kind="quiz", title={}, sections=(Section(items=(choice_item("a"),)),))
        with pytest.raises(ValueError, match="does not show x"):
            score_attempt(document, draw_form(document=document, seed=1), {"x": Response("multiple")})

    @given(st.dictionaries(st.integers(1, 9), st.integers(0, 10), max_size=6))
    def test_the_best_attempt_counts_and_the_earliest_of_equals(self, attempts: dict[int, int]) -> None:
        scores = {
            number: AttemptScore(
                points=Decimal(points), max_points=Decimal(10), percent=Decimal(points * 10), passed=None
            )
            for number, points in attempts.items()
        }
        best = best_score(scores)
        if not scores:
            assert best is None
        else:
            assert best is not None
            top = max(attempts.values())
            assert best[0] == min(number for number, points in attempts.items() if points == top)
            waiting = replace(best[1], waiting=("essay",), points=Decimal(10))
            assert best_score({99: waiting}) is None


class TestRubric:
    @given(ours.rubrics(), st.data())
    def test_adds_up_and_waits_for_what_is_missing(
        self, document: AssessmentDocument, data: st.DataObject
    ) -> None:
        chosen = {
            criterion.key: data.draw(st.integers(0, len(criterion.levels) - 1))
            for criterion in document.rubric
            if data.draw(st.booleans())
        }
        score = score_rubric(document, chosen)
        assert 0 <= score.points <= score.max_points
        assert set(score.waiting) == {criterion.key for criterion in document.rubric} - set(chosen)
        if score.waiting:
            assert score.percent is None
            assert score.passed is None
        top = {criterion.key: len(criterion.levels) - 1 for criterion in document.rubric}
        best = score_rubric(document, top)
        assert best.points == best.max_points
        assert best.passed is (True if best.max_points else None)

    @given(ours.rubrics())
    def test_refuses_unknown_criteria_and_levels(self, document: AssessmentDocument) -> None:
        for chosen in ({"nothing": 0}, {"criterion-0": 9}, {"criterion-0": -1}):
            with pytest.raises(ValueError, match="criterion"):
                score_rubric(document, chosen)


class TestFeedback:
    @given(
        st.sampled_from(POLICIES),
        st.integers(0, 5),
        st.none() | st.integers(1, 5),
        st.sampled_from([None, True, False]),
    )
    def test_nothing_before_submission(
        self, policy: str, used: int, allowed: int | None, passed: bool | None
    ) -> None:
        seen = visible_feedback(
            policy, attempts_used=used, attempts_allowed=allowed, passed=passed, submitted=False
        )
        assert seen == type(seen)()

    @given(
        st.sampled_from(POLICIES),
        st.integers(1, 5),
        st.none() | st.integers(1, 5),
        st.sampled_from([None, True, False]),
    )
    def test_each_step_includes_those_before_it_and_a_retry_hides_the_answers(
        self, policy: str, used: int, allowed: int | None, passed: bool | None
    ) -> None:
        seen = visible_feedback(
            policy, attempts_used=used, attempts_allowed=allowed, passed=passed, submitted=True
        )
        assert seen.score
        assert seen.answers <= seen.feedback <= seen.results
        if not passed and (allowed is None or used < allowed):
            assert not seen.answers
        if policy == "never":
            assert not seen.results

    @pytest.mark.parametrize(
        ("policy", "used", "allowed", "passed", "expected"),
        [
            ("after_submit", 1, 3, False, "feedback"),
            ("after_submit", 3, 3, False, "answers"),
            ("after_submit", 1, 3, True, "answers"),
            ("after_pass", 3, 3, False, "score"),
            ("after_pass", 1, 3, True, "answers"),
            ("after_last", 1, 3, True, "answers"),
            ("after_last", 2, 3, False, "score"),
            ("after_last", 3, 3, False, "answers"),
            ("after_last", 2, None, False, "score"),
            ("after_last", 2, None, True, "answers"),
            ("never", 3, 3, True, "score"),
        ],
    )
    def test_by_policy(
        self, policy: str, used: int, allowed: int | None, passed: bool, expected: str
    ) -> None:
        seen = visible_feedback(
            policy, attempts_used=used, attempts_allowed=allowed, passed=passed, submitted=True
        )
        most = [name for name in ("score", "results", "feedback", "answers") if getattr(seen, name)][-1]
        assert most == expected

    def test_an_unknown_policy_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no feedback policy"):
            visible_feedback("always", attempts_used=1, attempts_allowed=1, passed=True, submitted=True)

    @given(ours.items(), st.data(), st.sampled_from(["en", "fr"]))
    def test_a_review_shows_no_more_than_allowed(
        self, item: Item, data: st.DataObject, language: str
    ) -> None:
        response = data.draw(ours.responses(item))
        for policy, passed, most in (
            ("never", True, {"response"}),
            (
                "after_submit",
                False,
                {"response", "right", "points", "max_points", "feedback", "general_feedback"},
            ),
        ):
            seen = visible_feedback(
                policy, attempts_used=1, attempts_allowed=3, passed=passed, submitted=True
            )
            assert set(review_item(item, response, seen, language)) == most
        everything = visible_feedback(
            "after_submit", attempts_used=1, attempts_allowed=3, passed=True, submitted=True
        )
        shown = review_item(item, response, everything, language)
        assert "key" in shown
        json.dumps(shown)

    def test_feedback_is_that_of_the_ticked_options(self) -> None:
        options = tuple(
            Option(key=key, text_html={}, feedback_html={"en": f"About {key}"}, correct=key == "a")
            for key in "abc"
        )
        item = replace(choice_item("a"), options=options)
        seen = visible_feedback(
            "after_submit", attempts_used=1, attempts_allowed=3, passed=False, submitted=True
        )
        review = review_item(item, Response("multiple", ("b", "c")), seen, "fr")
        assert review["feedback"] == [{"option": "b", "html": "About b"}, {"option": "c", "html": "About c"}]
        assert review["right"] is False


class TestTime:
    def test_a_deadline_is_the_limit_times_the_factor_within_the_window(self) -> None:
        half_hour = {"started_at": AT, "time_limit_minutes": 30}
        assert attempt_deadline(**half_hour) == AT + timedelta(minutes=30)  # type: ignore[arg-type]
        assert attempt_deadline(
            started_at=AT, time_limit_minutes=30, time_factor=Decimal("1.5")
        ) == AT + timedelta(minutes=45)
        closes = AT + timedelta(minutes=10)
        assert attempt_deadline(started_at=AT, time_limit_minutes=30, closes_at=closes) == closes
        assert attempt_deadline(started_at=AT, time_limit_minutes=None, closes_at=closes) == closes
        assert attempt_deadline(started_at=AT, time_limit_minutes=None) is None

    @given(st.integers(1, 600), st.decimals(1, 5, places=2), st.decimals(0, 5, places=2))
    def test_more_factor_is_never_less_time(self, minutes: int, factor: Decimal, more: Decimal) -> None:
        first = attempt_deadline(started_at=AT, time_limit_minutes=minutes, time_factor=factor)
        second = attempt_deadline(started_at=AT, time_limit_minutes=minutes, time_factor=factor + more)
        assert first is not None
        assert second is not None
        assert AT + timedelta(minutes=minutes) <= first <= second

    def test_refuses_less_time_and_naive_times(self) -> None:
        with pytest.raises(ValueError, match="never less"):
            attempt_deadline(started_at=AT, time_limit_minutes=30, time_factor=Decimal("0.5"))
        with pytest.raises(ValueError, match="aware"):
            attempt_deadline(started_at=AT.replace(tzinfo=None), time_limit_minutes=30)

    @given(st.none() | st.integers(1, 9), st.integers(0, 12), st.integers(0, 3))
    def test_attempts_left(self, allowed: int | None, used: int, extra: int) -> None:
        left = attempts_left(allowed=allowed, used=used, extra=extra)
        if allowed is None:
            assert left is None
        else:
            assert left == max(0, allowed + extra - used)


class TestRegistry:
    def test_a_new_kind_is_one_class(self) -> None:
        class Essay(ItemKind):
            """Words that a person marks."""

            code = "essay-for-this-test"
            raw_field = "text"
            typed = True
            extra_fields: ClassVar[frozenset[str]] = frozenset({"words"})

            def parse_value(self, item: Item, value: object, language: str | None) -> Response | Problem:
                return Response(self.code, str(value))

            def share(self, item: Item, response: Response) -> tuple[int, int]:
                return 0, 1

            def score(self, item: Item, response: Response) -> Any:
                return replace(super().score(item, response), right=None, needs_marker=True)

            def public(self, item: Item, language: str, option_order: Any) -> dict[str, Any]:
                return {"words": item.extra["words"]}

            def reveal(self, item: Item, language: str) -> dict[str, Any]:
                return {}

            def feedback(self, item: Item, response: Response, right: bool, language: str) -> list[Any]:
                return []

            def check(self, item: Item) -> list[Problem]:
                return []

        register(Essay)
        try:
            with pytest.raises(ValueError, match="registered already"):
                register(Essay)
            item = Item.from_json({"key": "e", "kind": Essay.code, "points": "5", "words": 200})
            document = AssessmentDocument(
                kind="quiz", title={}, pass_mark=Decimal(50), sections=(Section(items=(item,)),)
            )
            assert check_document(document) == []
            assert AssessmentDocument.from_json(document.to_json()) == document
            assert public_item(item, "en")["words"] == 200
            response = parse_response(item, {"text": "Because."})
            assert isinstance(response, Response)
            score = score_attempt(document, draw_form(document=document, seed=1), {"e": response})
            assert (score.waiting, score.percent, score.passed) == (("e",), None, None)
        finally:
            del KIND_REGISTRY[Essay.code]
