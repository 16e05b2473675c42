"""People, the organizations they act for, and what they agreed to."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models import Language, LedgerModel, UUIDModel
from core.text import make_sort_key


class UserManager(BaseUserManager["User"]):
    """Makes accounts by e-mail address; the address is stored in lower case."""

    def _create(self, email: str, password: str | None, **fields: Any) -> User:
        if not email:
            raise ValueError("An account needs an e-mail address.")
        fields.setdefault("sort_name", make_sort_key(fields.get("name", "")))
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self._create(email, password, **fields)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self._create(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email=(email or "").strip().lower())


class User(UUIDModel, AbstractBaseUser, PermissionsMixin):
    """An account: someone who can sign in. Ledgers never name it, only its `Subject`."""

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=200, help_text=_("Your name as you write it."))
    # Made by `core.text.make_sort_key`, which may be longer than the name it comes from.
    sort_name = models.CharField(max_length=500, editable=False, default="", db_collation="C", db_index=True)
    preferred_language = models.CharField(
        _("preferred language"), max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="America/Toronto")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_one_account_per_email_address"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def first_name(self) -> str:
        """Wagtail and allauth greet people by this; we hold names as people write them."""
        return self.name

    @property
    def last_name(self) -> str:
        return ""


class Subject(UUIDModel):
    """The pseudonymous key by which every ledger names a person. Erasing a person cuts the link."""

    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT, related_name="subject")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("subject")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True) | models.Q(user__isnull=True),
                name="accounts_an_erased_subject_names_no_account",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class Organization(UUIDModel):
    """A body that people act for: it runs offerings, employs learners or countersigns certificates."""

    class Kind(models.TextChoices):
        MUNICIPALITY = "municipality", _("Municipality")
        REGION = "region", _("Region")
        FIRST_NATION = "first_nation", _("First Nation")
        INUIT_COMMUNITY = "inuit_community", _("Inuit community")
        METIS_COMMUNITY = "metis_community", _("Métis community")
        INSTITUTION = "institution", _("College or university")
        POLICE_SERVICE = "police_service", _("Police service")
        NON_PROFIT = "non_profit", _("Non-profit organization")
        NETWORK = "network", _("The network itself")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    slug = models.SlugField(max_length=80, unique=True)
    name_en = models.CharField(_("name in English"), max_length=200)
    name_fr = models.CharField(_("name in French"), max_length=200, blank=True)
    province = models.CharField(_("province or territory"), max_length=2, blank=True)
    website = models.URLField(blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name_en"]

    def __str__(self) -> str:
        return self.name_en

    def name_in(self, language: str) -> str:
        """The organization's name in `language` (`en` or `fr`), English where it has no French one."""
        return (self.name_fr if language == "fr" else self.name_en) or self.name_en


