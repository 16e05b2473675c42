"""The rules of courses: comparing editions and translations, estimating time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.rules import Problem
from modules.documents import FrameworkRef, Mapped, Outline, OutlineModule, OutlineStep, Part, TrainingRef
from modules.rules import (
    BlockShape,
    Change,
    ChangeCode,
    check_structure,
    count_words,
    diff_outlines,
    estimate_minutes,
)

KEYS = [UUID(int=number) for number in range(1, 9)]
HOMES = [UUID(int=number) for number in range(101, 105)]

words = st.dictionaries(st.sampled_from(["en", "fr"]), st.sampled_from(["", "one", "two"]))
digests = st.sampled_from(["", "d1", "d2"])
mapped = st.builds(
    Mapped,
    id=st.sampled_from(["i1", "i2"]),
    code=st.sampled_from(["B1", "B2"]),
    level=st.sampled_from(["foundational", "practising"]),
    counts=st.sampled_from(["recommend", "evidence"]),
)
parts = st.builds(
    Part,
    key=st.sampled_from(["p1", "p2"]),
    kind=st.sampled_from(["check", "reflection", "worksheet"]),
    required=st.booleans(),
)


def steps(key: UUID) -> st.SearchStrategy[OutlineStep]:
    return st.builds(
        OutlineStep,
        key=st.just(key),
        kind=st.sampled_from(["lesson", "quiz"]),
        title=words,
        slug=st.sampled_from(["a", "b"]),
        lead=words,
        minutes=st.integers(0, 2),
        required=st.booleans(),
        open_to_public=st.booleans(),
        competencies=st.lists(mapped, max_size=2).map(tuple),
        parts=st.lists(parts, max_size=2).map(tuple),
        assessment=st.sampled_from(["", "e1", "e2"]),
        assessment_digest=digests,
        origin=st.none() | st.sampled_from(KEYS),
        digests=words,
    )


@st.composite
def outlines(draw: st.DrawFn) -> Outline:
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=5, unique=True))
    homes = draw(st.lists(st.sampled_from(HOMES), min_size=1, max_size=3, unique=True))
    cuts = [0, *sorted(draw(st.integers(0, len(keys))) for _ in homes[1:]), len(keys)]
    modules = tuple(
        OutlineModule(
            key=home,
            title=draw(words),
            slug=draw(st.sampled_from(["m", "n"])),
            summary=draw(words),
            steps=tuple(draw(steps(key)) for key in keys[start:end]),
        )
        for home, (start, end) in zip(homes, pairwise(cuts), strict=True)
    )
    named = st.builds(
        TrainingRef, key=st.sampled_from(KEYS), slug=st.sampled_from(["t", "u"]), title=words, summary=words
    )
    frames = st.builds(
        FrameworkRef,
        edition=st.sampled_from(KEYS),
        number=st.integers(1, 2),
        slug=st.just("f"),
        title=words,
        digest=digests,
    )
    return Outline(
        title=draw(words),
        key=draw(st.none() | st.sampled_from(KEYS)),
        slug=draw(st.sampled_from(["c", "d"])),
        order=draw(st.sampled_from(["sequence", "free"])),
        lead=draw(words),
        outcomes=tuple(draw(st.lists(words, max_size=2))),
        valid_months=draw(st.none() | st.integers(1, 2)),
        starting_content=draw(st.booleans()),
        training=draw(st.none() | named),
        framework=draw(st.none() | frames),
        languages=draw(st.sampled_from([("en", "fr"), ("en",)])),
        modules=modules,
    )


def lesson(key: UUID, **changes: Any) -> OutlineStep:
    return replace(
        OutlineStep(key=key, kind="lesson", title={"en": str(key.int), "fr": str(key.int)}), **changes
    )


def course(*homes: tuple[OutlineStep, ...], **changes: Any) -> Outline:
    modules = tuple(
        OutlineModule(key=HOMES[number], title={"en": f"M{number}"}, steps=inside)
        for number, inside in enumerate(homes)
    )
    return replace(Outline(title={"en": "Course", "fr": "Cours"}, modules=modules), **changes)


def codes(changes: list[Change]) -> list[tuple[str, str, UUID | None]]:
    return [(change.code.value, change.what, change.key) for change in changes]


class TestDiff:
    @given(outlines())
    def test_nothing_changed(self, outline: Outline) -> None:
        assert diff_outlines(outline, outline) == []

    @settings(max_examples=60)
    @given(outlines(), outlines())
    def test_what_was_added_one_way_is_removed_the_other(self, old: Outline, new: Outline) -> None:
        def of(changes: list[Change], code: ChangeCode) -> set[tuple[str, UUID | None]]:
            return {(change.what, change.key) for change in changes if change.code is code}

        there, back = diff_outlines(old, new), diff_outlines(new, old)
        assert of(there, ChangeCode.ADDED) == of(back, ChangeCode.REMOVED)
        added = {key for what, key in of(there, ChangeCode.ADDED) if what == "step"}
        assert added == set(new.steps_by_key()) - set(old.steps_by_key())
        assert len(of(there, ChangeCode.MOVED)) == len(of(back, ChangeCode.MOVED))
        assert len(codes(there)) == len(set(codes(there)))

    @settings(max_examples=100)
    @given(outlines(), st.data())
    def test_no_change_of_the_text_is_silent(self, old: Outline, data: st.DataObject) -> None:
        """Change one thing in one place, of whatever kind: the author is told exactly if the text differs."""
        other = data.draw(outlines())
        names = ["title", "key", "slug", "order", "lead", "outcomes", "valid_months", "starting_content"]
        names += ["training", "framework", "languages", "modules"]
        taken = data.draw(st.sampled_from(names))
        new = replace(old, **{taken: getattr(other, taken)})
        inside = list(old.iter_steps())
        if taken == "modules" and inside and data.draw(st.booleans()):
            step = data.draw(st.sampled_from(inside))
            model = data.draw(steps(step.key))
            name = data.draw(st.sampled_from(sorted(step.__dataclass_fields__)))
            changed = replace(step, **{name: getattr(model, name)})
            modules = tuple(
                replace(module, steps=tuple(changed if one is step else one for one in module.steps))
                for module in old.modules
            )
            new = replace(old, modules=modules)
        same_text = old.to_digest_json() == new.to_digest_json()
        assert (diff_outlines(old, new) == []) == same_text

    def test_added_removed_and_moved(self) -> None:
        one, two, three, four = (lesson(key) for key in KEYS[:4])
        old = course((one, two), (three,))
        assert codes(diff_outlines(old, course((two, one), (three,)))) in (
            [("moved", "step", KEYS[0])],
            [("moved", "step", KEYS[1])],
        )
        assert codes(diff_outlines(old, course((one,), (three, two)))) == [("moved", "step", KEYS[1])]
        assert codes(diff_outlines(old, course((four, one, two), ()))) == [
            ("removed", "step", KEYS[2]),
            ("added", "step", KEYS[3]),
        ]
        assert codes(diff_outlines(old, course((one, two)))) == [
            ("removed", "module", HOMES[1]),
            ("removed", "step", KEYS[2]),
        ]

    def test_what_others_push_along_has_not_moved(self) -> None:
        inside = [lesson(key) for key in KEYS[:6]]
        turned = (*inside[1:], inside[0])
        assert codes(diff_outlines(course(tuple(inside)), course(turned))) == [("moved", "step", KEYS[0])]

    def test_changes_of_a_step(self) -> None:
        old = lesson(KEYS[0], digests={"en": "d1", "fr": "d1"}, assessment_digest="a1")
        new = replace(
            old,
            digests={"en": "d1", "fr": "d2"},
            assessment_digest="a2",
            assessment="another id",
            required=False,
            parts=(Part(key="c1", kind="check", required=True),),
            competencies=(Mapped(id="i1", code="B2", level="practising", counts="evidence"),),
            minutes=20,
        )
        changes = {
            change.code.value: change.params for change in diff_outlines(course((old,)), course((new,)))
        }
        assert changes == {
            "text_changed": {"languages": ("fr",)},
            "assessment_changed": {},
            "requirement_changed": {"fields": {"required": (True, False), "checks": ((), ("c1",))}},
            "competencies_changed": {"added": (("B2", "practising", "evidence"),), "removed": ()},
            "details_changed": {"fields": {"minutes": (0, 20)}},
        }

    def test_changes_of_the_course(self) -> None:
        old = course((lesson(KEYS[0]),))
        new = replace(old, order="free", valid_months=60, title={"en": "Course", "fr": "Le cours"})
        assert [(change.code.value, change.params) for change in diff_outlines(old, new)] == [
            ("text_changed", {"languages": ("fr",)}),
            ("requirement_changed", {"fields": {"order": ("sequence", "free")}}),
            ("details_changed", {"fields": {"valid_months": (None, 60)}}),
        ]


shapes = st.lists(
    st.builds(
        BlockShape,
        kind=st.sampled_from(["text", "check", "worksheet", "table"]),
        key=st.sampled_from(["", "a", "b", "c"]),
        options=st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
        fields=st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
        parts=st.integers(0, 2),
    ),
    max_size=5,
)


class TestStructure:
    @given(shapes)
    def test_the_same_structure_has_no_problem(self, source: list[BlockShape]) -> None:
        assert check_structure(source, source) == []
        keyless = [
            replace(block, options=("",) * len(block.options), fields=("",) * len(block.fields))
            for block in source
        ]
        assert check_structure(source, keyless) == []

    @given(shapes, shapes)
    def test_every_difference_is_refused(self, source: list[BlockShape], other: list[BlockShape]) -> None:
        assert bool(check_structure(source, other)) == (source != other)

    @given(shapes, st.data())
    def test_a_block_left_out_or_put_in_is_named(self, source: list[BlockShape], data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(source)))
        more = BlockShape(kind="callout", key="new")
        longer = [*source[:place], more, *source[place:]]
        named = {"kind": "callout", "key": "new", "place": place + 1}
        assert check_structure(source, longer) == [Problem("block_extra", named)]
        assert check_structure(longer, source) == [Problem("block_missing", named)]

    @pytest.mark.parametrize(
        ("ours", "theirs", "code", "expected", "found"),
        [
            ({"options": ("a", "b")}, {"options": ("",)}, "option_count", 2, 1),
            ({"options": ("a", "b")}, {"options": ("b", "a")}, "option_keys", ("a", "b"), ("b", "a")),
            ({"fields": ("a",)}, {}, "field_count", 1, 0),
            ({"fields": ("a",)}, {"fields": ("z",)}, "field_keys", ("a",), ("z",)),
            ({"parts": 3}, {"parts": 2}, "part_count", 3, 2),
        ],
    )
    def test_inside_a_block(
        self, ours: dict[str, Any], theirs: dict[str, Any], code: str, expected: object, found: object
    ) -> None:
        source, other = (BlockShape(kind="check", key="k", **shape) for shape in (ours, theirs))
        [problem] = check_structure([source], [other])
        assert problem.code == code
        assert (problem.params["expected"], problem.params["found"]) == (expected, found)

    def test_another_order_is_named_as_that(self) -> None:
        one, two = BlockShape(kind="check", key="a"), BlockShape(kind="check", key="b")
        [problem] = check_structure([one, two], [two, one])
        assert (problem.code, problem.params["place"]) == ("block_order", 1)


class TestReading:
    @pytest.mark.parametrize(
        ("text", "count"),
        [("", 0), ("One  two\nthree.", 3), ("l'action – rapide : 24 %", 3), ("« oui »", 1)],
    )
    def test_words(self, text: str, count: int) -> None:
        assert count_words(text) == count

    def test_minutes(self) -> None:
        assert estimate_minutes(words=0, language="en") == 1
        assert estimate_minutes(words=228, language="en") == 1
        assert estimate_minutes(words=229, language="en") == 2
        assert estimate_minutes(words=229, language="fr") == 2
        assert (
            estimate_minutes(words=900, language="en", parts=["check", "reflection"], media_minutes=3) == 11
        )

    @given(st.integers(0, 5000), st.integers(0, 500), st.sampled_from(["en", "fr", "iu"]))
    def test_more_is_never_shorter(self, words: int, more: int, language: str) -> None:
        short = estimate_minutes(words=words, language=language)
        assert 1 <= short <= estimate_minutes(words=words + more, language=language)
        assert short < estimate_minutes(words=words, language=language, parts=["worksheet"])
