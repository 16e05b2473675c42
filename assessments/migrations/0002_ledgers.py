"""Rows that the database itself keeps from being changed."""

from django.db import migrations

from core.ledger import AppendOnly, Frozen


class Migration(migrations.Migration):
    dependencies = [("assessments", "0001_initial")]

    operations = [
        AppendOnly("assessments_assessmentedition"),
        AppendOnly("assessments_response"),
        AppendOnly("assessments_mark"),
        Frozen(
            "assessments_attempt",
            ["deadline", "submitted_at", "submit_id", "points", "max_points", "passed", "score", "flagged"],
        ),
    ]
