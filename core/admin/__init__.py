"""The admin: importing this package registers the pages of resources and bookings, and those of the features."""

from core.accounts import admin as accounts
from core.admin import bookings, resources
from core.calendars import admin as calendars
from core.history import admin as history
from core.notifications import admin as notifications

__all__ = ["accounts", "bookings", "calendars", "history", "notifications", "resources"]
