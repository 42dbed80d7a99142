"""Converts acts to facts, the JSON values that the record and the messages store, and back.

A message may be rendered long after the act, when the booking has changed again or no longer exists. So the facts hold
the booking as it was, with the names of its user and its resource. A row of the record keeps the words of people apart
from the facts, in columns that can be blanked.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from core.models import Booking, Resource
from core.record.acts import Act
from core.record.kinds import EventKind, Part
from core.record.models import BookingEvent

Facts = dict[str, Any]

# The way in which the facts of a row are written.
VERSION = 1
# The columns of a booking that people write; messages have only the notes.
WORDS = ("notes", "staff_note")
# The columns of a row that no message needs.
UNTOLD = (
    "staff_note",
    "kind",
    "closure",
    "series",
    "recurrence_id",
    "buffer_before_minutes",
    "buffer_after_minutes",
)

USER_FIELDS = ("id", "username", "first_name", "last_name", "email")
ACTOR_FIELDS = ("id", "username", "is_staff")
RESOURCE_FIELDS = ("id", "name", "requires_approval")


@dataclass(frozen=True, slots=True)
class Event:
    """An act as messages tell it. Its bookings, users and resources must not be saved.

    Attributes:
        before: The booking before the act; None for a new booking.
        after: The booking after the act; a removed one is cancelled.
        by: Who acted; None for the system.
    """

    kind: EventKind
    before: Booking | None
    after: Booking
    by: User | None
    at: datetime
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """True if the booking had ended before the act, and has ended after it."""
        return max(booking.end_time for booking in self.bookings) <= self.at

    @property
    def holds_slot(self) -> bool:
        """True if the booking holds its slot before the act or after it."""
        return any(booking.blocks for booking in self.bookings)

    @property
    def bookings(self) -> tuple[Booking, ...]:
        return (self.after,) if self.before is None else (self.before, self.after)


def row_of(act: Act, kind: EventKind, *, before: Booking | None, after: Booking) -> BookingEvent:
    """The unsaved row of an act."""
    states = {name: booking for name, booking in (("before", before), ("after", after)) if booking is not None}
    facts = {name: without(booking_facts(booking), WORDS) for name, booking in states.items()}
    words = {name: {word: getattr(booking, word) for word in WORDS} for name, booking in states.items()}
    return row_of_act(
        act,
        kind,
        owner=after.user,
        booking_id=after.pk if before is None else before.pk,
        resource_id=after.resource_id,
        facts=facts,
        owner_words={"user": fields_of(after.user, USER_FIELDS), **words},
        for_staff=before is not None and changes_only_note(before, after),
    )


def row_of_act(act: Act, kind: str, *, owner: User, **columns: object) -> BookingEvent:
    """The unsaved row of an act on what somebody owns, with further columns."""
    return BookingEvent(
        at=act.now,
        kind=kind,
        owner=owner,
        actor=act.by,
        part=act.part_in(owner.pk),
        channel=act.channel,
        request_id=act.request_id,
        reason=act.reason,
        actor_words={} if act.by is None else fields_of(act.by, ACTOR_FIELDS),
        version=VERSION,
        **columns,
    )


def changes_only_note(before: Booking, after: Booking) -> bool:
    """True if the note of staff is the only column that changed."""
    names = (field.attname for field in Booking._meta.concrete_fields)
    return [name for name in names if getattr(before, name) != getattr(after, name)] == ["staff_note"]


def without(facts: Facts, words: tuple[str, ...]) -> Facts:
    """The facts of a booking without its user and without some of its columns."""
    columns = {name: value for name, value in facts["booking"].items() if name not in words}
    return {"booking": columns, "resource": facts["resource"]}


def facts_of(row: BookingEvent) -> Facts:
    """The facts of a row as a message stores them; blanked words are empty texts."""
    facts = facts_of_act(row, owner_id=row.facts["after"]["booking"]["user_id"])
    for name, state in row.facts.items():
        unknown = {**dict.fromkeys(USER_FIELDS, ""), "id": state["booking"]["user_id"]}
        user = {**unknown, **row.owner_words.get("user", {})}
        notes = row.owner_words.get(name, {}).get("notes", "")
        facts[name] = {**state, "booking": {**state["booking"], "notes": notes}, "user": user}
    return facts


def facts_of_act(row: BookingEvent, *, owner_id: int) -> Facts:
    """What was done, when, by whom and why; the name of somebody whose words are blanked is empty."""
    facts: Facts = {"kind": row.kind, "at": row.at.isoformat(), "by": None, "reason": row.reason}
    if row.part != Part.SYSTEM:
        known_id = owner_id if row.part == Part.OWNER else None
        unknown = {"id": known_id, "username": "", "is_staff": row.part == Part.STAFF}
        facts["by"] = {**unknown, **row.actor_words}
    return facts


def event_of(facts: Facts) -> Event:
    """Converts the facts of a message to the act that it tells."""
    return Event(
        kind=EventKind(facts["kind"]),
        before=booking_of(facts["before"]) if "before" in facts else None,
        after=booking_of(facts["after"]),
        by=User(**facts["by"]) if facts["by"] else None,
        at=datetime.fromisoformat(facts["at"]),
        reason=facts["reason"],
    )


def booking_facts(booking: Booking) -> Facts:
    """Converts a booking, its user and its resource to facts, without the note of staff."""
    return {
        "booking": {name: json_value(getattr(booking, name)) for name in told_columns()},
        "user": fields_of(booking.user, USER_FIELDS),
        "resource": fields_of(booking.resource, RESOURCE_FIELDS),
    }


@cache
def told_columns() -> tuple[str, ...]:
    """The columns of a booking that facts have."""
    return tuple(field.attname for field in Booking._meta.concrete_fields if field.name not in UNTOLD)


def booking_of(facts: Facts) -> Booking:
    """Converts facts to a booking, which must not be saved.

    A column that is newer than the facts gets its default; a column that no longer exists is ignored.
    """
    fields = {field.attname: field for field in Booking._meta.concrete_fields}
    values = {name: column_value(fields[name], value) for name, value in facts["booking"].items() if name in fields}
    booking = Booking(**values)
    booking.user = User(**facts["user"])
    booking.resource = Resource(**facts["resource"])
    return booking


def json_value(value: object) -> str | int | None:
    """Returns the value of a column as JSON; a moment keeps its microseconds."""
    if value is None or isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def column_value(field: "models.Field[Any, Any]", value: str | int | None) -> object:
    """Converts the JSON value of a column back."""
    column = field.target_field if isinstance(field, models.ForeignKey) else field
    return column.to_python(value)


def fields_of(row: models.Model, names: tuple[str, ...]) -> Facts:
    """Returns some columns of a row, whose values are JSON already."""
    return {name: getattr(row, name) for name in names}


def without_words(facts: Facts) -> Facts:
    """Returns the facts without any word that a user wrote: notes, the reason, and names of people."""
    known = {**facts, "reason": ""} if "reason" in facts else dict(facts)
    for name in {"before", "after"} & set(facts):
        known[name] = without_words_of(facts[name])
    if facts.get("by"):
        known["by"] = {**facts["by"], "username": ""}
    return known


def without_words_of(booking: Facts) -> Facts:
    """Returns the facts of a booking without its notes and the names of its user."""
    return {**booking, "booking": {**booking["booking"], "notes": ""}, "user": nameless(booking["user"])}


def nameless(user: Facts) -> Facts:
    """Returns the facts of a user without names."""
    return {**user, "username": "", "first_name": "", "last_name": ""}


def name_in(facts: Facts) -> str:
    """The name of a booking after an act, with its times in the current zone."""
    return str(booking_of(facts["after"]))


def lines_of(facts: Facts) -> list[str]:
    """Describes facts for staff, a line for each; moments are in the current zone."""
    lines = lines_of_act(facts)
    for label in ("before", "after"):
        if label in facts:
            booking = booking_of(facts[label])
            lines.append(f"{label.capitalize()}: {booking} ({booking.status})")
            lines += [f"Notes {label}: {booking.notes}"] if booking.notes else []
    lines += [f"{booking_of(each)} ({each['booking']['status']})" for each in facts.get("bookings", [])]
    return lines


def lines_of_act(facts: Facts) -> list[str]:
    """Describes by whom, when and why something was done, as far as the facts say."""
    lines = []
    if facts.get("by"):
        lines.append(f"By {facts['by']['username'] or 'a deleted account'}")
    if facts.get("at"):
        at = timezone.localtime(datetime.fromisoformat(facts["at"]))
        lines.append(f"At {at:%Y-%m-%d %H:%M:%S} {at.tzinfo}")
    if facts.get("reason"):
        lines.append(f"Reason: {facts['reason']}")
    return lines
