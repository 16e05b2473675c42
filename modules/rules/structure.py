"""A translation says the same in other words: its structure must be that of its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from assessments.rules import Problem


@dataclass(frozen=True, kw_only=True)
class BlockShape:
    """What of a block must not differ between languages.

    ``kind`` is the block's type, ``key`` its key (empty for plain text). ``options`` are the keys of a
    check's options, ``fields`` those of a worksheet's fields, ``parts`` how many parts it has otherwise
    (rows of a table, parts of an accordion, questions of a case study). A translation that leaves a key
    out, as packs do, has an empty text in its place.
    """

    kind: str
    key: str = ""
    options: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    parts: int = 0

    @property
    def name(self) -> tuple[str, str]:
        return self.kind, self.key


def check_structure(source: Sequence[BlockShape], translation: Sequence[BlockShape]) -> list[Problem]:
    """Say where a translation's structure differs from its source's; empty if nowhere.

    Codes, with ``kind`` and ``key`` of the block and its ``place`` (from 1; in the source, but for an extra
    block): ``block_missing``, ``block_extra``, ``block_order`` (all are there, in another order: the first
    that stands elsewhere), ``option_count`` and ``field_count`` and ``part_count`` (expected, found),
    ``option_keys`` and ``field_keys`` (expected, found).
    """
    ours, theirs = [block.name for block in source], [block.name for block in translation]
    if ours == theirs:
        return [
            problem
            for place, (block, other) in enumerate(zip(source, translation, strict=True), start=1)
            for problem in _check_block(block, other, place)
        ]
    if Counter(ours) == Counter(theirs):
        place = next(
            place for place, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other
        )
        return [_problem("block_order", source[place], place + 1)]
    problems = []
    for tag, start, end, from_, to in _opcodes(ours, theirs):
        if tag == "equal":
            for step in range(end - start):
                problems += _check_block(source[start + step], translation[from_ + step], start + step + 1)
        else:
            missing = range(start, end)
            problems += [_problem("block_missing", source[place], place + 1) for place in missing]
            extra = range(from_, to)
            problems += [_problem("block_extra", translation[place], place + 1) for place in extra]
    return problems


def _opcodes(
    ours: list[tuple[str, str]], theirs: list[tuple[str, str]]
) -> list[tuple[str, int, int, int, int]]:
    """The differences between two lists as `SequenceMatcher` says them, outside what both begin and end with.

    Without that, blocks that are alike could be matched crosswise, and a single one left out would be named as many.
    """
    shorter = min(len(ours), len(theirs))
    head = next((place for place in range(shorter) if ours[place] != theirs[place]), shorter)
    tail = next(
        (count for count in range(shorter - head) if ours[-1 - count] != theirs[-1 - count]), shorter - head
    )
    middle = SequenceMatcher(
        None, ours[head : len(ours) - tail], theirs[head : len(theirs) - tail], autojunk=False
    ).get_opcodes()
    found = [("equal", 0, head, 0, head)]
    found += [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in middle]
    found.append(("equal", len(ours) - tail, len(ours), len(theirs) - tail, len(theirs)))
    return found


def _check_block(block: BlockShape, other: BlockShape, place: int) -> list[Problem]:
    problems = []
    for what, ours, theirs in (
        ("option", block.options, other.options),
        ("field", block.fields, other.fields),
    ):
        if len(ours) != len(theirs):
            counts = {"expected": len(ours), "found": len(theirs)}
            problems.append(_problem(f"{what}_count", block, place, **counts))
        elif any(there and here != there for here, there in zip(ours, theirs, strict=True)):
            problems.append(_problem(f"{what}_keys", block, place, expected=ours, found=theirs))
    if block.parts != other.parts:
        problems.append(_problem("part_count", block, place, expected=block.parts, found=other.parts))
    return problems


def _problem(code: str, block: BlockShape, place: int, **params: object) -> Problem:
    return Problem(code, {"kind": block.kind, "key": block.key, "place": place, **params})
