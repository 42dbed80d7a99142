"""How near and how far ahead a booking may lie."""

from datetime import datetime, timedelta

from django.conf import settings

LATEST_END = timedelta(days=1826)


def lead_time() -> timedelta:
    """How far ahead a new booking must start."""
    return timedelta(minutes=settings.BOOKING_LEAD_TIME_MINUTES)


def latest_end(now: datetime) -> datetime:
    """The last moment at which a booking may end: five years from now."""
    return now + LATEST_END


def next_start(now: datetime) -> datetime:
    """The first whole minute at which a booking could start, so that an offer still holds when it is read."""
    earliest = now + lead_time()
    whole = earliest.replace(second=0, microsecond=0)
    return whole if whole == earliest else whole + timedelta(minutes=1)
