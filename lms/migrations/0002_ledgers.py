"""Rows that the database itself keeps from being changed."""

from django.db import migrations

from core.ledger import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("lms", "0001_initial")]

    operations = [
        AppendOnly("lms_enrolmentevent"),
        AppendOnly("lms_learningevent"),
        AppendOnly("lms_evidence"),
    ]
