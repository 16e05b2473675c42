"""Keeps what an offering's page reads up to date, and proves it.

A learner's event only adds a row to `RosterTouch`. Whoever reads an offering (`catch_up`), and the worker from time to
time (`fold_backlogs`), makes the entries of those who were touched anew from the progress rows, and changes the sums by
the difference. So learners never wait for each other, and nobody reads anything old.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Q

from assessments.models import AssessmentKind, Attempt
from lms.models import (
    Accommodation,
    Enrolment,
    Offering,
    RosterEntry,
    RosterSummary,
    RosterTouch,
    StepProgress,
)
from lms.models_roster import LAST_NAME
from lms.outlines import steps_of
from lms.projections import Difference
from lms.rules.roster import Counts, Position, add_counts, counts_of
from lms.selectors.courses import BaseTerms, read_base_terms
from modules.selectors import kept_edition, outline_of

# So many learners in one transaction.
BATCH: Final = 500
# So many notes wait before the worker folds them without being asked.
BACKLOG: Final = 200


def terms_of(edition_id: uuid.UUID) -> Mapping[uuid.UUID, BaseTerms]:
    """What the assessed steps of an edition allow. At most one query, mostly none: an edition never changes."""
    return read_base_terms([edition_id])[edition_id]


# --- What a learner counts for ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One learner of an offering as of now: what is counted, and what the roster sorts by."""

    position: Position
    sort_name: str
    share: float
    quiz_key: uuid.UUID | None
    quiz_at: datetime | None
    work_since: datetime | None

    def as_entry(self, enrolment_id: uuid.UUID, offering_id: uuid.UUID) -> RosterEntry:
        position = self.position
        attempts = RosterEntry.Attempts.LEFT
        if position.out:
            attempts = RosterEntry.Attempts.GRANTED if position.granted else RosterEntry.Attempts.OUT
        return RosterEntry(
            enrolment_id=enrolment_id,
            offering_id=offering_id,
            sort_name=self.sort_name,
            active=position.active,
            complete=position.complete,
            closes_at=position.closes_at,
            last_doing=position.last_doing,
            place=position.place,
            share=self.share,
            waiting=position.waiting,
            attempts=attempts,
            quiz_key=self.quiz_key,
            quiz_at=self.quiz_at,
            work_since=self.work_since,
            counted={
                "edition": position.edition,
                "marks": [list(mark) for mark in position.marks],
                "answers": position.answers,
                "work": {key: list(pair) for key, pair in position.work.items()},
            },
        )


FIELDS: Final = tuple(field.attname for field in RosterEntry._meta.concrete_fields)[1:]


def position_of(entry: RosterEntry) -> Position:
    """What a stored entry counts for."""
    counted = entry.counted
    return Position(
        active=entry.active,
        complete=entry.complete,
        edition=counted["edition"],
        place=entry.place,
        waiting=entry.waiting,
        out=entry.attempts != RosterEntry.Attempts.LEFT,
        granted=entry.attempts == RosterEntry.Attempts.GRANTED,
        last_doing=entry.last_doing,
        closes_at=entry.closes_at,
        marks=tuple((step, points, of, passed) for step, points, of, passed in counted["marks"]),
        answers=counted["answers"],
        work={key: (total, waiting) for key, (total, waiting) in counted["work"].items()},
    )


