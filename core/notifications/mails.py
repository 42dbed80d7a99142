"""What messages say: one function and three templates per message.

A message is made from the facts of its row when it is sent, in the time zone of its recipient.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string
from djoser.utils import encode_uid

from core import events
from core.choices import BookingStatus
from core.models import Booking
from core.notifications import links
from core.notifications.facts import Facts, booking_of, event_of
from core.notifications.invitations import invitation
from core.notifications.kinds import Kind
from core.notifications.models import Notification
from core.notifications.recipients import Recipient
from core.notifications.words import lines, moment, one_line, shortened, tidy, zone_in_words
from core.utils import Message

# How much of a name a subject has room for, in characters.
RESOURCE_IN_SUBJECT = 80
USER_IN_SUBJECT = 40
# A list of freed slots names so many; the rest is counted.
MOST_SLOTS = 200

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is rendered: its templates and plain values to fill in."""

    template: str
    context: Context


@dataclass(frozen=True, slots=True)
class Fact:
    """A line about a booking: a name for people and the value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed: a name for people, the old value, the new one."""

    name: str
    old: str
    new: str


# --- A message --------------------------------------------------------------------------------------------------------


def render(row: Notification, recipient: Recipient) -> Message:
    """The message of a row: `<template>.subject.txt`, `.body.txt`, `.body.html`.

    The heading in the HTML is the subject without the time, which is in the table below it.
    """
    event = event_of(row.facts) if row.kind in Kind.of_events() else None
    letter = letter_of_event(event, recipient) if event else letter_of(row, recipient)
    folder = f"core/email/{letter.template}"
    subject_template = f"{folder}.subject.txt"
    base = {"home": settings.FRONTEND_URL, "for_staff": recipient.for_staff, **footer(row, recipient)}
    context = {**base, **letter.context}
    untimed = {"topic": shortened(context.get("resource", ""), RESOURCE_IN_SUBJECT)}
    subject = one_line(render_to_string(subject_template, context))
    heading = one_line(render_to_string(subject_template, context | untimed))
    context |= {"subject": subject, "heading": heading}
    return Message(
        to=recipient.address,
        subject=subject,
        text=tidy(render_to_string(f"{folder}.body.txt", context)),
        html=render_to_string(f"{folder}.body.html", context).strip() + "\n",
        headers=unsubscribe_headers(context["unsubscribe"]),
        attachments=() if event is None or recipient.for_staff else invitation(event, address=recipient.address),
    )


def letter_of(row: Notification, recipient: Recipient) -> Letter:
    """The templates of a message that is about no event of a booking, and what to fill in."""
    if row.kind == Kind.PASSWORD_RESET:
        return password_reset(row)
    if row.kind == Kind.PASSWORD_CHANGED:
        return password_changed(row, recipient)
    if row.kind == Kind.SLOTS_FREED:
        return slots_freed(row.facts, recipient)
    return booking_reminder(row.facts, recipient)


def letter_of_event(event: events.BookingEvent, recipient: Recipient) -> Letter:
    """The templates of what happened to a booking, and what to fill in."""
    if isinstance(event, events.BookingCreated):
        return booking_created(event, recipient)
    if isinstance(event, events.BookingCancelled):
        return booking_cancelled(event, recipient)
    return booking_changed(event, recipient)


def footer(row: Notification, recipient: Recipient) -> Context:
    """The ways out: of messages of this kind, and of those for somebody else's account."""
    optional = not recipient.for_staff and row.kind in Kind.optional()
    return {
        "unsubscribe": links.unsubscribe(recipient.user_id, row.kind) if optional else "",
        "kind": Kind(row.kind).label,
        "not_me": links.not_me(recipient.user_id, recipient.address) if recipient.is_new else "",
    }


def unsubscribe_headers(link: str) -> dict[str, str]:
    """The one click of RFC 8058, which speaks of HTTPS alone; links to a developer's machine do no harm."""
    if not link:
        return {}
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


# --- The messages -----------------------------------------------------------------------------------------------------


def booking_created(event: events.BookingCreated, recipient: Recipient) -> Letter:
    """A new booking, and whether it waits for approval."""
    return Letter("booking_created", about(event.booking, recipient, status=event.booking.status, by=event.by))


def booking_changed(event: events.BookingChanged, recipient: Recipient) -> Letter:
    """What changed from what to what; a new status has words of its own."""
    context = {"was_blocking": event.before.blocks, **changes(event, recipient)}
    same = event.before.status == event.after.status
    template = "booking_changed" if same else "booking_status_changed"
    return Letter(template, about(event.after, recipient, status=event.after.status, by=event.by, **context))


def booking_cancelled(event: events.BookingCancelled, recipient: Recipient) -> Letter:
    """The slot is free again."""
    context = {"removed": event.removed, **changes(event, recipient)}
    status = BookingStatus.CANCELLED.value
    return Letter("booking_cancelled", about(event.before, recipient, status=status, by=event.by, **context))


