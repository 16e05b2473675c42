"""The tests' own database: whatever a test leaves behind is gone for the next one, with and without a new copy."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection

from accounts.models import AuditEntry
from accounts.services import record_audit
from tests import database

pytestmark = pytest.mark.django_db(transaction=True)


def run(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def make_anew() -> None:
    database.use_copy(database.build_template())


def oid() -> object:
    """Another one after each copy of the whole database."""
    return run("SELECT oid FROM pg_database WHERE datname = current_database()")


needs_superuser = pytest.mark.skipif(
    settings.EMBEDDED_POSTGRES is None, reason="Rows are put back on the embedded server only."
)


@needs_superuser
def test_rows_are_put_back_where_they_differ() -> None:
    make_anew()
    before, place = sorted(Group.objects.values_list("pk", "name")), oid()
    locales = run("SELECT id, language_code FROM wagtailcore_locale ORDER BY id")
    run("UPDATE wagtailcore_locale SET language_code = 'xx'")
    Group.objects.all().delete()
    # A ledger, whose rows nobody may delete.
    record_audit(actor=None, action="role.granted", subject=None, target=Group.objects.create(name="More"))
    following = run("SELECT last_value, is_called FROM auth_group_id_seq")
    make_anew()
    assert oid() == place
    assert sorted(Group.objects.values_list("pk", "name")) == before
    assert run("SELECT id, language_code FROM wagtailcore_locale ORDER BY id") == locales
    assert not AuditEntry.objects.exists()
    assert run("SELECT last_value, is_called FROM auth_group_id_seq") != following


@needs_superuser
@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE left_behind (id int)",
        "ALTER TABLE auth_group ADD COLUMN left_behind int",
        "ALTER TABLE accounts_auditentry DISABLE TRIGGER USER",
        "ALTER TABLE auth_group DROP CONSTRAINT auth_group_name_key",
        "GRANT DELETE ON accounts_auditentry TO PUBLIC",
    ],
)
def test_other_tables_triggers_or_rights_make_a_new_copy(change: str) -> None:
    make_anew()
    place = oid()
    run(change)
    make_anew()
    assert oid() != place


@needs_superuser
def test_what_is_made_anew_the_same_way_needs_no_new_copy() -> None:
    """As restoring a backup makes every constraint anew."""
    make_anew()
    place = oid()
    ((definition,),) = run(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'auth_group_name_key'"
    )
    run("ALTER TABLE auth_group DROP CONSTRAINT auth_group_name_key")
    run(f"ALTER TABLE auth_group ADD CONSTRAINT auth_group_name_key {definition}")
    Group.objects.create(name="More")
    make_anew()
    assert oid() == place
    assert not Group.objects.filter(name="More").exists()
    make_anew()
    assert oid() == place


def test_each_template_has_a_copy_of_its_own(seeded_template: str) -> None:
    make_anew()
    Group.objects.create(name="More")
    database.use_copy(seeded_template)
    assert AuditEntry.objects.exists()
    assert not Group.objects.filter(name="More").exists()
    Group.objects.create(name="Others")
    make_anew()
    assert not Group.objects.filter(name__in=["More", "Others"]).exists()
