"""The admin: importing this package registers the pages of resources and bookings, and those of the features."""

from core.accounts import admin as accounts
from core.admin import bookings, resources
from core.calendars import admin as calendars
from core.desk import admin as desk
from core.history import admin as history
from core.notifications import admin as notifications
from core.policies import admin as policies
from core.policies import closure_admin as closures
from core.reports import admin as reports
from core.series import admin as series

__all__ = [
    "accounts",
    "bookings",
    "calendars",
    "closures",
    "desk",
    "history",
    "notifications",
    "policies",
    "reports",
    "resources",
    "series",
]
