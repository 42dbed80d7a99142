"""The states of a booking, their groups and their ways on."""

from django.db import models


class BookingStatus(models.TextChoices):
    """What a booking can be."""

    PENDING = "pending", "pending"
    CONFIRMED = "confirmed", "confirmed"
    CANCELLED = "cancelled", "cancelled"
    REJECTED = "rejected", "rejected"

    @classmethod
    def blocking(cls) -> tuple["BookingStatus", ...]:
        """The states in which a booking keeps its slot from others."""
        return (cls.PENDING, cls.CONFIRMED)

    @property
    def blocks(self) -> bool:
        """Whether a booking in this state keeps its slot from others."""
        return self in self.blocking()

    @classmethod
    def first(cls, *, requires_approval: bool) -> "BookingStatus":
        """The state of a new booking for which none was asked."""
        return cls.PENDING if requires_approval else cls.CONFIRMED

    def owner_may_become(self, wanted: "BookingStatus", *, requires_approval: bool) -> bool:
        """Whether the owner of a booking in this state may bring it to `wanted`; staying is always fine.

        Args:
            wanted: The state asked for.
            requires_approval: Whether the resource, on which the booking then is, requires approval.
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
