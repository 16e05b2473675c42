"""The request of somebody who is signed in, for views behind `login_required`."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request whose `user` is an account, never anonymous."""

    user: User
