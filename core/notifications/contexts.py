"""The values that the templates of messages about bookings show: names in one line, moments in the reader's zone."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from core.choices import BookingStatus
from core.errors import Suggestion
from core.models import Booking
from core.notifications import links
from core.notifications.recipients import Recipient
from core.notifications.words import format_moment, lines, one_line, shortened, zone_name
from core.utils import Attachment

# The longest names in a subject, in characters.
RESOURCE_IN_SUBJECT = 80
USER_IN_SUBJECT = 40

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before rendering: the name of its templates, their context, and files."""

    template: str
    context: Context
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A line about a booking: its label and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A line about a change: its label, the old value and the new value."""

    name: str
    old: str
    new: str


def booking_context(
    booking: Booking, recipient: Recipient, *, status: str, by: User | None, **extra: object
) -> Context:
    """Returns the context of every message about a booking: names in one line, moments as text.

    Args:
        booking: The booking.
        recipient: The recipient of the message.
        status: The status to show.
        by: The user who caused the event; None for the system.
        extra: Further values of this kind of message.
    """
    owner, resource = owner_name(booking.user, recipient), one_line(booking.resource.name)
    by_owner, for_staff = by is not None and by.pk == booking.user_id, recipient.for_staff
    start = format_moment(booking.start_time, recipient.zone)
    facts = [
        Fact("Resource", resource),
        Fact("Start", start),
        Fact("End", format_moment(booking.end_time, recipient.zone)),
    ]
    if zone_name(recipient.zone):
        facts.append(Fact("Zone", zone_name(recipient.zone)))
    facts.append(Fact("Status", status))
    topic = f"{shortened(resource, RESOURCE_IN_SUBJECT)}, {start}"
    if for_staff:
        facts.append(Fact("For", f"{owner} <{booking.user.email}>" if booking.user.email else owner))
        topic += f" ({shortened(owner, USER_IN_SUBJECT)})"
    facts.append(Fact("Booking", f"no. {booking.pk}"))
    return {
        "home": links.booking_home(booking.pk),
        "topic": topic,
        "resource": resource,
        "status": str(status),
        "waits": status == BookingStatus.PENDING and booking.resource.requires_approval,
        "owner": owner,
        "by_owner": by_owner,
        "actor": actor_name(by, by_owner=by_owner, for_staff=for_staff),
        "whose": possessive(owner, by_owner=by_owner, for_staff=for_staff),
        "facts": facts,
        "notes": lines(booking.notes),
        **extra,
    }


def owner_name(user: User, recipient: Recipient) -> str:
    """Returns the user name in one line; staff may read of a booking after the deletion of its owner's account."""
    return one_line(user.get_username()) or ("a deleted account" if recipient.for_staff else "")


def slot_of(booking: Booking, recipient: Recipient, *, detail: str = "") -> Fact:
    """Returns the resource of a booking with a detail, if one is given, and its start and end."""
    start, end = (format_moment(bound, recipient.zone) for bound in (booking.start_time, booking.end_time))
    name = one_line(booking.resource.name)
    return Fact(f"{name}, {detail}" if detail else name, f"{start} to {end}")


def suggestion_of(suggestion: Suggestion, recipient: Recipient) -> Fact:
    """Returns the resource of another free slot, and the slot."""
    start, end = (format_moment(bound, recipient.zone) for bound in (suggestion.slot.start, suggestion.slot.end))
    return Fact(one_line(suggestion.resource_name), f"{start} to {end}")


def actor_name(by: User | None, *, by_owner: bool, for_staff: bool) -> str:
    """Names the user who caused the event, for the beginning of a sentence."""
    if by is None:
        return "The booking system"
    if by_owner:
        return (one_line(by.get_username()) or "The owner") if for_staff else "You"
    name = one_line(by.get_username())
    return name + (" (staff)" if by.is_staff else "") if name else "Staff"


def possessive(owner: str, *, by_owner: bool, for_staff: bool) -> str:
    """Names the owner before the word booking: your, their, or the owner's name."""
    if not for_staff:
        return "your"
    return "their" if by_owner else f"{owner}'s"


def change_context(before: Booking, after: Booking, recipient: Recipient) -> Context:
    """Returns the differences between the booking before and after; the notes are apart, since they may be long."""
    zone = recipient.zone
    times = [
        Difference("Start", format_moment(before.start_time, zone), format_moment(after.start_time, zone)),
        Difference("End", format_moment(before.end_time, zone), format_moment(after.end_time, zone)),
    ]
    differences = [difference for difference in times if difference.old != difference.new]
    if before.resource_id != after.resource_id:
        names = one_line(before.resource.name), one_line(after.resource.name)
        differences.insert(0, Difference("Resource", *names))
    details_changed = bool(differences) or before.notes != after.notes
    if before.status != after.status and after.status != BookingStatus.CANCELLED:
        differences.append(Difference("Status", str(before.status), str(after.status)))
    return {
        "differences": differences,
        "details_changed": details_changed,
        "notes_changed": before.notes != after.notes,
        "notes_before": lines(before.notes),
        "notes": lines(after.notes),
    }
