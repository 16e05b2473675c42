"""What was typed before somebody was asked who they are, kept for them until they have said so.

allauth keeps the whole request in the session as it came: with the cookies, and with whatever the server puts beside a
request, which under some servers is the process's environment and every secret in it. Here it keeps what the form held
and where it was to go, encrypted, for an hour, and no password.
"""

from __future__ import annotations

import json
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.http import HttpRequest, QueryDict

from accounts.sealing import make_cipher
from core import clock

PURPOSE: Final = b"accounts.suspended"
KEPT_SECONDS: Final = 3600
# A form's token is checked when it is sent; it is not sent again.
LEFT_OUT: Final = ("password", "csrfmiddlewaretoken")


def seal_request(request: HttpRequest) -> str:
    """What is needed to go on with a request, encrypted."""
    form = request.POST.copy()
    for name in list(form):
        if any(word in name.lower() for word in LEFT_OUT):
            del form[name]
    told = {
        "path": request.path,
        "path_info": request.path_info,
        "method": request.method,
        "GET": request.GET.urlencode(),
        "POST": form.urlencode(),
        "person": str(request.user.pk),
    }
    sealed = make_cipher(PURPOSE).encrypt_at_time(json.dumps(told).encode(), _now())
    return sealed.decode("ascii")


def open_request(sealed: str, request: HttpRequest) -> HttpRequest:
    """The request as it was to be, in place of the one by which the same person said who they are.

    One that is too old, somebody else's or not to be read leaves an address that leads nowhere, so that nothing is done
    and the person is led to where they were.
    """
    told = _read(sealed)
    if told is None or told["person"] != str(request.user.pk):
        request.path = request.path_info = ""
        return request
    attributes: Any = request
    attributes.GET = QueryDict(told["GET"])
    attributes.POST = QueryDict(told["POST"])
    request.path, request.path_info, request.method = told["path"], told["path_info"], told["method"]
    request.META = {
        **request.META,
        "PATH_INFO": told["path_info"],
        "QUERY_STRING": told["GET"],
        "REQUEST_METHOD": told["method"],
    }
    return request


def _read(sealed: str) -> dict[str, str] | None:
    try:
        opened = make_cipher(PURPOSE).decrypt_at_time(sealed, ttl=KEPT_SECONDS, current_time=_now())
        said: dict[str, str] = json.loads(opened)
    except (InvalidToken, ValueError):
        return None
    return said


def _now() -> int:
    return int(clock.now().timestamp())


def seal_suspended_requests() -> None:
    """Let allauth suspend and resume requests in this way; it has no setting for it."""
    from allauth.account.internal.flows import reauthentication

    reauthentication.serialize_request = seal_request
    reauthentication.deserialize_request = open_request
