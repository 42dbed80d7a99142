"""The constraints of both databases, the error for each violation, and what a database must be able to do."""

from core.constraints.guard import guard_problem, has_guard
from core.constraints.names import (
    CAPACITY_AT_LEAST_ONE,
    CLOSURE_HAS_NO_USER,
    EMAIL_UNIQUE,
    END_AFTER_START,
    LARGEST_CAPACITY,
    NO_OVERLAP,
    ONE_OF_EACH_DATE,
    RECORD_APPEND_ONLY,
    RECORD_OF_A_BOOKING,
    STATUS_KNOWN,
    TIMES_COMPARE,
    USERNAME_UNIQUE,
)
from core.constraints.record import AppendOnly
from core.constraints.terms import AwaitsTerms, VersionsTerms
from core.constraints.times import BLOCKING_SQL, NoOverlap, TimesCompareAsText
from core.constraints.violations import ERRORS, as_booking_error, locale_problem

__all__ = [
    "BLOCKING_SQL",
    "CAPACITY_AT_LEAST_ONE",
    "CLOSURE_HAS_NO_USER",
    "EMAIL_UNIQUE",
    "END_AFTER_START",
    "ERRORS",
    "LARGEST_CAPACITY",
    "NO_OVERLAP",
    "ONE_OF_EACH_DATE",
    "RECORD_APPEND_ONLY",
    "RECORD_OF_A_BOOKING",
    "STATUS_KNOWN",
    "TIMES_COMPARE",
    "USERNAME_UNIQUE",
    "AppendOnly",
    "AwaitsTerms",
    "NoOverlap",
    "TimesCompareAsText",
    "VersionsTerms",
    "as_booking_error",
    "guard_problem",
    "has_guard",
    "locale_problem",
]
