"""Makes resources and bookings of the lines of a CSV file, each line by itself.

Each line has a transaction of its own: one for the whole file would hold the locks of many resources at once, and
bookings would wait for its end. So a run that was stopped, or had refused lines, can be repeated: what is there already
is refused and named.
"""

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from rest_framework.exceptions import ValidationError

from core import lifecycle
from core.api.exception_handler import validation_body
from core.api.fields import KeyField
from core.choices import BookingStatus
from core.errors import BookingError
from core.exports.reading import Line, read_lines
from core.exports.tables import BOOKINGS, RESOURCES
from core.intervals import Interval
from core.models import Booking, Resource
from core.querysets import locked
from core.record.acts import Act
from core.record.kinds import Channel
from core.serializers import BookingSerializer, ResourceSerializer

# The columns of a booking that are sent on as they are.
BOOKING_FIELDS = ("start_time", "end_time", "status", "notes", "staff_note")
RESOURCE_FIELDS = tuple(name for name in RESOURCES.columns if name != "id")


class Refused(Exception):
    """A line is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line.

    Attributes:
        number: The number of the line.
        refusal: Why it was refused; empty if it was not.
    """

    number: int
    refusal: str = ""


def import_resources(path: str, *, dry_run: bool = False) -> Iterator[Outcome]:
    """Makes a resource of each line; changes none that is there.

    Args:
        path: The path of the file. Only the column `name` is needed; the column `id` is passed over.
        dry_run: True: check each line, and write nothing.

    Raises:
        Unreadable: When the file is no CSV with these columns; the lines before a broken one are imported by then.
    """
    names: set[str] = set()

    def read(line: Line) -> None:
        serializer = ResourceSerializer(data={name: line.cells[name] for name in RESOURCE_FIELDS if name in line.cells})
        serializer.is_valid(raise_exception=True)
        name = serializer.validated_data["name"]
        if name in names or Resource.objects.filter(name=name).exists():
            raise Refused(f"There is a resource of the name {name} already.")
        if dry_run:
            names.add(name)
        else:
            serializer.save()

    return outcomes(read_lines(path, needed=[["name"]], known=list(RESOURCES.columns)), read)


def import_bookings(path: str, *, now: Callable[[], datetime], dry_run: bool = False) -> Iterator[Outcome]:
    """Makes a booking of each line by the verb `book`, as staff record one: past ones, and in any status.

    Args:
        path: The path of the file. It needs `username`, `start_time`, `end_time`, and `resource` or `resource_name`;
            its other columns may be those of an export.
        now: The clock; a long import takes a new moment for each line.
        dry_run: True: check each line, and write nothing.

    Raises:
        Unreadable: When the file is no CSV with these columns; the lines before a broken one are imported by then.
    """
    needed = [["username"], ["resource", "resource_name"], ["start_time"], ["end_time"]]
    importer = BookingImporter(now, dry_run)
    return outcomes(read_lines(path, needed=needed, known=list(BOOKINGS.columns)), importer.read)


def outcomes(lines: Iterator[Line], read: Callable[[Line], None]) -> Iterator[Outcome]:
    """What becomes of each line."""
    for line in lines:
        yield Outcome(line.number, line.problem or refusal_of(line, read))


def refusal_of(line: Line, read: Callable[[Line], None]) -> str:
    """Reads a line; the reason if it is refused, else an empty text."""
    try:
        read(line)
    except ValidationError as error:
        return str(validation_body(error.detail)["detail"])
    except BookingError as error:
        return f"{error.message} ({error.code})"
    except Refused as error:
        return str(error)
    return ""


