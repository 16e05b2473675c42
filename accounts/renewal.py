"""A session gets a new key when what its person may do has changed, so that a key seen before opens nothing new.

Signing in makes a new key already. This is for roles that are granted or ended while somebody is signed in, and for
two-step sign-in that is turned on or off.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from accounts.models import Role
from accounts.permissions import has_role

# Kept in the session: the kinds of roles that its person held when it got its key.
HELD: Final = "roles_held"


def describe_held(user: Any) -> str:
    """The kinds of roles held today, and whether the person is a superuser. No query beyond that for the roles."""
    kinds = [what for what in Role.What.values if has_role(user, what)]
    return ",".join([*kinds, *(["superuser"] if getattr(user, "is_superuser", False) else [])])


def note_roles(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Somebody signed in: the session has just got its key."""
    if request is not None and hasattr(request, "session"):
        request.session[HELD] = describe_held(user)


def renew_after_change(request: HttpRequest) -> None:
    """A new key where the roles are others than when this one was made. Asked before every staff screen."""
    held = describe_held(request.user)
    if request.session.get(HELD) != held:
        renew(request)
        request.session[HELD] = held


def renew_for_factor(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Two-step sign-in was turned on or off in this session."""
    renew(request)


def renew(request: HttpRequest) -> None:
    """The same session under a new key; the old one is worth nothing. *Devices* goes on listing it."""
    old = request.session.session_key
    request.session.cycle_key()
    if old and request.user.is_authenticated:
        UserSession.objects.filter(user=request.user, session_key=old).update(
            session_key=request.session.session_key
        )
