"""The record: one row for each act on a booking, which is never rewritten."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import constraints
from core.record.kinds import EventKind, ListKind, SeriesKind

# A younger row cannot be deleted: each reader of the record has this time to read it.
KEPT_FOR_AT_LEAST = timedelta(days=30)
LONGEST_REASON = 500
KINDS = (*EventKind.values, *ListKind.values, *SeriesKind.values)


class BookingEvent(models.Model):
    """An act on a booking, written in the transaction of the act; or an act on a series, or on a list of bookings.

    An act on a series has a row of its own, and one for each date that it changed.

    The row outlives the booking, the resource and both people: the ids of the booking and the resource are numbers, and
    the words of a person stand apart from the facts, so that they can be blanked. The row of an export has neither id.

    Attributes:
        series_id: The series of an act on a series, and of each date that the act changed.
        series_act_id: The row of the act on the series that changed this date; null for an act on the booking alone.
        waived: The names of the rules that staff waived, with commas between.
        facts: The booking before and after the act, without the words of people.
        owner_words: The owner's name and address, and what people wrote about the booking before and after the act.
        actor_words: The name of the caller, and the words that a list was searched for.
        for_staff: True if the act changed the note of staff and nothing else; the owner does not see such an act.
        version: The way in which the facts are written.
        handed_at: When the readers of the record got the row; null while they have not.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=40, choices=[(kind, kind) for kind in KINDS])
    booking_id = models.BigIntegerField("booking", null=True)
    resource_id = models.BigIntegerField("resource", null=True)
    series_id = models.BigIntegerField("series", null=True)
    series_act_id = models.BigIntegerField("act on the series", null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    part = models.CharField(max_length=10)
    channel = models.CharField(max_length=10)
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="", db_default="")
    waived = models.CharField(max_length=150, blank=True, default="", db_default="")
    facts = models.JSONField(default=dict)
    owner_words = models.JSONField(default=dict)
    actor_words = models.JSONField(default=dict)
    for_staff = models.BooleanField(default=False, db_default=False)
    version = models.PositiveSmallIntegerField()
    handed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "act"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["booking_id", "id"], name="core_event_by_booking"),
            models.Index(fields=["at"], name="core_event_by_age"),
            models.Index(
                fields=["series_act_id", "id"],
                condition=Q(series_act_id__isnull=False),
                name="core_event_by_series_act",
            ),
            models.Index(fields=["id"], condition=Q(handed_at=None), name="core_event_waiting"),
        ]
        constraints: ClassVar = [
            constraints.AppendOnly(
                name=constraints.RECORD_APPEND_ONLY,
                set_once=("handed_at",),
                blanked={"owner_id": None, "actor_id": None, "reason": "", "owner_words": "{}", "actor_words": "{}"},
                kept_days=KEPT_FOR_AT_LEAST.days,
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ListKind.values, booking_id=None, resource_id=None, series_id=None)
                | Q(kind__in=SeriesKind.values, booking_id=None, resource_id__isnull=False, series_id__isnull=False)
                | Q(kind__in=EventKind.values, booking_id__isnull=False, resource_id__isnull=False),
                name=constraints.RECORD_OF_A_BOOKING,
            ),
        ]

    def __str__(self) -> str:
        whose = "" if self.booking_id is None else f" of booking {self.booking_id}"
        whose = whose if self.series_id is None else f"{whose} of series {self.series_id}"
        return f"Act {self.pk} ({self.kind}{whose})"

    @property
    def waived_rules(self) -> list[str]:
        """The names of the rules that staff waived."""
        return self.waived.split(",") if self.waived else []
