"""Accounts: made, changed, and known to the ledgers by their subject."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.users.models import UserProfile

from accounts.models import Consent, Subject, User
from accounts.services.consents import give_consent, withdraw_consent
from accounts.signals import person_registered
from core.errors import InvalidInput
from core.models import Language
from core.text import make_sort_key


def subject_of(user: User | AnonymousUser) -> Subject:
    """The pseudonymous key of an account, made with its first use. One query; none for whom a session named.

    Somebody anonymous has none (TypeError).
    """
    if not isinstance(user, User):
        raise TypeError("Nobody is signed in, so there is no subject.")
    kept: Subject | None = getattr(user, "_subject", None) or user._state.fields_cache.get("subject")
    if kept is None:
        kept, _made = Subject.objects.get_or_create(user=user)
        user._subject = kept  # type: ignore[attr-defined]
    return kept


def announce_registration(*, user: User) -> Subject:
    """Give a new account its subject and tell the floors above; call it in the transaction that made the account."""
    subject = subject_of(user)
    person_registered.send(sender=User, user=user, subject=subject)
    return subject


@transaction.atomic
def register_person(
    *,
    email: str,
    name: str,
    password: str | None = None,
    language: str = Language.ENGLISH,
    time_zone: str = "America/Toronto",
    verified: bool = True,
) -> User:
    """Make an account for somebody whose address is known to be theirs: by a command, never by the sign-up screen.

    Without a password they set one by the link that is sent to them. Refuses an address that has an account.
    """
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise InvalidInput(
            _("There is already an account for %(email)s. Nothing was changed.") % {"email": address}
        )
    user = User.objects.create_user(
        address, password, name=name, preferred_language=language, time_zone=time_zone
    )
    EmailAddress.objects.create(user=user, email=address, primary=True, verified=verified)
    announce_registration(user=user)
    return user


@transaction.atomic
def update_profile(*, user: User, name: str, language: str, time_zone: str) -> User:
    """Change how a person is named and addressed. Certificates keep the name they were issued to."""
    user.name = name
    user.sort_name = make_sort_key(name)
    user.preferred_language = language
    user.time_zone = time_zone
    user.save(update_fields=["name", "sort_name", "preferred_language", "time_zone"])
    if user.is_staff:
        follow_in_cms(user)
    return user


def follow_in_cms(user: User) -> None:
    """Wagtail keeps its own language and time zone of an editor: make them those of the profile."""
    profile = UserProfile.get_for_user(user)
    profile.preferred_language = user.preferred_language
    profile.current_time_zone = user.time_zone
    profile.save(update_fields=["preferred_language", "current_time_zone"])


@transaction.atomic
def choose_notices(*, user: User, wanted: bool, wording: str) -> None:
    """Give or withdraw the consent to notices by e-mail; nothing happens where it stands as wanted."""
    subject = subject_of(user)
    if wanted:
        give_consent(
            subject=subject,
            purpose=Consent.Purpose.NOTICES_BY_EMAIL,
            wording=wording,
            language=user.preferred_language,
        )
        return
    standing = Consent.objects.filter(
        subject=subject, purpose=Consent.Purpose.NOTICES_BY_EMAIL, withdrawn_at__isnull=True
    )
    for consent in standing:
        withdraw_consent(consent=consent)
