"""Many learners at once: a few walk through the course by the services, the rest are copies of their rows.

A copy is a person of their own: every key of the model's is replaced by one made from it (`md5` of the copy's own key
and the old one), also inside JSON, and rows that are numbered keep their order. So its ledgers and projections agree
as the model's do: `rebuild_projections --check` finds nothing.
"""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
from django.db import transaction
from django.utils.translation import override

from accounts.models import Organization, Role, User
from accounts.services import grant_role, register_person, subject_of
from assessments import services as assessments
from assessments.models import Mark
from assessments.rules import Form
from cms.demo.cast import PASSWORD, key_of
from cms.demo.learning import Walker, answer_item
from core import clock
from core.text import make_sort_key
from lms import services as lms
from lms.models import Enrolment, Offering
from modules.documents import OutlineStep
from modules.models import CourseEdition

# Raised where the models or the copies change, so that filled databases are made anew.
VERSION: Final = "4"
COURSE: Final = "rural-crime-prevention"
COHORT: Final = f"bench-cohort-{VERSION}"
WRITERS: Final = f"bench-writers-{VERSION}"
INSTRUCTORS: Final = 8
FINISHERS: Final = 16


@dataclass(frozen=True, kw_only=True)
class Model:
    """A learner whom others are made like: how far they are, and how many of twenty copies are like them."""

    name: str
    language: str
    # The place in the course of the step they are at; "end" is the last one, "work" the assignment.
    at: str
    # What became of it: "open" (nothing missing but the last click), "half" answered, "failed", "passed", "waiting".
    ending: str
    offering: str = COHORT
    share: int = 0


MODELS: Final = (
    Model(name="running-en", language="en", at="end", ending="half", share=4),
    Model(name="running-fr", language="fr", at="end", ending="half", share=4),
    Model(name="reading-en", language="en", at="3.2", ending="open", share=3),
    Model(name="reading-fr", language="fr", at="5.1", ending="open", share=2),
    Model(name="failed-en", language="en", at="end", ending="failed", share=2),
    Model(name="failed-fr", language="fr", at="end", ending="failed", share=1),
    Model(name="waiting-en", language="en", at="work", ending="waiting", share=2),
    Model(name="begun-fr", language="fr", at="1.3", ending="open", share=2),
    Model(name="finished-en", language="en", at="end", ending="passed"),
    # Who write: each of them once.
    Model(name="ready-en", language="en", at="2.3", ending="open", offering=WRITERS),
    Model(name="ready-fr", language="fr", at="3.4", ending="open", offering=WRITERS),
    Model(name="late-en", language="en", at="5.2", ending="open", offering=WRITERS),
    Model(name="late-fr", language="fr", at="6.1", ending="open", offering=WRITERS),
    Model(name="answered-en", language="en", at="end", ending="open", offering=WRITERS),
    Model(name="answered-fr", language="fr", at="end", ending="open", offering=WRITERS),
)
READY: Final = ("ready-en", "ready-fr", "late-en", "late-fr")
ANSWERED: Final = ("answered-en", "answered-fr")
RUNNING: Final = ("running-en", "running-fr")
READING: Final = ("reading-en", "reading-fr")


def bench_key(*parts: str) -> uuid.UUID:
    return key_of("bench", VERSION, *parts)


def address_of(model: str, number: int = 0) -> str:
    """The e-mail address of a model (number 0) or of one of its copies."""
    return f"{model}.{number}@v{VERSION}.bench.example"


class Sure(random.Random):
    """No chance: everything is filled in, and right."""

    def random(self) -> float:
        return 0.99


# --- The models -----------------------------------------------------------------------------------------------------


