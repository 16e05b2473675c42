"""Every ledger there is, found from the models, the migrations and the database, against every way to alter a row.

By the owner of the tables the row triggers refuse; the application's role has no right to try. A ledger that is added
without a line in `ROWS` fails, so that none is left out.
"""

from __future__ import annotations

import pkgutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, models, transaction

from accounts.models import AuditEntry, Erasure, Organization, Role
from accounts.services import subject_of
from assessments.services import Judgement
from certificates.services import attest_certificate
from config.postgres import APP_ROLE, OWNER_ROLE
from core.ledger import FUNCTION, AppendOnly, Frozen, find_frozen, find_ledgers
from core.models import LedgerError, LedgerModel
from lms.services import mark_submission
from standards.models import Association, FrameworkEdition
from tests.factories.accounts import make_role, make_user
from tests.factories.certificates import make_certificate
from tests.factories.certificates import make_offering as make_certified_offering
from tests.factories.lms import make_course, make_offering
from tests.lms.desk import Desk

# --- The list -----------------------------------------------------------------------------------------------------


def read_migrations() -> dict[str, list[str] | None]:
    """The tables that migrations made ledgers: None for one that is only added to, else its columns that may change."""
    found: dict[str, list[str] | None] = {}
    for floor in settings.FLOORS:
        package = import_module(f"{floor}.migrations")
        for module in pkgutil.iter_modules(package.__path__):
            migration = import_module(f"{floor}.migrations.{module.name}").Migration
            for operation in migration.operations:
                if isinstance(operation, Frozen):
                    found[operation.table] = operation.changing
                elif isinstance(operation, AppendOnly):
                    found[operation.table] = None
    return found


LEDGERS: Final = read_migrations()
MODELS: Final = {
    model._meta.db_table: model for model in apps.get_models() if model._meta.db_table in LEDGERS
}


def add_association() -> None:
    edition = FrameworkEdition.objects.filter(competencies__isnull=False).first()
    assert edition is not None
    first, second = (row.competency for row in edition.competencies.order_by("code")[:2])
    Association.objects.create(edition=edition, type="precedes", origin=first, destination=second)


class Maker:
    """One row in each ledger, as the services write it: a course that is taken, marked, certified, countersigned."""

    def __init__(self) -> None:
        self.learner = make_user()
        self.instructor = make_user()
        self.college = Organization.objects.create(
            slug="ledgers", name_en="College", name_fr="Collège", kind=Organization.Kind.INSTITUTION
        )
        make_role(user=self.instructor, what=Role.What.INSTRUCTOR, organization=self.college)

    def learn(self) -> None:
        course = make_course()
        offering = make_offering(edition=course.edition, organization=self.college)
        desk = Desk(course=course, offering=offering)
        work = desk.hand_in(desk.enrol(self.learner))
        mark_submission(
            attempt=work,
            actor=subject_of(self.instructor),
            judgement=Judgement(decision="returned", levels={}, comment="Say where."),
            client_id=uuid.uuid4(),
        )

    def certify(self) -> None:
        certificate = make_certificate(
            user=self.learner, offering=make_certified_offering(partner=self.college)
        )
        attest_certificate(
            certificate=certificate,
            organization=self.college,
            officer=subject_of(self.instructor),
            client_id=uuid.uuid4(),
        )

    def note(self) -> None:
        AuditEntry.objects.create(action="test.noted")
        Erasure.objects.create(subject_key=uuid.uuid4())


LEARN, CERTIFY, NOTE = Maker.learn, Maker.certify, Maker.note
# What makes a row of each.
ROWS: Final[dict[str, Callable[[Maker], None]]] = {
    "accounts_auditentry": NOTE,
    "accounts_erasure": NOTE,
    "assessments_assessmentedition": LEARN,
    "assessments_attempt": LEARN,
    "assessments_mark": LEARN,
    "assessments_response": LEARN,
    "certificates_attestation": CERTIFY,
    "certificates_certificate": CERTIFY,
    "certificates_statusentry": CERTIFY,
    "lms_enrolmentevent": LEARN,
    "lms_evidence": LEARN,
    "lms_learningevent": LEARN,
    "modules_courseedition": LEARN,
    "modules_editionassessment": LEARN,
    "modules_stepcontent": LEARN,
    "standards_association": lambda _maker: add_association(),
    "standards_editioncompetency": LEARN,
    "standards_editiondomain": LEARN,
    "standards_frameworkedition": LEARN,
}


