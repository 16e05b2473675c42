"""The way through a course, as everybody sees it who stands at the same place.

A way follows from the edition, the language, where one is and where one stands in each step. So a process draws it
once for all who stand there; nothing of a person is in it. Addresses in it are relative to the learner's own course
(`base`).
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from django.utils.translation import gettext as _

from core.addresses import address_with_key
from core.kept import Kept
from lms import texts
from lms.models import Enrolment
from lms.outlines import steps_of
from lms.rules import blocking_steps
from modules.documents import OutlineModule, OutlineStep
from modules.models import CourseEdition
from modules.selectors import outline_of

COMPLETE: Final = "complete"


class Taken:
    """A course, or something in it, as one learner takes it: whether what they do is recorded `now`."""

    enrolment: Enrolment
    now: datetime

    @property
    def is_withdrawn(self) -> bool:
        return self.enrolment.state == Enrolment.State.WITHDRAWN

    @property
    def is_closed(self) -> bool:
        return self.enrolment.closes_at is not None and self.now >= self.enrolment.closes_at

    @property
    def is_open(self) -> bool:
        return not self.is_withdrawn and not self.is_closed


@dataclass(frozen=True, kw_only=True)
class StepView:
    """A step of the way: `state` is done, here, wait, locked or todo, as the tag `path` draws it.

    `code` is complete, waiting, returned, failed or opened, and empty where the step was not begun.
    """

    step: OutlineStep
    number: str
    title: str
    state: str
    note: str = ""
    code: str = ""
    base: str = ""

    @property
    def path(self) -> str:
        """Its address within the course."""
        return f"{self.step.slug or self.step.key}/"

    @property
    def url(self) -> str:
        return f"{self.base}{self.path}"

    @property
    def is_done(self) -> bool:
        return self.code == COMPLETE

    @property
    def is_begun(self) -> bool:
        return bool(self.code)

    @property
    def full_title(self) -> str:
        return f"{self.number} {self.title}"


@dataclass(frozen=True, kw_only=True)
class ModuleView:
    """A module of the way with its steps; `done` and `total` count its required steps."""

    module: OutlineModule
    number: int
    title: str
    steps: tuple[StepView, ...]
    done: int
    total: int
    state: str
    note: str
    base: str = ""

    @property
    def path(self) -> str:
        return f"#module-{self.number}"

    @property
    def url(self) -> str:
        return f"{self.base}{self.path}"

    @property
    def minutes(self) -> int:
        return sum(view.step.minutes for view in self.steps)

    @property
    def is_done(self) -> bool:
        return self.done == self.total


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """The whole way: its modules, and its steps in order. `blockers` names the step that keeps each locked one locked.

    It is drawn once for all who stand so, and is the same only as itself; parts of pages are kept under it.
    """

    modules: tuple[ModuleView, ...]
    blockers: Mapping[uuid.UUID, uuid.UUID]
    here: uuid.UUID | None = None

    @cached_property
    def steps(self) -> tuple[StepView, ...]:
        return tuple(view for module in self.modules for view in module.steps)

    @cached_property
    def places(self) -> dict[uuid.UUID, int]:
        """Where each step stands in `steps`."""
        return {view.step.key: place for place, view in enumerate(self.steps)}

    @cached_property
    def done(self) -> int:
        """How many of the required steps are complete."""
        return sum(module.done for module in self.modules)

    @cached_property
    def total(self) -> int:
        return sum(module.total for module in self.modules)

    @property
    def is_complete(self) -> bool:
        return self.total > 0 and self.done == self.total

    @cached_property
    def minutes_left(self) -> int:
        return sum(view.step.minutes for view in self.steps if view.step.required and not view.is_done)

    @property
    def steps_done(self) -> str:
        return texts.say_steps(self.done, self.total)

    @cached_property
    def at(self) -> StepView | None:
        """The step where one is."""
        return self.steps[self.places[self.here]] if self.here in self.places else None

    @cached_property
    def module(self) -> ModuleView | None:
        """The module where one is."""
        return self.module_of(self.here) if self.here in self.places else None

    @cached_property
    def number_in_module(self) -> int:
        views = self.module.steps if self.module else ()
        return next((place for place, view in enumerate(views, start=1) if view.step.key == self.here), 0)

    @cached_property
    def before(self) -> StepView | None:
        place = self.places.get(self.here, 0) if self.here else 0
        return self.steps[place - 1] if place else None

    @cached_property
    def after(self) -> StepView | None:
        place = self.places.get(self.here) if self.here else None
        return self.steps[place + 1] if place is not None and place + 1 < len(self.steps) else None

    @property
    def blocker(self) -> StepView | None:
        """The step that keeps the one locked where one is."""
        key = self.blockers.get(self.here) if self.here else None
        return self.steps[self.places[key]] if key else None

    def step(self, key: uuid.UUID, *, base: str) -> StepView:
        """A step with its address in somebody's course."""
        return replace(self.steps[self.places[key]], base=base)

    def module_of(self, key: uuid.UUID) -> ModuleView:
        return next(module for module in self.modules if any(view.step.key == key for view in module.steps))

    def based(self, base: str) -> tuple[ModuleView, ...]:
        """The modules with their addresses in somebody's course."""
        return tuple(
            replace(module, base=base, steps=tuple(replace(view, base=base) for view in module.steps))
            for module in self.modules
        )


