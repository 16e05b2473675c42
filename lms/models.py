"""The course engine: offerings, enrolments, the learning ledger, and what is projected from it."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, Subject, User
from core import clock
from core.models import Language, LedgerModel, UUIDModel
from lms.models_roster import RosterEntry, RosterSummary, RosterTouch
from modules.models import CourseEdition
from standards.models import Competency, EditionCompetency, Level

__all__ = [
    "Accommodation",
    "CourseProgress",
    "Enrolment",
    "EnrolmentEvent",
    "Evidence",
    "LearningEvent",
    "Notice",
    "Offering",
    "RosterEntry",
    "RosterSummary",
    "RosterTouch",
    "Standing",
    "StepProgress",
]


class Offering(UUIDModel):
    """A course edition as delivered by one organization, with or without dates."""

    class Kind(models.TextChoices):
        SELF_PACED = "self_paced", _("Self-paced")
        COHORT = "cohort", _("Cohort")
        PILOT = "pilot", _("Pilot")

    slug = models.SlugField(max_length=120, unique=True)
    edition = models.ForeignKey(CourseEdition, on_delete=models.PROTECT, related_name="offerings")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="offerings")
    partner = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="partnered_offerings",
        verbose_name=_("partner institution"),
        help_text=_("The institution that countersigns its certificates."),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.SELF_PACED)
    title_en = models.CharField(
        _("title in English"), max_length=200, help_text=_("Such as “Fall 2026 cohort”.")
    )
    title_fr = models.CharField(_("title in French"), max_length=200, blank=True)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="America/Toronto")
    seats = models.PositiveIntegerField(_("places"), null=True, blank=True)
    is_listed = models.BooleanField(_("shown in the catalogue"), default=True)
    instructors = models.ManyToManyField(User, blank=True, related_name="offerings_taught")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("offering")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opens_at__isnull=True)
                | models.Q(closes_at__isnull=True)
                | models.Q(closes_at__gt=models.F("opens_at")),
                name="lms_an_offering_closes_after_it_opens",
            )
        ]

    def __str__(self) -> str:
        return self.title_en

    def title_in(self, language: str) -> str:
        return (self.title_fr if language == "fr" else self.title_en) or self.title_en


class Enrolment(UUIDModel):
    """A learner in an offering; it pins the edition. Its key is made by the client.

    `edition`, `state` and `closes_at` are projections of its `EnrolmentEvent`s.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("Enrolled")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    offering = models.ForeignKey(
        Offering, on_delete=models.PROTECT, related_name="enrolments", db_index=False
    )
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="enrolments")
    edition = models.ForeignKey(CourseEdition, on_delete=models.PROTECT, related_name="enrolments")
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Whom the learner worked for at that time."),
    )
    certificate_name_id = models.UUIDField(
        null=True, blank=True, help_text=_("The `PersonalText` with the name confirmed for the certificate.")
    )
    enrolled_at = models.DateTimeField(default=clock.now, editable=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.ACTIVE)
    closes_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("enrolment")
        constraints = [
            models.UniqueConstraint(
                fields=["offering", "subject"], name="lms_a_learner_is_enrolled_once_in_an_offering"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class EnrolmentEvent(LedgerModel):
    """What happened to an enrolment. Retention: as long as the certificate it led to, else five years."""

    class Kind(models.TextChoices):
        ENROLLED = "enrolled", _("Enrolled")
        EXTENDED = "extended", _("Extended")
        MOVED = "moved", _("Moved to another edition")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REINSTATED = "reinstated", _("Reinstated")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    actor = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    data = models.JSONField(default=dict, help_text='{"closes_at"} or {"edition"}')
    reason_id = models.UUIDField(null=True, blank=True)

    class Meta(LedgerModel.Meta):
        verbose_name = _("enrolment event")
        indexes = [models.Index(fields=["enrolment", "id"], name="lms_enrolment_events")]


class Accommodation(UUIDModel):
    """What is granted to one learner in one offering. Its reason is kept apart, erasable."""

    class Kind(models.TextChoices):
        TIME = "time", _("More time in timed assessments")
        ATTEMPTS = "attempts", _("More attempts")
        FORMAT = "format", _("Another format")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="accommodations")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    step_key = models.UUIDField(null=True, blank=True, help_text=_("Empty: in every step."))
    time_factor = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal(1))
    extra_attempts = models.PositiveIntegerField(default=0)
    format = models.CharField(max_length=100, blank=True)
    granted_by = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(default=clock.now, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    reason_id = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = _("accommodation")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(time_factor__gte=1), name="lms_an_accommodation_never_shortens_time"
            )
        ]


class LearningEvent(LedgerModel):
    """One thing a learner did, shaped like an xAPI statement: subject, verb, object, result, times.

    Retention: as long as the certificate it led to, else five years after the offering closed.
    """

    class Verb(models.TextChoices):
        OPENED = "opened", _("Opened")
        PROGRESSED = "progressed", _("Read on")
        REFLECTED = "reflected", _("Wrote a reflection")
        WROTE = "wrote", _("Wrote in a worksheet")
        CHECKED = "checked", _("Answered a check")
        COMPLETED = "completed", _("Completed")
        ATTEMPTED = "attempted", _("Started an attempt")
        SUBMITTED = "submitted", _("Submitted an attempt")
        MARKED = "marked", _("Was marked")
        RETURNED = "returned", _("Got work back for another try")

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="learning", db_index=False
    )
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=20, choices=Verb.choices)
    step_key = models.UUIDField()
    object_key = models.CharField(
        max_length=80, blank=True, help_text=_("A part of the step (a block's key) or an attempt's key.")
    )
    result = models.JSONField(default=dict, help_text="codes, numbers, keys of texts with salted digests")
    language = models.CharField(max_length=2, choices=Language.choices)
    occurred_at = models.DateTimeField(default=clock.now)

    class Meta(LedgerModel.Meta):
        verbose_name = _("learning event")
        indexes = [models.Index(fields=["enrolment", "step_key"], name="lms_learning_by_step")]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "step_key"],
                condition=models.Q(verb="completed"),
                name="lms_a_step_is_completed_once",
            ),
        ]


