"""What people are told by e-mail: one function and three templates per message, sent after the commit."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string

from core import events
from core.models import Booking
from core.utils import Message, deliver


def booking_created(event: events.BookingCreated) -> None:
    """Tell the owner and staff of a new booking."""
    announce("booking_created", event.booking, event.by)


def booking_changed(event: events.BookingChanged) -> None:
    """Tell the owner and staff what changed from what to what."""
    announce("booking_changed", event.after, event.by, changes=differences(event.before, event.after))


def booking_cancelled(event: events.BookingCancelled) -> None:
    """Tell the owner and staff that the slot is free again."""
    announce("booking_cancelled", event.before, event.by)


def announce(template: str, booking: Booking, by: Any, **context: Any) -> None:  # noqa: ANN401
    """One message to the owner, where they have an address, and one to each address of staff."""
    receivers = [(address, False) for address in (booking.user.email,) if address]
    receivers += [(address, True) for address in settings.TO_EMAIL]
    for address, for_staff in receivers:
        facts = {"booking": booking, "by": by, "for_staff": for_staff, **context}
        send(template, to=address, context=facts)


def differences(before: Booking, after: Booking) -> list[tuple[str, Any, Any]]:
    """What differs: a name for people, the old value, the new one."""
    pairs = [
        ("Resource", before.resource.name, after.resource.name),
        ("Start", before.start_time, after.start_time),
        ("End", before.end_time, after.end_time),
        ("Status", before.status, after.status),
        ("Notes", before.notes, after.notes),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def send(template: str, *, to: str, context: dict[str, Any]) -> None:
    """Render a message now and deliver it after the commit."""
    message = render(template, to=to, context=context)
    transaction.on_commit(partial(deliver, message), robust=True)


def render(template: str, *, to: str, context: dict[str, Any]) -> Message:
    """The message of a template: `<template>.subject.txt`, `.body.txt`, `.body.html`."""
    folder = f"core/email/{template}"
    subject = " ".join(render_to_string(f"{folder}.subject.txt", context).split())
    text = render_to_string(f"{folder}.body.txt", context).strip() + "\n"
    return Message(to=to, subject=subject, text=text, html=render_to_string(f"{folder}.body.html", context))
