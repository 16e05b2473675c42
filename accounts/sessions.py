"""Sessions in the database: every page of a signed-in person begins with theirs, so that it brings the person along.

Sign-in notes whose session it is (`allauth.usersessions`, what *Devices* lists). The session and that person are read
in one round trip; whether the session still is that person's is decided as Django decides it.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.backends import PersonBackend, keep_roles, prepare_person
from accounts.models import User
from core.prepared import PreparedQuery, given_moment, given_text
from core.questions import Question, ask_together

_PERSON_BACKEND: Final = f"{PersonBackend.__module__}.{PersonBackend.__qualname__}"

_read_session: Final = PreparedQuery(
    lambda: Session.objects.filter(session_key=given_text("key"), expire_date__gt=given_moment("now"))
)
_read_person: Final = prepare_person(lambda: User.objects.filter(usersession__session_key=given_text("key")))


class SessionStore(db.SessionStore):
    """Django's, but for how a session is looked up. `person` is who signed in with it, where that is known."""

    person: User | None = None

    def _get_session_from_db(self) -> Session | None:
        sessions, people = ask_together(
            Question.of(_read_session, key=self.session_key, now=timezone.now()),
            Question.of(_read_person, key=self.session_key),
        )
        if not sessions:
            self._session_key = None
            return None
        self.person = people[0] if people else None
        found: Session = sessions[0]
        return found


def find_person(request: HttpRequest) -> User | AnonymousUser:
    """Who is signed in. `django.contrib.auth.get_user` is asked wherever the session did not bring the person.

    No query beyond that for the session; one where it did not, as after signing in by another way than allauth's.
    """
    session = request.session
    # What is in it is read first, which brings the person.
    named, backend, digest = (
        session.get(key) for key in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)
    )
    person: User | None = getattr(session, "person", None)
    if (
        person is not None
        and named == str(person.pk)
        and backend == _PERSON_BACKEND
        and backend in settings.AUTHENTICATION_BACKENDS
        and person.is_active
        and digest
        and constant_time_compare(digest, person.get_session_auth_hash())
    ):
        return keep_roles(person)
    return get_user(request)
