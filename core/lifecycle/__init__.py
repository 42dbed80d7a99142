"""The only writers of bookings, resources and closures; the API, the admin and the commands call these verbs."""

from core.lifecycle.bookings import Changes, book, cancel, change, expire, remove
from core.lifecycle.resources import delete_resource
from core.lifecycle.transactions import find_user

__all__ = ["Changes", "book", "cancel", "change", "delete_resource", "expire", "find_user", "remove"]
