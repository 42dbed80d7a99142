"""The QuerySet methods of bookings and resources; they take the window as an argument and read no settings."""

from core.querysets.bookings import BookingQuerySet
from core.querysets.gaps import SHORTEST, first_gap, is_bookable, last_gap_end, outermost
from core.querysets.resources import BUFFERS, POLICY, QUOTA, TERMS, ResourceQuerySet
from core.querysets.rows import locked

__all__ = [
    "BUFFERS",
    "POLICY",
    "QUOTA",
    "SHORTEST",
    "TERMS",
    "BookingQuerySet",
    "ResourceQuerySet",
    "first_gap",
    "is_bookable",
    "last_gap_end",
    "locked",
    "outermost",
]
