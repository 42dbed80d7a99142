"""The kinds of messages."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """The subject of a message; the label completes "No more messages about"."""

    BOOKING_CREATED = "booking_created", "new bookings"
    BOOKING_CHANGED = "booking_changed", "changed bookings"
    BOOKING_CONFIRMED = "booking_confirmed", "confirmed bookings"
    BOOKING_REJECTED = "booking_rejected", "rejected bookings"
    BOOKING_CANCELLED = "booking_cancelled", "cancelled bookings"
    BOOKING_REMINDER = "booking_reminder", "bookings that begin soon"
    PASSWORD_RESET = "password_reset", "password resets"
    PASSWORD_CHANGED = "password_changed", "changed passwords"
    SLOTS_FREED = "slots_freed", "slots of deleted accounts"
    EMAIL_ENTERED = "email_entered", "addresses to confirm"
    EMAIL_CHANGED = "email_changed", "changed addresses"
    APPROVALS_WANTED = "approvals_wanted", "bookings that wait for approval"
    BOOKINGS_IN_ONE = "bookings_in_one", "many bookings in one mail"

    @classmethod
    def booking_events(cls) -> tuple["Kind", ...]:
        """The kinds about an event of a booking; staff get these, too."""
        return (
            cls.BOOKING_CREATED,
            cls.BOOKING_CHANGED,
            cls.BOOKING_CONFIRMED,
            cls.BOOKING_REJECTED,
            cls.BOOKING_CANCELLED,
        )

    @classmethod
    def optional(cls) -> tuple["Kind", ...]:
        """The kinds that a user can switch off."""
        return (*cls.booking_events(), cls.BOOKING_REMINDER)

    @classmethod
    def about_bookings(cls) -> tuple["Kind", ...]:
        """The kinds about bookings; these go to the present address of the user."""
        return (*cls.optional(), cls.BOOKINGS_IN_ONE)

    @classmethod
    def without_limit(cls) -> tuple["Kind", ...]:
        """The kinds that always come, however many there are."""
        return (cls.PASSWORD_RESET, cls.PASSWORD_CHANGED)
