"""Rows that the database itself keeps from being changed."""

from django.db import migrations

from core.ledger import AppendOnly, Frozen


class Migration(migrations.Migration):
    dependencies = [("standards", "0001_initial")]

    operations = [
        AppendOnly("standards_editiondomain"),
        AppendOnly("standards_editioncompetency"),
        AppendOnly("standards_association"),
        Frozen("standards_frameworkedition", ["status", "status_changed_at"]),
    ]
