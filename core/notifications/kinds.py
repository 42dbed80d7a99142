"""The kinds of messages."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """What a message is about."""

    BOOKING_CREATED = "booking_created", "new bookings"
    BOOKING_CHANGED = "booking_changed", "changed bookings"
    BOOKING_CONFIRMED = "booking_confirmed", "confirmed bookings"
    BOOKING_REJECTED = "booking_rejected", "rejected bookings"
    BOOKING_CANCELLED = "booking_cancelled", "cancelled bookings"
    BOOKING_REMINDER = "booking_reminder", "bookings that begin soon"
    PASSWORD_RESET = "password_reset", "password resets"
    PASSWORD_CHANGED = "password_changed", "changed passwords"
    SLOTS_FREED = "slots_freed", "slots of deleted accounts"

    @classmethod
    def of_events(cls) -> tuple["Kind", ...]:
        """Those that tell what happened to a booking; staff hear of it, too."""
        return (
            cls.BOOKING_CREATED,
            cls.BOOKING_CHANGED,
            cls.BOOKING_CONFIRMED,
            cls.BOOKING_REJECTED,
            cls.BOOKING_CANCELLED,
        )

    @classmethod
    def optional(cls) -> tuple["Kind", ...]:
        """Those that a user can do without."""
        return (*cls.of_events(), cls.BOOKING_REMINDER)
