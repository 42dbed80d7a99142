"""The tables of the nucleus: profiles, resources and bookings."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.base import ModelState
from django.db.models.functions import Now
from django.utils import timezone

from core import constraints
from core.choices import BookingStatus, Kind
from core.functions import RandomUUID
from core.intervals import Interval, name_of
from core.querysets import BookingQuerySet, ResourceQuerySet
from core.zones import require_zone


class UserProfile(models.Model):
    """A user's picture."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    profile_picture = models.URLField(  # noqa: DJ001 - null is "none" here
        max_length=500, null=True, blank=True, validators=[URLValidator(schemes=["http", "https"])]
    )
    cloudinary_public_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - null is "none" here
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        ordering: ClassVar = ["user_id"]

    def __str__(self) -> str:
        return f"Profile of {self.user.get_username()}"


class Resource(models.Model):
    """Something that people book: a room, a desk, a device, a vehicle."""

    name = models.CharField(max_length=255)
    description = models.TextField(max_length=10_000, blank=True, default="", db_default="")
    capacity = models.PositiveIntegerField(
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(constraints.LARGEST_CAPACITY)],
        help_text="How many people or items it holds, at least 1.",
    )
    is_available = models.BooleanField(default=True, db_default=True, help_text="Untick to take it out of service.")
    requires_approval = models.BooleanField(
        default=True, db_default=True, help_text="New bookings wait until staff confirm them."
    )
    reason_required = models.BooleanField(
        default=False, db_default=False, help_text="Staff give a reason when they reject a booking."
    )
    time_zone = models.CharField(  # noqa: DJ001 - null is "the house's" here
        max_length=64,
        null=True,
        blank=True,
        validators=[require_zone],
        help_text="An IANA name: the zone of its opening hours, grid, days and quotas. Empty: the house's.",
    )
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    # Written with the policy, so that a resource without any rule of its own, and without coming bookings that have
    # buffers, costs no further look.
    has_terms = models.BooleanField(default=False, db_default=False, editable=False)
    # Another random number after each write of rules that hold for it; the database itself sets it.
    terms_version = models.BigIntegerField(default=0, db_default=0, editable=False)
    # The largest buffer of the policy and of coming bookings, in minutes: bookings keep their buffers.
    buffer_reach_minutes = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    # What `with_house`, `with_next_free` and `with_first_gap` annotate, and what `core.terms` attaches.
    house_has_terms: bool
    next_free: datetime | None
    first_gap: datetime | None
    terms: Any

    objects = ResourceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "id"]
        indexes: ClassVar = [
            models.Index(fields=["name", "id"], name="core_resource_by_name"),
            models.Index(fields=["capacity", "name", "id"], name="core_resource_by_capacity"),
            models.Index(fields=["name", "id"], condition=Q(is_available=False), name="core_resource_out_of_service"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(capacity__gte=1),
                name=constraints.CAPACITY_AT_LEAST_ONE,
                violation_error_message="The capacity must be at least 1.",
            ),
            constraints.AwaitsTerms(name="core_resource_awaits_terms"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_db(  # type: ignore[override]  # `fetch_mode` comes with Django 6
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> "Resource":
        """A row without the work of `__init__`, which takes most of the time of long lists; sends no `post_init`."""
        row = cls.__new__(cls)
        row.__dict__.update(zip(field_names, values, strict=True))
        row._state = ModelState()
        row._state.adding, row._state.db = False, db
        return row


RowManager = models.Manager.from_queryset(BookingQuerySet)


class BookingManager(RowManager["Booking"]):
    """Bookings alone; closures are in no list, feed, count or message of bookings."""

    def get_queryset(self) -> BookingQuerySet:
        return cast(BookingQuerySet, super().get_queryset().filter(kind=Kind.BOOKING))


class Booking(models.Model):
    """A user's claim on a resource for ``[start_time, end_time)``, or the part of a closure on a resource.

    Both are rows of one table, so that one constraint keeps them apart. `objects` has bookings alone. `taken` has
    closures too, for each question whether a resource is free.
    """

    # A closure has no user, so that the deletion of an account opens nothing. Code about bookings meets none.
    user: models.ForeignKey[User, User] = models.ForeignKey(  # type: ignore[misc]  # null for closures alone
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bookings", db_index=False, null=True
    )
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="bookings", db_index=False)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    status = models.CharField(
        max_length=10,
        choices=BookingStatus.choices,
        default=BookingStatus.PENDING,
        db_default=BookingStatus.PENDING,
    )
    notes = models.TextField(max_length=5_000, blank=True, default="", db_default="")
    staff_note = models.TextField(
        max_length=5_000, blank=True, default="", db_default="", help_text="Only staff read it."
    )
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    calendar_uid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    calendar_sequence = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    kind = models.CharField(
        max_length=10, choices=Kind.choices, default=Kind.BOOKING, db_default=Kind.BOOKING, editable=False
    )
    closure = models.ForeignKey(
        "core.Closure", on_delete=models.CASCADE, related_name="rows", null=True, editable=False, db_index=False
    )
    # The series of the date, and the start that its rule gave the date: a date that was moved alone keeps it.
    series = models.ForeignKey(
        "core.Series", on_delete=models.SET_NULL, related_name="bookings", null=True, editable=False, db_index=False
    )
    recurrence_id = models.DateTimeField(null=True, editable=False)
    # The gaps that the policy asked for when the slot was booked; a later change of the policy moves nothing.
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects = BookingManager()
    taken = BookingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["start_time", "id"]
        indexes: ClassVar = [
            models.Index(fields=["start_time", "id"], name="core_booking_by_start"),
            models.Index(fields=["user", "start_time", "id"], name="core_booking_by_user"),
            models.Index(fields=["resource", "start_time", "id"], name="core_booking_by_resource"),
            models.Index(fields=["created_at", "id"], name="core_booking_by_age"),
            models.Index(fields=["user", "created_at", "id"], name="core_booking_by_user_and_age"),
            models.Index(
                fields=["resource", "end_time"],
                condition=Q(status__in=BookingStatus.blocking()),
                name="core_booking_blocking_ends",
            ),
            models.Index(
                fields=["user", "end_time"],
                condition=Q(status__in=BookingStatus.blocking()),
                name="core_booking_blocking_by_user",
            ),
            models.Index(fields=["closure"], condition=Q(closure__isnull=False), name="core_booking_of_closure"),
            # Without the pending bookings that somebody wrote into the past: these stay, and would be read each time.
            models.Index(
                fields=["start_time", "id"],
                condition=Q(status=BookingStatus.PENDING, updated_at__lt=F("start_time")),
                name="core_booking_expiring",
            ),
            # Those that wait for approval; pending bookings that are over stay behind.
            models.Index(fields=["end_time"], condition=Q(status=BookingStatus.PENDING), name="core_booking_waiting"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(end_time__gt=F("start_time")),
                name=constraints.END_AFTER_START,
                violation_error_message="The end must be after the start.",
            ),
            models.CheckConstraint(condition=Q(status__in=BookingStatus.values), name=constraints.STATUS_KNOWN),
            models.CheckConstraint(
                condition=Q(kind=Kind.BOOKING, user__isnull=False, closure=None)
                | Q(kind=Kind.CLOSURE, user=None, closure__isnull=False),
                name=constraints.CLOSURE_HAS_NO_USER,
                violation_error_message="A booking has a user, and a closure has none.",
            ),
            models.UniqueConstraint(
                fields=["series", "recurrence_id"],
                condition=Q(series__isnull=False),
                name=constraints.ONE_OF_EACH_DATE,
            ),
            constraints.TimesCompareAsText(name=constraints.TIMES_COMPARE),
            constraints.NoOverlap(
                name=constraints.NO_OVERLAP,
                violation_error_code="slot_taken",
                violation_error_message="This resource is already booked during the selected time.",
            ),
        ]

    def __str__(self) -> str:
        # UTC, but that the pages of the admin make the zone of their reader the current one.
        # The record and the messages forget the names of deleted accounts.
        whose = "closed" if self.kind == Kind.CLOSURE else self.user.get_username() or "a deleted account"
        return name_of(self.resource.name, self.slot, whose, timezone.get_current_timezone())

    @property
    def slot(self) -> Interval:
        return Interval(self.start_time, self.end_time)

    @property
    def blocks(self) -> bool:
        """True if the booking holds its slot."""
        return BookingStatus(self.status).blocks


# Django finds the features' models only through this module. They refer to Booking and Resource by string, to avoid an
# import cycle.
from core.api.models import IdempotencyKey  # noqa: E402, F401
from core.calendars.models import CalendarFeed  # noqa: E402, F401
from core.notifications.models import Notification, NotificationPreferences  # noqa: E402, F401
from core.policies.models import Closure as Closure  # noqa: E402
from core.policies.models import OpeningException as OpeningException  # noqa: E402
from core.policies.models import OpeningHours as OpeningHours  # noqa: E402
from core.policies.models import Quota as Quota  # noqa: E402
from core.policies.models import ResourcePolicy as ResourcePolicy  # noqa: E402
from core.record.models import BookingEvent  # noqa: E402, F401
from core.series.models import Series as Series  # noqa: E402
from core.series.models import SkippedDate as SkippedDate  # noqa: E402
