"""What happened, as plain values that an outbox row keeps, and back.

A message may be rendered long after its event, when the booking has changed again or is gone; so a row holds the
booking as it was then, with the names of its user and its resource.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import models

from core import events
from core.models import Booking, Resource

Facts = dict[str, Any]

USER_FIELDS = ("id", "username", "first_name", "last_name", "email")
ACTOR_FIELDS = ("id", "username", "is_staff")
RESOURCE_FIELDS = ("id", "name", "requires_approval")


def facts_of(event: events.BookingEvent) -> Facts:
    """The event as plain values."""
    at = event.at.isoformat()
    by = fields_of(event.by, ACTOR_FIELDS) if event.by is not None else None
    if isinstance(event, events.BookingCreated):
        return {"at": at, "by": by, "after": booking_facts(event.booking)}
    facts = {"at": at, "by": by, "before": booking_facts(event.before), "after": booking_facts(event.after)}
    if isinstance(event, events.BookingCancelled):
        facts |= {"cancelled": True, "removed": event.removed}
    return facts


def event_of(facts: Facts) -> events.BookingEvent:
    """The event again, with bookings, a user and resources that are not to be saved."""
    at = datetime.fromisoformat(facts["at"])
    by = get_user_model()(**facts["by"]) if facts["by"] else None
    after = booking_of(facts["after"])
    if "before" not in facts:
        return events.BookingCreated(booking=after, by=by, at=at)
    before = booking_of(facts["before"])
    if facts.get("cancelled"):
        return events.BookingCancelled(before=before, after=after, by=by, at=at, removed=facts["removed"])
    return events.BookingChanged(before=before, after=after, by=by, at=at)


def booking_facts(booking: Booking) -> Facts:
    """A booking with its user and its resource."""
    return {
        "booking": {field.attname: plain(field, booking) for field in Booking._meta.concrete_fields},
        "user": fields_of(booking.user, USER_FIELDS),
        "resource": fields_of(booking.resource, RESOURCE_FIELDS),
    }


def booking_of(facts: Facts) -> Booking:
    """The booking as it was; a column that came later is at its default, one that went is left out."""
    known = {field.attname: field for field in Booking._meta.concrete_fields}
    values = {
        name: known[name].target_field.to_python(value)
        if isinstance(known[name], models.ForeignKey)
        else known[name].to_python(value)
        for name, value in facts["booking"].items()
        if name in known
    }
    booking = Booking(**values)
    booking.user = get_user_model()(**facts["user"])
    booking.resource = Resource(**facts["resource"])
    return booking


def plain(field: models.Field, row: models.Model) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A column's value; moments to the microsecond."""
    value = getattr(row, field.attname)
    if value is None or isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def fields_of(row: User | models.Model, names: tuple[str, ...]) -> Facts:
    """Some columns of a row that are plain already."""
    return {name: getattr(row, name) for name in names}
