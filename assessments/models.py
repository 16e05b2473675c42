"""Items and assessments that authors edit; immutable editions; what people answered and how it was marked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Collection

from accounts.models import Organization, Subject
from core import clock
from core.models import LedgerModel, UUIDModel


class AssessmentKind(models.TextChoices):
    QUIZ = "quiz", _("Quiz")
    ASSIGNMENT = "assignment", _("Assignment")
    EVALUATION = "evaluation", _("Evaluation")


class AssessmentEdition(UUIDModel):
    """The immutable text of an assessment in both languages: content, key and mappings as issued.

    `assessment_key` is the `translation_key` of the `Assessment` it was compiled from. `document` has the
    shape of `assessments.documents.AssessmentDocument`; it holds the answer key and never leaves the server
    whole.
    """

    assessment_key = models.UUIDField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=AssessmentKind.choices)
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("assessment edition")
        verbose_name_plural = _("assessment editions")
        ordering = ["assessment_key", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["assessment_key", "number"], name="assessments_an_edition_number_is_used_once"
            ),
            models.UniqueConstraint(
                fields=["assessment_key", "digest"], name="assessments_an_edition_text_is_issued_once"
            ),
        ]

    def __str__(self) -> str:
        title = self.document.get("title", {})
        return f"{title.get('en', self.assessment_key)} ({self.number})"

    def title_in(self, language: str) -> str:
        title = self.document["title"]
        return title.get(language) or title["en"]


class Sitting(UUIDModel):
    """One person's (or one anonymous token's) sitting of an assessment edition in a context.

    The context is a key of the floor above that opened it (an enrolment's step, a meeting) and that alone
    decides who may see and mark it. The terms are resolved when it is opened and again when they change.
    """

    subject = models.ForeignKey(
        Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="sittings", db_index=False
    )
    anonymous_token = models.UUIDField(null=True, blank=True)
    edition = models.ForeignKey(AssessmentEdition, on_delete=models.PROTECT, related_name="sittings")
    context = models.UUIDField(db_index=True)
    opened_at = models.DateTimeField(default=clock.now, editable=False)
    attempts_allowed = models.PositiveIntegerField(null=True, blank=True)
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    time_factor = models.DecimalField(max_digits=4, decimal_places=2, default=1)

    class Meta:
        verbose_name = _("sitting")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "anonymous_token", "edition", "context"],
                nulls_distinct=False,
                name="assessments_a_person_sits_once_in_a_context",
            ),
            models.CheckConstraint(
                condition=models.Q(subject__isnull=True) ^ models.Q(anonymous_token__isnull=True),
                name="assessments_a_sitting_is_a_persons_or_anonymous",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition_id} {self.context}"


class Attempt(UUIDModel):
    """One attempt: what was shown is stored when it starts; the score when it is submitted, once.

    Its key is made by the client and is the idempotency key of starting it. `form` has the shape of
    `assessments.rules.Form`. The server's clock alone decides `started_at` and `deadline`.
    """

    sitting = models.ForeignKey(Sitting, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    form = models.JSONField()
    started_at = models.DateTimeField(default=clock.now, editable=False)
    deadline = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    submit_id = models.UUIDField(null=True, blank=True, unique=True)
    points = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    max_points = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    passed = models.BooleanField(null=True, blank=True)
    score = models.JSONField(null=True, blank=True, help_text="AttemptScore by item and by competency")
    flagged = models.JSONField(
        default=list, blank=True, help_text="keys of the questions that the person wants to look at again"
    )

    class Meta:
        verbose_name = _("attempt")
        ordering = ["sitting", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["sitting", "number"], name="assessments_an_attempt_number_is_used_once"
            ),
            models.UniqueConstraint(
                fields=["sitting"],
                condition=models.Q(submitted_at__isnull=True),
                name="assessments_one_attempt_is_open_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sitting_id} #{self.number}"


class Response(LedgerModel):
    """One answer to one item of an attempt, as it was saved. The last one recorded counts.

    `value` holds option keys and numbers; typed words and files stand in `PersonalText`, named by
    `text_id` with a salted digest. Retention: as long as the attempt's certificate or five years.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="responses", db_index=False)
    item_key = models.CharField(max_length=80)
    value = models.JSONField()
    text_id = models.UUIDField(null=True, blank=True)
    text_digest = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField(default=clock.now)

    class Meta(LedgerModel.Meta):
        verbose_name = _("response")
        indexes = [models.Index(fields=["attempt", "item_key", "-id"], name="assessments_last_response")]


class Mark(LedgerModel):
    """A marker's judgement of a submitted attempt. The last one recorded counts."""

    class Decision(models.TextChoices):
        MARKED = "marked", _("Marked")
        RETURNED = "returned", _("Returned for another try")

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="marks", db_index=False)
    marker = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=20, choices=Decision.choices)
    levels = models.JSONField(default=dict, help_text="criterion key → index of the level reached")
    points = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    max_points = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    passed = models.BooleanField(null=True)
    comment_id = models.UUIDField(null=True, blank=True)

    class Meta(LedgerModel.Meta):
        verbose_name = _("mark")
        indexes = [models.Index(fields=["attempt", "-id"], name="assessments_last_mark")]


class OrganizationCollection(models.Model):
    """The collection of the CMS in which an organization keeps its items and assessments, and nobody else looks."""

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, related_name="item_collection"
    )
    collection = models.OneToOneField(Collection, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("collection of an organization")
        verbose_name_plural = _("collections of organizations")

    def __str__(self) -> str:
        return f"{self.organization_id} {self.collection_id}"


from assessments.snippets import Assessment, Item  # noqa: E402

__all__ = [
    "Assessment",
    "AssessmentEdition",
    "AssessmentKind",
    "Attempt",
    "Item",
    "Mark",
    "OrganizationCollection",
    "Response",
    "Sitting",
]
