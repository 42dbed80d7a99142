"""The tables of bookings and resources: what is read for them, their columns, and the cells of a row.

The headings are the names that the API uses, so that a file can be imported again (`core.exports.importing`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import serializers

from core.api.lists import RowsMixin
from core.exports.sheets import Cell, Sheet
from core.zones import zone_of

Row = Mapping[str, Any]
Parts = Iterable[Sequence[Row]]


class ExportedBookingSerializer(RowsMixin, serializers.Serializer):
    """The columns that are read for a booking, as its owner may have them."""

    id = serializers.IntegerField()
    resource = serializers.IntegerField(source="resource_id")
    resource_name = serializers.CharField(source="resource.name")
    time_zone = serializers.CharField(source="resource.time_zone")
    username = serializers.CharField(source="user.username")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    status = serializers.CharField()
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    notes = serializers.CharField()
    created_at = serializers.DateTimeField()


class ExportedToStaffSerializer(ExportedBookingSerializer):
    """The columns that are read for a booking, as staff may have them."""

    email = serializers.CharField(source="user.email")
    staff_note = serializers.CharField()


class ExportedResourceSerializer(RowsMixin, serializers.Serializer):
    """The columns that are read for a resource, which are those of a queryset with `with_house`."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    capacity = serializers.IntegerField()
    is_available = serializers.BooleanField()
    requires_approval = serializers.BooleanField()
    reason_required = serializers.BooleanField()
    time_zone = serializers.CharField()

    # By these the list of the API knows for which rows it has to read terms.
    hidden = ("has_terms", "house_has_terms")


@dataclass(frozen=True, slots=True)
class Table:
    """What is read for each row, and the columns made of it.

    Attributes:
        name: The name of the table, and of its file.
        serializer: Its columns are read.
        columns: What makes the cell of each column, by heading.
        on_record: Whether each export is on record: the table tells of people.
    """

    name: str
    serializer: type[RowsMixin]
    columns: Mapping[str, Callable[[Row], Cell]]
    on_record: bool = False

    def sheet(self, parts: Parts, count: Callable[[int], None]) -> Sheet:
        """The table of these rows.

        Args:
            parts: The rows, as far as they are read at once.
            count: Called with the number of rows of each part after they were handed out.
        """
        return Sheet(self.name.capitalize(), list(self.columns), self.cells(parts, count))

    def cells(self, parts: Parts, count: Callable[[int], None]) -> Iterator[list[Cell]]:
        """The cells of each row."""
        makers = list(self.columns.values())
        for rows in parts:
            for row in rows:
                yield [make(row) for make in makers]
            count(len(rows))


def column(name: str) -> Callable[[Row], Cell]:
    """The value of a row as it is."""
    return lambda row: row[name]


def in_utc(name: str) -> Callable[[Row], Cell]:
    """A moment as the API writes it, to the microsecond."""
    return lambda row: row[name].isoformat().replace("+00:00", "Z")


def on_the_clock(name: str) -> Callable[[Row], Cell]:
    """A moment on the clock of the resource."""
    return lambda row: local_time(row[name], row["time_zone"])


def local_time(moment: datetime, zone: str | None) -> datetime | None:
    """The naive local time; None at the ends of the calendar, where the clock would leave the years 1 to 9999."""
    try:
        return moment.astimezone(zone_of(zone)).replace(tzinfo=None)
    except OverflowError:
        return None


def full_name(row: Row) -> Cell:
    """The full name of the user, or an empty text."""
    return f"{row['first_name']} {row['last_name']}".strip()


def minutes(row: Row) -> Cell:
    """The true length; an hour that the clocks repeat counts twice."""
    length = (row["end_time"] - row["start_time"]).total_seconds() / 60
    return int(length) if length.is_integer() else round(length, 3)


def zone_name(row: Row) -> Cell:
    """The name of the zone of the local times."""
    return str(zone_of(row["time_zone"]))


BEFORE: dict[str, Callable[[Row], Cell]] = {
    "id": column("id"),
    "resource": column("resource"),
    "resource_name": column("resource_name"),
    "username": column("username"),
    "full_name": full_name,
}
EMAIL = {"email": column("email")}
AFTER: dict[str, Callable[[Row], Cell]] = {
    "status": column("status"),
    "start_local": on_the_clock("start_time"),
    "end_local": on_the_clock("end_time"),
    "time_zone": zone_name,
    "start_time": in_utc("start_time"),
    "end_time": in_utc("end_time"),
    "minutes": minutes,
    "notes": column("notes"),
}
STAFF_NOTE = {"staff_note": column("staff_note")}
CREATED = {"created_at": in_utc("created_at")}

BOOKINGS = Table(
    "bookings",
    ExportedToStaffSerializer,
    {**BEFORE, **EMAIL, **AFTER, **STAFF_NOTE, **CREATED},
    on_record=True,
)
OWN_BOOKINGS = Table("bookings", ExportedBookingSerializer, {**BEFORE, **AFTER, **CREATED}, on_record=True)

RESOURCES = Table(
    "resources",
    ExportedResourceSerializer,
    {name: column(name) for name in ExportedResourceSerializer.columns()[1]},
)
