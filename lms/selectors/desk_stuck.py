"""Who is stuck in an offering, and why: the first few in words, with what the instructor can do."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from assessments.rules import attempts_left
from core.kept import Kept, Shown
from core.prepared import PreparedQuery, given_moment, is_among
from lms import texts
from lms.desk_texts import say_idle, say_reason, say_result
from lms.models import Accommodation, Enrolment, LearningEvent, StepProgress
from lms.outlines import steps_of
from lms.projections import read_event
from lms.roster import terms_of
from lms.rules import (
    Attempt,
    CourseState,
    CourseSteps,
    Grant,
    Outcome,
    Step,
    StepState,
    StepTerms,
    Terms,
    effective_terms,
    explain_step,
    fold_events,
    next_step,
)
from lms.selectors.courses import read_grant
from lms.selectors.desk import OfferingHead, colon, step_titles, write_to
from lms.selectors.desk_board import Board
from lms.selectors.desk_roster import RosterRow
from modules.models import CourseEdition


@dataclass(frozen=True, kw_only=True)
class StuckLearner:
    """One learner who is stuck: since when, where, and what the instructor can do."""

    row: RosterRow
    word: str
    sentence: str
    state: str
    action: str
    action_url: str


_read_steps: Final = PreparedQuery(
    lambda: StepProgress.objects.filter(is_among("enrolment_id", "enrolments")),
    fields=(
        *("id", "enrolment_id", "step_key", "state", "last_at", "completed_at"),
        *("points", "max_points", "attempts_used"),
    ),
)
_read_events: Final = PreparedQuery(
    lambda: LearningEvent.objects.filter(
        is_among("enrolment_id", "enrolments"), is_among("step_key", "steps")
    ).order_by("id"),
    fields=(
        *("id", "client_id", "enrolment_id", "verb", "step_key", "object_key", "result"),
        "occurred_at",
    ),
)
_read_grants: Final = PreparedQuery(
    lambda: Accommodation.objects.filter(is_among("enrolment_id", "enrolments"))
)


def _of_the_enrolment(rows: QuerySet[Any]) -> ArraySubquery:
    return ArraySubquery(rows.filter(enrolment=OuterRef("pk")).order_by("pk").values("pk"))


def _last_event() -> QuerySet[LearningEvent, Any]:
    """The key of an enrolment's last event, found among its own.

    Of the plain key the server would think that the last of the whole ledger is soon one of theirs, and look for it
    there, event by event.
    """
    own = LearningEvent.objects.filter(enrolment=OuterRef("pk")).order_by().values("enrolment")
    return own.annotate(last=Max(F("pk") + 0)).values("last")


# What an explanation rests on, by the ledger: each enrolment's last event, and what it is granted at the moment.
_read_versions: Final = PreparedQuery(
    lambda: (
        Enrolment.objects.filter(is_among("id", "enrolments"))
        .annotate(
            last_event=Subquery(_last_event()),
            granted=_of_the_enrolment(
                Accommodation.objects.filter(Q(ends_at=None) | Q(ends_at__gt=given_moment("now")))
            ),
        )
        .order_by("pk")
    ),
    fields=("id",),
    extra=("last_event", "granted"),
)


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why one learner is stuck, without their name; `step` is the one in which no attempt is left."""

    sentence: str
    step: uuid.UUID | None = None


# By all that it follows from. It is about a person, so not for long.
_known: Final[Kept[tuple[Hashable, ...], Why]] = Kept(500, seconds=60)

