from django.db import migrations, models

import core.constraints.terms

TABLES = ("openingexception", "openinghours", "quota", "resourcepolicy")


class Migration(migrations.Migration):
    dependencies = [("core", "0023_queues_of_messages")]

    operations = [
        migrations.CreateModel(
            name="House",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("terms_version", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="core_house_single")],
            },
        ),
        migrations.AddField(
            model_name="resource",
            name="terms_version",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        # Last, because the triggers write to both tables.
        *(
            migrations.AddConstraint(
                model_name=table, constraint=core.constraints.terms.VersionsTerms(name=f"core_{table}_version")
            )
            for table in TABLES
        ),
    ]
