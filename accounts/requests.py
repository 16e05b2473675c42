"""The request of somebody who is signed in, for views behind `login_required`."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request whose `user` is an account, never anonymous."""

    user: User


def read_job_key(request: HttpRequest) -> uuid.UUID:
    """The key that a form made for what it asks of the queue; a new one where it made none."""
    try:
        return uuid.UUID(request.POST.get("client_id", ""))
    except ValueError:
        return uuid.uuid4()
