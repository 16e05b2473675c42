"""Ledgers hold against the owner's statements, and the application's role has no right to try."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.migrations.state import ProjectState

from core.ledger import AppendOnly, Frozen, find_frozen, find_ledgers, grant_app_role
from core.models import LedgerModel

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger() -> str:
    """A small ledger with one row."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE probe (id serial PRIMARY KEY, code text)")
    operation = AppendOnly("probe")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("core", editor, ProjectState(), ProjectState())
    if settings.DATABASE_APP_ROLE:
        grant_app_role(connection, role=settings.DATABASE_APP_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO probe (code) VALUES ('first')")
    return "probe"


@pytest.mark.parametrize("statement", ["UPDATE probe SET code = 'other'", "DELETE FROM probe"])
def test_a_ledger_refuses_even_its_owner(ledger: str, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="The ledger probe is only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.fixture
def frozen() -> str:
    """A small table of which one column may change, with one row."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE frozen (id serial PRIMARY KEY, code text, status text, seen_at date)")
    with connection.schema_editor(atomic=False) as editor:
        Frozen("frozen", ["status", "seen_at"]).database_forwards(
            "core", editor, ProjectState(), ProjectState()
        )
    if settings.DATABASE_APP_ROLE:
        grant_app_role(connection, role=settings.DATABASE_APP_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO frozen (code, status) VALUES ('first', 'new')")
    return "frozen"


FROZEN = [
    "UPDATE frozen SET code = 'other'",
    "UPDATE frozen SET id = id + 1, status = 'x'",
    "DELETE FROM frozen",
]


@pytest.mark.parametrize("statement", FROZEN)
def test_a_frozen_row_refuses_even_its_owner(frozen: str, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="The ledger frozen is only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("statement", [*FROZEN, "TRUNCATE frozen", "DELETE FROM frozen WHERE false"])
def test_the_application_may_not_touch_what_is_frozen(frozen: str, as_app_role: None, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_application_may_change_of_what_is_frozen_what_may_change(frozen: str, as_app_role: None) -> None:
    assert find_frozen(connection)[frozen] == ["status", "seen_at"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM frozen FOR UPDATE")
        cursor.execute("UPDATE frozen SET status = 'seen', seen_at = now()")
        cursor.execute("SELECT status FROM frozen")
        assert cursor.fetchall() == [("seen",)]


def test_a_ledger_takes_new_rows_and_is_listed(ledger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO probe (code) VALUES ('second')")
        cursor.execute("SELECT count(*) FROM probe")
        assert cursor.fetchone() == (2,)
    assert ledger in find_ledgers(connection)


def test_the_operation_can_be_undone(ledger: str) -> None:
    with connection.schema_editor(atomic=False) as editor:
        AppendOnly(ledger).database_backwards("core", editor, ProjectState(), ProjectState())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM probe")
    assert ledger not in find_ledgers(connection)


def test_every_ledger_model_is_a_ledger_in_the_database() -> None:
    tables = {model._meta.db_table for model in apps.get_models() if issubclass(model, LedgerModel)}
    assert tables, "There are ledgers."
    assert tables <= set(find_ledgers(connection))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE probe SET code = 'other'",
        "DELETE FROM probe",
        "TRUNCATE probe",
        "CREATE TABLE made_by_the_application (id int)",
        "ALTER TABLE probe DISABLE TRIGGER ALL",
        "DELETE FROM django_migrations",
    ],
)
def test_the_application_may_not(ledger: str, as_app_role: None, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_application_may_read_and_add(ledger: str, as_app_role: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO probe (code) VALUES ('second')")
        cursor.execute("SELECT code FROM probe ORDER BY id")
        assert cursor.fetchall() == [("first",), ("second",)]


def test_the_application_may_change_what_is_no_ledger(as_app_role: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_session SET session_data = ''")
        cursor.execute("DELETE FROM django_session")
