"""What changes from one edition of a course to the next, for the author to see before it is issued."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from assessments.shapes import Words
from modules.documents import Outline, OutlineModule, OutlineStep


class ChangeCode(StrEnum):
    """The kinds of change, with their params.

    - ``added`` / ``removed``: steps with ``required`` and ``module``; modules without
    - ``moved``: steps with ``module`` and ``from_module``; the order within one module may have changed
    - ``text_changed``: ``languages`` whose words differ, sorted
    - ``assessment_changed``: questions, rubric, pass mark or terms: another edition of the assessment
    - ``requirement_changed``: what completion asks; ``fields`` maps ``required``, ``checks``,
      ``reflections`` (steps) or ``order`` (course) to ``(old, new)``
    - ``competencies_changed``: ``added`` and ``removed``, tuples of (code, level, counts)
    - ``framework_changed``: ``from`` and ``to``, titles with numbers
    - ``details_changed``: everything else; ``fields`` maps a name to ``(old, new)``
    """

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    TEXT_CHANGED = "text_changed"
    ASSESSMENT_CHANGED = "assessment_changed"
    REQUIREMENT_CHANGED = "requirement_changed"
    COMPETENCIES_CHANGED = "competencies_changed"
    FRAMEWORK_CHANGED = "framework_changed"
    DETAILS_CHANGED = "details_changed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change. ``what`` is ``course``, ``module`` or ``step``; ``key`` is None for the course.

    ``title`` is that of the new edition, or of the old one for what was removed.
    """

    code: ChangeCode
    what: str
    key: UUID | None
    title: Words
    params: Mapping[str, Any] = field(default_factory=dict)


def diff_outlines(old: Outline, new: Outline) -> list[Change]:
    """Say what changes from one outline to another: the course, then what was removed, then in new order.

    Empty exactly if both have the same text (``Outline.to_digest_json``). Steps and modules are known by
    their keys; only what really changed its place counts as moved, not what others pushed along.
    """
    changes = _diff_course(old, new)
    old_modules = {module.key: module for module in old.modules}
    new_modules = {module.key: module for module in new.modules}
    old_home = {step.key: module.key for module in old.modules for step in module.steps}
    new_home = {step.key: module.key for module in new.modules for step in module.steps}
    old_steps, new_steps = old.steps_by_key(), new.steps_by_key()
    for module in old.modules:
        if module.key not in new_modules:
            changes.append(_change(ChangeCode.REMOVED, "module", module))
        changes += [
            _change(ChangeCode.REMOVED, "step", step, required=step.required, module=module.key)
            for step in module.steps
            if step.key not in new_steps
        ]
    moved = _moved(list(old_modules), list(new_modules))
    for module in new.modules:
        changes += _diff_module(old_modules.get(module.key), module, moved=module.key in moved)
        before = old_modules[module.key].steps if module.key in old_modules else ()
        shifted = _moved([step.key for step in before], [step.key for step in module.steps])
        for step in module.steps:
            if step.key not in old_steps:
                changes.append(
                    _change(ChangeCode.ADDED, "step", step, required=step.required, module=module.key)
                )
                continue
            home = old_home[step.key]
            if home != new_home[step.key] or step.key in shifted:
                changes.append(_change(ChangeCode.MOVED, "step", step, module=module.key, from_module=home))
            changes += _diff_step(old_steps[step.key], step)
    return changes


def _diff_course(old: Outline, new: Outline) -> list[Change]:
    changes = []
    texts: list[tuple[Mapping[str, object], Mapping[str, object]]] = [
        (old.title, new.title),
        (old.lead, new.lead),
        (old.description_html, new.description_html),
        (old.audience, new.audience),
        (_outcomes(old), _outcomes(new)),
    ]
    if old.training and new.training:
        texts += [(old.training.title, new.training.title), (old.training.summary, new.training.summary)]
    if languages := _languages(texts):
        changes.append(_of_course(ChangeCode.TEXT_CHANGED, new, languages=languages))
    if old.order != new.order:
        order = {"order": (old.order, new.order)}
        changes.append(_of_course(ChangeCode.REQUIREMENT_CHANGED, new, fields=order))
    if _framework(old) != _framework(new):
        changes.append(
            _of_course(ChangeCode.FRAMEWORK_CHANGED, new, **{"from": _framework(old), "to": _framework(new)})
        )
    names = ("key", "slug", "valid_months", "starting_content", "languages")
    fields = _fields(old, new, names)
    homes = [(one.training.key, one.training.slug) if one.training else None for one in (old, new)]
    if homes[0] != homes[1]:
        fields["training"] = tuple(homes)
    if fields:
        changes.append(_of_course(ChangeCode.DETAILS_CHANGED, new, fields=fields))
    return changes