def make_models(say: Callable[[str], None]) -> None:
    """The offerings, their instructors and the models, where they are missing."""
    edition = CourseEdition.objects.filter(slug=COURSE).order_by("-number")[0]
    college = Organization.objects.get(slug="prairie-lakes-college")
    instructors = [_make_instructor(number, college) for number in range(INSTRUCTORS)]
    offerings = {}
    for slug, title in ((COHORT, "A large cohort"), (WRITERS, "Who write")):
        offering, _made = Offering.objects.get_or_create(
            slug=slug,
            defaults={
                "edition": edition,
                "organization": college,
                "kind": Offering.Kind.COHORT,
                "title_en": title,
                "title_fr": title,
                "is_listed": False,
                "created_at": clock.now() - timedelta(days=60),
            },
        )
        offering.instructors.set(instructors)
        offerings[slug] = offering
    for model in MODELS:
        if not Enrolment.objects.filter(pk=bench_key(model.name)).exists():
            with transaction.atomic():
                _walk(model, offerings[model.offering], college, instructors[0])
            say(f"  {model.name} is where it should be.")


def _make_person(email: str, name: str, language: str) -> User:
    found = User.objects.filter(email=email).first()
    return found or register_person(
        email=email, name=name, password=PASSWORD, language=language, time_zone="America/Regina"
    )


def _make_instructor(number: int, college: Organization) -> User:
    user = _make_person(address_of("instructor", number), f"Instructor Number {number}", "en")
    grant_role(user=user, organization=college, what=Role.What.INSTRUCTOR)
    return user


def _walk(model: Model, offering: Offering, college: Organization, instructor: User) -> None:
    user = _make_person(address_of(model.name), f"Model {model.name}", model.language)
    grant_role(user=user, organization=college, what=Role.What.MEMBER)
    start = clock.now() - timedelta(days=30)
    with clock.set_to(start), override(model.language):
        enrolment = lms.enrol_learner(
            lms.EnrolmentRequest(
                offering=offering,
                subject=subject_of(user),
                enrolment_id=bench_key(model.name),
                certificate_name=user.name,
                organization=college,
            )
        )
    walker = Walker(enrolment, model.language, start + timedelta(minutes=20), pace=timedelta(hours=12))
    walker.chance = Sure()
    last = _find_last(model, walker, offering)
    for number, step in enumerate(walker.steps[: last + 1]):
        ending = model.ending if number == last else "passed"
        if step.kind == "lesson":
            _read(walker, step, finish=ending == "passed")
        elif step.kind == "quiz":
            _sit(walker, step, ending)
        else:
            work = walker.assignment(step)
            if ending == "passed":
                walker.marked(
                    work,
                    subject_of(instructor),
                    decision=Mark.Decision.MARKED,
                    level=3,
                    comment="Plain words and honest numbers.",
                )


def _find_last(model: Model, walker: Walker, offering: Offering) -> int:
    from modules.selectors import outline_of

    if model.at == "end":
        return len(walker.steps) - 1
    if model.at == "work":
        return next(number for number, step in enumerate(walker.steps) if step.kind == "assignment")
    places = [
        f"{number}.{place}"
        for number, module in enumerate(outline_of(offering.edition).modules, start=1)
        for place, _step in enumerate(module.steps, start=1)
    ]
    return places.index(model.at)


def _read(walker: Walker, step: OutlineStep, *, finish: bool) -> None:
    """A lesson with every part filled in; its last click only where it is finished."""
    walker.lesson(step, finish=finish)


def _sit(walker: Walker, step: OutlineStep, ending: str) -> None:
    """A quiz: handed in ("passed", "failed"), or with all ("open") or half of its answers saved."""
    right = {"passed": 1.0, "open": 1.0, "failed": 0.4, "half": 1.0}[ending]
    if ending in {"passed", "failed"}:
        walker.quiz(step, right=right)
        return
    attempt = walker.start(step)
    items = assessments.document_of(attempt.sitting.edition).items_by_key()
    keys = Form.from_json(attempt.form).keys
    for place, key in enumerate(keys):
        if ending == "half" and place % 2:
            continue
        walker.forward(minutes=1)
        with clock.set_to(walker.moment):
            assessments.save_response(
                attempt=attempt,
                item_key=key,
                raw=answer_item(items[key], right=True, language=walker.language),
                client_id=walker.key(attempt.pk, key),
                language=walker.language,
            )


# --- The copies -----------------------------------------------------------------------------------------------------

