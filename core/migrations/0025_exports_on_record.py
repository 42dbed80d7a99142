from django.db import migrations, models
from django.db.models import Q

import core.constraints

KIND = "bookings.exported"
KINDS = [
    "booking.created",
    "booking.changed",
    "booking.confirmed",
    "booking.rejected",
    "booking.cancelled",
    "booking.expired",
    "booking.removed",
]
# The trigger refuses the deletion of young rows.
APPEND_ONLY = "core_bookingevent_append_only"


def delete_exports(apps, schema_editor):
    rows = apps.get_model("core", "BookingEvent")._base_manager.using(schema_editor.connection.alias)
    rows.filter(kind=KIND).delete()


class Migration(migrations.Migration):
    """An export is an act on no single booking. On the way back its row goes first: the older table needs a booking."""

    dependencies = [
        ("core", "0024_versions_of_terms"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="bookingevent", name=APPEND_ONLY),
        migrations.AlterField(
            model_name="bookingevent",
            name="booking_id",
            field=models.BigIntegerField(null=True, verbose_name="booking"),
        ),
        migrations.AlterField(
            model_name="bookingevent",
            name="resource_id",
            field=models.BigIntegerField(null=True, verbose_name="resource"),
        ),
        migrations.AlterField(
            model_name="bookingevent",
            name="kind",
            field=models.CharField(max_length=40, choices=[(kind, kind) for kind in [*KINDS, KIND]]),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_exports),
        migrations.AddConstraint(
            model_name="bookingevent",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=[KIND], booking_id=None, resource_id=None)
                | Q(~Q(kind__in=[KIND]), booking_id__isnull=False, resource_id__isnull=False),
                name="core_bookingevent_of_a_booking",
            ),
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