def _framework(outline: Outline) -> tuple[Any, ...] | None:
    """What the digest counts of a framework edition, and its title for people."""
    frame = outline.framework
    return (frame.slug, frame.number, frame.digest, dict(frame.title)) if frame else None


def _diff_module(old: OutlineModule | None, new: OutlineModule, *, moved: bool) -> list[Change]:
    if old is None:
        return [_change(ChangeCode.ADDED, "module", new)]
    changes = [_change(ChangeCode.MOVED, "module", new)] if moved else []
    if languages := _languages([(old.title, new.title), (old.summary, new.summary)]):
        changes.append(_change(ChangeCode.TEXT_CHANGED, "module", new, languages=languages))
    if fields := _fields(old, new, ("slug",)):
        changes.append(_change(ChangeCode.DETAILS_CHANGED, "module", new, fields=fields))
    return changes


def _diff_step(old: OutlineStep, new: OutlineStep) -> list[Change]:
    changes = []
    texts = [(old.title, new.title), (old.lead, new.lead), (old.digests, new.digests)]
    if languages := _languages(texts):
        changes.append(_change(ChangeCode.TEXT_CHANGED, "step", new, languages=languages))
    if old.assessment_digest != new.assessment_digest:
        changes.append(_change(ChangeCode.ASSESSMENT_CHANGED, "step", new))
    if fields := _fields(old, new, ("required", "checks", "reflections")):
        changes.append(_change(ChangeCode.REQUIREMENT_CHANGED, "step", new, fields=fields))
    before, after = (
        tuple((one.code, one.level, one.counts, one.id) for one in step.competencies) for step in (old, new)
    )
    if before != after:
        added = tuple(one[:3] for one in after if one not in before)
        removed = tuple(one[:3] for one in before if one not in after)
        changes.append(_change(ChangeCode.COMPETENCIES_CHANGED, "step", new, added=added, removed=removed))
    fields = _fields(old, new, ("kind", "slug", "minutes", "open_to_public", "origin"))
    if old.parts != new.parts and (old.checks, old.reflections) == (new.checks, new.reflections):
        fields["parts"] = tuple(tuple((part.kind, part.key) for part in step.parts) for step in (old, new))
    if fields:
        changes.append(_change(ChangeCode.DETAILS_CHANGED, "step", new, fields=fields))
    return changes


def _fields(old: object, new: object, names: Iterable[str]) -> dict[str, Any]:
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _outcomes(outline: Outline) -> dict[str, list[str]]:
    """The outcomes as the issued text has them, by language."""
    return dict(outline.to_json()["course"]["outcomes"])


def _languages(
    pairs: Iterable[tuple[Mapping[str, object], Mapping[str, object]]],
) -> tuple[str, ...]:
    """The languages in which any of the texts differs; one that is missing differs from an empty one."""
    changed = {
        language for old, new in pairs for language in {*old, *new} if old.get(language) != new.get(language)
    }
    return tuple(sorted(changed))


def _moved(old: Sequence[UUID], new: Sequence[UUID]) -> set[UUID]:
    """The fewest of the common members that must move to turn one order into the other.

    They are those outside a longest increasing run of old places (patience sorting).
    """
    places = {key: place for place, key in enumerate(old)}
    common = [key for key in new if key in places]
    tails: list[int] = []
    ends: list[UUID] = []
    before: dict[UUID, UUID | None] = {}
    for key in common:
        length = bisect_left(tails, places[key])
        tails[length : length + 1] = [places[key]]
        ends[length : length + 1] = [key]
        before[key] = ends[length - 1] if length else None
    kept: set[UUID] = set()
    last = ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return set(common) - kept


def _change(code: ChangeCode, what: str, one: OutlineModule | OutlineStep, **params: Any) -> Change:
    return Change(code=code, what=what, key=one.key, title=one.title, params=params)


def _of_course(code: ChangeCode, outline: Outline, **params: Any) -> Change:
    return Change(code=code, what="course", key=None, title=outline.title, params=params)
