"""What people are told by e-mail: one function and three templates per message.

What a message says is gathered inside the transaction; it is rendered and sent after the commit. One event is one
message for each receiver.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string

from core import events
from core.choices import BookingStatus
from core.models import Booking
from core.notifications.words import lines, moment, one_line, shortened, tidy
from core.utils import Message, deliver

logger = logging.getLogger(__name__)

# How much of a name a subject has room for, in characters.
RESOURCE_IN_SUBJECT = 80
USER_IN_SUBJECT = 40


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is rendered: its templates, its receiver and plain values to fill in."""

    template: str
    to: str
    context: dict[str, Any]


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


# --- The messages -----------------------------------------------------------------------------------------------------


def booking_created(event: events.BookingCreated) -> None:
    """Tell the owner and staff of a new booking, and whether it waits for approval."""
    announce("booking_created", event.booking, status=event.booking.status, by=event.by)


def booking_changed(event: events.BookingChanged) -> None:
    """Tell the owner and staff what changed from what to what."""
    if event.before.status != event.after.status:
        booking_status_changed(event)
    else:
        announce("booking_changed", event.after, status=event.after.status, by=event.by, **changes(event))


def booking_status_changed(event: events.BookingChanged) -> None:
    """Tell the owner and staff that it was confirmed, rejected, revived or put back, and what changed with that."""
    context = {"was_blocking": event.before.blocks, **changes(event)}
    announce("booking_status_changed", event.after, status=event.after.status, by=event.by, **context)


def booking_cancelled(event: events.BookingCancelled) -> None:
    """Tell the owner and staff that the slot is free again."""
    context = {"removed": event.removed, **changes(event)}
    announce("booking_cancelled", event.before, status=BookingStatus.CANCELLED.value, by=event.by, **context)


def password_reset(user: AbstractBaseUser, *, to: str, uid: str, token: str) -> None:
    """Send the way to a new password: a link where the single-page app is known, the words of it otherwise."""
    context = {
        "name": one_line(user.get_username()),
        "uid": uid,
        "token": token,
        "link": f"{settings.FRONTEND_URL}/password-reset/{uid}/{token}" if settings.FRONTEND_URL else "",
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "home": settings.FRONTEND_URL,
    }
    send([Letter("password_reset", to, context)])


# --- What they say ----------------------------------------------------------------------------------------------------


def announce(template: str, booking: Booking, *, by: Any, **context: Any) -> None:  # noqa: ANN401 - any user model
    """One message to the owner, where they have an address, and one to each address of staff."""
    letters = [
        Letter(template, address, {**about(booking, by=by, for_staff=for_staff, **context), "for_staff": for_staff})
        for address, for_staff in receivers(booking.user)
    ]
    send(letters)


def receivers(owner: Any) -> Iterator[tuple[str, bool]]:  # noqa: ANN401 - any user model
    """The addresses to write to, each once, and whether it is staff's. An owner who is also staff hears as owner."""
    seen = set()
    for address, for_staff in ((owner.email, False), *((address, True) for address in settings.TO_EMAIL)):
        if not address or address.lower() in seen:
            continue
        seen.add(address.lower())
        try:
            validate_email(address)
        except ValidationError:
            logger.warning("User %s has no valid e-mail address; nothing is sent to them.", owner.pk)
        else:
            yield address, for_staff


def about(booking: Booking, *, status: str, by: Any, for_staff: bool, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """What every message about a booking says, as plain values: names in one line, moments in words.

    Args:
        booking: The booking to describe.
        status: The state to show.
        by: Who did it; None for nobody in particular.
        for_staff: Whether staff read it, or else the owner.
        more: What the message says beyond.
    """
    owner, resource = one_line(booking.user.get_username()), one_line(booking.resource.name)
    by_owner = by is not None and by.pk == booking.user_id
    facts = [
        Fact("Resource", resource),
        Fact("Start", moment(booking.start_time)),
        Fact("End", moment(booking.end_time)),
        Fact("Status", status),
    ]
    topic = f"{shortened(resource, RESOURCE_IN_SUBJECT)}, {moment(booking.start_time)}"
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
        "home": settings.FRONTEND_URL,
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


def changes(event: events.BookingChanged | events.BookingCancelled) -> dict[str, Any]:
    """What differs between before and after: single values, and the notes, which may be long."""
    before, after = event.before, event.after
    times = [
        Difference("Start", moment(before.start_time), moment(after.start_time)),
        Difference("End", moment(before.end_time), moment(after.end_time)),
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


# --- Sending ----------------------------------------------------------------------------------------------------------


def send(letters: list[Letter]) -> None:
    """Render and deliver after the commit."""

    def after_commit() -> None:
        deliver([render(letter) for letter in letters])

    if letters:
        transaction.on_commit(after_commit, robust=True)


def render(letter: Letter) -> Message:
    """The message of a letter's templates: `<template>.subject.txt`, `.body.txt`, `.body.html`.

    The heading in the HTML is the subject without the time, which is in the table below it.
    """
    folder = f"core/email/{letter.template}"
    subject_template = f"{folder}.subject.txt"
    untimed = {"topic": shortened(letter.context.get("resource", ""), RESOURCE_IN_SUBJECT)}
    subject = one_line(render_to_string(subject_template, letter.context))
    heading = one_line(render_to_string(subject_template, letter.context | untimed))
    context = {**letter.context, "subject": subject, "heading": heading}
    text = tidy(render_to_string(f"{folder}.body.txt", context))
    html = render_to_string(f"{folder}.body.html", context).strip() + "\n"
    return Message(to=letter.to, subject=subject, text=text, html=html)
