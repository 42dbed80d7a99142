"""What an act changed, read from its row of the record, under the names of the API's fields."""

from datetime import UTC, datetime
from typing import Any

from core.record.kinds import EventKind
from core.record.models import BookingEvent

# The values of a field before and after the act.
Changes = dict[str, list[Any]]

STAFF_NOTE = "staff_note"
MOMENTS = ("start_time", "end_time")
# The fields in the order in which answers and pages show them.
ORDER = ("resource", "resource_name", *MOMENTS, "status", "notes", STAFF_NOTE)
# The fields that the facts have as columns of the booking.
COLUMNS = {"resource": "resource_id", "start_time": "start_time", "end_time": "end_time", "status": "status"}


def changes_of(row: BookingEvent) -> Changes:
    """The fields that the act changed, the note of staff too; moments are in UTC.

    A new booking has its fields that are not empty, with null before. Words that were blanked are left out.
    """
    after = state_of(row, "after")
    if row.kind == EventKind.CREATED:
        return {name: [None, value] for name, value in after.items() if value not in ("", None)}
    before = state_of(row, "before")
    return {name: [before[name], value] for name, value in after.items() if name in before and before[name] != value}


def state_of(row: BookingEvent, name: str) -> dict[str, Any]:
    """The fields of the booking `before` or `after` the act, as far as the row has them."""
    if name not in row.facts:
        return {}
    booking, resource = row.facts[name]["booking"], row.facts[name]["resource"]
    found = {field: booking[column] for field, column in COLUMNS.items()}
    moments = {field: datetime.fromisoformat(found[field]).astimezone(UTC) for field in MOMENTS}
    words = row.owner_words.get(name, {})
    found = {**found, **moments, "resource_name": resource["name"], **words}
    return {field: found[field] for field in ORDER if field in found}
