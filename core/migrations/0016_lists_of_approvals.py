from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0015_pending_bookings_by_start"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("booking_created", "new bookings"),
                    ("booking_changed", "changed bookings"),
                    ("booking_confirmed", "confirmed bookings"),
                    ("booking_rejected", "rejected bookings"),
                    ("booking_cancelled", "cancelled bookings"),
                    ("booking_reminder", "bookings that begin soon"),
                    ("password_reset", "password resets"),
                    ("password_changed", "changed passwords"),
                    ("slots_freed", "slots of deleted accounts"),
                    ("email_entered", "addresses to confirm"),
                    ("email_changed", "changed addresses"),
                    ("approvals_wanted", "bookings that wait for approval"),
                    ("bookings_in_one", "many bookings in one mail"),
                ],
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="starts_at",
            field=models.DateTimeField(
                help_text="The start of a reminder, or where a list for staff begins.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "approvals_wanted")),
                fields=("to", "starts_at"),
                name="core_notification_one_list",
            ),
        ),
    ]