def read_reached(offering: Offering, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Reached]:
    """Where these learners of an offering stand, from the rows that say so. Four queries, more for new editions."""
    quizzes = {step.key for step in outline_of(offering.edition).iter_steps() if step.kind == "quiz"}
    steps: dict[uuid.UUID, list[StepProgress]] = defaultdict(list)
    for row in StepProgress.objects.filter(
        Q(points__isnull=False) | Q(state=StepProgress.State.FAILED), enrolment__in=ids
    ).defer("parts", "reason"):
        steps[row.enrolment_id].append(row)
    attempts: dict[uuid.UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for attempt in (
        Attempt.objects.filter(sitting__context__in=ids, submitted_at__isnull=False)
        .order_by("sitting_id", "number")
        .values(
            "number",
            "points",
            "passed",
            "submitted_at",
            "score__by_item",
            context=F("sitting__context"),
            assessment=F("sitting__edition_id"),
            kind=F("sitting__edition__kind"),
        )
    ):
        attempts[attempt["context"]].append(attempt)
    granted = set(
        Accommodation.objects.filter(enrolment__in=ids, extra_attempts__gt=0).values_list(
            "enrolment_id", flat=True
        )
    )
    rows = Enrolment.objects.filter(pk__in=ids, offering=offering).values(
        "pk",
        "edition_id",
        "state",
        "enrolled_at",
        "closes_at",
        *(f"progress__{name}" for name in ("steps_complete", "steps_required", "last_step_key", "last_at")),
        *("progress__completed_at", "progress__waiting", "subject__user__sort_name"),
    )
    return {
        row["pk"]: _reach(row, steps[row["pk"]], attempts[row["pk"]], row["pk"] in granted, quizzes)
        for row in rows
    }


def _reach(
    row: Mapping[str, Any],
    steps: Sequence[StepProgress],
    attempts: Sequence[Mapping[str, Any]],
    granted: bool,
    quizzes: Collection[uuid.UUID],
) -> Reached:
    scored = [
        step for step in steps if step.step_key in quizzes and step.points is not None and step.max_points
    ]
    last_quiz = max(scored, key=lambda step: (step.last_at, str(step.step_key)), default=None)
    work: dict[str, tuple[int, int]] = {}
    answers: dict[str, dict[str, bool]] = {}
    since = None
    for attempt in attempts:
        key = str(attempt["assessment"])
        if attempt["kind"] == AssessmentKind.ASSIGNMENT:
            waits = attempt["points"] is None and attempt["passed"] is None
            total, waiting = work.get(key, (0, 0))
            work[key] = (total + 1, waiting + waits)
            if waits:
                since = min(since or attempt["submitted_at"], attempt["submitted_at"])
        elif attempt["number"] == 1 and attempt["score__by_item"]:
            answers[key] = {
                item: bool(score.get("right")) for item, score in attempt["score__by_item"].items()
            }
    done, total = row["progress__steps_complete"] or 0, row["progress__steps_required"] or 0
    return Reached(
        position=Position(
            active=row["state"] == Enrolment.State.ACTIVE,
            complete=row["progress__completed_at"] is not None,
            edition=str(row["edition_id"]),
            place=row["progress__last_step_key"],
            waiting=row["progress__waiting"] or 0,
            out=any(_is_spent(row["edition_id"], step) for step in steps),
            granted=granted,
            last_doing=row["progress__last_at"] or row["enrolled_at"],
            closes_at=row["closes_at"],
            marks=tuple(
                (str(step.step_key), str(step.points), str(step.max_points), step.completed_at is not None)
                for step in sorted(scored, key=lambda step: str(step.step_key))
            ),
            answers=answers,
            work=work,
        ),
        sort_name=row["subject__user__sort_name"] or LAST_NAME,
        share=done / total if total else 0.0,
        quiz_key=last_quiz.step_key if last_quiz else None,
        quiz_at=last_quiz.last_at if last_quiz else None,
        work_since=since,
    )


def _is_spent(edition_id: uuid.UUID, row: StepProgress) -> bool:
    """Whether a required step was not passed with all the attempts that everybody has."""
    allowed = terms_of(edition_id).get(row.step_key)
    if row.state != StepProgress.State.FAILED or allowed is None or allowed.attempts is None:
        return False
    return row.attempts_used >= allowed.attempts and any(
        step.key == row.step_key and step.required for step in steps_of(kept_edition(edition_id)).steps
    )


# --- Keeping it up ------------------------------------------------------------------------------------------------


def catch_up(offering: Offering) -> None:
    """Fold everything that has changed in an offering. Nine queries for each 500 learners who were touched."""
    while _fold(offering):
        pass


@transaction.atomic
def _fold(offering: Offering) -> bool:
    """Fold what was noted of so many learners; whether there may be more.

    The notes are taken away before the rows are read: what is committed in between is read and noted again.
    """
    summary = _lock_summary(offering.pk)
    notes = RosterTouch.objects.filter(offering_id=offering.pk)
    ids = list(notes.values_list("enrolment_id", flat=True).distinct()[:BATCH])
    if not ids:
        return False
    notes.filter(enrolment_id__in=ids).delete()
    _write(offering, summary, ids)
    return len(ids) == BATCH


def _lock_summary(offering_id: uuid.UUID) -> RosterSummary:
    """The sums of an offering, locked: who holds them alone changes its entries. At most three queries."""
    rows = RosterSummary.objects.select_for_update().filter(pk=offering_id)
    found = rows.first()
    if found is None:
        RosterSummary.objects.bulk_create([RosterSummary(offering_id=offering_id)], ignore_conflicts=True)
        found = rows.get()
    return found


def _write(offering: Offering, summary: RosterSummary, ids: Collection[uuid.UUID]) -> None:
    stored = RosterEntry.objects.filter(offering=offering).in_bulk(list(ids))
    reached = read_reached(offering, ids)
    for entry in stored.values():
        add_counts(summary.counts, counts_of(position_of(entry)), sign=-1)
    for one in reached.values():
        add_counts(summary.counts, counts_of(one.position))
    RosterEntry.objects.bulk_create(
        [one.as_entry(key, offering.pk) for key, one in sorted(reached.items())],
        update_conflicts=True,
        unique_fields=["enrolment"],
        update_fields=FIELDS,
    )
    if gone := set(stored) - set(reached):
        RosterEntry.objects.filter(pk__in=gone).delete()
    _save(summary)


def _save(summary: RosterSummary) -> None:
    summary.version = uuid.uuid4()
    summary.save(update_fields=["counts", "version"])


def fold_backlogs() -> int:
    """Fold the offerings in which much has changed since anybody looked; how many. For the worker."""
    waiting = (
        RosterTouch.objects.order_by()
        .values_list("offering_id")
        .annotate(notes=Count("pk"))
        .filter(notes__gte=BACKLOG)
        .values_list("offering_id", flat=True)
    )
    offerings = Offering.objects.select_related("edition").defer("edition__note").filter(pk__in=list(waiting))
    for offering in offerings:
        catch_up(offering)
    return len(offerings)


@transaction.atomic
def forget_name(subject_id: uuid.UUID) -> None:
    """Take the name of a person out of every roster.

    The sums are locked first: who is making the person's entry now ends before, who begins later waits until the
    account is gone.
    """
    offerings = list(
        Enrolment.objects.filter(subject_id=subject_id)
        .order_by("offering_id")
        .values_list("offering_id", flat=True)
    )
    list(RosterSummary.objects.select_for_update().filter(pk__in=offerings).order_by("pk").values_list("pk"))
    RosterEntry.objects.filter(
        pk__in=Enrolment.objects.filter(subject_id=subject_id).values("pk"), offering__in=offerings
    ).update(sort_name=LAST_NAME)


# --- Rebuilding, and proving --------------------------------------------------------------------------------------


def rebuild_rosters(*, check: bool) -> list[Difference]:
    """Make every entry and every sum anew; with `check` only compare. What differed.

    What was noted and not folded yet is no difference: it is folded before anybody reads.
    """
    found: list[Difference] = []
    offerings = Offering.objects.select_related("edition").defer("edition__note").order_by("pk")
    for offering in offerings:
        with transaction.atomic():
            found += _prove(offering, check=check)
        if not check:
            catch_up(offering)
    return found


def _prove(offering: Offering, *, check: bool) -> list[Difference]:
    """Compare the entries of an offering with the rows they come from, and its sums with its entries."""
    summary = RosterSummary.objects.select_for_update().filter(pk=offering.pk).first()
    differing: list[Difference] = []
    sums: Counts = {}
    wrong: list[uuid.UUID] = []
    stored = set(RosterEntry.objects.filter(offering=offering).values_list("pk", flat=True))
    known = sorted({*stored, *Enrolment.objects.filter(offering=offering).values_list("pk", flat=True)})
    for start in range(0, len(known), BATCH):
        ids = known[start : start + BATCH]
        entries = RosterEntry.objects.in_bulk(ids)
        reached = read_reached(offering, ids)
        noted = set(
            RosterTouch.objects.filter(offering_id=offering.pk, enrolment_id__in=ids).values_list(
                "enrolment_id", flat=True
            )
        )
        for key in ids:
            entry, one = entries.get(key), reached.get(key)
            if entry is not None:
                add_counts(sums, counts_of(position_of(entry)))
            expected = _values(one.as_entry(key, offering.pk)) if one else None
            now = _values(entry) if entry else None
            if key not in noted and expected != now:
                differing.append(Difference("lms_rosterentry", str(key), expected, now))
                wrong.append(key)
    if (summary.counts if summary else {}) != sums:
        differing.append(
            Difference("lms_rostersummary", str(offering.pk), sums, summary.counts if summary else None)
        )
    if not check and differing:
        summary = _lock_summary(offering.pk)
        summary.counts = sums
        _save(summary)
        RosterTouch.objects.bulk_create(
            RosterTouch(enrolment_id=key, offering_id=offering.pk) for key in wrong
        )
    return differing


def _values(entry: RosterEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in FIELDS}
