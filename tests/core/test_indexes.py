"""What the database keeps in order, and at what price: every index is written with every row."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.db import connection

# A plain index that begins another one of its table is of no use: the longer one answers for it.
BEGINNINGS = """
WITH known AS (
    SELECT indexrelid::regclass::text AS name, indrelid::regclass::text AS of_table, indisunique AS is_unique,
           indkey::text || ' ' AS columns, indclass::text || ' ' AS kinds
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE relnamespace = 'public'::regnamespace AND amname = 'btree' AND indpred IS NULL AND indexprs IS NULL
)
SELECT short.of_table, short.name, long.name
FROM known AS short JOIN known AS long USING (of_table)
WHERE short.name <> long.name AND NOT short.is_unique
    AND starts_with(long.columns, short.columns) AND starts_with(long.kinds, short.kinds)
"""


def test_no_index_is_the_beginning_of_another(db: None) -> None:
    # Of our own models; the tables between two of them are Django's.
    ours = {
        model._meta.db_table
        for config in apps.get_app_configs()
        if config.name in settings.FLOORS
        for model in config.get_models()
    }
    with connection.cursor() as cursor:
        cursor.execute(BEGINNINGS)
        found = cursor.fetchall()
    # It finds those of Django's own tables, so it can find any.
    assert found
    assert [row for row in found if row[0] in ours] == []


def test_what_every_doing_changes_has_room_in_its_pages(db: None) -> None:
    """A changed row stays in its page, and no index learns of it (`lms.0007`)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE 'fillfactor=80' = ANY(reloptions) ORDER BY relname"
        )
        assert [name for (name,) in cursor.fetchall()] == [
            "lms_courseprogress",
            "lms_standing",
            "lms_stepprogress",
        ]
