"""Rules of RFC 5545 for series of bookings: their dates and their words; no database."""

from core.recurrence.changes import ended_by_day, moved, rest_of
from core.recurrence.expansion import MOST_DATES, Date, Dates, Pattern, counted_before, expand, slot_at
from core.recurrence.rule import Frequency, Rule, Weekday
from core.recurrence.words import in_words

__all__ = [
    "MOST_DATES",
    "Date",
    "Dates",
    "Frequency",
    "Pattern",
    "Rule",
    "Weekday",
    "counted_before",
    "ended_by_day",
    "expand",
    "in_words",
    "moved",
    "rest_of",
    "slot_at",
]
