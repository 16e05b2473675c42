"""Rows that the database itself keeps from being changed."""

from django.db import migrations

from core.ledger import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("modules", "0001_initial")]

    operations = [
        AppendOnly("modules_courseedition"),
        AppendOnly("modules_editionassessment"),
        AppendOnly("modules_stepcontent"),
    ]
