"""The examples of resources and bookings: one room, one booking."""

from datetime import datetime
from typing import Any

from core.intervals import Interval

SLOT = {"start_time": "2030-01-31T09:00:00Z", "end_time": "2030-01-31T10:00:00Z"}
LATER_SLOT = {"start_time": "2030-01-31T10:30:00Z", "end_time": "2030-01-31T11:30:00Z"}


def at(clock: str) -> datetime:
    """A time of the example day, in UTC."""
    return datetime.fromisoformat(f"2030-01-31T{clock}Z")


TAKEN_SLOT, WANTED_SLOT = Interval(at("09:30"), at("10:30")), Interval(at("10:30"), at("11:30"))

RESOURCE: dict[str, Any] = {
    "id": 3,
    "name": "Blue room",
    "description": "Second floor, with a screen.",
    "capacity": 8,
    "is_available": True,
    "requires_approval": False,
    "availability_status": "available",
}

BOOKING = {
    "id": 41,
    "user": 7,
    "username": "alice",
    "resource": RESOURCE["id"],
    "resource_name": RESOURCE["name"],
    **SLOT,
    "status": "confirmed",
    "notes": "Weekly planning",
    "created_at": "2030-01-24T08:15:30.123456Z",
    "updated_at": "2030-01-24T08:15:30.123456Z",
}
NEW_BOOKING = {"resource": RESOURCE["id"], **SLOT, "notes": "Weekly planning"}
