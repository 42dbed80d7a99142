"""The statuses of a booking, their groups, and the changes between them."""

from django.db import models


class Kind(models.TextChoices):
    """What a row of the table of bookings is: a booking, or the part of a closure on one resource."""

    BOOKING = "booking", "booking"
    CLOSURE = "closure", "closure"


class BookingStatus(models.TextChoices):
    """The status of a booking."""

    PENDING = "pending", "pending"
    CONFIRMED = "confirmed", "confirmed"
    CANCELLED = "cancelled", "cancelled"
    REJECTED = "rejected", "rejected"

    @classmethod
    def blocking(cls) -> tuple["BookingStatus", ...]:
        """The statuses in which a booking holds its slot."""
        return (cls.PENDING, cls.CONFIRMED)

    @property
    def blocks(self) -> bool:
        return self in self.blocking()

    @classmethod
    def first(cls, *, requires_approval: bool) -> "BookingStatus":
        """The status of a new booking if the caller asks for none."""
        return cls.PENDING if requires_approval else cls.CONFIRMED

    def owner_may_become(self, wanted: "BookingStatus", *, requires_approval: bool) -> bool:
        """True if an owner may change a booking from this status to `wanted`; the same status is always allowed.

        Args:
            wanted: The status asked for.
            requires_approval: Of the resource that the booking is on after the change.
        """
        if wanted == self:
            return True
        ways = {
            (self.PENDING, self.CANCELLED): True,
            (self.CONFIRMED, self.CANCELLED): True,
            (self.CANCELLED, self.PENDING): True,
            (self.PENDING, self.CONFIRMED): not requires_approval,
            (self.CANCELLED, self.CONFIRMED): not requires_approval,
        }
        return ways.get((self, wanted), False)


class Decision(models.TextChoices):
    """What staff decide on a booking."""

    CONFIRM = "confirm", "confirm"
    REJECT = "reject", "reject"
    CANCEL = "cancel", "cancel"

    @property
    def status(self) -> BookingStatus:
        """The status that it leads to."""
        return {
            self.CONFIRM: BookingStatus.CONFIRMED,
            self.REJECT: BookingStatus.REJECTED,
            self.CANCEL: BookingStatus.CANCELLED,
        }[self]

    @property
    def about(self) -> tuple[BookingStatus, ...]:
        """The statuses that it is about; a booking with another one by then is left as it is."""
        return BookingStatus.blocking() if self == self.CANCEL else (BookingStatus.PENDING,)


class Waivable(models.TextChoices):
    """The rules that staff may waive by naming them."""

    LEAD_TIME = "lead_time", "lead time"
    HORIZON = "horizon", "how far ahead"
    OPENING_HOURS = "opening_hours", "opening hours"
    GRID = "grid", "start grid"
    DURATION = "duration", "shortest and longest booking"
    BUFFERS = "buffers", "gaps between bookings"
    QUOTA = "quota", "quota"
    OWN_OVERLAP = "own_overlap", "no second booking of the person at that time"


class OnConflict(models.TextChoices):
    """What a closure does where bookings are in the way."""

    REFUSE = "refuse", "close nothing"
    CANCEL = "cancel", "cancel the bookings"
    AROUND = "around", "close the free time around the bookings"


class IfRefused(models.TextChoices):
    """What becomes of a series of which some dates are refused."""

    FAIL = "fail", "book nothing"
    SKIP = "skip", "book the other dates"

    def books(self, free: int, *, of: int) -> bool:
        """True if a series is booked of which so many dates are free."""
        return free > 0 and (free == of or self == self.SKIP)


class Scope(models.TextChoices):
    """Which dates of a series an act on one of them is about."""

    THIS = "this", "this date"
    FOLLOWING = "following", "this date and those that follow"
    ALL = "all", "all dates that are not over"


class QuotaKind(models.TextChoices):
    """What a quota counts."""

    ACTIVE = "active", "bookings that have not ended"
    COUNT = "count", "bookings"
    MINUTES = "minutes", "minutes"


class QuotaPeriod(models.TextChoices):
    """The period of a quota, in the time zone of the resource; a week is from Monday to Sunday."""

    DAY = "day", "day"
    WEEK = "week", "week"
    MONTH = "month", "month"
