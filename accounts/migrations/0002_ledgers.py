"""Rows that the database itself keeps from being changed."""

from django.db import migrations

from core.ledger import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        AppendOnly("accounts_auditentry"),
        AppendOnly("accounts_erasure"),
    ]
