"""Renders messages: one function and three templates for each kind.

A message is rendered from the facts of its row when it is sent, in the time zone of its recipient.
"""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string
from djoser.utils import encode_uid

from core.choices import BookingStatus
from core.choices import Kind as RowKind
from core.conflicts import suggestions_for
from core.errors import Suggestion
from core.models import Booking, Resource
from core.notifications import links
from core.notifications.contexts import (
    RESOURCE_IN_SUBJECT,
    USER_IN_SUBJECT,
    Context,
    Letter,
    booking_context,
    change_context,
    owner_name,
    slot_of,
    suggestion_of,
)
from core.notifications.invitations import calendar_attachments, calendar_file
from core.notifications.kinds import Kind
from core.notifications.messages import MAX_SLOTS
from core.notifications.models import Notification
from core.notifications.recipients import Recipient
from core.notifications.series_mails import series_letter
from core.notifications.words import format_moment, lines, one_line, shortened, tidy, zone_name
from core.record.facts import Event, Facts, booking_facts, booking_of, event_of, without_words, without_words_of
from core.record.kinds import EventKind
from core.record.series import is_of_series
from core.utils import Message

# No vacation notice answers such a message (RFC 3834, section 5).
WRITTEN_BY_A_MACHINE = {"Auto-Submitted": "auto-generated"}


# --- A message --------------------------------------------------------------------------------------------------------


def render(row: Notification, recipient: Recipient, *, now: datetime) -> Message:
    """Renders the message of a row from `<template>.subject.txt`, `.body.txt` and `.body.html`.

    The heading of the HTML is the subject without the time, since the table below the heading shows the time.
    """
    letter = letter_of(row, recipient, now=now)
    folder = f"core/email/{letter.template}"
    subject_template = f"{folder}.subject.txt"
    base = {"home": settings.HOME_URL, "for_staff": recipient.for_staff, **footer_context(row, recipient)}
    context = {**base, **letter.context}
    heading_context = context | {"topic": shortened(context.get("resource", ""), RESOURCE_IN_SUBJECT)}
    subject = one_line(render_to_string(subject_template, context))
    heading = one_line(render_to_string(subject_template, heading_context))
    context |= {"subject": subject, "heading": heading}
    return Message(
        to=recipient.address,
        subject=subject,
        text=tidy(render_to_string(f"{folder}.body.txt", context)),
        html=render_to_string(f"{folder}.body.html", context).strip() + "\n",
        headers={**WRITTEN_BY_A_MACHINE, **unsubscribe_headers(context["unsubscribe"])},
        attachments=letter.attachments,
        message_id=message_id_of(row),
    )


def message_id_of(row: Notification) -> str:
    """Returns the `Message-ID` of all tries of a message; staff who resend the message give it another one."""
    domain = settings.FROM_EMAIL.rpartition("@")[2]
    return f"<{row.pk}.{row.retry_until:%Y%m%d%H%M%S%f}@{domain}>"


def letter_of(row: Notification, recipient: Recipient, *, now: datetime) -> Letter:
    """Returns the letter of a message, without the words of users if the address is not confirmed."""
    if is_of_series(row.facts):
        return series_letter(row.facts, recipient)
    facts = row.facts if recipient.is_confirmed else without_words(row.facts)
    if row.kind in Kind.booking_events():
        return letter_of_event(event_of(facts), recipient, now=now)
    return letter_of_no_event(row, facts, recipient)


def letter_of_no_event(row: Notification, facts: Facts, recipient: Recipient) -> Letter:
    """Returns the letter of a message that is about something else than an event of a booking."""
    if row.kind == Kind.APPROVALS_WANTED:
        return approvals_wanted(facts, recipient)
    if row.user is None or row.kind == Kind.SLOTS_FREED:
        return slots_freed(facts, recipient)
    if row.kind == Kind.BOOKING_REMINDER:
        return booking_reminder(facts, recipient)
    if row.kind == Kind.BOOKINGS_IN_ONE:
        return bookings_in_one(facts, recipient)
    name = one_line(row.user.get_username()) if recipient.is_confirmed else ""
    if row.kind == Kind.PASSWORD_RESET:
        return password_reset(row.user, name)
    if row.kind == Kind.PASSWORD_CHANGED:
        return Letter("password_changed", {"name": name, "at": moment_of(facts, recipient)})
    if row.kind == Kind.EMAIL_CHANGED:
        return Letter("email_changed", {"name": name, "at": moment_of(facts, recipient)})
    return Letter("email_entered", {"name": name, "link": links.confirm_url(row.user_id, recipient.address)})


