from django.db import migrations, models

import core.constraints

TABLES = ("openingexception", "openinghours", "quota", "resourcepolicy")


class Migration(migrations.Migration):
    dependencies = [("core", "0023_queues_of_messages")]

    operations = [
        migrations.AddField(
            model_name="resource",
            name="terms_version",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddConstraint(
            model_name="resource", constraint=core.constraints.AwaitsTerms(name="core_resource_awaits_terms")
        ),
        # Last, because the triggers write to the column.
        *(
            migrations.AddConstraint(
                model_name=table, constraint=core.constraints.VersionsTerms(name=f"core_{table}_version")
            )
            for table in TABLES
        ),
    ]
