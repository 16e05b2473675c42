"""Erasing a person, as law 11 says: the link is cut, words and files go, the ledgers keep codes, numbers and times."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import partial
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from wagtail.users.models import UserProfile

from accounts.models import AuditEntry, Consent, Erasure, PersonalText, Subject, User
from accounts.services.erasure_list import ErasedThings, ErasureRequest, note_erasure
from accounts.services.roles import refuse_last_administrator
from accounts.services.texts import delete_file, empty_texts, refuse_under_hold
from accounts.signals import person_erased
from core import clock
from core.extensions import personal_data
from core.request_id import current_request_id


@transaction.atomic
def erase_person(*, subject: Subject, requested_by: Subject | None) -> Erasure:
    """Erase what makes a person known; what they did stays, under a key that names nobody.

    Refuses while a legal hold stands, and for the last administrator. A second call gives the first record.
    """
    locked = Subject.objects.select_for_update().get(pk=subject.pk)
    refuse_under_hold(subject_id=locked.pk)
    if locked.user is not None and locked.erased_at is None:
        refuse_last_administrator(leaving=locked.user)
    return _erase(locked, requested_by=requested_by.pk if requested_by else None)


def _erase(subject: Subject, *, requested_by: uuid.UUID | None) -> Erasure:
    if subject.erased_at is None:
        # Its own answer is among them: the words, files and consents of this floor.
        for holder in personal_data:
            holder.erase(subject_id=subject.pk)
        user = subject.user
        subject.user = None
        subject.erased_at = clock.now()
        subject.save(update_fields=["user", "erased_at"])
        if user is not None:
            _delete_account(user)
        AuditEntry.objects.create(
            actor_id=requested_by
            if requested_by and Subject.objects.filter(pk=requested_by).exists()
            else None,
            action="person.erased",
            subject=subject,
            request_id=current_request_id.get(),
        )
        person_erased.send(sender=Subject, subject_id=subject.pk)
    return _record_erasure(subject.pk, requested_by=requested_by)


def _record_erasure(subject_key: uuid.UUID, *, requested_by: uuid.UUID | None) -> Erasure:
    """The one record of a person's erasure, in the ledger and in the journal that outlives the database."""
    record, _made = Erasure.objects.get_or_create(
        subject_key=subject_key, defaults={"requested_by": requested_by}
    )
    note_erasure(ErasedThings(people=(ErasureRequest(subject_key, record.requested_by),)))
    return record


def _delete_account(user: User) -> None:
    """Sessions, picture and account. Addresses, roles and second factors go with the account by their foreign keys.

    What the person edited in the CMS stays; it shows as the work of a deleted user.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for session in UserSession.objects.filter(user=user):
        # Not `session.end()`: that would delete the row one by one, and the account takes it along anyway.
        store.delete(session.session_key)
    profile = UserProfile.objects.filter(user=user).first()
    if profile and profile.avatar:
        transaction.on_commit(partial(delete_file, profile.avatar.storage, profile.avatar.name))
    user.delete()


def replay_erasures(*, requests: Iterable[ErasureRequest]) -> int:
    """Erase again whom a restored database brought back; returns how many were there again.

    A hold is not asked for: the erasure was lawful when it was made. Each person is a transaction of its own.
    """
    erased = 0
    for request in requests:
        with transaction.atomic():
            subject = Subject.objects.select_for_update().filter(pk=request.subject_key).first()
            if subject is None:
                # They came after the backup was made: only that they were erased is kept.
                _record_erasure(request.subject_key, requested_by=request.requested_by)
                continue
            erased += subject.erased_at is None
            _erase(subject, requested_by=request.requested_by)
    return erased


def replay_erased(erased: ErasedThings) -> int:
    """Erase again the people and the texts that a restored database brought back; returns how many were there.

    A hold is not asked for: the erasures were lawful when they were made.
    """
    again = PersonalText.objects.filter(pk__in=erased.texts, erased_at__isnull=True)
    return replay_erasures(requests=erased.people) + empty_texts(again)


@transaction.atomic
def withdraw_all_consents(*, subject_id: uuid.UUID) -> int:
    """Nothing is agreed to any more; returns how many consents stood."""
    return Consent.objects.filter(subject_id=subject_id, withdrawn_at__isnull=True).update(
        withdrawn_at=clock.now()
    )
