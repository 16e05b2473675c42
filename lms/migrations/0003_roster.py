"""What an instructor's page of an offering reads, and the triggers that note whose row is out of date.

The triggers stand on the tables themselves, because the learner's request must not pay for them and nobody may forget
them: a note is one row added, in the transaction of the change. Those who are enrolled already are noted once.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

# Who is enrolled (`lms_enrolment`, as e) and of whom one of these tables says something new.
NOTE = "INSERT INTO lms_rostertouch (id, enrolment_id, offering_id) SELECT gen_random_uuid(), e.id, e.offering_id FROM"

FUNCTIONS = {
    "lms_note_learner": f"{NOTE} lms_enrolment e WHERE e.id = changed.enrolment_id",
    "lms_note_enrolment": "INSERT INTO lms_rostertouch (id, enrolment_id, offering_id) "
    "VALUES (gen_random_uuid(), changed.id, changed.offering_id)",
    "lms_note_attempt": f"{NOTE} lms_enrolment e JOIN assessments_sitting s ON s.context = e.id "
    "WHERE s.id = changed.sitting_id",
    "lms_note_name": f"{NOTE} lms_enrolment e JOIN accounts_subject s ON s.id = e.subject_id "
    "WHERE s.user_id = changed.id",
    "lms_note_subject": f"{NOTE} lms_enrolment e WHERE e.subject_id = changed.id",
    "lms_note_offering": f"{NOTE} lms_enrolment e WHERE e.offering_id = changed.id",
}

CHANGED = "OLD.* IS DISTINCT FROM NEW.*"
# table, what happens, when it is worth a note, function
TRIGGERS = [
    ("lms_enrolment", "INSERT OR DELETE", "", "lms_note_enrolment"),
    ("lms_enrolment", "UPDATE", CHANGED, "lms_note_enrolment"),
    ("lms_courseprogress", "INSERT OR DELETE", "", "lms_note_learner"),
    ("lms_courseprogress", "UPDATE", CHANGED, "lms_note_learner"),
    # Of steps only results are counted.
    ("lms_stepprogress", "INSERT", "NEW.points IS NOT NULL OR NEW.state = 'failed'", "lms_note_learner"),
    ("lms_stepprogress", "DELETE", "OLD.points IS NOT NULL OR OLD.state = 'failed'", "lms_note_learner"),
    (
        "lms_stepprogress",
        "UPDATE",
        (
            f"{CHANGED} AND (NEW.points IS NOT NULL OR OLD.points IS NOT NULL OR NEW.state = 'failed' "
            "OR OLD.state = 'failed')"
        ),
        "lms_note_learner",
    ),
    ("lms_accommodation", "INSERT OR DELETE", "", "lms_note_learner"),
    ("lms_accommodation", "UPDATE", CHANGED, "lms_note_learner"),
    ("assessments_attempt", "INSERT", "NEW.submitted_at IS NOT NULL", "lms_note_attempt"),
    ("assessments_attempt", "DELETE", "OLD.submitted_at IS NOT NULL", "lms_note_attempt"),
    (
        "assessments_attempt",
        "UPDATE",
        (
            "(OLD.submitted_at, OLD.points, OLD.passed, OLD.score) IS DISTINCT FROM "
            "(NEW.submitted_at, NEW.points, NEW.passed, NEW.score)"
        ),
        "lms_note_attempt",
    ),
    ("accounts_user", "UPDATE", "OLD.sort_name IS DISTINCT FROM NEW.sort_name", "lms_note_name"),
    ("accounts_subject", "UPDATE", "OLD.user_id IS DISTINCT FROM NEW.user_id", "lms_note_subject"),
    ("lms_offering", "UPDATE", "OLD.edition_id IS DISTINCT FROM NEW.edition_id", "lms_note_offering"),
]


def name_trigger(table, event):
    return f"lms_note_{table}_{event.split()[0].lower()}"


MAKE_FUNCTIONS = [
    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE changed record; BEGIN "
    f"IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF; {body}; RETURN NULL; END $$"
    for name, body in FUNCTIONS.items()
]
MAKE_TRIGGERS = [
    f"CREATE TRIGGER {name_trigger(table, event)} AFTER {event} ON {table} FOR EACH ROW "
    f"{f'WHEN ({condition})' if condition else ''} EXECUTE FUNCTION {function}()"
    for table, event, condition, function in TRIGGERS
]
DROP = [
    f"DROP TRIGGER {name_trigger(table, event)} ON {table}" for table, event, _when, _function in TRIGGERS
] + [f"DROP FUNCTION {name}()" for name in FUNCTIONS]


class Migration(migrations.Migration):
    dependencies = [
        ("lms", "0002_ledgers"),
    ]

    operations = [
        migrations.CreateModel(
            name="RosterSummary",
            fields=[
                (
                    "offering",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="lms.offering",
                    ),
                ),
                (
                    "counts",
                    models.JSONField(
                        default=dict, help_text="section → key → how many, as `lms.rules.roster` says"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RosterTouch",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("enrolment_id", models.UUIDField()),
                ("offering_id", models.UUIDField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="RosterEntry",
            fields=[
                (
                    "enrolment",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="roster",
                        serialize=False,
                        to="lms.enrolment",
                    ),
                ),
                ("sort_name", models.CharField(db_collation="C", max_length=500)),
                ("active", models.BooleanField()),
                ("complete", models.BooleanField()),
                ("closes_at", models.DateTimeField(null=True)),
                (
                    "last_doing",
                    models.DateTimeField(help_text="The last step, or the enrolment where there is none."),
                ),
                ("place", models.UUIDField(help_text="The step last worked on.", null=True)),
                ("share", models.FloatField(help_text="Required steps complete, of 1.")),
                ("waiting", models.PositiveIntegerField()),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Has attempts left"),
                            (1, "Has none left in a required step"),
                            (2, "Has used what everybody has, and was granted more"),
                        ]
                    ),
                ),
                ("quiz_key", models.UUIDField(help_text="The quiz handed in last.", null=True)),
                ("quiz_at", models.DateTimeField(null=True)),
                (
                    "work_since",
                    models.DateTimeField(help_text="When the oldest work came that waits.", null=True),
                ),
                (
                    "counted",
                    models.JSONField(
                        default=dict,
                        help_text='{"edition", "marks": [[step, points, of, passed]], "answers": {assessment: {item: right}}, "work": {assessment: [handed in, waiting]}}',
                    ),
                ),
                (
                    "offering",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="lms.offering",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["offering", "active", "sort_name", "enrolment"], name="lms_roster_by_name"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("active", True), ("attempts", 0), ("complete", False), ("waiting", 0)
                        ),
                        fields=["offering", "last_doing", "sort_name"],
                        name="lms_roster_by_last_doing",
                    ),
                    models.Index(
                        condition=models.Q(("active", True), ("quiz_at__isnull", False)),
                        fields=["offering", "-quiz_at"],
                        name="lms_roster_last_quiz",
                    ),
                    models.Index(
                        condition=models.Q(("active", True), ("work_since__isnull", False)),
                        fields=["offering", "work_since"],
                        name="lms_roster_oldest_work",
                    ),
                    models.Index(
                        condition=models.Q(("active", True), ("attempts__gt", 0), ("complete", False)),
                        fields=["offering", "attempts", "last_doing"],
                        name="lms_roster_out_of_attempts",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            sql=[*MAKE_FUNCTIONS, *MAKE_TRIGGERS, f"{NOTE} lms_enrolment e"],
            reverse_sql=DROP,
        ),
    ]
