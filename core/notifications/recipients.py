"""Who gets a message: the address, the time zone, and whether the message is still needed."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.choices import BookingStatus
from core.models import Booking
from core.notifications.facts import Facts
from core.notifications.kinds import Kind
from core.notifications.models import Notification, NotificationPreferences
from core.notifications.preferences import preferences_of
from core.outbox.delivery import NotNeeded
from core.zones import DEFAULT_ZONE, zone_named


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a message.

    Attributes:
        address: Where the message goes.
        zone: The time zone of its times.
        user_id: None for staff.
        is_new: True if nothing was ever sent to that user at that address.
    """

    address: str
    zone: ZoneInfo
    user_id: int | None = None
    is_new: bool = False

    @property
    def for_staff(self) -> bool:
        """True for an address of `TO_EMAIL`."""
        return self.user_id is None


def recipient_of(row: Notification, *, zones: dict[str, str], now: datetime) -> Recipient:
    """Who gets a message.

    A message about a booking goes to the user's present address; a message about the account itself goes to the
    address that the user had when it was written.

    Raises:
        NotNeeded: When nobody should get it, with the reason.
    """
    if row.user is None:
        if not row.to:
            raise NotNeeded("nobody has this address")
        return Recipient(row.to, zone_named(zones.get(row.to.lower(), DEFAULT_ZONE)))
    wishes = preferences_of(row.user)
    address = row.user.email if row.kind in Kind.optional() else row.to
    if not row.user.is_active:
        raise not_now("the account is not active")
    if not address or not is_address(address):
        raise NotNeeded("the user has no valid address")
    if not stands_for_staff(row, address):
        if address == wishes.refused_address:
            raise NotNeeded("the reader of this address knows nothing of the account")
        if not is_wanted(row, wishes):
            raise not_now("the user does not want such messages")
    if row.kind == Kind.BOOKING_REMINDER:
        require_reminder(row, now=now)
    if row.kind == Kind.PASSWORD_RESET and not (row.user.has_usable_password() and row.user.email == row.to):
        raise NotNeeded("the account has another address now, or no password")
    return Recipient(address, zone_named(wishes.time_zone), row.user_id, is_new=address != wishes.known_address)


def not_now(reason: str) -> NotNeeded:
    """A reminder that may be needed again before the start."""
    # Clear `starts_at`, so that the unique constraint allows a new reminder.
    return NotNeeded(reason, starts_at=None)


def is_address(value: str) -> bool:
    """True if mail can go there."""
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def stands_for_staff(row: Notification, address: str) -> bool:
    """True if this message also replaces the staff copy; it is then sent regardless of preferences."""
    told = row.kind in Kind.of_events() and row.user.is_staff
    return told and address.lower() in {each.lower() for each in settings.TO_EMAIL}


def is_wanted(row: Notification, wishes: NotificationPreferences) -> bool:
    """True if the user wants the message; a booking that was also moved counts as changed, too."""
    return wishes.wants(row.kind) or (moved(row.facts) and wishes.wants(Kind.BOOKING_CHANGED))


def moved(facts: Facts) -> bool:
    """Whether the times or the resource changed."""
    if "before" not in facts:
        return False
    before, after = facts["before"]["booking"], facts["after"]["booking"]
    return any(before.get(name) != after.get(name) for name in ("resource_id", "start_time", "end_time"))


def require_reminder(row: Notification, *, now: datetime) -> None:
    """Refuse a reminder of a booking that was cancelled, moved or has begun.

    Raises:
        NotNeeded: With the reason.
    """
    booking = Booking.objects.filter(pk=row.booking_id).first()
    if booking is None or booking.status != BookingStatus.CONFIRMED:
        raise not_now("the booking does not stand any more")
    if booking.start_time != row.starts_at:
        raise not_now("the booking was moved")
    if booking.start_time <= now:
        raise NotNeeded("the booking has begun")


def staff_zones(rows: list[Notification]) -> dict[str, str]:
    """The time zones of those addresses of staff that belong to users."""
    addresses = {row.to.lower() for row in rows if row.for_staff}
    if not addresses:
        return {}
    found = NotificationPreferences.objects.filter(user__email__in=addresses)
    return dict(found.values_list("user__email", "time_zone"))
