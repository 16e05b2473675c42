"""Where a step stands in a learner's own course: what is around it, what was done in it, whether it is open."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.db.models import Case, F, Field, TextField, When
from django.db.models.functions import Cast
from django.http import Http404

from core import clock
from core.kept import Kept
from core.prepared import PreparedQuery, given_uuid
from core.questions import Question, ask_together
from lms import texts
from lms.models import Enrolment, StepProgress
from lms.outlines import steps_of
from lms.rules import Step
from lms.selectors.ways import ModuleView, StepView, Taken, Way, enrolment_url, find_way_by
from modules.documents import Outline, OutlineStep
from modules.selectors import outline_of


@dataclass(frozen=True)
class Doing:
    """What a learner did in one step, as far as its page shows it."""

    parts: Mapping[str, Any] = field(default_factory=dict)
    reason: Mapping[str, Any] | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Place(Taken):
    """Where a step stands in its course, and what is around it."""

    enrolment: Enrolment
    outline_step: OutlineStep
    way: Way
    rule: Step
    own: Doing
    now: datetime

    @cached_property
    def view(self) -> StepView:
        return self.way.step(self.outline_step.key, base=self.course_url)

    @property
    def previous(self) -> StepView | None:
        return self._with_address(self.way.before)

    @property
    def next(self) -> StepView | None:
        return self._with_address(self.way.after)

    @property
    def blocker(self) -> StepView | None:
        """The step that keeps this one locked."""
        return self._with_address(self.way.blocker)

    def _with_address(self, step: StepView | None) -> StepView | None:
        return replace(step, base=self.course_url) if step else None

    @cached_property
    def course_title(self) -> str:
        return self.enrolment.edition.title_in(texts.language())

    @cached_property
    def course_url(self) -> str:
        return enrolment_url(self.enrolment)

    @property
    def owner(self) -> str:
        """Whose words a device keeps until they are sent, and of which course."""
        return f"{self.enrolment.subject_id}:{self.enrolment.pk}"

    @cached_property
    def module(self) -> ModuleView:
        module = self.way.module
        assert module is not None
        return module

    @property
    def number_in_module(self) -> int:
        return self.way.number_in_module

    @property
    def is_last(self) -> bool:
        return self.way.after is None

    @property
    def is_where_left_off(self) -> bool:
        """Whether the ledger already says that the learner is here."""
        progress = getattr(self.enrolment, "progress", None)
        return progress is not None and progress.last_step_key == self.outline_step.key

    @property
    def completion(self) -> str:
        """Why the step is complete, in words; empty where it is not."""
        if self.own.reason is None or self.own.completed_at is None:
            return ""
        return texts.say_completion(self.own.reason, self.own.completed_at)


def _of_one(name: str, field: Field[Any, Any] | None = None) -> Case:
    value = Cast(name, field) if field else F(name)
    return Case(When(step_key=given_uuid("step"), then=value))


# Of every step where it stands, of one of them what was done in it as well. Keys and documents come as their texts:
# fifteen rows of which one is read whole.
_read_steps: Final = PreparedQuery(
    lambda: StepProgress.objects.filter(enrolment_id=given_uuid("enrolment")).annotate(
        key=Cast("step_key", TextField()),
        own_parts=_of_one("parts", TextField()),
        own_reason=_of_one("reason", TextField()),
        completed=_of_one("completed_at"),
    ),
    fields=("id", "state"),
    extra=("key", "own_parts", "own_reason", "completed"),
)


# Which step an address named last. Of two editions that give one address to two steps, the other is asked for again.
_named: Final[Kept[str, uuid.UUID]] = Kept(2000)


def ask_steps(enrolment_id: uuid.UUID, slug: str) -> Sequence[Question[Any]]:
    """What `find_place` needs to know, asked before the edition is known that says which step the address names."""
    key = guess_key(slug)
    return [_ask_steps(enrolment_id, key)] if key else ()


def guess_key(slug: str) -> uuid.UUID | None:
    """The key of the step that this address named last: most likely the one that it names."""
    return _named.find(slug)


def note_key(slug: str, key: uuid.UUID) -> None:
    """An address named this step, for the next `guess_key`."""
    _named.keep(slug, key)


def _ask_steps(enrolment_id: uuid.UUID, step_key: uuid.UUID) -> Question[Any]:
    return Question(
        _read_steps,
        {"enrolment": enrolment_id, "step": step_key},
        columns=("key", "state", "own_parts", "own_reason", "completed"),
    )


def find_place(enrolment: Enrolment, slug: str, *, along: Sequence[list[Any]] = ()) -> Place:
    """A step of a learner's own course by its address, with the way around it. One query; none where the answer to
    `ask_steps` was read along with the enrolment.
    """
    outline = outline_of(enrolment.edition)
    step = outline.step_by_slug(slug) or _find_by_key(outline, slug)
    if step is None:
        raise Http404("This step is not part of the course.")
    here = str(step.key)
    rows = along[0] if along else None
    if rows is None or any(key == here and parts is None for key, _state, parts, *_more in rows):
        # Nothing was asked along, or of another step of this address.
        note_key(slug, step.key)
        (rows,) = ask_together(_ask_steps(enrolment.pk, step.key))
    course = steps_of(enrolment.edition)
    pattern = [""] * len(course.steps)
    own = Doing()
    for key, state, parts, reason, completed in rows:
        place = course.places.get(key)
        if place is not None:
            pattern[place] = state
        if key == here:
            own = Doing(json.loads(parts), json.loads(reason) if reason else None, completed)
    return Place(
        enrolment=enrolment,
        outline_step=step,
        way=find_way_by(enrolment.edition, tuple(pattern), here=step.key),
        rule=course.steps[course.places[here]],
        own=own,
        now=clock.now(),
    )


def _find_by_key(outline: Outline, slug: str) -> OutlineStep | None:
    try:
        return outline.steps_by_key().get(uuid.UUID(slug))
    except ValueError:
        return None
