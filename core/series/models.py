"""The tables of series: bookings that repeat. Each date is an ordinary booking, which knows its series."""

from datetime import datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from core.recurrence import Rule, in_words
from core.zones import zone_of

# A naive time as text, to the microsecond.
LOCAL = 26


class Series(models.Model):
    """A rule by which one person books one resource again and again.

    Attributes:
        rrule: The rule, as RFC 5545 writes it.
        local_start: The start of the first date by the rule, a naive time of `time_zone` in ISO 8601.
        local_end: Its end.
        exdates: Starts that the rule has and the series has not, in the form of `local_start`.
        rdates: Starts that the series has besides.
        previous: The series that this one was a part of, until its dates from one on were changed.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="series")
    resource = models.ForeignKey("core.Resource", on_delete=models.PROTECT, related_name="series")
    rrule = models.CharField("rule", max_length=600)
    local_start = models.CharField(max_length=LOCAL)
    local_end = models.CharField(max_length=LOCAL)
    time_zone = models.CharField(max_length=64)
    exdates = models.JSONField(default=list, blank=True)
    rdates = models.JSONField(default=list, blank=True)
    notes = models.TextField(max_length=5_000, blank=True, default="", db_default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    previous = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="later")
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        verbose_name_plural = "series"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"Series {self.pk}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its clock."""
        return zone_of(self.time_zone)

    @property
    def start(self) -> datetime:
        """The start of the first date, naive."""
        return datetime.fromisoformat(self.local_start)

    @property
    def length(self) -> timedelta:
        """The length of a date by the clock."""
        return datetime.fromisoformat(self.local_end) - self.start

    @property
    def rule_text(self) -> str:
        """The rule in words."""
        return rule_in_words(self.rrule, self.local_start)


def rule_in_words(rrule: str, local_start: str) -> str:
    """The stored rule of a series in words, such as ``every second Tuesday until 30 June 2027``."""
    return in_words(Rule.parse(rrule), datetime.fromisoformat(local_start))


class SkippedDate(models.Model):
    """A date that a series would have, but that was not booked.

    Attributes:
        local_start: Its start by the clock of the series, in the form of the series.
        code: Why: the code of the error, or that the clock skips the time.
    """

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="skipped")
    local_start = models.CharField(max_length=LOCAL)
    code = models.CharField(max_length=40)

    class Meta:
        ordering: ClassVar = ["series_id", "local_start"]

    def __str__(self) -> str:
        return f"{self.local_start} of series {self.series_id}"
