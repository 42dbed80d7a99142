from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0014_reasons_and_staff_notes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "pending"), ("updated_at__lt", models.F("start_time"))),
                fields=["start_time", "id"],
                name="core_booking_expiring",
            ),
        ),
    ]
