from django.db import migrations, models

import core.constraints

# The triggers of SQLite name each column of the table.
APPEND_ONLY = "core_bookingevent_append_only"


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0017_opening_hours_and_policies"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="bookingevent", name=APPEND_ONLY),
        migrations.AddField(
            model_name="bookingevent",
            name="waived",
            field=models.CharField(blank=True, db_default="", default="", max_length=150),
        ),
        migrations.AddConstraint(
            model_name="bookingevent",
            constraint=core.constraints.AppendOnly(
                name=APPEND_ONLY,
                set_once=("handed_at",),
                blanked={
                    "owner_id": None,
                    "actor_id": None,
                    "reason": "",
                    "owner_words": "{}",
                    "actor_words": "{}",
                },
                kept_days=30,
            ),
        ),
    ]