FUNCTIONS: Final = """
CREATE FUNCTION pg_temp.own(key text, old uuid) RETURNS uuid IMMUTABLE LANGUAGE sql
    AS $$ SELECT md5(key || old::text)::uuid $$;
CREATE FUNCTION pg_temp.own_text(key text, old jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN old ? 'text'
        THEN jsonb_set(old, '{text}', to_jsonb(md5(key || (old ->> 'text'))::uuid::text)) ELSE old END $$;
CREATE FUNCTION pg_temp.own_parts(key text, old jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(jsonb_object_agg(p.key, pg_temp.own_text($1, p.value)), '{}') FROM jsonb_each(old) p $$;
CREATE FUNCTION pg_temp.own_attempt(key text, old jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN old ? 'attempt'
        THEN jsonb_set(old, '{attempt}', to_jsonb(md5(key || (old ->> 'attempt'))::uuid::text)) ELSE old END $$;
"""
OF_USER = "m.model_user"
OF_SUBJECT = "m.model_subject"
OF_ENROLMENT = "m.model"
OWN_SUBJECT = "pg_temp.own(m.key, m.model_subject)"
OWN_ENROLMENT = "pg_temp.own(m.key, m.model)"
ATTEMPTS = (
    "(SELECT a.id FROM assessments_attempt a JOIN assessments_sitting s ON s.id = a.sitting_id"
    " WHERE s.context = m.model)"
)
ATTEMPT_VERBS = "('attempted', 'submitted', 'marked', 'returned')"


def _own(column: str) -> str:
    return f"pg_temp.own(m.key, t.{column})"


