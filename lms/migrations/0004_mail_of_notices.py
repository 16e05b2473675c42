"""What became of the e-mail of each notice."""

from typing import Any

from django.db import migrations, models


def say_what_was_sent(apps: Any, schema_editor: Any) -> None:
    apps.get_model("lms", "Notice").objects.filter(emailed_at__isnull=False).update(mail="sent")


class Migration(migrations.Migration):
    dependencies = [("lms", "0003_roster")]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="mail",
            field=models.CharField(
                choices=[
                    ("waiting", "Waits to be sent"),
                    ("sending", "Being sent"),
                    ("sent", "Sent"),
                    ("unwanted", "Not wanted by e-mail"),
                    ("unknown", "Not known whether it was sent"),
                    ("given_up", "Could not be sent"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("mail__in", ["unknown", "given_up"])),
                fields=["-created_at"],
                name="lms_notices_not_mailed",
            ),
        ),
        migrations.RunPython(say_what_was_sent, migrations.RunPython.noop),
    ]