# An enrolment, its last event, and what it is granted.
Version = tuple[uuid.UUID, int | None, tuple[uuid.UUID, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stuck(Shown):
    """The first few who are stuck, of how many (`count`). Why is told only where their part of the page is not kept."""

    head: OfferingHead
    editions: Mapping[uuid.UUID, CourseEdition]
    count: int
    rows: tuple[RosterRow, ...]
    versions: tuple[Version, ...]

    @cached_property
    def shows(self) -> tuple[Hashable, ...]:
        return (
            self.count,
            # The subject of a mail is the title of the course.
            self.head.offering.edition_id,
            self.versions,
            *[(row.url, row.name, row.email, row.edition_id, row.is_out, row.idle_days) for row in self.rows],
        )

    @property
    def all_url(self) -> str:
        """Where the roster shows all of them."""
        return f"{self.head.url}?show=needs&sort=needs#roster"

    @cached_property
    def learners(self) -> list[StuckLearner]:
        """They in words. Three queries where not all was told within a minute, else none."""
        around = (texts.language(), timezone.get_current_timezone_name())
        versions = {version[0]: version for version in self.versions}
        keys = {
            row.enrolment_id: (row.edition_id, row.is_out, versions.get(row.enrolment_id), *around)
            for row in self.rows
        }
        told: dict[uuid.UUID, Why | None] = {key: _known.find(known) for key, known in keys.items()}
        new = [row for row in self.rows if told[row.enrolment_id] is None]
        for key, found in _explain(self.editions, new).items():
            told[key] = _known.keep(keys[key], found)
        subject = self.head.course_title
        return [_tell(row, why, subject) for row in self.rows if (why := told[row.enrolment_id])]


def read_stuck(board: Board) -> Stuck:
    """Who is stuck, and what their reasons rest on. One query; none where nobody is."""
    found: Sequence[Any] = ()
    if board.stuck_rows:
        ids = [row.enrolment_id for row in board.stuck_rows]
        found = _read_versions.rows(enrolments=ids, now=board.head.now)
    return Stuck(
        head=board.head,
        editions=board.editions,
        count=board.stuck,
        rows=board.stuck_rows,
        versions=tuple((key, last, tuple(granted)) for key, last, granted in found),
    )


def explain_stuck(board: Board) -> list[StuckLearner]:
    """Why the first few are stuck. One query where that was told within a minute, else four; none where nobody is."""
    return read_stuck(board).learners


def _tell(row: RosterRow, why: Why, course_title: str) -> StuckLearner:
    if why.step is not None:
        return StuckLearner(
            row=row,
            word=_("No attempts left"),
            sentence=why.sentence,
            state="stop",
            action=_("Open one more attempt"),
            action_url=f"{row.url}grant/?step={why.step}",
        )
    return StuckLearner(
        row=row,
        word=say_idle(row.idle_days),
        sentence=why.sentence,
        state="wait",
        action=_("Write to %(name)s") % {"name": row.name},
        action_url=write_to(row.email, subject=course_title),
    )


def _explain(editions: Mapping[uuid.UUID, CourseEdition], rows: Sequence[RosterRow]) -> dict[uuid.UUID, Why]:
    """Why each of these learners is stuck, from the ledger. Three queries."""
    if not rows:
        return {}
    ids = [row.enrolment_id for row in rows]
    reached: dict[uuid.UUID, dict[uuid.UUID, StepProgress]] = defaultdict(dict)
    for step in _read_steps.objects(enrolments=ids):
        reached[step.enrolment_id][step.step_key] = step
    grants: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    for grant in _read_grants.objects(enrolments=ids):
        grants[grant.enrolment_id].append(read_grant(grant))
    following = {
        row.enrolment_id: next_step(steps_of(editions[row.edition_id]), _state_of(reached[row.enrolment_id]))
        for row in rows
    }
    states = _fold_steps({key: step.key for key, step in following.items() if step is not None})
    told = {}
    for row in rows:
        key = row.enrolment_id
        titles = step_titles(editions[row.edition_id])
        terms = {
            step: StepTerms(
                pass_mark=known.pass_mark,
                attempts_allowed=effective_terms(
                    Terms(attempts_allowed=known.attempts), grants[key], step=step, at=row.now
                ).attempts_allowed,
            )
            for step, known in terms_of(row.edition_id).items()
        }
        if row.is_out:
            course = steps_of(editions[row.edition_id])
            told[key] = _explain_out(course, reached[key], terms, titles)
        else:
            told[key] = Why(sentence=_say_where(following[key], states.get(key), terms, titles))
    return told


def _state_of(reached: Mapping[uuid.UUID, StepProgress]) -> CourseState:
    """As much of a learner's state as tells which step comes next."""
    return CourseState(
        steps={
            key: StepState(
                key=key,
                active_at=row.last_at,
                completed_at=row.completed_at,
                attempts=(Attempt(key="", started_at=row.last_at, outcome=Outcome.WAITING),)
                if row.state == StepProgress.State.WAITING
                else (),
            )
            for key, row in reached.items()
        }
    )


def _fold_steps(wanted: Mapping[uuid.UUID, uuid.UUID]) -> dict[uuid.UUID, StepState]:
    """Where each of these learners stands in one step, from the ledger. One query, none where there is no step."""
    if not wanted:
        return {}
    events: dict[uuid.UUID, list[LearningEvent]] = defaultdict(list)
    for event in _read_events.objects(enrolments=list(wanted), steps=list(set(wanted.values()))):
        if wanted[event.enrolment_id] == event.step_key:
            events[event.enrolment_id].append(event)
    return {
        key: fold_events(map(read_event, happened)).steps[wanted[key]] for key, happened in events.items()
    }


def _explain_out(
    course: CourseSteps,
    reached: Mapping[uuid.UUID, StepProgress],
    terms: Mapping[uuid.UUID, StepTerms],
    titles: Mapping[uuid.UUID, str],
) -> Why:
    """A learner without attempts: in the first step of the course in which that is so."""
    step = next(
        step for step in course.steps if step.required and _is_out(reached.get(step.key), terms.get(step.key))
    )
    known, percent = reached[step.key], None
    if known.points is not None and known.max_points:
        percent = (known.points * 100 / known.max_points).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    result = say_result({"percent": percent, "pass_mark": terms[step.key].pass_mark})
    where = f"{titles.get(step.key, '')}{colon()}{result}"
    return Why(sentence=f"{where} {_('No attempt is left. You may open one more.')}", step=step.key)


def _is_out(row: StepProgress | None, terms: StepTerms | None) -> bool:
    return (
        row is not None
        and terms is not None
        and row.state == StepProgress.State.FAILED
        and attempts_left(allowed=terms.attempts_allowed, used=row.attempts_used) == 0
    )


def _say_where(
    following: Step | None,
    state: StepState | None,
    terms: Mapping[uuid.UUID, StepTerms],
    titles: Mapping[uuid.UUID, str],
) -> str:
    if following is None:
        return _("Nothing is open to them now.")
    # An optional step is no reason, so nothing is said of it.
    reasons: Sequence = (
        explain_step(following, state, terms.get(following.key, StepTerms())) if following.required else ()
    )
    said = [say_reason(reason.code, reason.params()) for reason in reasons]
    title = titles[following.key]
    return f"{title}{colon()}{' '.join(said)}" if said else title
