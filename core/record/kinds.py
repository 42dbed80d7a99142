"""The words of the record: what was done, by whom, and by which channel."""

from django.db.models import TextChoices


class EventKind(TextChoices):
    """What was done to a booking."""

    CREATED = "booking.created"
    CHANGED = "booking.changed"
    CONFIRMED = "booking.confirmed"
    REJECTED = "booking.rejected"
    CANCELLED = "booking.cancelled"
    EXPIRED = "booking.expired"
    REMOVED = "booking.removed"


class SeriesKind(TextChoices):
    """What was done to a series; the acts on its dates say what became of each."""

    MADE = "series.made"
    CHANGED = "series.changed"
    CANCELLED = "series.cancelled"


class ListKind(TextChoices):
    """What was done with a list of bookings; such an act belongs to no single one, and changes none."""

    EXPORTED = "bookings.exported"


class Part(TextChoices):
    """The part of the caller in an act: owner of the booking, staff, or the system itself."""

    OWNER = "owner"
    STAFF = "staff"
    SYSTEM = "system"


class Channel(TextChoices):
    """How an act reached the system."""

    API = "api"
    ADMIN = "admin"
    COMMAND = "command"
    JOB = "job"
    LINK = "link"
