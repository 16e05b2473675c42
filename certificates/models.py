"""Achievements, issued certificates and their status ledger, attestations of partners, signing keys."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Organization, Subject, private_storage
from certificates.querysets import CertificateQuerySet
from core import clock
from core.models import LedgerModel, UUIDModel
from lms.models import Enrolment


class Achievement(UUIDModel):
    """What is certified and by which rule: a course, a whole training, or a set of competencies.

    `key` is the course's (or training's) key; an achievement outlives editions of its course.
    """

    class Kind(models.TextChoices):
        COURSE = "course", _("Course")
        TRAINING = "training", _("Training")
        COMPETENCIES = "competencies", _("Set of competencies")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    key = models.UUIDField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("achievement")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="certificates_an_achievement_stands_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Certificate(UUIDModel):
    """One issued certificate: number, dates and the digest of its facts. Never changed; a correction
    supersedes it.
    """

    number = models.CharField(max_length=20, unique=True)
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="certificates")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="certificates")
    enrolment = models.ForeignKey(
        Enrolment, null=True, blank=True, on_delete=models.PROTECT, related_name="certificates"
    )
    issued_at = models.DateTimeField(default=clock.now)
    completed_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the salt and the canonical facts."))
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    status_index = models.PositiveIntegerField(unique=True, help_text=_("Its place in the status list."))

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["-issued_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["achievement", "enrolment"],
                condition=models.Q(supersedes__isnull=True),
                name="certificates_an_enrolment_earns_a_certificate_once",
            ),
        ]

    def __str__(self) -> str:
        return self.number


def certificate_file_path(instance: CertificateContent, filename: str) -> str:
    return f"certificates/{instance.pk.hex[:2]}/{instance.pk}/{filename}"


class CertificateContent(models.Model):
    """The frozen facts, the signed payload and the PDFs of a certificate, in one row that can be erased.

    `facts` has the shape of `certificates.facts.CertificateFacts`. `salt` goes with them: without it the digest that
    stays in `Certificate` proves nothing to somebody who would guess a name. The pictures show the PDFs' page.
    """

    certificate = models.OneToOneField(
        Certificate, on_delete=models.PROTECT, primary_key=True, related_name="content"
    )
    facts = models.JSONField(null=True)
    salt = models.CharField(max_length=64, blank=True, editable=False)
    credential = models.JSONField(null=True, help_text=_("The signed OpenBadgeCredential."))
    credential_key = models.ForeignKey(
        "SigningKey", null=True, blank=True, on_delete=models.PROTECT, related_name="credentials"
    )
    pdf_en = models.FileField(
        storage=private_storage, upload_to=certificate_file_path, blank=True, max_length=200
    )
    pdf_fr = models.FileField(
        storage=private_storage, upload_to=certificate_file_path, blank=True, max_length=200
    )
    picture_en = models.FileField(
        storage=private_storage, upload_to=certificate_file_path, blank=True, max_length=200
    )
    picture_fr = models.FileField(
        storage=private_storage, upload_to=certificate_file_path, blank=True, max_length=200
    )
    pdf_key = models.ForeignKey(
        "SigningKey", null=True, blank=True, on_delete=models.PROTECT, related_name="printed"
    )
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("content of a certificate")

    def __str__(self) -> str:
        return str(self.pk)

    def pdf_in(self, language: str) -> FieldFile:
        return self.pdf_fr if language == "fr" else self.pdf_en

    def picture_in(self, language: str) -> FieldFile:
        return self.picture_fr if language == "fr" else self.picture_en


class StatusEntry(LedgerModel):
    """What became of a certificate, when, and why. Retention: for good."""

    class Status(models.TextChoices):
        ISSUED = "issued", pgettext_lazy("certificate", "Issued")
        REVOKED = "revoked", pgettext_lazy("certificate", "Revoked")
        REINSTATED = "reinstated", pgettext_lazy("certificate", "Reinstated")
        SUPERSEDED = "superseded", pgettext_lazy("certificate", "Superseded")
        WITHDRAWN = "withdrawn", pgettext_lazy("certificate", "Withdrawn")

    class Reason(models.TextChoices):
        COMPLETED = "completed", _("Every requirement was met.")
        NAME_CHANGED = "name_changed", _("The holder's name has changed or was corrected.")
        FACTS_CORRECTED = "facts_corrected", _("A certified fact was corrected.")
        INTEGRITY = "integrity", _("Work that it rests on was found to be another person's.")
        ISSUED_IN_ERROR = "issued_in_error", _("It was issued in error.")
        KEY_COMPROMISED = "key_compromised", _("The key it was signed with can no longer be trusted.")
        APPEAL_UPHELD = "appeal_upheld", _("An appeal was upheld.")
        ERASED = "erased", _("The holder asked for their data to be erased.")

    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, related_name="statuses", db_index=False
    )
    status = models.CharField(max_length=20, choices=Status.choices)
    reason = models.CharField(max_length=30, choices=Reason.choices)
    note_id = models.UUIDField(null=True, blank=True, help_text=_("Words of the staff, in `PersonalText`."))
    actor = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(LedgerModel.Meta):
        verbose_name = _("status entry")
        verbose_name_plural = _("status entries")
        indexes = [models.Index(fields=["certificate", "id"], name="certificates_statuses")]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate"],
                condition=models.Q(status="issued"),
                name="certificates_a_certificate_is_issued_once",
            )
        ]


class Attestation(LedgerModel):
    """A partner institution's decision about a certificate: reviewed, countersigned, credit recognized."""

    class Decision(models.TextChoices):
        COUNTERSIGNED = "countersigned", _("Countersigned")
        DECLINED = "declined", _("Declined")

    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, related_name="attestations", db_index=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    officer = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=20, choices=Decision.choices)
    credits = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    at_issue = models.BooleanField(default=False)

    class Meta(LedgerModel.Meta):
        verbose_name = _("attestation")
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "organization"], name="certificates_a_partner_attests_once"
            )
        ]