@pytest.fixture(scope="module", autouse=True)
def _filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A row in each, made once; all of it is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        maker = Maker()
        for make in dict.fromkeys(ROWS.values()):
            make(maker)
        yield
        transaction.set_rollback(True)


def test_the_list_is_whole() -> None:
    """The same tables in the migrations, in the database, among the models, and in the list above."""
    append_only = {table for table, changing in LEDGERS.items() if changing is None}
    assert set(find_ledgers(connection)) == append_only
    assert find_frozen(connection) == {table: them for table, them in LEDGERS.items() if them is not None}
    assert {m._meta.db_table for m in apps.get_models() if issubclass(m, LedgerModel)} <= append_only
    assert set(MODELS) == set(LEDGERS)
    assert set(ROWS) == set(LEDGERS), "A ledger without a row: say here how one is made."


def test_every_trigger_is_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = %s",
            [FUNCTION],
        )
        found = cursor.fetchall()
    assert {table for table, _state in found} == set(LEDGERS)
    assert {state for _table, state in found} == {"O"}


# --- Attempts -----------------------------------------------------------------------------------------------------


@contextmanager
def refused(*, by: str) -> Iterator[None]:
    """Neither the statement nor anything of it happens, and the refusal says why."""
    with pytest.raises((DatabaseError, LedgerError), match=by), transaction.atomic():
        yield


def run(statement: str, *given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, given or None)
        return cursor.rowcount


def other_value(field: models.Field[Any, Any], *, of: str = "") -> str:
    """An expression of SQL for another value of the column than the one that is there."""
    name = f'{of}"{field.column}"'
    kind = str(field.db_type(connection)).split("(", maxsplit=1)[0]
    return {
        "uuid": "gen_random_uuid()",
        "jsonb": "'{\"forged\": true}'::jsonb",
        "boolean": f"NOT coalesce({name}, false)",
        "timestamp with time zone": f"coalesce({name}, now()) + interval '1 day'",
        "date": f"coalesce({name}, current_date) + 1",
        "text": f"coalesce({name}, '') || 'x'",
        # Within the length of any of our columns.
        "varchar": f"CASE WHEN {name} = 'y' THEN 'z' ELSE 'y' END",
    }.get(kind, f"coalesce({name}, 0) + 1")


BY_TRIGGER: Final = "is only ever added to"
BY_RIGHTS: Final = "permission denied|must be owner"
TABLES: Final = pytest.mark.parametrize("table", sorted(LEDGERS))


def names_of(table: str, *, frozen: bool) -> list[models.Field[Any, Any]]:
    changing = LEDGERS[table] or []
    return [one for one in MODELS[table]._meta.concrete_fields if (one.column not in changing) == frozen]


@TABLES
def test_its_owner_changes_no_column_and_deletes_no_row(table: str) -> None:
    for field in names_of(table, frozen=True):
        with refused(by=BY_TRIGGER):
            run(f'UPDATE {table} SET "{field.column}" = {other_value(field)}')
    with refused(by=BY_TRIGGER):
        run(f"DELETE FROM {table}")
    key = MODELS[table]._meta.pk.column
    with refused(by=BY_TRIGGER):
        run(f"MERGE INTO {table} t USING {table} s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE")
    with refused(by=BY_TRIGGER):
        run(f"WITH gone AS (DELETE FROM {table} RETURNING *) SELECT count(*) FROM gone")


@TABLES
def test_nor_by_way_of_an_insert(table: str) -> None:
    field = names_of(table, frozen=True)[-1]
    key = MODELS[table]._meta.pk.column
    with refused(by=BY_TRIGGER):
        run(
            f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({key}) DO UPDATE "
            f'SET "{field.column}" = {other_value(field, of=f"{table}.")}'
        )


@TABLES
def test_what_may_change_of_a_frozen_row_changes(table: str) -> None:
    """So that the refusals above are about what they say."""
    for field in names_of(table, frozen=False):
        # Which values are good is another question, that constraints answer.
        value = "NULL" if field.null else "'[]'" if field.column == "flagged" else f'"{field.column}"'
        with transaction.atomic():
            assert run(f'UPDATE {table} SET "{field.column}" = {value}') > 0
            transaction.set_rollback(True)


