"""The rules of a booking: the window of a new booking, and one ordered list of named, pure rules about its slot.

A new booking, a change and the dry run ask the list by `require`, and suggestions by `allow`. The free slots of one
resource use `bookable_part`. The first free slots, `next_free` and `?available=` use a window and the column
`is_available` in their queries. A test compares `bookable_part` and `offered_window` with `allow`.

The rule of the free slot comes last and needs a query, so `conflicts` has that rule. `history` and the status rules
depend on the user; the verbs call them.
"""

from core.rules.bounds import EARLIEST_START, LATEST_END, bookable_part, offered_window, window
from core.rules.changes import asked_of_change, asked_of_new, effective_time, is_over, needs_free_slot, notice_of_owner
from core.rules.slots import (
    RULES,
    Waiver,
    allow,
    in_opening_hours,
    in_service,
    not_too_long,
    not_too_short,
    on_grid,
    require,
)
from core.rules.states import expiry, first_status, has_expired, history, next_status, reason

__all__ = [
    "EARLIEST_START",
    "LATEST_END",
    "RULES",
    "Waiver",
    "allow",
    "asked_of_change",
    "asked_of_new",
    "bookable_part",
    "effective_time",
    "expiry",
    "first_status",
    "has_expired",
    "history",
    "in_opening_hours",
    "in_service",
    "is_over",
    "needs_free_slot",
    "next_status",
    "not_too_long",
    "not_too_short",
    "notice_of_owner",
    "offered_window",
    "on_grid",
    "reason",
    "require",
    "window",
]