class Role(UUIDModel):
    """What a person may do for an organization, from a day until it is ended."""

    class What(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        AUTHOR = "author", _("Course author")
        COMMITTEE = "committee", _("Standards committee")
        CERTIFICATES = "certificates", _("Certificates officer")
        INSTRUCTOR = "instructor", _("Instructor")
        REGISTRAR = "registrar", _("Registrar")
        COORDINATOR = "coordinator", _("Municipal coordinator")
        MEMBER = "member", _("Member of the team")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="roles")
    what = models.CharField(max_length=20, choices=What.choices)
    granted_at = models.DateTimeField(default=clock.now, editable=False)
    granted_by = models.ForeignKey(Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization", "what"],
                condition=models.Q(ended_at__isnull=True),
                name="accounts_a_role_is_held_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_what_display()}, {self.organization}"


class Consent(UUIDModel):
    """What a person agreed to, towards whom, since when, and when they withdrew it. Never reused."""

    class Purpose(models.TextChoices):
        PRIVACY_NOTICE = (
            "privacy_notice",
            _("Keep my account and my learning records as the privacy notice says"),
        )
        CERTIFICATE_PUBLIC = (
            "certificate_public",
            _("Show my name and certified facts to whoever checks the certificate"),
        )
        SHARE_WITH_INSTITUTION = "share_with_institution", _("Share my results with an institution")
        MUNICIPALITY_COUNTS = "municipality_counts", _("Count me in my municipality's totals")
        NOTICES_BY_EMAIL = "notices_by_email", _("Send me notices by e-mail")

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=30, choices=Purpose.choices)
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Towards whom; empty: towards anyone."),
    )
    about = models.UUIDField(null=True, blank=True, help_text=_("The certificate or record it is about."))
    wording = models.TextField(help_text=_("The sentence the person agreed to, as they read it."))
    language = models.CharField(max_length=2, choices=Language.choices)
    given_at = models.DateTimeField(default=clock.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        ordering = ["given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "purpose", "organization", "about"],
                condition=models.Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="accounts_a_consent_stands_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject_id}"


def private_storage() -> Storage:
    """Files that only a view which asks who you are gives out."""
    return storages["private"]


def personal_file_path(instance: PersonalText, filename: str) -> str:
    """Where an upload is kept: nothing of the person or of the file's own name stands in the path."""
    suffix = filename.rsplit(".", 1)[-1].lower()[:8] if "." in filename else "bin"
    return f"personal/{instance.id.hex[:2]}/{instance.id}.{suffix}"


class PersonalText(UUIDModel):
    """Words a person typed or a file they sent, erasable alone. Ledgers point at it by key and salted digest.

    Retention: until the person erases it or is erased.
    """

    class Kind(models.TextChoices):
        REFLECTION = "reflection", _("Reflection")
        WORKSHEET = "worksheet", _("Worksheet")
        ANSWER = "answer", _("Answer")
        SUBMISSION = "submission", _("Assignment")
        UPLOAD = "upload", _("File")
        COMMENT = "comment", _("Comment of a marker")
        CERTIFICATE_NAME = "certificate_name", _("Name for the certificate")
        REASON = "reason", _("Reason")

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="texts", db_index=False)
    author = models.ForeignKey(
        Subject,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who wrote it, where it is not the person it is about."),
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    text = models.TextField(blank=True)
    file = models.FileField(storage=private_storage, upload_to=personal_file_path, blank=True, max_length=200)
    file_name = models.CharField(max_length=200, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    salt = models.CharField(max_length=64, default=secrets.token_hex, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("personal text")
        indexes = [models.Index(fields=["subject", "kind"], name="accounts_text_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class AuditEntry(LedgerModel):
    """What staff did, and whose records they opened. Codes and keys only.

    Retention: seven years.
    """

    actor = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)
    subject = models.ForeignKey(
        Subject, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target_type = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta(LedgerModel.Meta):
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["subject", "-id"], name="accounts_audit_by_subject"),
            models.Index(fields=["target_type", "target_id"], name="accounts_audit_by_target"),
        ]


class Erasure(LedgerModel):
    """That a person's data were erased; replayed after a restore from an older backup."""

    subject_key = models.UUIDField(unique=True)
    requested_by = models.UUIDField(null=True)

    class Meta(LedgerModel.Meta):
        verbose_name = _("erasure")


class LegalHold(UUIDModel):
    """A reason in law to keep a person's records for now; erasure is refused while one stands."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.TextField(_("reason"))
    placed_at = models.DateTimeField(default=clock.now, editable=False)
    placed_by = models.ForeignKey(Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ["-placed_at"]

    def __str__(self) -> str:
        return f"{self.placed_at:%Y-%m-%d} {self.subject_id}"


def job_file_path(instance: Job, filename: str) -> str:
    """Where what a job made is kept: nothing of anybody stands in the path."""
    return f"jobs/{instance.id.hex[:2]}/{instance.id}"


class Job(UUIDModel):
    """What a person asked of the queue, how far it is, and what came of it. Its key is made by the form.

    Retention: its file seven days, the row 90 days after its end.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    asker = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="jobs", db_index=False)
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=64, blank=True, help_text=_("The key of what it is about."))
    title = models.JSONField(default=dict, help_text=_("What it is about, in words, by language."))
    params = models.JSONField(default=dict)
    language = models.CharField(max_length=2, choices=Language.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(default=clock.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    doing = models.CharField(max_length=40, blank=True)
    result = models.JSONField(default=dict)
    problem = models.TextField(blank=True, help_text=_("Why it failed, in the job's language."))
    file = models.FileField(storage=private_storage, upload_to=job_file_path, blank=True, max_length=200)
    file_name = models.CharField(max_length=200, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    file_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["asker", "-asked_at"], name="accounts_jobs_by_asker")]
        constraints = [
            models.UniqueConstraint(
                fields=["asker", "kind", "about", "language"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="accounts_a_person_asks_for_one_thing_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | models.Q(state__in=["done", "failed"], finished_at__isnull=False),
                name="accounts_a_job_that_ended_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


class JobPart(models.Model):
    """A part of a job that a worker takes up alone; kept as long as its job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    keys = models.JSONField(default=list)
    result = models.JSONField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("part of a job")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="accounts_a_part_has_its_number_in_a_job")
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.number}"
