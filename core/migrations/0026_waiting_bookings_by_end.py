from django.db import migrations, models


class Migration(migrations.Migration):
    """Two numbers on the first page of the admin read few rows."""

    dependencies = [
        ("core", "0025_exports_on_record"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["end_time"], name="core_booking_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="resource",
            index=models.Index(
                condition=models.Q(("is_available", False)), fields=["name", "id"], name="core_resource_out_of_service"
            ),
        ),
    ]
