"""Converts events to facts, the JSON values that a message row stores, and back.

A message may be rendered long after its event, when the booking has changed again or no longer exists. So the facts
hold the booking as it was at the event, with the names of its user and its resource.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import models

from core import events
from core.models import Booking, Resource

Facts = dict[str, Any]

USER_FIELDS = ("id", "username", "first_name", "last_name", "email")
ACTOR_FIELDS = ("id", "username", "is_staff")
RESOURCE_FIELDS = ("id", "name", "requires_approval")


def facts_of(event: events.BookingEvent) -> Facts:
    """Converts an event to facts."""
    at = event.at.isoformat()
    by = fields_of(event.by, ACTOR_FIELDS) if event.by is not None else None
    if isinstance(event, events.BookingCreated):
        return {"at": at, "by": by, "after": booking_facts(event.booking)}
    facts: Facts = {"at": at, "by": by, "before": booking_facts(event.before), "after": booking_facts(event.after)}
    if isinstance(event, events.BookingCancelled):
        facts |= {"cancelled": True, "removed": event.removed}
    return facts


def event_of(facts: Facts) -> events.BookingEvent:
    """Converts facts to an event, whose bookings, user and resources must not be saved."""
    at = datetime.fromisoformat(facts["at"])
    by = User(**facts["by"]) if facts["by"] else None
    after = booking_of(facts["after"])
    if "before" not in facts:
        return events.BookingCreated(booking=after, by=by, at=at)
    before = booking_of(facts["before"])
    if facts.get("cancelled"):
        return events.BookingCancelled(before=before, after=after, by=by, at=at, removed=facts["removed"])
    return events.BookingChanged(before=before, after=after, by=by, at=at)


def booking_facts(booking: Booking) -> Facts:
    """Converts a booking, its user and its resource to facts."""
    return {
        "booking": {field.attname: json_value(field, booking) for field in Booking._meta.concrete_fields},
        "user": fields_of(booking.user, USER_FIELDS),
        "resource": fields_of(booking.resource, RESOURCE_FIELDS),
    }


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


def json_value(field: "models.Field[Any, Any]", row: models.Model) -> str | int | None:
    """Returns the value of a column as JSON; a moment keeps its microseconds."""
    value = getattr(row, field.attname)
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
    """Returns the facts of an event without any word that a user wrote: notes, and names of people."""
    known = dict(facts)
    for name in {"before", "after"} & set(facts):
        known[name] = without_words_of(facts[name])
    if facts.get("by"):
        known["by"] = {**facts["by"], "username": ""}
    return known


def without_words_of(booking: Facts) -> Facts:
    """Returns the facts of a booking without its notes and the names of its user."""
    nameless = {**booking["user"], "username": "", "first_name": "", "last_name": ""}
    return {**booking, "booking": {**booking["booking"], "notes": ""}, "user": nameless}


def lines_of(facts: Facts) -> list[str]:
    """Describes facts for staff, a line for each."""
    lines = []
    if facts.get("by"):
        lines.append(f"By {facts['by']['username']}")
    if facts.get("at"):
        lines.append(f"At {datetime.fromisoformat(facts['at']):%Y-%m-%d %H:%M:%S} UTC")
    for label in ("before", "after"):
        if label in facts:
            booking = booking_of(facts[label])
            lines.append(f"{label.capitalize()}: {booking} ({booking.status})")
            lines += [f"Notes {label}: {booking.notes}"] if booking.notes else []
    lines += [f"{booking_of(each)} ({each['booking']['status']})" for each in facts.get("bookings", [])]
    return lines