class SigningKey(UUIDModel):
    """A key of the issuer. The private half is sealed; retired keys stay so that old signatures verify.

    A key that may have been stolen is `revoked_at` as well: nothing it signed is believed any more.
    """

    class Kind(models.TextChoices):
        ED25519 = "ed25519", _("Credentials (Ed25519)")
        PDF = "pdf", _("PDF (X.509)")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    public = models.TextField(help_text=_("Multikey, or the certificate in PEM."))
    sealed_private = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(retired_at__isnull=True),
                name="certificates_one_key_of_a_kind_signs_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True) | models.Q(retired_at__isnull=False),
                name="certificates_a_revoked_key_signs_nothing_more",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d}"


class ShareLink(UUIDModel):
    """A link by which a holder shows one certificate to whoever has it, until it is closed or ends."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="share_links")
    token = models.CharField(max_length=64, unique=True, default=secrets.token_urlsafe, editable=False)
    label = models.CharField(_("for whom"), max_length=100, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.label or str(self.id)

    def is_open(self, at: datetime) -> bool:
        return self.closed_at is None and (self.ends_at is None or at < self.ends_at)


class CorrectionRequest(UUIDModel):
    """A holder asks for another name on a certificate; an officer reissues it or closes the request.

    What they wrote stands in `PersonalText`.
    """

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="correction_requests")
    name_id = models.UUIDField(help_text=_("The `PersonalText` with the name as it should be."))
    note_id = models.UUIDField(null=True, blank=True)
    asked_at = models.DateTimeField(default=clock.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reissued = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("request for a correction")
        verbose_name_plural = _("requests for a correction")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate"],
                condition=models.Q(closed_at__isnull=True),
                name="certificates_one_correction_is_asked_for_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