# A course in sequence has about as many ways as steps; one in free order may have more than are kept.
_ways: Final[Kept[tuple[Hashable, ...], Way]] = Kept(512)


def enrolment_url(enrolment: Enrolment) -> str:
    """The address of somebody's own course, which those of its steps begin with."""
    return address_with_key("lms:enrolment", enrolment.pk)


def step_url(enrolment: Enrolment, step: OutlineStep) -> str:
    """The address of a step of somebody's own course."""
    return f"{enrolment_url(enrolment)}{step.slug or step.key}/"


def find_way(edition: CourseEdition, codes: Mapping[int, str], *, here: uuid.UUID | None) -> Way:
    """The way of who stands so in the steps, by their keys as numbers, in the language in force. No queries once the
    outline is read.
    """
    pattern = tuple([codes.get(step.key.int, "") for step in steps_of(edition).steps])
    return find_way_by(edition, pattern, here=here)


def find_way_by(edition: CourseEdition, pattern: tuple[str, ...], *, here: uuid.UUID | None) -> Way:
    """The same, of who stands so in the steps in their order."""
    language = texts.language()
    return _ways.read(
        (edition.pk, edition.digest, language, here, pattern), lambda: _draw(edition, pattern, here, language)
    )


def _draw(edition: CourseEdition, pattern: tuple[str, ...], here: uuid.UUID | None, language: str) -> Way:
    course = steps_of(edition)
    codes = {step.key: code for step, code in zip(course.steps, pattern, strict=True)}
    locked = blocking_steps(course, {key for key, code in codes.items() if code == COMPLETE})
    modules = []
    for number, module in enumerate(outline_of(edition).modules, start=1):
        steps = tuple(
            _draw_step(
                step,
                number=f"{number}.{place}",
                code=codes[step.key],
                here=here == step.key,
                locked=step.key in locked,
                language=language,
            )
            for place, step in enumerate(module.steps, start=1)
        )
        modules.append(_draw_module(module, number, steps, language))
    blockers = {key: step.key for key, step in locked.items()}
    return Way(modules=tuple(modules), blockers=blockers, here=here)


def _draw_step(
    step: OutlineStep, *, number: str, code: str, here: bool, locked: bool, language: str
) -> StepView:
    done = code == COMPLETE
    word = texts.say_step_state(code, done=done, locked=locked)
    if done:
        state = "done"
    elif locked:
        state = "locked"
    elif code:
        state = "wait"
    else:
        state = "todo"
    if here:
        word = _("You are here") if not done else word
        state = "here"
    kind = "" if step.is_lesson else texts.say_step_kind(step.kind)
    optional = "" if step.required else _("Optional")
    return StepView(
        step=step,
        number=number,
        title=step.title_in(language),
        state=state,
        note=texts.join_facts(word, kind, optional, texts.say_duration(step.minutes)),
        code=code,
    )


def _draw_module(
    module: OutlineModule, number: int, steps: tuple[StepView, ...], language: str
) -> ModuleView:
    required = [view for view in steps if view.step.required]
    done = sum(view.is_done for view in required)
    here = any(view.state == "here" for view in steps)
    if done == len(required):
        state = "done"
    elif here:
        state = "here"
    elif any(view.is_begun for view in steps):
        state = "wait"
    elif steps and all(view.state == "locked" for view in steps):
        state = "locked"
    else:
        state = "todo"
    waiting = _("you are here") if here and done < len(required) else ""
    return ModuleView(
        module=module,
        number=number,
        title=texts.say(module.title, language),
        steps=steps,
        done=done,
        total=len(required),
        state=state,
        note="; ".join(part for part in (texts.say_steps(done, len(required)), waiting) if part),
    )