# A table, which of its rows are the model's, and what is the copy's own in them; `#` is a numbered key.
COPIES: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    (
        "accounts_user",
        f"t.id = {OF_USER}",
        {"id": _own("id"), "email": "m.email", "name": "m.name", "sort_name": "m.sort_name"},
    ),
    ("accounts_subject", f"t.id = {OF_SUBJECT}", {"id": _own("id"), "user_id": _own("user_id")}),
    (
        "account_emailaddress",
        f"t.user_id = {OF_USER}",
        {"id": "#", "user_id": _own("user_id"), "email": "m.email"},
    ),
    ("accounts_role", f"t.user_id = {OF_USER}", {"id": _own("id"), "user_id": _own("user_id")}),
    ("accounts_consent", f"t.subject_id = {OF_SUBJECT}", {"id": _own("id"), "subject_id": OWN_SUBJECT}),
    (
        "accounts_personaltext",
        f"t.subject_id = {OF_SUBJECT}",
        {
            "id": _own("id"),
            "subject_id": OWN_SUBJECT,
            "text": "CASE WHEN t.kind = 'certificate_name' THEN m.name ELSE t.text END",
        },
    ),
    (
        "lms_enrolment",
        f"t.id = {OF_ENROLMENT}",
        {"id": OWN_ENROLMENT, "subject_id": OWN_SUBJECT, "certificate_name_id": _own("certificate_name_id")},
    ),
    (
        "lms_enrolmentevent",
        f"t.enrolment_id = {OF_ENROLMENT}",
        {"id": "#", "client_id": _own("client_id"), "enrolment_id": OWN_ENROLMENT, "actor_id": OWN_SUBJECT},
    ),
    (
        "lms_learningevent",
        f"t.enrolment_id = {OF_ENROLMENT}",
        {
            "id": "#",
            "client_id": _own("client_id"),
            "enrolment_id": OWN_ENROLMENT,
            "subject_id": OWN_SUBJECT,
            "object_key": f"CASE WHEN t.verb IN {ATTEMPT_VERBS}"
            " THEN pg_temp.own(m.key, t.object_key::uuid)::text ELSE t.object_key END",
            "result": "pg_temp.own_attempt(m.key, pg_temp.own_text(m.key, t.result))",
        },
    ),
    (
        "lms_stepprogress",
        f"t.enrolment_id = {OF_ENROLMENT}",
        {
            "id": "#",
            "enrolment_id": OWN_ENROLMENT,
            "parts": "pg_temp.own_parts(m.key, t.parts)",
            "reason": "pg_temp.own_attempt(m.key, t.reason)",
        },
    ),
    ("lms_courseprogress", f"t.enrolment_id = {OF_ENROLMENT}", {"enrolment_id": OWN_ENROLMENT}),
    (
        "lms_evidence",
        f"t.subject_id = {OF_SUBJECT}",
        {
            "id": "#",
            "client_id": _own("client_id"),
            "subject_id": OWN_SUBJECT,
            "enrolment_id": OWN_ENROLMENT,
            "source": _own("source"),
        },
    ),
    (
        "lms_standing",
        f"t.subject_id = {OF_SUBJECT}",
        {
            "id": "#",
            "subject_id": OWN_SUBJECT,
            # Its reasons name entries of the ledger of evidence by their numbers.
            "reason": "jsonb_set(t.reason, '{evidence}', (SELECT jsonb_agg(jsonb_build_array("
            "(e.value ->> 0)::bigint - m.evidence_low + m.evidence_first, e.value -> 1) ORDER BY e.ordinality)"
            " FROM jsonb_array_elements(t.reason -> 'evidence') WITH ORDINALITY e))",
        },
    ),
    (
        "lms_notice",
        f"t.subject_id = {OF_SUBJECT}",
        {
            "id": _own("id"),
            "subject_id": OWN_SUBJECT,
            "about": "CASE WHEN t.about LIKE 'mark:%'"
            " THEN 'mark:' || pg_temp.own(m.key, substr(t.about, 6)::uuid) ELSE t.about END",
            "params": f"replace(t.params::text, m.model::text, {OWN_ENROLMENT}::text)::jsonb",
            "url": f"replace(t.url, m.model::text, {OWN_ENROLMENT}::text)",
        },
    ),
    (
        "assessments_sitting",
        f"t.context = {OF_ENROLMENT}",
        {"id": _own("id"), "subject_id": OWN_SUBJECT, "context": OWN_ENROLMENT},
    ),
    (
        "assessments_attempt",
        f"t.id IN {ATTEMPTS}",
        {"id": _own("id"), "sitting_id": _own("sitting_id"), "submit_id": _own("submit_id")},
    ),
    (
        "assessments_response",
        f"t.attempt_id IN {ATTEMPTS}",
        {
            "id": "#",
            "client_id": _own("client_id"),
            "attempt_id": _own("attempt_id"),
            "text_id": _own("text_id"),
        },
    ),
    (
        "assessments_mark",
        f"t.attempt_id IN {ATTEMPTS}",
        {
            "id": "#",
            "client_id": _own("client_id"),
            "attempt_id": _own("attempt_id"),
            "comment_id": _own("comment_id"),
        },
    ),
)
FIRST_NAMES: Final = (
    *(
        "Amara",
        "Bastien",
        "Chantal",
        "Dara",
        "Emil",
        "Fiona",
        "Gaspard",
        "Hana",
        "Isidore",
        "Jocelyne",
        "Kamal",
    ),
    *(
        "Léonie",
        "Mateo",
        "Nadia",
        "Oscar",
        "Perrine",
        "Quentin",
        "Rosa",
        "Stellan",
        "Thandiwe",
        "Ulysse",
        "Vera",
    ),
)
LAST_NAMES: Final = (
    *(
        "Abbott",
        "Bélanger",
        "Cardinal",
        "Dhillon",
        "Eastman",
        "Fortier",
        "Gagné",
        "Hosseini",
        "Ivanov",
        "Joly",
    ),
    *(
        "Kowalchuk",
        "Lavallée",
        "McKay",
        "Nguyen",
        "Okeke",
        "Poirier",
        "Quigley",
        "Roy",
        "Sinclair",
        "Tremblay",
    ),
)


