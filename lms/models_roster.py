"""What an instructor's page of an offering reads: a row a learner to sort and search, and counts that are kept up.

All of it is projected from the ledgers and the progress rows by `lms.roster`. Triggers note in `RosterTouch` whose row
is out of date (`lms/migrations/0003_roster.py`); whoever reads folds those first, so nothing old is ever shown.
"""

from __future__ import annotations

import uuid

from django.db import models

# Sorts behind every name: whoever is erased.
LAST_NAME = "\U0010ffff"


class RosterEntry(models.Model):
    """Projection: one learner of an offering, as the roster sorts and counts them.

    It has no foreign keys in the database: putting a row here must never wait for a learner who is at work.
    Retention: with the enrolment; `sort_name` is taken away when the person is erased.
    """

    class Attempts(models.IntegerChoices):
        LEFT = 0, "Has attempts left"
        OUT = 1, "Has none left in a required step"
        GRANTED = 2, "Has used what everybody has, and was granted more"

    enrolment = models.OneToOneField(
        "lms.Enrolment",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="roster",
    )
    offering = models.ForeignKey(
        "lms.Offering", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    sort_name = models.CharField(max_length=500, db_collation="C")
    active = models.BooleanField()
    complete = models.BooleanField()
    closes_at = models.DateTimeField(null=True)
    last_doing = models.DateTimeField(help_text="The last step, or the enrolment where there is none.")
    place = models.UUIDField(null=True, help_text="The step last worked on.")
    share = models.FloatField(help_text="Required steps complete, of 1.")
    waiting = models.PositiveIntegerField()
    attempts = models.PositiveSmallIntegerField(choices=Attempts.choices)
    quiz_key = models.UUIDField(null=True, help_text="The quiz handed in last.")
    quiz_at = models.DateTimeField(null=True)
    work_since = models.DateTimeField(null=True, help_text="When the oldest work came that waits.")
    counted = models.JSONField(
        default=dict,
        help_text='{"edition", "marks": [[step, points, of, passed]], "answers": {assessment: {item: right}}, '
        '"work": {assessment: [handed in, waiting]}}',
    )

    class Meta:
        indexes = [
            models.Index(fields=["offering", "active", "sort_name", "enrolment"], name="lms_roster_by_name"),
            models.Index(
                fields=["offering", "last_doing", "sort_name"],
                condition=models.Q(active=True, complete=False, waiting=0, attempts=0),
                name="lms_roster_by_last_doing",
            ),
            models.Index(
                fields=["offering", "-quiz_at"],
                condition=models.Q(active=True, quiz_at__isnull=False),
                name="lms_roster_last_quiz",
            ),
            models.Index(
                fields=["offering", "work_since"],
                condition=models.Q(active=True, work_since__isnull=False),
                name="lms_roster_oldest_work",
            ),
            models.Index(
                fields=["offering", "attempts", "last_doing"],
                condition=models.Q(active=True, complete=False, attempts__gt=0),
                name="lms_roster_out_of_attempts",
            ),
        ]

    def __str__(self) -> str:
        return str(self.enrolment_id)


class RosterSummary(models.Model):
    """Projection: how many of an offering's learners are where. The sum of what each `RosterEntry` counts for.

    Its row is also the lock of whoever brings the entries of the offering up to date.
    """

    offering = models.OneToOneField(
        "lms.Offering",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="+",
    )
    counts = models.JSONField(default=dict, help_text="section → key → how many, as `lms.rules.roster` says")
    version = models.UUIDField(
        default=uuid.uuid4,
        help_text="Another one for each writing: a process knows by it what it has read already.",
    )

    def __str__(self) -> str:
        return str(self.offering_id)


class RosterTouch(models.Model):
    """Something about a learner has changed since their `RosterEntry` was made. Only added to, by triggers.

    Each change adds a row of its own, so that learners never wait for each other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment_id = models.UUIDField()
    offering_id = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return str(self.enrolment_id)
