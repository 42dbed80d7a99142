"""Finds the recipient of a message: the address and the time zone, or the reason to drop the message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.choices import BookingStatus
from core.models import Booking
from core.notifications.kinds import Kind
from core.notifications.models import Notification, NotificationPreferences
from core.notifications.preferences import preferences_of
from core.outbox.channels import NotNeeded
from core.record.facts import Facts
from core.record.series import is_of_series
from core.zones import zone_of


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient of a message.

    Attributes:
        address: The e-mail address.
        zone: The time zone of its times.
        user_id: None for staff.
        is_new: True if no message was sent to the user at this address before.
        is_confirmed: False for an address that was entered over the API and not confirmed by its reader since. A
            message to such an address has no words that a user wrote.
    """

    address: str
    zone: ZoneInfo
    user_id: int | None = None
    is_new: bool = False
    is_confirmed: bool = True

    @property
    def for_staff(self) -> bool:
        """True for an address of `TO_EMAIL`."""
        return self.user_id is None


def recipient_of(row: Notification, *, zones: Mapping[str, str | None], now: datetime) -> Recipient:
    """Returns the recipient of a message.

    A message about bookings goes to the user's present address. A message about the account itself goes to the address
    that the row names.

    Args:
        row: The message.
        zones: The time zones of staff addresses, by address in lower case.
        now: The present moment.

    Raises:
        NotNeeded: The message has no recipient, for the given reason.
    """
    user = row.user
    if user is None:
        if not row.to:
            raise NotNeeded("nobody has this address")
        if row.kind == Kind.APPROVALS_WANTED:
            require_approvals(row)
        return Recipient(row.to, zone_of(zones.get(row.to.lower())))
    preferences = preferences_of(user)
    address = user.email if row.kind in Kind.about_bookings() else row.to
    if not user.is_active:
        raise not_needed_yet("the account is not active")
    if not address or not is_address(address):
        raise NotNeeded("the user has no valid address")
    # Mails about a password always come: whoever silences them could take an account over unnoticed.
    if row.kind in Kind.about_bookings() and not replaces_staff_copy(row, user, address):
        if address == preferences.refused_address:
            raise NotNeeded("the reader of this address knows nothing of the account")
        if not is_wanted(row, preferences):
            raise not_needed_yet("the user does not want such messages")
    if row.kind == Kind.BOOKING_REMINDER:
        require_reminder(row, now=now)
    if row.kind == Kind.PASSWORD_RESET and not (user.has_usable_password() and user.email == row.to):
        raise NotNeeded("the account has another address now, or no password")
    zone = zone_of(preferences.time_zone)
    if row.kind == Kind.EMAIL_CHANGED:
        return Recipient(address, zone, row.user_id, is_confirmed=row.facts["was_confirmed"])
    is_confirmed = preferences.email_confirmed and address == user.email
    if row.kind == Kind.EMAIL_ENTERED and (
        is_confirmed or user.email != row.to or address == preferences.refused_address
    ):
        raise NotNeeded("the address is confirmed or refused, or the account has another one now")
    is_new = address != preferences.known_address
    return Recipient(address, zone, row.user_id, is_new=is_new, is_confirmed=is_confirmed)


def is_to_new(row: Notification) -> bool:
    """True for a message to a user to whose address no message was sent before."""
    if row.user is None:
        return False
    address = row.user.email if row.kind in Kind.about_bookings() else row.to
    return address != preferences_of(row.user).known_address


def not_needed_yet(reason: str) -> NotNeeded:
    """Returns the outcome for a message that is not needed now; a reminder may be needed again before the start."""
    # Clear `starts_at`, so that the unique constraint allows a new reminder.
    return NotNeeded(reason, starts_at=None)


def is_address(value: str) -> bool:
    """True for a valid e-mail address."""
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def replaces_staff_copy(row: Notification, user: User, address: str) -> bool:
    """True if this message also replaces the staff copy; it is then sent regardless of preferences."""
    staff_addresses = {staff_address.lower() for staff_address in settings.TO_EMAIL}
    return row.kind in Kind.booking_events() and user.is_staff and address.lower() in staff_addresses


def is_wanted(row: Notification, preferences: NotificationPreferences) -> bool:
    """True if the user wants the message; a message about a moved booking counts as one about a change, too."""
    return preferences.wants(row.kind) or (tells_of_move(row.facts) and preferences.wants(Kind.BOOKING_CHANGED))


def tells_of_move(facts: Facts) -> bool:
    """True for the facts of a change of the time or the resource; those of a series say so themselves."""
    return bool(facts["moves"]) if is_of_series(facts) else is_moved(facts)


def is_moved(facts: Facts) -> bool:
    """True if an act changed the time or the resource of a booking."""
    if "before" not in facts:
        return False
    before, after = facts["before"]["booking"], facts["after"]["booking"]
    return any(before.get(name) != after.get(name) for name in ("resource_id", "start_time", "end_time"))


def require_reminder(row: Notification, *, now: datetime) -> None:
    """Checks that the booking of a reminder is confirmed, starts at the same time as before, and has not begun.

    Raises:
        NotNeeded: The reminder is not needed, for the given reason.
    """
    booking = Booking.objects.filter(pk=row.booking_id).first() if row.booking_id is not None else None
    if booking is None or booking.status != BookingStatus.CONFIRMED:
        raise not_needed_yet("the booking does not stand any more")
    if booking.start_time != row.starts_at:
        raise not_needed_yet("the booking was moved")
    if booking.start_time <= now:
        raise NotNeeded("the booking has begun")


def require_approvals(row: Notification) -> None:
    """Checks that one of the bookings of a list still waits for approval.

    Raises:
        NotNeeded: None of them waits any more.
    """
    ids = [each["booking"]["id"] for each in row.facts["bookings"]]
    if not Booking.objects.filter(pk__in=ids, status=BookingStatus.PENDING).exists():
        raise NotNeeded("none of the bookings waits any more")


def staff_zones(rows: list[Notification]) -> dict[str, str | None]:
    """Returns the time zones of the staff addresses that belong to users, by address in lower case."""
    addresses = {row.to.lower() for row in rows if row.for_staff}
    if not addresses:
        return {}
    preferences = NotificationPreferences.objects.filter(user__email__in=addresses)
    return dict(preferences.values_list("user__email", "time_zone"))
