"""Many learners at once, and the pages to measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bench.measure import Target
from cms.demo.cast import COHORT, PLAYERS, SELF_PACED, key_of
from cms.demo.views import find_places
from lms.models import Enrolment
from modules.models import CourseEdition

# A learner of the cohort with every kind of step behind her, whom the others are made like.
MODEL = key_of(COHORT, "Farah Lindqvist")


@dataclass(frozen=True, kw_only=True)
class Page(Target):
    """A page and how many queries it takes."""

    queries: int = 0


def add_learners(wanted: int) -> None:
    """Learners of the cohort with ledgers as full as the model's, by copying her rows under keys of their own."""
    missing = wanted - Enrolment.objects.filter(offering__slug=COHORT).count()
    if missing <= 0:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT gen_random_uuid() AS usr, gen_random_uuid() AS subject,"
            " gen_random_uuid() AS enrolment, n FROM generate_series(1, %s) n",
            [missing],
        )
        for table, values in COPIES:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
                " ORDER BY ordinal_position",
                [table],
            )
            names = [name for (name,) in cursor.fetchall() if name not in values.get("-", ())]
            chosen = ", ".join(values.get(name, f't."{name}"') for name in names)
            columns = ", ".join(f'"{name}"' for name in names)
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table} t, made m WHERE {values['where']}",
                {"model": MODEL},
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


OF_MODEL = "t.enrolment_id = %(model)s"
LEDGER = {"-": ("id",), "client_id": "gen_random_uuid()", "enrolment_id": "m.enrolment"}
COPIES: list[tuple[str, dict[str, Any]]] = [
    (
        "accounts_user",
        {
            "id": "m.usr",
            "email": "'bench' || m.n || '-' || substr(m.usr::text, 1, 8) || '@bench.example'",
            "where": "t.id = (SELECT s.user_id FROM accounts_subject s JOIN lms_enrolment e ON e.subject_id = s.id"
            " WHERE e.id = %(model)s)",
        },
    ),
    (
        "accounts_subject",
        {
            "id": "m.subject",
            "user_id": "m.usr",
            "where": "t.id = (SELECT subject_id FROM lms_enrolment WHERE id = %(model)s)",
        },
    ),
    ("lms_enrolment", {"id": "m.enrolment", "subject_id": "m.subject", "where": "t.id = %(model)s"}),
    ("lms_enrolmentevent", {**LEDGER, "actor_id": "m.subject", "where": OF_MODEL}),
    ("lms_learningevent", {**LEDGER, "subject_id": "m.subject", "where": OF_MODEL}),
    ("lms_stepprogress", {"-": ("id",), "enrolment_id": "m.enrolment", "where": OF_MODEL}),
    ("lms_courseprogress", {"enrolment_id": "m.enrolment", "where": OF_MODEL}),
    (
        "lms_evidence",
        {**LEDGER, "subject_id": "m.subject", "source": "gen_random_uuid()", "where": OF_MODEL},
    ),
    (
        "lms_standing",
        {
            "-": ("id",),
            "subject_id": "m.subject",
            "where": "t.subject_id = (SELECT subject_id FROM lms_enrolment WHERE id = %(model)s)",
        },
    ),
]


def _sign_in(email: str) -> str:
    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "accounts.backends.PersonBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def find_targets(port: int) -> tuple[list[Page], dict[str, str]]:
    """The pages, and what the yardstick needs to know."""
    places = find_places()
    enrolment = key_of(SELF_PACED, PLAYERS[0].name)
    learner, instructor = _sign_in("learner@demo.example"), _sign_in("instructor@demo.example")
    wanted = [
        ("lesson", places["lesson"], "</article>", learner),
        ("course_home", f"/en/learn/{enrolment}/", "</main>", learner),
        ("offering_page", places["offering"], "<table", instructor),
        ("competency_map", "/en/my/competencies/", "<table", learner),
        ("verification", places["certificates"]["valid"], "</main>", ""),
        ("catalogue", "/en/trainings/", "</main>", ""),
    ]
    pages = [
        Page(name=name, port=port, path=path, words=words, cookie=cookie, queries=_count(path, cookie))
        for name, path, words, cookie in wanted
    ]
    database = connection.settings_dict
    host, edition = database["HOST"], CourseEdition.objects.values_list("pk", flat=True)[0]
    password = quote(str(database["PASSWORD"]), safe="")
    address = f"postgresql://{database['USER']}:{password}@/{database['NAME']}?{urlencode({'host': host})}"
    return pages, {"BENCH_DATABASE": address, "BENCH_EDITION": str(edition)}


def _count(path: str, cookie: str) -> int:
    client = Client(headers={"host": "127.0.0.1"})
    if cookie:
        name, value = cookie.split("=", 1)
        client.cookies[name] = value
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)
