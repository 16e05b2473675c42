"""Writes about people: their subject, their words, consents, roles and the audit log."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Consent, Organization, PersonalText, Role, Subject, User
from accounts.signals import role_changed
from core import clock
from core.errors import InvalidInput
from core.request_id import current_request_id

LONGEST_TEXT = 50_000


def subject_of(user: User) -> Subject:
    """The pseudonymous key of an account, made with its first use. One query, kept on the object."""
    kept: Subject | None = getattr(user, "_subject", None)
    if kept is None:
        kept, _made = Subject.objects.get_or_create(user=user)
        user._subject = kept  # type: ignore[attr-defined]
    return kept


def save_text(
    *, subject: Subject, kind: str, text: str, author: Subject | None = None, text_id: uuid.UUID | None = None
) -> PersonalText:
    """Keep words of or about a person apart from every ledger. Refuses more than 50,000 characters."""
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            _("This text is longer than %(limit)d characters. Shorten it, or send it as a file.")
            % {"limit": LONGEST_TEXT}
        )
    # PostgreSQL keeps no NUL in a text.
    return PersonalText.objects.create(
        id=text_id or uuid.uuid4(), subject=subject, author=author, kind=kind, text=text.replace("\x00", "")
    )


def save_file(
    *, subject: Subject, upload: UploadedFile, kind: str = PersonalText.Kind.UPLOAD, author: Subject | None = None
) -> PersonalText:
    """Keep a file that a person sent, once its content has been checked."""
    from core.uploads import check_upload

    checked = check_upload(upload)
    return PersonalText.objects.create(
        subject=subject,
        author=author,
        kind=kind,
        file=upload,
        file_name=checked.name,
        content_type=checked.content_type,
        size=checked.size,
    )


def text_digest(text: PersonalText) -> str:
    """SHA-256 of the words with the row's salt: proves a text to who has it, tells nothing to who has not."""
    return hashlib.sha256(f"{text.salt}\n{text.text}".encode()).hexdigest()


def record_audit(
    *,
    actor: Subject | None,
    action: str,
    subject: Subject | None = None,
    target: Any = None,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Log what staff did and whose records they opened; codes and keys only."""
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        subject=subject,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        details=details or {},
        request_id=current_request_id.get(),
    )


@transaction.atomic
def give_consent(
    *,
    subject: Subject,
    purpose: str,
    wording: str,
    language: str,
    organization: Organization | None = None,
    about: uuid.UUID | None = None,
) -> Consent:
    """Record that a person agreed. A second time while it stands gives the first row."""
    standing = Consent.objects.filter(
        subject=subject, purpose=purpose, organization=organization, about=about, withdrawn_at__isnull=True
    )
    if found := standing.first():
        return found
    try:
        with transaction.atomic():
            return Consent.objects.create(
                subject=subject,
                purpose=purpose,
                organization=organization,
                about=about,
                wording=wording,
                language=language,
            )
    except IntegrityError:
        return standing.get()


def withdraw_consent(*, consent: Consent) -> Consent:
    """Record that a person no longer agrees. What was shown before stays shown to those who saw it."""
    Consent.objects.filter(pk=consent.pk, withdrawn_at__isnull=True).update(withdrawn_at=clock.now())
    consent.refresh_from_db()
    return consent


@transaction.atomic
def grant_role(
    *, user: User, organization: Organization, what: str, granted_by: Subject | None = None
) -> Role:
    """Give a person a role in an organization; a role they hold already is returned."""
    role, made = Role.objects.get_or_create(
        user=user, organization=organization, what=what, ended_at=None, defaults={"granted_by": granted_by}
    )
    if made:
        record_audit(
            actor=granted_by, action="role.granted", subject=subject_of(user), target=role, details={"what": what}
        )
        role_changed.send(sender=Role, user=user)
    return role


@transaction.atomic
def end_role(*, role: Role, ended_by: Subject | None = None) -> Role:
    """End a role today; that it was held stays on record."""
    changed = Role.objects.filter(pk=role.pk, ended_at__isnull=True).update(ended_at=clock.now())
    role.refresh_from_db()
    if changed:
        record_audit(
            actor=ended_by,
            action="role.ended",
            subject=subject_of(role.user),
            target=role,
            details={"what": role.what},
        )
        role_changed.send(sender=Role, user=role.user)
    return role


def read_texts(ids: Iterable[uuid.UUID | str | None]) -> dict[uuid.UUID, PersonalText]:
    """The texts with those keys that are not erased, by key. One query, none for no keys."""
    wanted = {uuid.UUID(str(key)) for key in ids if key}
    if not wanted:
        return {}
    return {text.id: text for text in PersonalText.objects.filter(id__in=wanted, erased_at__isnull=True)}
