"""The tables of the rules that staff set: policies, opening hours, exceptions, quotas and closures.

The nucleus reads them in the statement that reads the resource; see `core.terms`.
"""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core import constraints
from core.choices import QuotaKind, QuotaPeriod

LONGEST_NAME = 200
# A buffer reaches at most a day, so that few neighbours have to be read.
LONGEST_BUFFER = 1440
# Five years, the longest time that a booking can be ahead.
LONGEST_MINUTES = 1826 * 1440


def minutes(text: str, *, least: int = 0, most: int = LONGEST_MINUTES) -> models.PositiveIntegerField:
    """A nullable number of minutes; null is "no such rule"."""
    return models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(least), MaxValueValidator(most)], help_text=text
    )


class ResourcePolicy(models.Model):
    """The limits of a resource; null is "no such rule"."""

    resource = models.OneToOneField("core.Resource", on_delete=models.CASCADE, related_name="policy", primary_key=True)
    min_minutes = minutes("The shortest booking, in minutes.", least=1)
    max_minutes = minutes("The longest booking, in minutes.", least=1)
    grid_minutes = minutes(
        "Bookings start and end every so many minutes, counted from the opening of the day.", least=1, most=1440
    )
    notice_minutes = minutes("How far ahead a booking must start, in minutes; empty: the lead time of the house.")
    change_notice_minutes = minutes("Until how many minutes before its start an owner may move a booking.")
    cancel_notice_minutes = minutes("Until how many minutes before its start an owner may cancel a booking.")
    advance_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1826)],
        help_text="How many days of 24 hours ahead a booking may end.",
    )
    buffer_before_minutes = minutes("The gap before each booking, in minutes, up to a day.", most=LONGEST_BUFFER)
    buffer_after_minutes = minutes("The gap after each booking, in minutes, up to a day.", most=LONGEST_BUFFER)
    may_span_closed = models.BooleanField(
        null=True, blank=True, help_text="Only the start and the end must be in open time, as for a loan."
    )
    no_own_overlap = models.BooleanField(
        null=True, blank=True, help_text="Nobody books it while they have another booking of whatever resource."
    )

    class Meta:
        verbose_name_plural = "policies"
        constraints: ClassVar = [constraints.VersionsTerms(name="core_resourcepolicy_version")]

    def __str__(self) -> str:
        return f"Policy of {self.resource}"


class OpeningHours(models.Model):
    """A period of a weekday in which a resource is open, by the local clock of the resource."""

    resource = models.ForeignKey("core.Resource", on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(7)])
    opens = models.TimeField()
    closes = models.TimeField(help_text="At or before the opening: on the next day.")

    class Meta:
        ordering: ClassVar = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="core_openinghours_weekday"),
            models.UniqueConstraint(fields=["resource", "weekday", "opens"], name="core_openinghours_once"),
            constraints.VersionsTerms(name="core_openinghours_version"),
        ]

    def __str__(self) -> str:
        return f"{self.resource}, day {self.weekday}, {self.opens:%H:%M}–{self.closes:%H:%M}"


class OpeningException(models.Model):
    """Days on which a resource, or every resource, is closed or has other hours.

    Attributes:
        resource: The resource; null for all.
        hours: A list of pairs of `HH:MM`, the opening and the closing; empty: closed.
    """

    resource = models.ForeignKey(
        "core.Resource", on_delete=models.CASCADE, related_name="opening_exceptions", null=True, blank=True
    )
    first_day = models.DateField()
    last_day = models.DateField()
    name = models.CharField(
        max_length=LONGEST_NAME, blank=True, default="", db_default="", help_text="Everybody reads it."
    )
    hours = models.JSONField(default=list, blank=True)

    class Meta:
        ordering: ClassVar = ["first_day", "id"]
        indexes: ClassVar = [models.Index(fields=["resource", "last_day"], name="core_exception_by_day")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="core_openingexception_order",
                violation_error_message="The last day must not be before the first.",
            ),
            constraints.VersionsTerms(name="core_openingexception_version"),
        ]

    def __str__(self) -> str:
        days = f"{self.first_day}" if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        return f"{self.name or ('other hours' if self.hours else 'closed')}, {days}"


class Quota(models.Model):
    """How much one person may book.

    Attributes:
        group: The group of users whom it limits; null for everybody.
        resource: The resource whose bookings count; null for all.
        period: Null for the kind `active`.
    """

    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    resource = models.ForeignKey(
        "core.Resource", on_delete=models.CASCADE, related_name="quotas", null=True, blank=True
    )
    kind = models.CharField(max_length=10, choices=QuotaKind.choices)
    period = models.CharField(max_length=10, choices=QuotaPeriod.choices, null=True, blank=True)  # noqa: DJ001
    limit = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind=QuotaKind.ACTIVE, period=None)
                | (~Q(kind=QuotaKind.ACTIVE) & Q(period__isnull=False, period__in=QuotaPeriod.values)),
                name="core_quota_period",
                violation_error_message="A quota of active bookings has no period; every other one has a period.",
            ),
            models.CheckConstraint(condition=Q(kind__in=QuotaKind.values), name="core_quota_kind"),
            constraints.VersionsTerms(name="core_quota_version"),
        ]

    def __str__(self) -> str:
        unit = "minutes" if self.kind == QuotaKind.MINUTES else "bookings"
        return f"{self.limit} {unit} " + (f"a {self.period}" if self.period else "at a time")


class Closure(models.Model):
    """A time in which resources are closed, such as for maintenance; its rows of bookings take the time.

    Attributes:
        reason: Everybody reads it.
        staff_note: Only staff read it.
        created_by: Who made it; null once the account is deleted.
    """

    resources = models.ManyToManyField("core.Resource", related_name="closures")
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    reason = models.CharField(max_length=LONGEST_NAME, help_text="Everybody reads it.")
    staff_note = models.TextField(
        max_length=5_000, blank=True, default="", db_default="", help_text="Only staff read it."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["start_time", "id"]
        indexes: ClassVar = [models.Index(fields=["end_time"], name="core_closure_by_end")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(end_time__gt=F("start_time")),
                name="core_closure_end_after_start",
                violation_error_message="The end must be after the start.",
            )
        ]

    def __str__(self) -> str:
        return self.reason