@TABLES
def test_no_way_of_the_orm_changes_it(table: str) -> None:
    model = MODELS[table]
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    field = next(one for one in reversed(names_of(table, frozen=True)) if not one.is_relation)
    fresh = {
        "JSONField": {"forged": True},
        "UUIDField": uuid.uuid4(),
        "BooleanField": not getattr(row, field.attname),
    }
    value = fresh.get(type(field).__name__, getattr(row, field.attname))
    ours = f"{BY_TRIGGER}|is a ledger"
    rows = model._default_manager.filter(pk=row.pk)
    if LEDGERS[table] is None:
        # Even with the value that it has: a trigger of a row asks for no difference.
        setattr(row, field.attname, value)
        for change in (
            row.save,
            lambda: row.save(force_update=True),
            lambda: models.Model.save(row),
            lambda: rows.update(**{field.attname: value}),
            lambda: models.QuerySet(model).filter(pk=row.pk).update(**{field.attname: value}),
            lambda: model._default_manager.bulk_update([row], [field.name]),
            lambda: models.QuerySet(model).bulk_update([row], [field.name]),
        ):
            with refused(by=ours):
                change()
    for erase in (
        lambda: models.QuerySet(model).filter(pk=row.pk)._raw_delete("default"),
        lambda: models.Model.delete(row),
        row.delete,
        rows.delete,
    ):
        # What others point to is refused for that reason already.
        with refused(by=f"{ours}|referenced through protected|violates foreign key"):
            erase()
    assert rows.exists()


# --- The application ----------------------------------------------------------------------------------------------


@contextmanager
def as_application() -> Iterator[None]:
    """Statements within run with the rights of the application's role."""
    if settings.DATABASE_APP_ROLE is None:
        pytest.skip("This server was given without a role of its own for the application.")
    with transaction.atomic():
        run(f"SET LOCAL ROLE {connection.ops.quote_name(settings.DATABASE_APP_ROLE)}")
        yield
        transaction.set_rollback(True)


@TABLES
def test_the_application_has_no_right_to_alter_it(table: str) -> None:
    with as_application():
        for field in names_of(table, frozen=True):
            with refused(by=BY_RIGHTS):
                run(f'UPDATE {table} SET "{field.column}" = "{field.column}" WHERE false')
        for statement in (
            f"DELETE FROM {table} WHERE false",
            f"TRUNCATE {table} CASCADE",
            f"ALTER TABLE {table} DISABLE TRIGGER USER",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"DROP TRIGGER {'core_append_only' if LEDGERS[table] is None else 'core_frozen'} ON {table}",
            f"ALTER TABLE {table} RENAME TO another",
            f"DROP TABLE {table} CASCADE",
            f"CREATE RULE silent AS ON DELETE TO {table} DO INSTEAD NOTHING",
        ):
            with refused(by=BY_RIGHTS):
                run(statement)
        # PostgreSQL only warns of a right that one cannot give.
        run(f"GRANT UPDATE, DELETE ON {table} TO PUBLIC")
        with refused(by=BY_RIGHTS):
            run(f"DELETE FROM {table}")
        assert run(f"SELECT * FROM {table}") > 0


@TABLES
def test_the_application_may_change_of_a_frozen_row_what_may_change(table: str) -> None:
    with as_application():
        for field in names_of(table, frozen=False):
            run(f'UPDATE {table} SET "{field.column}" = "{field.column}"')
        if LEDGERS[table] is not None:
            assert run(f"SELECT 1 FROM {table} FOR UPDATE") > 0, "It is locked while it changes."


def test_the_application_takes_no_other_part() -> None:
    """On a line of its own, as the site has it: no way to another role, nor round the triggers."""
    if settings.EMBEDDED_POSTGRES is None:
        pytest.skip("Another server's roles are its operator's.")
    told = settings.EMBEDDED_POSTGRES.describe_connection(
        role=APP_ROLE, database=connection.settings_dict["NAME"]
    )
    with psycopg.connect(
        host=str(told["HOST"]), user=APP_ROLE, dbname=str(told["NAME"]), autocommit=True
    ) as link:
        for statement in (
            f"SET ROLE {OWNER_ROLE}",
            "SET session_replication_role = replica",
            f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE sql AS $$ SELECT 1 $$",
            f"DROP FUNCTION {FUNCTION}() CASCADE",
            f"ALTER FUNCTION {FUNCTION}() RENAME TO another",
            "CREATE SCHEMA mine",
            f"GRANT {OWNER_ROLE} TO {APP_ROLE}",
            f"ALTER ROLE {APP_ROLE} SUPERUSER",
        ):
            with pytest.raises(psycopg.Error, match=r"permission denied|must be owner"):
                link.execute(statement)