def make_copies(link: psycopg.Connection[Any], wanted: list[str], *, start: int) -> None:
    """One copy for each named model, numbered from `start`. The superuser's connection, in the filled database.

    Foreign keys are not looked up row by row: each key is made from one that was.
    """
    with link.transaction():
        link.execute("SET LOCAL session_replication_role = replica")
        link.execute("SET LOCAL synchronous_commit = off")
        link.execute("SET LOCAL work_mem = '256MB'")
        link.execute(FUNCTIONS)
        link.execute(
            "CREATE TEMP TABLE made (n bigint, key text, model uuid, email text, name text, sort_name text)"
            " ON COMMIT DROP"
        )
        chance = random.Random(start)
        with link.cursor().copy("COPY made FROM STDIN") as rows:
            for place, name in enumerate(wanted):
                number = start + place
                person = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}-{number}"
                rows.write_row(
                    (
                        place,
                        secrets.token_hex(8),
                        bench_key(name),
                        address_of(name, number),
                        person,
                        make_sort_key(person),
                    )
                )
        link.execute("ALTER TABLE made ADD model_user uuid, ADD model_subject uuid")
        link.execute(
            "UPDATE made m SET model_subject = s.id, model_user = s.user_id"
            " FROM lms_enrolment e JOIN accounts_subject s ON s.id = e.subject_id WHERE e.id = m.model"
        )
        for table, where, own in COPIES:
            _copy_table(link, table, where, own)
        made = link.execute(
            "SELECT count(*) FROM lms_enrolment e JOIN made m ON e.id = pg_temp.own(m.key, m.model)"
        ).fetchone()
        if made != (len(wanted),):
            raise RuntimeError(f"{len(wanted)} copies were to be made, and {made} stand.")
        link.execute("DROP FUNCTION pg_temp.own_parts, pg_temp.own_text, pg_temp.own_attempt, pg_temp.own")


def _copy_table(link: psycopg.Connection[Any], table: str, where: str, own: dict[str, str]) -> None:
    names = [
        name
        for (name,) in link.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
            " ORDER BY ordinal_position",
            [table],
        )
    ]
    own = dict(own)
    if own.get("id") == "#":
        own["id"] = _number_rows(link, table, where)
    chosen = ", ".join(own.get(name, f't."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    link.execute(f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM made m JOIN {table} t ON {where}")
    if "#" in dict(COPIES_BY_TABLE[table]).values():
        link.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


COPIES_BY_TABLE: Final = {table: own for table, _where, own in COPIES}


def _number_rows(link: psycopg.Connection[Any], table: str, where: str) -> str:
    """The new number of a numbered row: a block of numbers a copy, in the order of the model's."""
    short = table.split("_")[1]
    link.execute(
        f"CREATE TEMP TABLE block_{short} ON COMMIT DROP AS"
        " SELECT m.model, min(t.id) AS low, max(t.id) - min(t.id) + 1 AS size"
        " FROM (SELECT DISTINCT model, model_user, model_subject FROM made) m"
        f" JOIN {table} t ON {where} GROUP BY m.model"
    )
    link.execute(f"ALTER TABLE made ADD {short}_low bigint, ADD {short}_first bigint")
    link.execute(
        f"UPDATE made m SET {short}_low = b.low, {short}_first = (SELECT max(id) FROM {table}) + 1"
        f" + m.n * (SELECT max(size) FROM block_{short}) FROM block_{short} b WHERE b.model = m.model"
    )
    return f"t.id - m.{short}_low + m.{short}_first"


def choose_models(count: int) -> list[str]:
    """Which model each of so many copies is like, in the shares of the cohort."""
    twenty = [model.name for model in MODELS for _ in range(model.share)]
    random.Random(20).shuffle(twenty)
    return [twenty[number % len(twenty)] for number in range(count)]


def finish_copies(numbers: range) -> None:
    """Certificates for copies of who passed everything, by the service that issues them; shown to whoever checks."""
    from certificates.services import issue_certificate, show_publicly

    addresses = [address_of("finished-en", number) for number in numbers]
    for enrolment in Enrolment.objects.filter(subject__user__email__in=addresses).select_related("subject"):
        show_publicly(certificate=issue_certificate(enrolment=enrolment), language="en")
