import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

import core.constraints

OF_BOOKINGS = [
    "booking.created",
    "booking.changed",
    "booking.confirmed",
    "booking.rejected",
    "booking.cancelled",
    "booking.expired",
    "booking.removed",
]
OF_LISTS = ["bookings.exported"]
OF_SERIES = ["series.made", "series.changed", "series.cancelled"]
# The triggers refuse the deletion of young rows, and name each column on SQLite.
APPEND_ONLY = "core_bookingevent_append_only"
OF_A_BOOKING = "core_bookingevent_of_a_booking"


def delete_acts_on_series(apps, schema_editor):
    rows = apps.get_model("core", "BookingEvent")._base_manager.using(schema_editor.connection.alias)
    rows.filter(kind__in=OF_SERIES).delete()


class Migration(migrations.Migration):
    """Series of bookings. On the way back the dates stay as bookings, and the acts on series go."""

    dependencies = [
        ("core", "0026_waiting_bookings_by_end"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Series",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rrule", models.CharField(max_length=600, verbose_name="rule")),
                ("local_start", models.CharField(max_length=26)),
                ("local_end", models.CharField(max_length=26)),
                ("time_zone", models.CharField(max_length=64)),
                ("exdates", models.JSONField(blank=True, default=list)),
                ("rdates", models.JSONField(blank=True, default=list)),
                ("notes", models.TextField(blank=True, db_default="", default="", max_length=5000)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_default=Now())),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now())),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "previous",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="later",
                        to="core.series",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="series", to="core.resource"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="series",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name_plural": "series", "ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="SkippedDate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("local_start", models.CharField(max_length=26)),
                ("code", models.CharField(max_length=40)),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="skipped", to="core.series"
                    ),
                ),
            ],
            options={"ordering": ["series_id", "local_start"]},
        ),
        migrations.AddField(
            model_name="booking",
            name="recurrence_id",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="booking",
            name="series",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="bookings",
                to="core.series",
            ),
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.UniqueConstraint(
                condition=Q(series__isnull=False),
                fields=("series", "recurrence_id"),
                name="core_booking_one_of_each_date",
            ),
        ),
        migrations.RemoveConstraint(model_name="bookingevent", name=APPEND_ONLY),
        migrations.RemoveConstraint(model_name="bookingevent", name=OF_A_BOOKING),
        migrations.AddField(
            model_name="bookingevent",
            name="series_act_id",
            field=models.BigIntegerField(null=True, verbose_name="act on the series"),
        ),
        migrations.AddField(
            model_name="bookingevent",
            name="series_id",
            field=models.BigIntegerField(null=True, verbose_name="series"),
        ),
        migrations.AlterField(
            model_name="bookingevent",
            name="kind",
            field=models.CharField(
                max_length=40, choices=[(kind, kind) for kind in [*OF_BOOKINGS, *OF_LISTS, *OF_SERIES]]
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_acts_on_series),
        migrations.AddIndex(
            model_name="bookingevent",
            index=models.Index(
                condition=Q(series_act_id__isnull=False),
                fields=["series_act_id", "id"],
                name="core_event_by_series_act",
            ),
        ),
        migrations.AddConstraint(
            model_name="bookingevent",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=OF_LISTS, booking_id=None, resource_id=None, series_id=None)
                | Q(kind__in=OF_SERIES, booking_id=None, resource_id__isnull=False, series_id__isnull=False)
                | Q(kind__in=OF_BOOKINGS, booking_id__isnull=False, resource_id__isnull=False),
                name=OF_A_BOOKING,
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