class StepProgress(models.Model):
    """Projection: where a learner stands in one step."""

    class State(models.TextChoices):
        OPENED = "opened", _("Begun")
        WAITING = "waiting", _("Waiting for marking")
        RETURNED = "returned", _("Returned for another try")
        FAILED = "failed", _("Not passed yet")
        COMPLETE = "complete", _("Complete")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="steps", db_index=False)
    step_key = models.UUIDField()
    state = models.CharField(max_length=20, choices=State.choices)
    opened_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    reason = models.JSONField(default=dict, help_text='why it is complete: {"code", …}')
    parts = models.JSONField(default=dict, help_text="block key → last answer (codes) or text key")
    points = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    max_points = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    attempts_used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "step_key"], name="lms_a_step_has_one_progress_row")
        ]

    def __str__(self) -> str:
        return f"{self.enrolment_id} {self.step_key}: {self.state}"


class CourseProgress(models.Model):
    """Projection: where a learner stands in the course."""

    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.PROTECT, related_name="progress", primary_key=True
    )
    steps_required = models.PositiveIntegerField(default=0)
    steps_complete = models.PositiveIntegerField(default=0)
    last_step_key = models.UUIDField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    waiting = models.PositiveIntegerField(default=0, help_text=_("Assignments waiting to be marked."))

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.steps_complete} of {self.steps_required}"


class Evidence(LedgerModel):
    """Why a person holds a competency: what was done, against which edition, judged by whom.

    The natural key (subject, edition competency, level, kind, source) makes a repeat impossible. `retracts`
    names an entry that this one takes back. Retention: as long as the certificate that rests on it.
    """

    class Kind(models.TextChoices):
        LESSON = "lesson", _("Lesson")
        ATTEMPT = "attempt", _("Assessment")
        ASSIGNMENT = "assignment", _("Assignment, marked")
        ATTENDANCE = "attendance", _("Attendance")
        EXCHANGE = "exchange", _("Exchange visit")
        ATTESTATION = "attestation", _("Mentor's attestation")
        PRIOR_LEARNING = "prior_learning", _("Prior learning")
        PRODUCT = "product", _("Workplace product")
        RETRACTION = "retraction", _("Retraction")

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="evidence", db_index=False)
    # Evidence is looked for by the person, never by a competency alone.
    edition_competency = models.ForeignKey(
        EditionCompetency, on_delete=models.PROTECT, related_name="evidence", db_index=False
    )
    level = models.CharField(max_length=20, choices=Level.choices)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    strength = models.CharField(
        max_length=12, choices=[("holds", _("Holds")), ("contributes", _("Contributes"))], default="holds"
    )
    source = models.UUIDField(help_text=_("The attempt, the step or other record it comes from."))
    enrolment = models.ForeignKey(
        Enrolment, null=True, blank=True, on_delete=models.PROTECT, related_name="evidence"
    )
    step_key = models.UUIDField(null=True, blank=True)
    assessor = models.ForeignKey(
        Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    result = models.JSONField(default=dict, help_text='{"points", "max_points"} as strings, and the like')
    retracts = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="retraction"
    )
    valid_from = models.DateTimeField(default=clock.now)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta(LedgerModel.Meta):
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        indexes = [
            # Most evidence was assessed by nobody.
            models.Index(
                fields=["assessor"],
                condition=models.Q(assessor__isnull=False),
                name="lms_evidence_by_assessor",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "edition_competency", "level", "kind", "source"],
                name="lms_the_same_evidence_is_recorded_once",
            )
        ]


class Standing(models.Model):
    """Projection: a person's standing in a competency at a level, with the reason."""

    class State(models.TextChoices):
        HELD = "held", _("Held, with evidence")
        UNDER_WAY = "under_way", _("Under way")

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="standings", db_index=False)
    competency = models.ForeignKey(Competency, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=20, choices=Level.choices)
    state = models.CharField(max_length=12, choices=State.choices)
    since = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.JSONField(default=dict, help_text='{"code", "evidence": [ids]}')

    class Meta:
        verbose_name = _("standing")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "competency", "level"], name="lms_a_standing_is_projected_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.competency_id} {self.level}: {self.state}"


class Notice(UUIDModel):
    """Something a person should know, in the site and, with their consent, by e-mail: at most once (ADR 88)."""

    class Mail(models.TextChoices):
        WAITING = "waiting", _("Waits to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        UNWANTED = "unwanted", _("Not wanted by e-mail")
        UNKNOWN = "unknown", _("Not known whether it was sent")
        GIVEN_UP = "given_up", _("Could not be sent")

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="notices", db_index=False)
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=120, help_text=_("Natural key: the same news is told once."))
    params = models.JSONField(default=dict, help_text="codes and keys only")
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.WAITING)

    class Meta:
        verbose_name = _("notice")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "kind", "about"], name="lms_the_same_news_is_told_once"
            )
        ]
        indexes = [
            # The few that an administrator should know of.
            models.Index(
                fields=["-created_at"],
                condition=models.Q(mail__in=["unknown", "given_up"]),
                name="lms_notices_not_mailed",
            )
        ]
