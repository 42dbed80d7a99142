"""Calendar feeds: calendars at secret URLs, to subscribe to."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class CalendarFeed(models.Model):
    """A calendar of a user's own bookings or of a resource; the secret is stored as a hash."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feeds")
    resource = models.ForeignKey(
        "core.Resource",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="calendar_feeds",
        help_text="None: the user's own bookings.",
    )
    names = models.BooleanField(default=False, db_default=False, help_text="Tells who booked; for staff only.")
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_on = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"Calendar feed {self.pk}"
