"""Sessions in the database, read by a prepared query: every page of a signed-in person begins with one."""

from __future__ import annotations

from typing import Final

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.prepared import PreparedQuery, given_moment, given_text

_read_session: Final = PreparedQuery(
    lambda: Session.objects.filter(session_key=given_text("key"), expire_date__gt=given_moment("now"))
)


class SessionStore(db.SessionStore):
    """Django's, but for how a session is looked up."""

    def _get_session_from_db(self) -> Session | None:
        found = _read_session.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found
