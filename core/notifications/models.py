"""Messages, and the preferences of their recipients."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from core.addresses import canonical
from core.notifications.kinds import Kind
from core.outbox.models import OutboxRow
from core.zones import require_zone

# Longer than the longest reminder: a reminder that is deleted too early could be written twice.
MESSAGES_KEPT_FOR = timedelta(days=30)

DEFAULT_REMINDER_MINUTES = 60
LONGEST_REMINDER_MINUTES = 7 * 24 * 60


class Notification(OutboxRow):
    """A message to one recipient, written in the transaction of its event, and rendered and sent after the commit.

    The row holds facts instead of text, and no secret: the token of a password reset is made at rendering.
    """

    kind = models.CharField(max_length=30, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="notifications",
        help_text="Whose message it is; none for those to staff.",
    )
    to = models.CharField("receiver", max_length=254, blank=True)
    booking_id = models.BigIntegerField("booking", null=True, help_text="A number and no reference: rows may go.")
    starts_at = models.DateTimeField(null=True, help_text="The start of a reminder, or where a list for staff begins.")
    facts = models.JSONField(default=dict)

    # A recipient gets the messages about one booking in the order of the events.
    queue: ClassVar = ("booking_id", "to")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at", "id"], name="core_notification_due"),
            models.Index(fields=["booking_id", "id"], name="core_notification_by_booking"),
            # For the order of a queue: nothing that was sent stands in the way.
            models.Index(
                fields=["booking_id", "to", "id"], condition=Q(state="waiting"), name="core_notification_queue"
            ),
            models.Index(fields=["done_at"], name="core_notification_done"),
            models.Index(fields=["to", "done_at"], condition=Q(state="sent"), name="core_notification_sent_to"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["booking_id", "starts_at"],
                condition=Q(kind=Kind.BOOKING_REMINDER.value),
                name="core_notification_one_reminder",
            ),
            models.UniqueConstraint(
                fields=["to", "starts_at"],
                condition=Q(kind=Kind.APPROVALS_WANTED.value),
                name="core_notification_one_list",
            ),
        ]

    def __str__(self) -> str:
        return f"Message {self.pk} ({self.kind})"

    @property
    def for_staff(self) -> bool:
        """True if the message goes to an address of `TO_EMAIL`, and not to a user."""
        return self.user_id is None


class NotificationPreferences(models.Model):
    """The messages that a user wants, and the time zone of their times; a user without a row has the defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="notification_preferences",
    )
    time_zone = models.CharField(  # noqa: DJ001 - null is "the house's"
        max_length=64,
        null=True,
        blank=True,
        validators=[require_zone],
        help_text="An IANA name, such as Europe/Berlin; none for the time zone of the house.",
    )
    booking_created = models.BooleanField(default=True, db_default=True)
    booking_changed = models.BooleanField(default=True, db_default=True)
    booking_confirmed = models.BooleanField(default=True, db_default=True)
    booking_rejected = models.BooleanField(default=True, db_default=True)
    booking_cancelled = models.BooleanField(default=True, db_default=True)
    reminder_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=DEFAULT_REMINDER_MINUTES,
        db_default=DEFAULT_REMINDER_MINUTES,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_REMINDER_MINUTES)],
        help_text="Before the start of a booking; none for no reminder.",
    )
    known_address = models.CharField(
        max_length=254, blank=True, default="", db_default="", help_text="The address that was written to before."
    )
    refused_address = models.CharField(
        max_length=254,
        blank=True,
        default="",
        db_default="",
        help_text="An address whose reader knows nothing of this account; nothing is sent there.",
    )

    unconfirmed_address = models.CharField(
        max_length=254,
        blank=True,
        default="",
        db_default="",
        help_text="An address from the API that its reader has not confirmed yet. Empty it to confirm it.",
    )

    class Meta:
        ordering: ClassVar = ["user_id"]
        verbose_name_plural = "notification preferences"

    def __str__(self) -> str:
        return f"Preferences of user {self.user_id}"

    def clean(self) -> None:
        """Gives the addresses that staff entered their stored form, in which they are compared."""
        self.refused_address = canonical(self.refused_address)
        self.unconfirmed_address = canonical(self.unconfirmed_address)

    def wants(self, kind: str) -> bool:
        """True if the user wants this kind of messages, or cannot switch it off."""
        if kind == Kind.BOOKING_REMINDER:
            return self.reminder_minutes is not None
        return kind not in Kind.optional() or getattr(self, kind)

    @property
    def email_confirmed(self) -> bool:
        """True unless the user's present address waits for its confirmation; no link confirms without `PUBLIC_URL`."""
        waits = self.user.email != "" and self.user.email == self.unconfirmed_address
        return not (waits and settings.PUBLIC_URL)
