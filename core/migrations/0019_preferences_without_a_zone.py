from django.db import migrations, models

import core.zones


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0018_waived_rules"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notificationpreferences",
            name="time_zone",
            field=models.CharField(
                blank=True,
                help_text="An IANA name, such as Europe/Berlin; none for the time zone of the house.",
                max_length=64,
                null=True,
                validators=[core.zones.require_zone],
            ),
        ),
    ]