def letter_of_event(event: Event, recipient: Recipient, *, now: datetime) -> Letter:
    """Returns the letter about an act on a booking; the owner gets a calendar file with it."""
    if event.before is None:
        letter = booking_created(event, recipient)
    elif event.after.status == BookingStatus.CANCELLED:
        letter = booking_cancelled(event, event.before, recipient, now=now)
    else:
        letter = booking_changed(event, event.before, recipient)
    files = () if recipient.for_staff else calendar_attachments(event, address=recipient.address)
    return replace(letter, attachments=files)


def footer_context(row: Notification, recipient: Recipient) -> Context:
    """Returns the links of the footer: to unsubscribe from this kind, to confirm the address, and to disown it."""
    optional = not recipient.for_staff and row.kind in Kind.optional()
    has_no_link = row.kind in (Kind.EMAIL_ENTERED, Kind.EMAIL_CHANGED)
    asks = not recipient.is_confirmed and not has_no_link
    return {
        "unsubscribe": links.unsubscribe_url(recipient.user_id, row.kind) if optional else "",
        "kind": Kind(row.kind).label,
        "confirm": links.confirm_url(recipient.user_id, recipient.address) if asks else "",
        "not_me": links.not_me_url(recipient.user_id, recipient.address) if recipient.is_new else "",
    }


def unsubscribe_headers(link: str) -> dict[str, str]:
    """Returns the headers for the one-click button of RFC 8058.

    The RFC allows only HTTPS; an HTTP link to a developer's machine does no harm.
    """
    if not link:
        return {}
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


# --- The messages -----------------------------------------------------------------------------------------------------


def booking_created(event: Event, recipient: Recipient) -> Letter:
    """Describes a new booking and says if it waits for approval."""
    return Letter("booking_created", booking_context(event.after, recipient, status=event.after.status, by=event.by))


def booking_changed(event: Event, before: Booking, recipient: Recipient) -> Letter:
    """Lists the old and the new values; a new status has its own templates."""
    after = event.after
    context = {
        "was_blocking": before.blocks,
        "reason": lines(event.reason),
        **change_context(before, after, recipient),
    }
    template = "booking_changed" if before.status == after.status else "booking_status_changed"
    return Letter(template, booking_context(after, recipient, status=after.status, by=event.by, **context))


def booking_cancelled(event: Event, before: Booking, recipient: Recipient, *, now: datetime) -> Letter:
    """Says that the slot is free again, that the booking expired, or that the resource is closed and what is free."""
    closed = event.kind == EventKind.CANCELLED and is_closed(before)
    others = free_instead_of(before, now=now) if closed and not recipient.for_staff else []
    context = {
        "removed": event.kind == EventKind.REMOVED,
        "expired": event.kind == EventKind.EXPIRED,
        "closed": closed,
        "suggestions": [suggestion_of(found, recipient) for found in others],
        "reason": lines(event.reason),
        **change_context(before, event.after, recipient),
    }
    if context["removed"]:
        # Its address would lead to nothing.
        context["home"] = settings.HOME_URL
    status = BookingStatus.CANCELLED.value
    return Letter("booking_cancelled", booking_context(before, recipient, status=status, by=event.by, **context))


def is_closed(booking: Booking) -> bool:
    """True if the resource is closed during the booking."""
    closures = Booking.taken.blocking().filter(kind=RowKind.CLOSURE, resource_id=booking.resource_id)
    return closures.overlapping(booking.slot).exists()


