"""By its version a process knows whether it has read an offering's counts already."""

import uuid
from typing import Any

from django.db import migrations, models


def give_each_its_own(apps: Any, schema_editor: Any) -> None:
    summaries = apps.get_model("lms", "RosterSummary").objects
    for key in summaries.values_list("pk", flat=True):
        summaries.filter(pk=key).update(version=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [("lms", "0004_mail_of_notices")]

    operations = [
        migrations.AddField(
            model_name="rostersummary",
            name="version",
            field=models.UUIDField(
                default=uuid.uuid4,
                help_text="Another one for each writing: a process knows by it what it has read already.",
            ),
        ),
        migrations.RunPython(give_each_its_own, migrations.RunPython.noop),
    ]
