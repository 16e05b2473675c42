"""What this floor holds about a person: for *My data*, the download, and the erasure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.audit_words import describe_action
from accounts.devices import device_name
from accounts.models import AuditEntry, Consent, Job, LegalHold, PersonalText, Role, Subject
from accounts.services.erasure import withdraw_all_consents
from accounts.services.jobs import forget_jobs_of
from accounts.services.texts import empty_texts
from accounts.time_zones import TIME_ZONES
from core.extensions import PersonalRecords


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def _name_actor(entry: AuditEntry, *, subject: Subject) -> str:
    """Who did it: staff answer for it by their name, as long as they have an account."""
    if entry.actor is None:
        return _("the site")
    if entry.actor_id == subject.id:
        return _("you")
    return entry.actor.user.name if entry.actor.user else _("somebody whose account was erased")


class AccountsPersonalData:
    """The answer of this floor to `core.extensions.personal_data`. Nine queries to export, none a row."""

    def export(self, *, subject_id: uuid.UUID, language: str) -> Sequence[PersonalRecords]:
        subject = Subject.objects.select_related("user").get(pk=subject_id)
        with translation.override(language):
            parts = [
                self._account(subject),
                self._addresses(subject),
                self._roles(subject, language=language),
                self._consents(subject, language=language),
                self._texts(subject),
                self._security(subject),
                self._jobs(subject, language=language),
                self._audit(subject),
                self._holds(subject),
            ]
        return [part for part in parts if part.rows]

    def erase(self, *, subject_id: uuid.UUID) -> None:
        """Words, files and consents; the account itself goes last, by `erase_person`."""
        empty_texts(PersonalText.objects.filter(subject_id=subject_id, erased_at__isnull=True))
        withdraw_all_consents(subject_id=subject_id)
        forget_jobs_of(subject_id=subject_id)

    def _account(self, subject: Subject) -> PersonalRecords:
        user = subject.user
        rows: list[dict[str, Any]] = []
        if user is not None:
            rows.append(
                {
                    "name": user.name,
                    "email": user.email,
                    "preferred_language": user.get_preferred_language_display(),
                    "time_zone": str(dict(TIME_ZONES).get(user.time_zone, user.time_zone)),
                    "joined": _moment(user.date_joined),
                    "last_sign_in": _moment(user.last_login),
                    "record_key": str(subject.id),
                }
            )
        return PersonalRecords(
            name="account",
            title=_("Account"),
            rows=rows,
            retention=_("Until you erase your account."),
            labels={
                "name": _("Name"),
                "email": _("E-mail address"),
                "preferred_language": _("Preferred language"),
                "time_zone": _("Time zone"),
                "joined": _("Account made"),
                "last_sign_in": _("Last sign-in"),
                "record_key": _("Key of your records"),
            },
        )

    def _addresses(self, subject: Subject) -> PersonalRecords:
        rows = [
            {"email": row.email, "verified": row.verified, "primary": row.primary}
            for row in EmailAddress.objects.filter(user__subject=subject).order_by("-primary", "email")
        ]
        return PersonalRecords(
            name="email_addresses",
            title=_("E-mail addresses"),
            rows=rows,
            retention=_("Until you change the address or erase your account."),
            labels={"email": _("E-mail address"), "verified": _("Confirmed"), "primary": _("In use")},
        )

    def _roles(self, subject: Subject, *, language: str) -> PersonalRecords:
        rows = [
            {
                "role": role.get_what_display(),
                "organization": role.organization.name_in(language),
                "granted": _moment(role.granted_at),
                "ended": _moment(role.ended_at),
            }
            for role in Role.objects.filter(user__subject=subject)
            .select_related("organization")
            .order_by("granted_at")
        ]
        return PersonalRecords(
            name="roles",
            title=_("Roles"),
            rows=rows,
            retention=_(
                "Until you erase your account. That a role was granted or ended stays in the audit log."
            ),
            labels={
                "role": _("Role"),
                "organization": _("Organization"),
                "granted": _("Granted on"),
                "ended": _("Ended on"),
            },
        )

    def _consents(self, subject: Subject, *, language: str) -> PersonalRecords:
        rows = [
            {
                "purpose": consent.get_purpose_display(),
                "organization": consent.organization.name_in(language) if consent.organization else None,
                "wording": consent.wording,
                "given": _moment(consent.given_at),
                "withdrawn": _moment(consent.withdrawn_at),
            }
            for consent in Consent.objects.filter(subject=subject).select_related("organization")
        ]
        return PersonalRecords(
            name="consents",
            title=_("Consents"),
            rows=rows,
            retention=_(
                "What you agreed to and when you withdrew it stays on record, without your name once your account "
                "is erased."
            ),
            labels={
                "purpose": _("What for"),
                "organization": _("Towards whom"),
                "wording": _("The sentence you agreed to"),
                "given": _("Given on"),
                "withdrawn": _("Withdrawn on"),
            },
        )

    def _texts(self, subject: Subject) -> PersonalRecords:
        rows: list[dict[str, Any]] = []
        files: list[tuple[str, Any]] = []
        for text in PersonalText.objects.filter(subject=subject).order_by("created_at", "id"):
            stored = ""
            if text.file and text.erased_at is None:
                stored = f"{text.id}-{text.file_name}"
                files.append((stored, text.file))
            rows.append(
                {
                    "kind": text.get_kind_display(),
                    "text": text.text or None,
                    "file": stored or None,
                    "written_by": _("somebody else")
                    if text.author_id and text.author_id != subject.id
                    else _("you"),
                    "written": _moment(text.created_at),
                    "erased": _moment(text.erased_at),
                }
            )
        return PersonalRecords(
            name="texts_and_files",
            title=_("Texts and files"),
            rows=rows,
            retention=_(
                "Until you erase them or your account. Answers and handed-in work are kept as long as the account, "
                "because a mark rests on them."
            ),
            files=files,
            labels={
                "kind": _("Kind"),
                "text": _("Text"),
                "file": _("File"),
                "written_by": _("Written by"),
                "written": _("Written on"),
                "erased": _("Erased on"),
            },
        )

    def _security(self, subject: Subject) -> PersonalRecords:
        rows: list[dict[str, Any]] = [
            {
                "what": _("Sign-in on a device"),
                "began": _moment(session.created_at),
                "address": session.ip,
                "device": device_name(session.user_agent),
                "user_agent": session.user_agent,
            }
            for session in UserSession.objects.filter(user__subject=subject).order_by("created_at")
        ]
        kinds = {
            Authenticator.Type.TOTP: _("Authenticator app"),
            Authenticator.Type.RECOVERY_CODES: _("Recovery codes"),
        }
        rows += [
            {
                "what": str(kinds.get(Authenticator.Type(factor.type), factor.type)),
                "began": _moment(factor.created_at),
                "address": None,
                "device": None,
                "user_agent": None,
            }
            for factor in Authenticator.objects.filter(user__subject=subject).order_by("created_at")
        ]
        return PersonalRecords(
            name="sign_in",
            title=_("Sign-in and devices"),
            rows=rows,
            retention=_(
                "A sign-in: until you sign out, at most 14 days. A second factor: until you turn it off."
            ),
            labels={
                "what": _("What"),
                "began": _("Since"),
                "address": _("Network address"),
                "device": _("Device"),
            },
        )

    def _jobs(self, subject: Subject, *, language: str) -> PersonalRecords:
        rows = [
            {
                "asked": _moment(job.asked_at),
                "what": job.title.get(language) or job.kind,
                "state": job.get_state_display(),
                "over": _moment(job.finished_at),
                "code": job.kind,
            }
            for job in Job.objects.filter(asker=subject).order_by("asked_at")
        ]
        return PersonalRecords(
            name="jobs",
            title=_("What you asked of the site"),
            rows=rows,
            retention=_("90 days after it was done; a file that came of it, seven days."),
            labels={
                "asked": _("Asked on"),
                "what": _("What about"),
                "state": _("State"),
                "over": _("Ended on"),
            },
        )

    def _audit(self, subject: Subject) -> PersonalRecords:
        rows = [
            {
                "when": _moment(entry.recorded_at),
                "what": describe_action(entry.action),
                "by": _name_actor(entry, subject=subject),
                "code": entry.action,
                "details": entry.details or None,
            }
            for entry in AuditEntry.objects.filter(subject=subject)
            .select_related("actor__user")
            .order_by("-id")
        ]
        return PersonalRecords(
            name="audit_log",
            title=_("Who did what with my records"),
            rows=rows,
            retention=_("Seven years, without your name once your account is erased."),
            labels={"when": _("When"), "what": _("What was done"), "by": _("By")},
        )

    def _holds(self, subject: Subject) -> PersonalRecords:
        rows = [
            {"since": _moment(hold.placed_at), "lifted": _moment(hold.lifted_at)}
            for hold in LegalHold.objects.filter(subject=subject)
        ]
        return PersonalRecords(
            name="legal_holds",
            title=_("Legal holds"),
            rows=rows,
            retention=_("As long as the law asks, and seven years after it was lifted."),
            labels={"since": _("Since"), "lifted": _("Lifted on")},
        )


answer = AccountsPersonalData()
