"""Rows that the database itself keeps from being changed."""

from django.db import migrations

from core.ledger import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("certificates", "0001_initial")]

    operations = [
        AppendOnly("certificates_certificate"),
        AppendOnly("certificates_statusentry"),
        AppendOnly("certificates_attestation"),
    ]
