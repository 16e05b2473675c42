"""Two-step sign-in of somebody who has lost phone and recovery codes."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.models import Subject, User
from accounts.services.audit import record_audit
from accounts.services.people import subject_of


@transaction.atomic
def reset_second_factor(*, user: User, reset_by: Subject | None) -> bool:
    """Take the app and the recovery codes off an account; False where it had none.

    Whoever asks for it must have been recognized in another way first. Staff are led to set up a new one at once.
    """
    taken, _rows = Authenticator.objects.filter(user=user).delete()
    if not taken:
        return False
    record_audit(actor=reset_by, action="second_factor.reset", subject=subject_of(user), target=user)
    return True