def free_instead_of(booking: Booking, *, now: datetime) -> list[Suggestion]:
    """Other slots of the same length for the owner; the booking of a message knows only the name of its resource."""
    resource = Resource.objects.with_house().filter(pk=booking.resource_id).first()
    if resource is None:
        return []
    wanted = Booking(user=booking.user, resource=resource, start_time=booking.start_time, end_time=booking.end_time)
    return suggestions_for(wanted, now=now)


def booking_reminder(facts: Facts, recipient: Recipient) -> Letter:
    """Says that a booking begins soon."""
    booking = booking_of(facts["after"])
    context = booking_context(booking, recipient, status=booking.status, by=None)
    return Letter("booking_reminder", context | {"start": format_moment(booking.start_time, recipient.zone)})


def slots_freed(facts: Facts, recipient: Recipient) -> Letter:
    """Lists the slots that become free when an account is deleted.

    A row of an older version names all of them, and has no number of others.
    """
    slots = [slot_of(booking_of(told), recipient) for told in facts["bookings"][:MAX_SLOTS]]
    number = len(facts["bookings"]) + facts.get("more", 0)
    context = {
        "username": shortened(one_line(facts["username"]), USER_IN_SUBJECT),
        "number": number,
        "slots": slots,
        "more": number - len(slots),
        "zone": zone_name(recipient.zone),
    }
    return Letter("slots_freed", context)


def approvals_wanted(facts: Facts, recipient: Recipient) -> Letter:
    """Lists the bookings that still wait for approval and begin soon."""
    told = [booking_of(each) for each in as_they_stand(facts["bookings"])]
    bookings = [booking for booking in told if booking.status == BookingStatus.PENDING]
    owners = [shortened(owner_name(booking.user, recipient), USER_IN_SUBJECT) for booking in bookings]
    context = {
        "number": len(bookings) + facts["more"],
        "slots": [
            slot_of(booking, recipient, detail=f"for {owner}") for booking, owner in zip(bookings, owners, strict=True)
        ],
        "more": facts["more"],
        "zone": zone_name(recipient.zone),
    }
    return Letter("approvals_wanted", context)


def bookings_in_one(facts: Facts, recipient: Recipient) -> Letter:
    """Lists how bookings stand about which there were too many messages."""
    told = as_they_stand(facts["bookings"])
    known = told if recipient.is_confirmed else [without_words_of(each) for each in told]
    bookings = [booking_of(each) for each in known]
    context = {
        "number": facts["messages"],
        "slots": [slot_of(booking, recipient, detail=booking.status) for booking in bookings],
        "more": facts["more"],
        "zone": zone_name(recipient.zone),
    }
    files = tuple(calendar_file(booking, recipient.address) for booking in bookings)
    return Letter("bookings_in_one", context, files)


def as_they_stand(told: list[Facts]) -> list[Facts]:
    """Returns the facts of bookings as they are now; the last message about one may not have told the last event."""
    rows = Booking.objects.in_full().in_bulk([each["booking"]["id"] for each in told])
    return [booking_facts(row) if (row := rows.get(each["booking"]["id"])) else removed(each) for each in told]


def removed(facts: Facts) -> Facts:
    """Returns the facts of a booking whose row is gone: cancelled, which is one revision more if it held its slot."""
    if facts["booking"]["status"] not in BookingStatus.blocking():
        return facts
    sequence = facts["booking"]["calendar_sequence"] + 1
    return {**facts, "booking": {**facts["booking"], "status": BookingStatus.CANCELLED, "calendar_sequence": sequence}}


def password_reset(user: User, name: str) -> Letter:
    """Contains a link to choose a new password; without `HOME_URL`, only the uid and the token of the link."""
    uid, token = encode_uid(user.pk), default_token_generator.make_token(user)
    context = {
        "name": name,
        "uid": uid,
        "token": token,
        "link": f"{settings.HOME_URL}/password-reset/{uid}/{token}" if settings.HOME_URL else "",
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    return Letter("password_reset", context)


def moment_of(facts: Facts, recipient: Recipient) -> str:
    """Returns the moment of an act, to the second."""
    return format_moment(datetime.fromisoformat(facts["at"]).replace(microsecond=0), recipient.zone)