def booking_reminder(facts: Facts, recipient: Recipient) -> Letter:
    """A booking begins soon."""
    booking = booking_of(facts["after"])
    context = about(booking, recipient, status=booking.status, by=None)
    return Letter("booking_reminder", context | {"start": moment(booking.start_time, recipient.zone)})


def slots_freed(facts: Facts, recipient: Recipient) -> Letter:
    """What became free with an account, in one list."""
    bookings = [booking_of(each) for each in facts["bookings"]]
    slots = [
        Fact(
            one_line(each.resource.name),
            f"{moment(each.start_time, recipient.zone)} to {moment(each.end_time, recipient.zone)}",
        )
        for each in bookings[:MOST_SLOTS]
    ]
    context = {
        "username": shortened(one_line(facts["username"]), USER_IN_SUBJECT),
        "number": len(bookings),
        "slots": slots,
        "more": len(bookings) - len(slots),
        "zone": zone_in_words(recipient.zone),
    }
    return Letter("slots_freed", context)


def password_reset(row: Notification) -> Letter:
    """The way to a new password: a link where the single-page app is known, the words of it otherwise."""
    uid, token = encode_uid(row.user.pk), default_token_generator.make_token(row.user)
    context = {
        "name": one_line(row.user.get_username()),
        "uid": uid,
        "token": token,
        "link": f"{settings.FRONTEND_URL}/password-reset/{uid}/{token}" if settings.FRONTEND_URL else "",
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    return Letter("password_reset", context)


def password_changed(row: Notification, recipient: Recipient) -> Letter:
    """An account has a new password."""
    at = moment(datetime.fromisoformat(row.facts["at"]).replace(microsecond=0), recipient.zone)
    return Letter("password_changed", {"name": one_line(row.user.get_username()), "at": at})


# --- What they say ----------------------------------------------------------------------------------------------------


def about(booking: Booking, recipient: Recipient, *, status: str, by: Any, **more: Any) -> Context:  # noqa: ANN401
    """What every message about a booking says, as plain values: names in one line, moments in words.

    Args:
        booking: The booking to describe.
        recipient: Who gets the message.
        status: The state to show.
        by: Who did it; None for nobody in particular.
        more: What the message says beyond.
    """
    owner, resource = one_line(booking.user.get_username()), one_line(booking.resource.name)
    by_owner, for_staff = by is not None and by.pk == booking.user_id, recipient.for_staff
    start = moment(booking.start_time, recipient.zone)
    facts = [
        Fact("Resource", resource),
        Fact("Start", start),
        Fact("End", moment(booking.end_time, recipient.zone)),
    ]
    if zone_in_words(recipient.zone):
        facts.append(Fact("Zone", zone_in_words(recipient.zone)))
    facts.append(Fact("Status", status))
    topic = f"{shortened(resource, RESOURCE_IN_SUBJECT)}, {start}"
    if for_staff:
        facts.append(Fact("For", f"{owner} <{booking.user.email}>" if booking.user.email else owner))
        topic += f" ({shortened(owner, USER_IN_SUBJECT)})"
    facts.append(Fact("Booking", f"no. {booking.pk}"))
    return {
        "topic": topic,
        "resource": resource,
        "status": str(status),
        "waits": status == BookingStatus.PENDING and booking.resource.requires_approval,
        "owner": owner,
        "by_owner": by_owner,
        "actor": actor(by, by_owner=by_owner, for_staff=for_staff),
        "whose": whose(owner, by_owner=by_owner, for_staff=for_staff),
        "facts": facts,
        "notes": lines(booking.notes),
        **more,
    }


def actor(by: Any, *, by_owner: bool, for_staff: bool) -> str:  # noqa: ANN401 - any user model
    """Who did it, at the beginning of a sentence."""
    if by is None:
        return "The booking system"
    if by_owner:
        return one_line(by.get_username()) if for_staff else "You"
    return one_line(by.get_username()) + (" (staff)" if by.is_staff else "")


def whose(owner: str, *, by_owner: bool, for_staff: bool) -> str:
    """Whose booking it is, before the word booking."""
    if not for_staff:
        return "your"
    return "their" if by_owner else f"{owner}'s"


def changes(event: events.BookingChanged | events.BookingCancelled, recipient: Recipient) -> Context:
    """What differs between before and after: single values, and the notes, which may be long."""
    before, after, zone = event.before, event.after, recipient.zone
    times = [
        Difference("Start", moment(before.start_time, zone), moment(after.start_time, zone)),
        Difference("End", moment(before.end_time, zone), moment(after.end_time, zone)),
    ]
    differences = [difference for difference in times if difference.old != difference.new]
    if before.resource_id != after.resource_id:
        names = one_line(before.resource.name), one_line(after.resource.name)
        differences.insert(0, Difference("Resource", *names))
    details_changed = bool(differences) or before.notes != after.notes
    if before.status != after.status and not isinstance(event, events.BookingCancelled):
        differences.append(Difference("Status", str(before.status), str(after.status)))
    return {
        "differences": differences,
        "details_changed": details_changed,
        "notes_changed": before.notes != after.notes,
        "notes_before": lines(before.notes),
        "notes": lines(after.notes),
    }
