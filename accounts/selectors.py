"""Reads about people, with their cost in queries."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import AuditEntry, Consent, Organization, PersonalText, Role, User
from accounts.services.texts import ERASABLE_ALONE
from core.text import fold_text


def standing_consents(*, purpose: str) -> QuerySet[Consent]:
    """The consents to a purpose that stand now, towards everybody; to narrow to a person and a thing."""
    return Consent.objects.filter(purpose=purpose, organization__isnull=True, withdrawn_at__isnull=True)


def has_consent(
    *,
    subject_id: uuid.UUID,
    purpose: str,
    organization: Organization | None = None,
    about: uuid.UUID | None = None,
) -> bool:
    """Whether a consent to this purpose stands now. One query."""
    return Consent.objects.filter(
        subject_id=subject_id,
        purpose=purpose,
        organization=organization,
        about=about,
        withdrawn_at__isnull=True,
    ).exists()


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """A consent as its giver sees it."""

    consent: Consent
    towards: str
    stands: bool
    withdrawable: bool


def list_consents(*, subject_id: uuid.UUID, language: str) -> list[ConsentLine]:
    """A person's consents, those that stand first, the newest first. One query."""
    found = Consent.objects.filter(subject_id=subject_id).select_related("organization").order_by("-given_at")
    lines = [
        ConsentLine(
            consent=consent,
            towards=consent.organization.name_in(language) if consent.organization else "",
            stands=consent.withdrawn_at is None,
            withdrawable=consent.withdrawn_at is None and consent.purpose != Consent.Purpose.PRIVACY_NOTICE,
        )
        for consent in found
    ]
    return sorted(lines, key=lambda line: not line.stands)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A text or a file as the person it belongs to sees it."""

    text: PersonalText
    words: str
    by_other: bool
    erasable: bool


def list_texts(*, subject_id: uuid.UUID, limit: int) -> list[TextLine]:
    """A person's texts and files that are not erased, the newest first. One query."""
    found = PersonalText.objects.filter(subject_id=subject_id, erased_at__isnull=True).order_by(
        "-created_at", "id"
    )
    return [
        TextLine(
            text=text,
            words=read_words(text),
            by_other=text.author_id is not None and text.author_id != subject_id,
            erasable=text.kind in ERASABLE_ALONE,
        )
        for text in found[:limit]
    ]


def read_words(text: PersonalText) -> str:
    """What was written, as it reads: of a worksheet, kept as JSON, what stands in its fields."""
    if text.kind != PersonalText.Kind.WORKSHEET:
        return text.text
    try:
        fields = json.loads(text.text)
    except ValueError:
        return text.text
    if not isinstance(fields, dict):
        return text.text
    return "\n\n".join(str(words) for words in fields.values() if words)


def find_people(*, words: str = "", what: str = "", organization: str = "") -> QuerySet[User]:
    """People for the administrators' list, by name; each with `standing_roles`. Two queries a page.

    Every word must be in the name, whatever its accents, or in the e-mail address.
    """
    people = User.objects.order_by("sort_name", "email").prefetch_related(
        Prefetch(
            "roles",
            queryset=Role.objects.filter(ended_at__isnull=True)
            .select_related("organization")
            .order_by("granted_at"),
            to_attr="standing_roles",
        )
    )
    for word in words.split():
        found = Q(name__icontains=word) | Q(email__icontains=word)
        if folded := fold_text(word):
            found |= Q(sort_name__contains=folded)
        people = people.filter(found)
    held = Q(roles__ended_at__isnull=True)
    if what:
        held &= Q(roles__what=what)
    if organization:
        held &= Q(roles__organization=organization)
    return people.filter(held).distinct() if what or organization else people


def find_audit_entries(*, subject: str = "", action: str = "") -> QuerySet[AuditEntry]:
    """The audit log, the newest first, with the accounts of who did it and whose record it was. One query a page.

    `subject` is a key or an e-mail address, of the one who did it or of whose record it was.
    """
    entries = AuditEntry.objects.select_related("actor__user", "subject__user").order_by("-id")
    if action:
        entries = entries.filter(action=action)
    if subject:
        entries = entries.filter(_about(subject.strip()))
    return entries


def _about(wanted: str) -> Q:
    try:
        key = uuid.UUID(wanted)
    except ValueError:
        address = wanted.lower()
        return Q(subject__user__email=address) | Q(actor__user__email=address)
    return Q(subject=key) | Q(actor=key) | Q(target_id=str(key))


def list_audit_actions() -> list[str]:
    """The actions that are in the log. One query."""
    return sorted(AuditEntry.objects.order_by().values_list("action", flat=True).distinct())
