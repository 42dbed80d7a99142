"""The only writers of bookings, resources and closures; the API, the admin and the commands call these verbs."""

from core.lifecycle.bookings import Changes, book, cancel, change, expire, remove
from core.lifecycle.closures import ClosureChanges, change_closure, close, lift, preview
from core.lifecycle.outcomes import Outcome
from core.lifecycle.plans import Plan, Preview
from core.lifecycle.repeating import Repeat
from core.lifecycle.resources import delete_resource
from core.lifecycle.series import (
    book_series,
    cancel_dates,
    cancel_some,
    change_dates,
    change_notes,
    decide_some,
)
from core.lifecycle.together import together
from core.lifecycle.transactions import find_user

__all__ = [
    "Changes",
    "ClosureChanges",
    "Outcome",
    "Plan",
    "Preview",
    "Repeat",
    "book",
    "book_series",
    "cancel",
    "cancel_dates",
    "cancel_some",
    "change",
    "change_closure",
    "change_dates",
    "change_notes",
    "close",
    "decide_some",
    "delete_resource",
    "expire",
    "find_user",
    "lift",
    "preview",
    "remove",
    "together",
]
