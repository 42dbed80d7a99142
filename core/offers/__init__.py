"""What can be booked of resources with terms: the search that all askers share.

The search works with spans of possible starts: those that the opening hours allow, without those at which a booking
would touch what is taken. It proposes the first or the last moment of a span, or the moments of the grid in it. The
rules alone decide: the list of rules and the gaps to the neighbours are asked about each proposal. Resources without
terms need no search; their queries find free slots.
"""

from core.offers.offer import Offer
from core.offers.openings import Openings, ahead_of, openings_of
from core.offers.search import allowing, first_starts, last_start, soonest_starts
from core.offers.taken import TAKEN, Taken, has_rules, reach_of, read_taken, taken_by, taken_of

__all__ = [
    "TAKEN",
    "Offer",
    "Openings",
    "Taken",
    "ahead_of",
    "allowing",
    "first_starts",
    "has_rules",
    "last_start",
    "openings_of",
    "reach_of",
    "read_taken",
    "soonest_starts",
    "taken_by",
    "taken_of",
]