@dataclass(slots=True)
class BookingImporter:
    """Makes bookings of lines.

    Attributes:
        now: The clock.
        dry_run: True: write nothing.
        slots: In a dry run the starts and the ends of the slots that earlier lines would hold, in order, by resource.
        seen: In a dry run the bookings that earlier lines would make without a slot.
    """

    now: Callable[[], datetime]
    dry_run: bool
    slots: dict[int, list[tuple[datetime, datetime, int]]] = field(default_factory=dict)
    seen: set[tuple[Any, ...]] = field(default_factory=set)

    def read(self, line: Line) -> None:
        """Books what a line says.

        Raises:
            ValidationError: For a wrong cell.
            BookingError: Of the first rule that refuses.
            Refused: When the line names nobody, nothing, or a booking that is there.
        """
        user, resource = user_of(line.cells.get("username", "")), resource_of(line.cells)
        body = {name: line.cells[name] for name in BOOKING_FIELDS if name in line.cells}
        reader = BookingSerializer.reader(by_staff=True, of_change=False, partial=False)
        fields = dict(reader.run_validation({**body, "resource": resource.pk}))
        slot = Interval(fields["start_time"], fields["end_time"])
        status = fields.get("status") or BookingStatus.first(requires_approval=resource.requires_approval)
        key = (resource.pk, user.pk, slot.start, slot.end, status)
        act = Act(by=None, now=self.now(), channel=Channel.COMMAND)
        with transaction.atomic():
            # What holds no slot does not meet the constraint. The lock keeps two imports of one file apart.
            len(locked(Resource.objects.filter(pk=resource.pk)))
            require_new(key)
            lifecycle.book(user=user, act=act, as_record=True, dry_run=self.dry_run, **fields)
        if self.dry_run:
            self.require_free(key, slot, status)
            self.remember(key, slot, status, line.number)

    def require_free(self, key: tuple[Any, ...], slot: Interval, status: str) -> None:
        """Checks a line against the earlier lines of a dry run.

        Raises:
            Refused: When both cannot be.
        """
        if key in self.seen:
            raise Refused("An earlier line has the same booking.")
        if not BookingStatus(status).blocks:
            return
        taken = self.slots.get(key[0], [])
        place = bisect(taken, slot.start, key=lambda each: each[1])  # the first that ends after the start
        if place < len(taken) and taken[place][0] < slot.end:
            raise Refused(f"Line {taken[place][2]} takes this resource during the same time. (slot_taken)")

    def remember(self, key: tuple[Any, ...], slot: Interval, status: str, number: int) -> None:
        """Remembers a line that would be imported; an empty slot never comes so far."""
        self.seen.add(key)
        if BookingStatus(status).blocks:
            taken = self.slots.setdefault(key[0], [])
            taken.insert(bisect(taken, slot.start, key=lambda each: each[0]), (slot.start, slot.end, number))


def require_new(key: tuple[Any, ...]) -> None:
    """Checks that a booking is not there yet.

    Raises:
        Refused: When it is there.
    """
    names = ("resource_id", "user_id", "start_time", "end_time", "status")
    there = Booking.objects.filter(**dict(zip(names, key, strict=True))).values_list("pk", flat=True).first()
    if there is not None:
        raise Refused(f"This is booking {there} already.")


def user_of(name: str) -> User:
    """The user of that name.

    Raises:
        Refused: When there is none.
    """
    found: User | None = User.objects.filter(username=name).first() if name else None
    if found is None:
        raise Refused(f"username: There is no user {name}." if name else "username: A user name is needed.")
    return found


def resource_of(cells: Mapping[str, str]) -> Resource:
    """The resource of a line: by its id, by its name, or by both where both agree.

    Raises:
        Refused: When there is none, or several have the name.
    """
    number, name = cells.get("resource", ""), cells.get("resource_name", "")
    if not number:
        found = list(Resource.objects.filter(name=name)[:2]) if name else []
        if len(found) == 1:
            return found[0]
        if found:
            raise Refused(f"resource_name: Several resources have the name {name}. Give the id in the column resource.")
        raise Refused(f"resource_name: There is no resource {name}." if name else "resource: A resource is needed.")
    resource: Resource | None = Resource.objects.filter(pk=read_key(number)).first()
    if resource is None:
        raise Refused(f"resource: There is no resource {number}.")
    if name and name != resource.name:
        raise Refused(f"resource: Resource {number} has another name than {name}. Leave one of the two columns empty.")
    return resource


def read_key(text: str) -> int:
    """The id that a cell has.

    Raises:
        ValidationError: When it is none.
    """
    try:
        key: int = KeyField().run_validation(text)
    except ValidationError as error:
        raise ValidationError({"resource": error.detail}) from error
    return key
