"""What the course engine and its assessments hold about a person: for *My data*, the download, and the erasure.

Typed words and files stand in `accounts.PersonalText`, which exports and erases them; here are codes and numbers.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from assessments.documents import write_decimal
from assessments.models import Attempt, Mark, Response
from core.extensions import PersonalRecords
from lms import texts
from lms.jobs import discard_rosters_with
from lms.models import Accommodation, Enrolment, EnrolmentEvent, Evidence, LearningEvent, Notice, Standing
from lms.roster import forget_name
from modules.selectors import outline_of, prime_outlines


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def _number(value: Decimal | None) -> str | None:
    return None if value is None else write_decimal(value)


class LearningPersonalData:
    """The answer to `core.extensions.personal_data`. Eleven queries to export, none a row."""

    def export(self, *, subject_id: uuid.UUID, language: str) -> Sequence[PersonalRecords]:
        """Every record by name, empty ones left out, in the language."""
        with translation.override(language):
            enrolments = list(
                Enrolment.objects.filter(subject_id=subject_id)
                .select_related("edition", "offering", "organization", "progress")
                .defer("edition__outline")
                .order_by("enrolled_at")
            )
            prime_outlines(enrolment.edition for enrolment in enrolments)
            steps = _name_steps(enrolments, language)
            parts = [
                self._enrolments(enrolments, language),
                self._enrolment_events(subject_id),
                self._accommodations(subject_id),
                self._learning(subject_id, steps),
                self._attempts(subject_id, language),
                self._responses(subject_id),
                self._marks(subject_id),
                self._evidence(subject_id, steps, language),
                self._standings(subject_id, language),
                self._notices(subject_id),
            ]
        return [part for part in parts if part.rows]

    def erase(self, *, subject_id: uuid.UUID) -> None:
        """Delete what was told to a person, and their name where rosters sort by it.

        Ledgers keep codes and numbers under a key that names nobody any more.
        """
        forget_name(subject_id)
        Notice.objects.filter(subject_id=subject_id).delete()
        discard_rosters_with(subject_id=subject_id)
        Accommodation.objects.filter(enrolment__subject_id=subject_id).exclude(reason_id=None).update(
            reason_id=None
        )

    def _enrolments(self, enrolments: Iterable[Enrolment], language: str) -> PersonalRecords:
        rows = [
            {
                "course": enrolment.edition.title_in(language),
                "edition": enrolment.edition.number,
                "offering": enrolment.offering.title_in(language),
                "organization": enrolment.organization.name_in(language) if enrolment.organization else None,
                "enrolled": _moment(enrolment.enrolled_at),
                "state": str(Enrolment.State(enrolment.state).label),
                "closes": _moment(enrolment.closes_at),
                "steps_complete": _read(enrolment, "steps_complete"),
                "steps_required": _read(enrolment, "steps_required"),
                "completed": _moment(_read(enrolment, "completed_at")),
            }
            for enrolment in enrolments
        ]
        return PersonalRecords(
            name="enrolments",
            title=_("Courses"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={
                "course": _("Course"),
                "edition": _("Edition"),
                "offering": _("Offering"),
                "organization": _("Taken for"),
                "enrolled": _("Enrolled"),
                "state": _("State"),
                "closes": _("Closes"),
                "steps_complete": _("Steps complete"),
                "steps_required": _("Steps required"),
                "completed": _("Completed"),
            },
        )

    def _enrolment_events(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows = [
            {
                "when": _moment(event.recorded_at),
                "what": str(EnrolmentEvent.Kind(event.kind).label),
                "details": event.data,
            }
            for event in EnrolmentEvent.objects.filter(enrolment__subject_id=subject_id)
        ]
        return PersonalRecords(
            name="enrolment_events",
            title=_("What happened to your enrolments"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={"when": _("When"), "what": _("What")},
        )

    def _accommodations(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows = [
            {
                "kind": str(Accommodation.Kind(row.kind).label),
                "time_factor": _number(row.time_factor),
                "extra_attempts": row.extra_attempts,
                "granted": _moment(row.granted_at),
                "ends": _moment(row.ends_at),
            }
            for row in Accommodation.objects.filter(enrolment__subject_id=subject_id).order_by("granted_at")
        ]
        return PersonalRecords(
            name="accommodations",
            title=_("Accommodations"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={
                "kind": _("What"),
                "time_factor": _("Time, as a factor"),
                "extra_attempts": _("Extra attempts"),
                "granted": _("Granted"),
                "ends": _("Ends"),
            },
        )

    def _learning(self, subject_id: uuid.UUID, steps: dict[uuid.UUID, str]) -> PersonalRecords:
        rows = [
            {
                "when": _moment(event.occurred_at),
                "what": str(LearningEvent.Verb(event.verb).label),
                "step": steps.get(event.step_key, str(event.step_key)),
                "object": event.object_key,
                "result": event.result,
                "language": event.language,
            }
            for event in LearningEvent.objects.filter(subject_id=subject_id).order_by("id").iterator()
        ]
        return PersonalRecords(
            name="learning",
            title=_("What you did in your courses"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={"when": _("When"), "what": _("What"), "step": _("Step")},
        )

    def _attempts(self, subject_id: uuid.UUID, language: str) -> PersonalRecords:
        rows = [
            {
                "assessment": attempt.sitting.edition.title_in(language),
                "number": attempt.number,
                "started": _moment(attempt.started_at),
                "handed_in": _moment(attempt.submitted_at),
                "points": _number(attempt.points),
                "max_points": _number(attempt.max_points),
                "passed": attempt.passed,
                "key": str(attempt.pk),
            }
            for attempt in Attempt.objects.filter(sitting__subject_id=subject_id)
            .select_related("sitting__edition")
            .order_by("started_at")
        ]
        return PersonalRecords(
            name="attempts",
            title=_("Attempts"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={
                "assessment": _("Assessment"),
                "number": _("Attempt"),
                "started": _("Begun"),
                "handed_in": _("Handed in"),
                "points": _("Points"),
                "max_points": _("Most points"),
                "passed": _("Passed"),
            },
        )

    def _responses(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows = [
            {
                "attempt": str(row.attempt_id),
                "question": row.item_key,
                "answer": row.value,
                "text": str(row.text_id) if row.text_id else None,
                "saved": _moment(row.recorded_at),
            }
            for row in Response.objects.filter(attempt__sitting__subject_id=subject_id)
            .order_by("id")
            .iterator()
        ]
        return PersonalRecords(
            name="responses",
            title=_("Answers you saved"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={"question": _("Question"), "saved": _("Saved")},
        )

    def _marks(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows = [
            {
                "attempt": str(mark.attempt_id),
                "when": _moment(mark.recorded_at),
                "decision": str(Mark.Decision(mark.decision).label),
                "levels": mark.levels,
                "points": _number(mark.points),
                "max_points": _number(mark.max_points),
                "passed": mark.passed,
                "comment": str(mark.comment_id) if mark.comment_id else None,
            }
            for mark in Mark.objects.filter(attempt__sitting__subject_id=subject_id).order_by("id")
        ]
        return PersonalRecords(
            name="marks",
            title=_("Marks"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={
                "when": _("When"),
                "decision": _("Decision"),
                "points": _("Points"),
                "passed": _("Passed"),
            },
        )

    def _evidence(self, subject_id: uuid.UUID, steps: dict[uuid.UUID, str], language: str) -> PersonalRecords:
        rows = [
            {
                "competency": f"{row.edition_competency.code} {row.edition_competency.title_in(language)}",
                "level": row.level,
                "kind": str(Evidence.Kind(row.kind).label),
                "strength": row.strength,
                "step": steps.get(row.step_key) if row.step_key else None,
                "result": row.result,
                "since": _moment(row.valid_from),
                "until": _moment(row.valid_until),
            }
            for row in Evidence.objects.filter(subject_id=subject_id)
            .select_related("edition_competency")
            .order_by("id")
        ]
        return PersonalRecords(
            name="evidence",
            title=_("Evidence of competencies"),
            rows=rows,
            retention=_as_long_as_certificates(),
            labels={
                "competency": _("Competency"),
                "level": _("Level"),
                "kind": _("Kind"),
                "step": _("Step"),
                "since": _("Since"),
                "until": _("Until"),
            },
        )

    def _standings(self, subject_id: uuid.UUID, language: str) -> PersonalRecords:
        rows = [
            {
                "competency": f"{row.competency.code} {row.competency.title_in(language)}".strip(),
                "level": row.level,
                "state": str(Standing.State(row.state).label)
                if row.state in Standing.State.values
                else row.state,
                "since": _moment(row.since),
                "until": _moment(row.valid_until),
            }
            for row in Standing.objects.filter(subject_id=subject_id)
            .select_related("competency")
            .order_by("competency__code", "level")
        ]
        return PersonalRecords(
            name="standings",
            title=_("What you hold of the standards"),
            rows=rows,
            retention=_("Made from the evidence, and kept as long as that."),
            labels={
                "competency": _("Competency"),
                "level": _("Level"),
                "state": _("State"),
                "since": _("Since"),
                "until": _("Until"),
            },
        )

    def _notices(self, subject_id: uuid.UUID) -> PersonalRecords:
        rows = [
            {
                "when": _moment(row.created_at),
                "title": texts.say_notice(row).title,
                "read": _moment(row.read_at),
                "emailed": _moment(row.emailed_at),
            }
            for row in Notice.objects.filter(subject_id=subject_id).order_by("created_at")
        ]
        return PersonalRecords(
            name="notices",
            title=_("Notices"),
            rows=rows,
            retention=_("Until you erase your account."),
            labels={
                "when": _("When"),
                "title": _("Notice"),
                "read": _("Read"),
                "emailed": _("Sent by e-mail"),
            },
        )


def _as_long_as_certificates() -> str:
    return _(
        "As long as a certificate rests on it, else five years after the offering closed. If you erase your account, "
        "it stays as codes and numbers that name nobody."
    )


def _read(enrolment: Enrolment, name: str) -> Any:
    progress = getattr(enrolment, "progress", None)
    return getattr(progress, name, None)


def _name_steps(enrolments: Iterable[Enrolment], language: str) -> dict[uuid.UUID, str]:
    return {
        step.key: step.title_in(language)
        for enrolment in enrolments
        for step in outline_of(enrolment.edition).iter_steps()
    }
