"""For whom a message is rendered: the address, the time zone, and whether it still has a point."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction

from core.choices import BookingStatus
from core.models import Booking
from core.notifications.facts import Facts
from core.notifications.kinds import Kind
from core.notifications.models import Notification, NotificationPreferences
from core.notifications.outbox import is_address
from core.zones import DEFAULT_ZONE, zone_named


class Pointless(Exception):  # noqa: N818 - no error: nothing went wrong
    """A message that nobody needs any more, and why."""


class ForNow(Pointless):
    """A reminder that would be written again, should it have a point again before the start."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a message.

    Attributes:
        address: Where it goes.
        zone: The time zone of its times.
        user_id: None for staff.
        is_new: Whether nothing was sent to that user at that address before.
    """

    address: str
    zone: ZoneInfo
    user_id: int | None = None
    is_new: bool = False

    @property
    def for_staff(self) -> bool:
        """Whether it is an address of staff."""
        return self.user_id is None


def reader_of(row: Notification, *, zones: dict[str, str], now: datetime) -> Reader:
    """Who gets a message.

    Messages about bookings go where the user is now; the necessary ones, which are about the account itself, where
    the user was when it happened.

    Raises:
        Pointless: When it should not be sent, with the reason.
    """
    if row.user is None:
        if not row.to:
            raise Pointless("nobody has this address")
        return Reader(row.to, zone_named(zones.get(row.to.lower(), DEFAULT_ZONE)))
    wishes = preferences_of(row.user)
    address = row.user.email if row.kind in Kind.optional() else row.to
    if not row.user.is_active:
        raise ForNow("the account is not active")
    if not address or not is_address(address):
        raise Pointless("the user has no valid address")
    if not stands_for_staff(row, address):
        if address == wishes.refused_address:
            raise Pointless("the reader of this address knows nothing of the account")
        if not wanted(row, wishes):
            raise ForNow("the user does not want such messages")
    if row.kind == Kind.BOOKING_REMINDER:
        require_reminder(row, now=now)
    if row.kind == Kind.PASSWORD_RESET and not (row.user.has_usable_password() and row.user.email == row.to):
        raise Pointless("the account has another address now, or no password")
    return Reader(address, zone_named(wishes.time_zone), row.user_id, is_new=address != wishes.known_address)


def stands_for_staff(row: Notification, address: str) -> bool:
    """Whether a message is the one to staff, too, which the operator wants and nobody switches off."""
    told = row.kind in Kind.of_events() and row.user.is_staff
    return told and address.lower() in {each.lower() for each in settings.TO_EMAIL}


def wanted(row: Notification, wishes: NotificationPreferences) -> bool:
    """Whether the user wants it; where the booking was moved with its new status, by either name."""
    return wishes.wants(row.kind) or (moved(row.facts) and wishes.wants(Kind.BOOKING_CHANGED))


def moved(facts: Facts) -> bool:
    """Whether the times or the resource changed."""
    if "before" not in facts:
        return False
    before, after = facts["before"]["booking"], facts["after"]["booking"]
    return any(before.get(name) != after.get(name) for name in ("resource_id", "start_time", "end_time"))


def require_reminder(row: Notification, *, now: datetime) -> None:
    """A reminder is about a booking that stands, where it stood, and has not begun.

    Raises:
        Pointless: When it is not.
    """
    booking = Booking.objects.filter(pk=row.booking_id).first()
    if booking is None or booking.status != BookingStatus.CONFIRMED:
        raise ForNow("the booking does not stand any more")
    if booking.start_time != row.starts_at:
        raise ForNow("the booking was moved")
    if booking.start_time <= now:
        raise Pointless("the booking has begun")


def preferences_of(user: object) -> NotificationPreferences:
    """A user's preferences, or the defaults, which are not stored."""
    try:
        return user.notification_preferences  # type: ignore[attr-defined]
    except ObjectDoesNotExist:
        return NotificationPreferences(user=user)


def staff_zones(rows: list[Notification]) -> dict[str, str]:
    """The time zones of those addresses of staff that belong to users."""
    addresses = {row.to.lower() for row in rows if row.for_staff}
    if not addresses:
        return {}
    found = NotificationPreferences.objects.filter(user__email__in=addresses)
    return dict(found.values_list("user__email", "time_zone"))


def welcomed(reader: Reader) -> None:
    """Remember that the user was written to at that address; nothing, where the account was deleted meanwhile."""
    known = {"known_address": reader.address}
    with contextlib.suppress(IntegrityError), transaction.atomic():
        NotificationPreferences.objects.update_or_create(user_id=reader.user_id, defaults=known)
