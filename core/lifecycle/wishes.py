"""A booking that an act would write: it obeys every rule as if it was booked alone."""

from collections.abc import Collection
from dataclasses import dataclass, field

from core.errors import BookingError
from core.models import Booking
from core.rules import RULES, Waiver
from core.rules.slots import Rule


@dataclass(slots=True, eq=False)
class Wish:
    """A booking that an act would write.

    Attributes:
        booking: The booking as it would be written, with its user and its resource.
        before: The booking as it is; None for a new one.
        asked: The rules that it must obey.
        is_new: Whether it takes time that it does not hold already; otherwise its slot is not looked at.
        is_record: Whether staff record what is over, so that neither gaps nor quotas matter.
        waiver: The rules that staff waive for it.
        error: Why it cannot be written; None if it can.
    """

    booking: Booking
    before: Booking | None = None
    asked: Collection[Rule] = RULES
    is_new: bool = True
    is_record: bool = False
    waiver: Waiver = field(default_factory=Waiver)
    error: BookingError | None = None

    @property
    def holds_anew(self) -> bool:
        """True if the booking holds other time than before, or none any more."""
        before, after = self.before, self.booking
        if before is None:
            return after.blocks
        return (before.slot, before.resource_id, before.blocks) != (after.slot, after.resource_id, after.blocks)
