"""What one attempt shows: which items, in which order, with their options in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assessments.documents import AssessmentDocument, Item, Section, say, write_decimal
from assessments.rules.kinds import KIND_REGISTRY, Problem
from assessments.shapes import Reader


@dataclass(frozen=True, kw_only=True)
class FormItem:
    """One item as shown: its key, the index of its section, and its option keys in the order shown."""

    key: str
    section: int
    options: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: object, place: str = "") -> FormItem:
        read = Reader(data, place)
        key, section = read.text("key"), read.whole("section")
        item = cls(key=key, section=section or 0, options=tuple(read.take("options", [])))
        read.close()
        return item

    def to_json(self) -> dict[str, Any]:
        return {"key": self.key, "section": self.section, "options": list(self.options)}


@dataclass(frozen=True)
class Form:
    """What an attempt shows, in order. Stored with the attempt; it says nothing of the key."""

    items: tuple[FormItem, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(item.key for item in self.items)

    @classmethod
    def from_json(cls, data: object) -> Form:
        read = Reader(data)
        form = cls(read.many("items", FormItem.from_json))
        read.close()
        return form

    @classmethod
    def from_stored(cls, data: Mapping[str, Any]) -> Form:
        """The same for what `to_json` gave and the database kept: read without being checked again."""
        return cls(
            tuple(
                FormItem(key=one["key"], section=one["section"], options=tuple(one["options"]))
                for one in data["items"]
            )
        )

    def to_json(self) -> dict[str, Any]:
        return {"items": [item.to_json() for item in self.items]}


def draw_form(*, document: AssessmentDocument, seed: int | str) -> Form:
    """Draw what an attempt shows. The same document and seed give the same form, on any machine.

    Chance comes from SHA-256 of the seed and the names of things, so that neither the order of a bank nor
    which answers are right has any influence on it. A drawn section's sample takes one item of each competency
    in turn while it can; an item shown in one section is not drawn in another. Sections keep their order.
    """
    fixed = {item.key for section in document.sections if section.draw is None for item in section.items}
    taken = set(fixed)
    shown: list[FormItem] = []
    for number, section in enumerate(document.sections):
        items = list(section.items)
        if section.draw is not None:
            bank = [item for item in _distinct(items) if item.key not in taken]
            items = _draw(bank, section.draw, f"{seed}:{number}")
            taken.update(item.key for item in items)
            items = [item for item in bank if item in items]
        if document.shuffle_items:
            items.sort(key=lambda item: _chance(seed, "item", item.key))
        shown += [
            FormItem(
                key=item.key,
                section=number,
                options=_order_options(item, seed, shuffle=document.shuffle_options),
            )
            for item in items
        ]
    return Form(tuple(shown))


def public_item(item: Item, language: str, option_order: Iterable[str] = ()) -> dict[str, Any]:
    """What a learner may see of an item before answering: no key, flag, feedback, accepted text or tolerance.

    Shape: ``{"key", "kind", "points", "stem_html"}`` with, by kind, ``options: [{"key", "text_html"}]`` in
    the given order, ``partial`` (how ticks are counted) and ``unit``.
    """
    kind = KIND_REGISTRY[item.kind]
    return {
        "key": item.key,
        "kind": item.kind,
        "points": write_decimal(item.points),
        "stem_html": say(item.stem_html, language),
        **kind.public(item, language, tuple(option_order)),
    }


def check_document(document: AssessmentDocument) -> list[Problem]:
    """What keeps an assessment from being issued, as problems whose params name the item or the section.

    Codes: ``unknown_kind``, ``unknown_field``, ``points_too_fine``, those of ``ItemKind.check``,
    ``item_differs`` (one key, two contents), ``item_twice`` (shown in two places), ``draw_too_large``,
    ``nothing_to_answer``, ``no_points``, ``rubric_needed``, ``repeated_criterion``, ``too_few_levels``.
    """
    problems = [problem for item in _distinct(document.iter_items()) for problem in _check_item(item)]
    by_key = document.items_by_key()
    problems += [
        Problem("item_differs", {"item": item.key})
        for item in document.iter_items()
        if by_key[item.key] != item
    ]
    problems += _check_draws(document.sections)
    problems += _check_rubric(document) if document.kind == "assignment" else _check_content(document)
    return problems


def _chance(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()


def _draw(bank: list[Item], count: int, seed: str) -> list[Item]:
    groups: dict[str, list[Item]] = {}
    for item in sorted(bank, key=lambda item: _chance(seed, "draw", item.key)):
        groups.setdefault(item.competency.id if item.competency else "", []).append(item)
    waiting = sorted(groups.values(), key=lambda group: _chance(seed, "group", group[0].key))
    drawn: list[Item] = []
    while waiting and len(drawn) < count:
        for group in waiting[: count - len(drawn)]:
            drawn.append(group.pop(0))
        waiting = [group for group in waiting if group]
    return drawn


def _order_options(item: Item, seed: int | str, *, shuffle: bool) -> tuple[str, ...]:
    keys = KIND_REGISTRY[item.kind].option_keys(item)
    if not shuffle:
        return keys
    return tuple(sorted(keys, key=lambda key: _chance(seed, "option", item.key, key)))


def _distinct(items: Iterable[Item]) -> list[Item]:
    seen: dict[str, Item] = {}
    for item in items:
        seen.setdefault(item.key, item)
    return list(seen.values())


def _check_item(item: Item) -> list[Problem]:
    kind = KIND_REGISTRY.get(item.kind)
    if kind is None:
        return [Problem("unknown_kind", {"item": item.key, "kind": item.kind})]
    problems = kind.check(item)
    unknown = sorted(set(item.extra) - kind.extra_fields)
    if unknown:
        problems.append(Problem("unknown_field", {"item": item.key, "fields": unknown}))
    exponent = item.points.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        problems.append(Problem("points_too_fine", {"item": item.key}))
    return problems


def _check_draws(sections: tuple[Section, ...]) -> list[Problem]:
    """A draw must be possible whatever the draws before it took."""
    problems = []
    fixed_keys = [item.key for section in sections if section.draw is None for item in section.items]
    counted: Mapping[str, int] = {key: fixed_keys.count(key) for key in fixed_keys}
    problems += [Problem("item_twice", {"item": key}) for key, count in counted.items() if count > 1]
    earlier: list[tuple[set[str], int]] = []
    for number, section in enumerate(sections):
        if section.draw is None:
            continue
        bank = {item.key for item in section.items}
        least = len(bank - set(counted)) - sum(min(draw, len(bank & other)) for other, draw in earlier)
        if section.draw > least:
            problems.append(Problem("draw_too_large", {"section": number, "most": max(0, least)}))
        earlier.append((bank, section.draw))
    return problems


def _check_content(document: AssessmentDocument) -> list[Problem]:
    items = list(document.iter_items())
    if not items:
        return [Problem("nothing_to_answer")]
    if document.pass_mark is not None and not any(item.points > 0 for item in items):
        return [Problem("no_points")]
    return []


def _check_rubric(document: AssessmentDocument) -> list[Problem]:
    if not document.rubric:
        return [Problem("rubric_needed")]
    keys = [criterion.key for criterion in document.rubric]
    problems = [
        Problem("repeated_criterion", {"criterion": key}) for key in sorted(set(keys)) if keys.count(key) > 1
    ]
    problems += [
        Problem("too_few_levels", {"criterion": criterion.key})
        for criterion in document.rubric
        if len(criterion.levels) < 2
    ]
    if not any(criterion.max_points > 0 for criterion in document.rubric):
        problems.append(Problem("no_points"))
    return problems
